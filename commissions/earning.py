"""The night's third step: what each sale should earn, compared with the ledger; differences are posted.

The ledger is the only record: what stands posted is the sum of its lines by partner, sale and currency, and a second
run finds no difference.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commissions import rules
from commissions.models import Earning
from commissions.terms import NOTHING, PlanBook, Terms, held_by_partner, lock_enrollments
from common import bulk
from common.money import minor_unit
from leads.models import Sale
from tiers import steps
from tiers.models import Enrollment, Run

COLUMNS = ("partner", "program", "sale", "number", "kind", "earned_on", "posted_at", "run", "plan", "tier", "base", "rate",
           "before", "amount", "currency")  # fmt: skip
NO_TERMS = Terms(None, None, NOTHING, "elsewhere")


Key = tuple[int, int, str]  # partner, sale, currency


@dataclass(slots=True)
class Posted:
    """What stands in the ledger for a range of partners."""

    amounts: dict[Key, Decimal] = field(default_factory=dict)
    last_days: dict[Key, date] = field(default_factory=dict)  # of the sale, as the lines knew it
    numbers: dict[tuple[int, int], int] = field(default_factory=dict)  # lines so far, by partner and sale

    def next_number(self, partner_id: int, sale_id: int) -> int:
        number = self.numbers.get((partner_id, sale_id), 0) + 1
        self.numbers[partner_id, sale_id] = number
        return number


def cut(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    """Ranges of partner ids, both ends included, that hold `chunk_size` partners each: all that were ever enrolled."""
    enrolled = Enrollment.objects.filter(program=run.program_id)
    ids = enrolled.order_by("partner_id").values_list("partner_id", flat=True).distinct()
    first = last = None
    for number, pk in enumerate(ids.iterator(chunk_size=10_000)):
        if number % chunk_size == 0:
            if first is not None and last is not None:
                yield first, last
            first = pk
        last = pk
    if first is not None and last is not None:
        yield first, last


def post(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Post the differences for the partners in a range. A fixed number of queries.

    Sales from `run.day` on are left for later nights. A sale that went to another partner, changed its currency or moved
    to a later day than this night pays is reversed where it stood. What a later night posted is left to later nights.
    """
    lock_enrollments(run.program, *bounds)
    posted = _posted(run, bounds)
    counts = {"sales": 0, "posted": 0}
    bulk.insert(Earning, COLUMNS, _count(_differences(run, bounds, posted, counts), counts))
    return counts


def _posted(run: Run, bounds: tuple[int, int]) -> Posted:
    posted = Posted()
    lines = (
        Earning.objects.filter(program=run.program_id, partner__id__range=bounds)
        .order_by()
        .values_list("partner_id", "sale_id", "currency")
        .annotate(Sum("amount"), Max("number"), Max("earned_on"))
    )
    for partner_id, sale_id, currency, amount, number, last_day in lines.iterator(chunk_size=10_000):
        posted.amounts[partner_id, sale_id, currency] = amount
        posted.last_days[partner_id, sale_id, currency] = last_day
        posted.numbers[partner_id, sale_id] = max(number, posted.numbers.get((partner_id, sale_id), 0))
    return posted


def _differences(
    run: Run, bounds: tuple[int, int], posted: Posted, counts: dict[str, int]
) -> Iterator[tuple[Any, ...]]:
    book, held = PlanBook(run.program), held_by_partner(run.program, *bounds)
    now = timezone.now()
    enrolled = Enrollment.objects.filter(program=run.program_id, partner__id__range=bounds).values("partner_id")
    sales = Sale.objects.filter(partner__id__range=bounds, partner_id__in=enrolled, sold_on__lt=run.day)
    facts = sales.order_by("partner_id", "id").values_list("id", "partner_id", "sold_on", "amount", "currency")
    for sale_id, partner_id, sold_on, amount, currency in facts.iterator(chunk_size=10_000):
        counts["sales"] += 1
        stood = posted.amounts.pop((partner_id, sale_id, currency), NOTHING)
        terms = book.terms(sold_on, held.get(partner_id))
        due = rules.commission(amount, terms.rate, minor_unit(currency)) if terms.rate else NOTHING
        if due != stood:
            number = posted.next_number(partner_id, sale_id)
            yield _line(run, now, partner_id, sale_id, number, sold_on, terms, amount, stood, due, currency)
    yield from _reversals(run, now, posted)


def _reversals(run: Run, now: datetime, posted: Posted) -> Iterator[tuple[Any, ...]]:
    """What is left posted for sales that are no longer this partner's, in this currency, or of a day gone by."""
    for (partner_id, sale_id, currency), stood in posted.amounts.items():
        day = posted.last_days[partner_id, sale_id, currency]
        if stood != 0 and day < run.day:
            number = posted.next_number(partner_id, sale_id)
            yield _line(run, now, partner_id, sale_id, number, day, NO_TERMS, NOTHING, stood, NOTHING, currency)


def _line(
    run: Run, now: datetime, partner_id: int, sale_id: int, number: int, day: Any, terms: Terms, base: Decimal,
    stood: Decimal, due: Decimal, currency: str,
) -> tuple[Any, ...]:  # fmt: skip
    return (
        partner_id, run.program_id, sale_id, number, rules.kind_of_line(number, due), day, now, run.pk, terms.plan_id,
        terms.tier_id, base, terms.rate, stood, due - stood, currency,
    )  # fmt: skip


def _count(lines: Iterator[tuple[Any, ...]], counts: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    for line in lines:
        counts["posted"] += 1
        yield line


def register() -> None:
    steps.register(steps.Step("earn", _("Post commissions"), 30, cut, post))
