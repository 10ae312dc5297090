"""The night's third step: what partners should earn, compared with the ledger; differences are posted.

Triggers note whom something changed for (models.Unsettled), so a night looks at those alone and where nothing changed reads
nothing. The ledger is the only record: what stands posted is said by its lines, and a second run finds no difference.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commissions import settling, streams
from commissions.models import Earning, Posting, Unpaid, Unsettled
from commissions.sealing import Digest, seal, text_of
from commissions.settling import Line
from commissions.situations import lock_enrollments
from commissions.streams import Partners, Segment
from commissions.terms import TermsBook
from common import bulk
from tiers import steps
from tiers.models import Program, Run

COLUMNS = ("partner", "owner", "program", "event", "fact", "sale", "number", "kind", "earned_on", "terms_on",
           "available_on", "posting", "terms", "base", "rate", "before", "amount", "currency", "detail", "fact_changed_at")  # fmt: skip
STORED = frozenset({"base", "before", "amount"})
UNPAID = ("program", "partner", "event", "fact", "sale", "terms_on", "terms")


def cut(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    """Ranges of the partners that something changed for, `chunk_size` in each: where nothing changed, none."""
    return steps.ranges(streams.unsettled(run.program, run.day), chunk_size)


def post(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Post the differences for the partners in a range. A fixed number of queries.

    Facts from `run.day` on are left for later nights. A sale that went to another partner, changed its currency or moved to a
    later day than this night pays is reversed where it stood. What a later night posted is left to later nights.
    """
    lock_enrollments(run.program, *bounds)
    taken = streams.take_unsettled(run.program, run.day, bounds)
    if not taken.since:
        return {"posted": 0, "unpaid": 0}
    known = streams.segments(run.program)
    counts = write(streams.widened(taken, known), known, run=run)
    _leave_to_later(run, taken, known)
    return counts


def _leave_to_later(run: Run, partners: Partners, known: Sequence[Segment]) -> None:
    """Facts of the day and after it stay to be looked at; by a night of an earlier day than the last one, everything."""
    last = Run.objects.nights().filter(program=run.program, state=Run.State.DONE).aggregate(Max("day"))["day__max"]
    if last is not None and last > run.day:
        later = dict(partners.since)
    else:
        later = streams.still_to_come(partners, known)
    bulk.insert(Unsettled, ("program", "partner", "since"), ((run.program_id, *one) for one in later.items()))


def write(partners: Partners, known: Sequence[Segment], *, run: Run) -> steps.Counts:
    """Append the differences of these partners and keep why the rest earned nothing. In the caller's transaction."""
    program = partners.program
    terms = TermsBook()
    unpaid: list[tuple[Any, ...]] = []
    lines = _lines(settling.differences(partners, known), terms, unpaid, program)
    first = next(lines, None)
    posted = 0
    if first is not None:
        posting = Posting.objects.create(program=program, run=run, posted_at=timezone.now())
        digest = Digest()
        rows = (_row(line, posting, digest, *terms.of(line.terms)) for line in chain([first], lines))
        posted = bulk.insert(Earning, COLUMNS, rows, stored=STORED)
        posting.lines, posting.digest = digest.lines, digest.hexdigest()
        posting.save(update_fields=["lines", "digest"])
    _replace_unpaid(partners, known, unpaid)
    return {"posted": posted, "unpaid": len(unpaid)}


def _lines(
    found: Iterator[Line | settling.Unpaid], terms: TermsBook, unpaid: list[tuple[Any, ...]], program: Program
) -> Iterator[Line]:
    """The lines alone; what earned nothing is put aside."""
    for one in found:
        if isinstance(one, Line):
            yield one
        else:
            fact = one.fact
            key, _digest = terms.of(one.terms)
            unpaid.append((program.pk, one.owner, fact.event, fact.id, fact.sale, fact.terms_on, key))


def _row(line: Line, posting: Posting, digest: Digest, terms: int, said: str) -> tuple[Any, ...]:
    program = posting.program_id
    rate = settling.rate_in_millionths(line.rate)
    digest.add(
        line.partner, line.owner, program, line.event, line.fact, line.number, line.kind, line.on, line.terms_on,
        line.available_on, said, line.base, rate, line.before, line.amount, line.currency, text_of(line.detail),
    )  # fmt: skip
    return (
        line.partner, line.owner, program, line.event, line.fact, line.sale, line.number, line.kind, line.on, line.terms_on,
        line.available_on, posting.pk, terms, line.base, settling.rate_of(rate), line.before, line.amount, line.currency,
        line.detail, line.changed_at,
    )  # fmt: skip


def _replace_unpaid(partners: Partners, known: Sequence[Segment], unpaid: list[tuple[Any, ...]]) -> None:
    whom, params = partners.sql(known)
    table = streams.table(Unpaid)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE program_id = %s AND partner_id BETWEEN %s AND %s AND EXISTS (SELECT 1 FROM ({whom}) whom "  # noqa: S608  # our own words
            f"WHERE whom.partner_id = {table}.partner_id AND {table}.terms_on >= whom.since)",
            [partners.program.pk, *partners.bounds, *params],
        )
    bulk.insert(Unpaid, UNPAID, unpaid)


def cut_seals(run: Run, chunk_size: int) -> Iterable[int]:
    """One chunk, where anything was posted since the last seal."""
    return [0] if Posting.objects.filter(seal=None).exists() else []


def make_seal(run: Run, bounds: int) -> steps.Counts:
    seal()
    return {}


def register() -> None:
    steps.register(steps.Step("earn", _("Post commissions"), 30, cut, post, ("posted", "unpaid")))
    steps.register(steps.Step("seal", _("Seal the ledger"), 35, cut_seals, make_seal))
