import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from commissions import sealing

WORDS = {
    "posting_lines": "Posting {subject}: {found} lines stand where {expected} were posted: lines were taken away or added.",
    "posting_digest": "Posting {subject}: a line does not say any more what was posted: it was changed, or another took its place.",
    "line_without_posting": "Lines of posting {subject} stand, and no such posting: it was taken away.",
    "terms_digest": "Terms {subject}: they do not say any more what lines were computed by: plan, rule, tier or conditions were changed.",
    "seal_chain": "Seal {subject} does not follow the seal before it: that one was changed, taken away or added.",
    "seal_digest": "Seal {subject}: its postings are not those that were sealed: one of them, or the seal itself, was changed.",
}


class Command(BaseCommand):
    help = (
        "Read the whole ledger of commissions once and compare it with its seals: a line, posting or seal that was changed, taken "
        "away or added past the database's triggers is named, and the command ends with 1. Memory stays the same whatever the size."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json",
            action="store_true",
            dest="as_json",
            help="print JSON instead of sentences: a line for each fault, then one with the figures",
        )

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        started = time.monotonic()
        read = sealing.Read()
        faults = 0
        for fault in sealing.verify(read):
            faults += 1
            if as_json:  # a line for each, so that a million of them need no memory
                self.stdout.write(json.dumps({"fault": fault.code, "subject": fault.subject, "says": said(fault)}))
            else:
                self.stdout.write(said(fault))
        seconds = time.monotonic() - started
        if as_json:
            self.stdout.write(
                json.dumps({
                    "seals": read.seals, "postings": read.postings, "lines": read.lines, "unsealed_postings": read.unsealed,
                    "faults": faults, "seconds": round(seconds, 3),
                })
            )  # fmt: skip
        else:
            self.stdout.write(
                f"{read.lines:,} lines of {read.postings:,} postings under {read.seals:,} seals in {seconds:.1f} s; "
                f"{read.unsealed:,} postings wait for their seal."
            )
        if faults:
            raise CommandError(f"The ledger is not what was sealed: {faults:,} faults.", returncode=1)
        if not as_json:
            self.stdout.write("Everything stands as it was sealed.")


def said(fault: sealing.Fault) -> str:
    """In words: what does not fit, where, and what that means."""
    return WORDS[fault.code].format(subject=fault.subject, found=fault.found, expected=fault.expected)
