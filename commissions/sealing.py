"""Seals: each posting carries a digest of its lines, each seal one of the postings since the seal before and of that seal's own.

Who changes a line, takes one away or adds one past the database's triggers would have to make every later seal anew;
`verify_ledger` finds the first that does not fit. Lines are read as they are written: hashing costs a few microseconds each.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from commissions.models import Earning, Posting, Seal, Terms
from commissions.streams import rows_of, table
from commissions.terms import digest_of

LOCK = 7_251_001
POSTINGS_AT_ONCE = 1000


class Digest:
    """SHA-256 over lines in the order in which they are posted."""

    def __init__(self) -> None:
        self._hash, self.lines = sha256(), 0

    def add(self, *values: Any) -> None:
        """A line: who, what, when, by which terms, how much. Amounts are whole ten-thousandths, rates millionths."""
        self._hash.update(("\x1f".join(map(str, values)) + "\n").encode())
        self.lines += 1

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def text_of(detail: Any) -> str:
    """A line's detail in bytes that do not depend on the database."""
    if not detail:
        return ""
    value = json.loads(detail) if isinstance(detail, str) else detail
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@transaction.atomic
def seal() -> Seal | None:
    """Seal every posting that is not, in order; None where there is none. Repeating seals nothing."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    waiting = Posting.objects.filter(seal=None)
    last = Seal.objects.order_by("-number").first()
    chain = sha256((last.digest if last else "").encode())
    keys = []
    for pk, digest in waiting.order_by("pk").values_list("pk", "digest").iterator(chunk_size=POSTINGS_AT_ONCE):
        chain.update(f"{pk}:{digest}\n".encode())
        keys.append(pk)
    if not keys:
        return None
    made = Seal.objects.create(
        number=last.number + 1 if last else 1, before=last.digest if last else "", digest=chain.hexdigest(),
        sealed_at=timezone.now(),
    )  # fmt: skip
    for start in range(0, len(keys), POSTINGS_AT_ONCE):
        Posting.objects.filter(pk__in=keys[start : start + POSTINGS_AT_ONCE]).update(seal=made)
    return made


# --- Verifying ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not fit, as a code with the number of what it is about; where lines are counted, how many there are."""

    code: str  # posting_lines, posting_digest, line_without_posting, terms_digest, seal_chain, seal_digest
    subject: int
    found: int = 0
    expected: int = 0


@dataclass(slots=True)
class Read:
    """How much was verified so far."""

    seals: int = 0
    postings: int = 0
    lines: int = 0
    unsealed: int = 0  # postings that no seal covers yet


LINES = """
    SELECT line.posting_id, line.partner_id, line.owner_id, line.program_id, line.event, line.fact, line.number, line.kind,
        line.earned_on, line.terms_on, line.available_on, terms.digest, line.base, {rate}, line.before, line.amount, line.currency,
        {detail}
    FROM {earning} line LEFT JOIN {terms} terms ON terms.id = line.terms_id ORDER BY line.posting_id, line.id
"""


def verify(read: Read | None = None) -> Iterator[Fault]:
    """Reads the whole ledger once, in flat memory, and yields what does not fit; nothing where all does. `read` counts along."""
    read = read if read is not None else Read()
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor == "postgresql" and is_outermost:  # as it stood at one moment: nights go on meanwhile
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield from _postings(read)
        yield from _terms()
        yield from _seals(read)


def _postings(read: Read) -> Iterator[Fault]:
    own = Posting.objects.order_by("pk").values_list("pk", "lines", "digest", "seal_id")
    found = _digests()
    current = next(found, None)
    for pk, lines, digest, seal in own.iterator(chunk_size=POSTINGS_AT_ONCE):
        while current is not None and current[0] < pk:
            yield Fault("line_without_posting", current[0])
            current = next(found, None)
        counted, made = 0, Digest().hexdigest()
        if current is not None and current[0] == pk:
            counted, made = current[1], current[2]
            current = next(found, None)
        read.postings, read.lines, read.unsealed = (
            read.postings + 1,
            read.lines + counted,
            read.unsealed + (seal is None),
        )
        if counted != lines:
            yield Fault("posting_lines", pk, counted, lines)
        elif made != digest:
            yield Fault("posting_digest", pk)
    while current is not None:
        yield Fault("line_without_posting", current[0])
        current = next(found, None)


def _digests() -> Iterator[tuple[int, int, str]]:
    """Each posting that has lines: its key, how many, and their digest as they are now."""
    detail, rate = "line.detail", "CAST(ROUND(line.rate * 1000000) AS bigint)"
    if connection.vendor == "postgresql":
        detail = "line.detail::text"
    sql = LINES.format(earning=table(Earning), terms=table(Terms), detail=detail, rate=rate)
    current, digest = 0, Digest()
    for posting, *values, said in rows_of(sql, []):
        if posting != current:
            if digest.lines:
                yield current, digest.lines, digest.hexdigest()
            current, digest = posting, Digest()
        digest.add(*(value.isoformat() if isinstance(value, date) else "" if value is None else value for value in values),
                   text_of(said))  # fmt: skip
    if digest.lines:
        yield current, digest.lines, digest.hexdigest()


def _terms() -> Iterator[Fault]:
    """What lines were computed by: their digests stand in those of the lines."""
    rows = Terms.objects.order_by("pk").values_list("pk", "digest", "plan_id", "tier_id", "rule", "reason", "document")
    for pk, digest, *said in rows.iterator(chunk_size=POSTINGS_AT_ONCE):
        if digest_of(*said) != digest:
            yield Fault("terms_digest", pk)


def _seals(read: Read) -> Iterator[Fault]:
    before = ""
    expected = 1
    for one in Seal.objects.order_by("number").iterator():
        if one.number != expected or one.before != before:
            yield Fault("seal_chain", one.number)
        chain = sha256(one.before.encode())
        for pk, digest in one.postings.order_by("pk").values_list("pk", "digest").iterator(chunk_size=POSTINGS_AT_ONCE):
            chain.update(f"{pk}:{digest}\n".encode())
        if chain.hexdigest() != one.digest:
            yield Fault("seal_digest", one.number)
        read.seals += 1
        before, expected = one.digest, one.number + 1
