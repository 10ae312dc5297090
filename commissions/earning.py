"""The night's third step: what each sale should earn, compared with the ledger; differences are posted.

The ledger is the only record: what stands posted is said by its lines, and a second run finds no difference.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commissions import rules, unsettled
from commissions.models import Earning
from commissions.terms import NOTHING, PlanBook, lock_enrollments
from commissions.unsettled import Unsettled
from common import bulk
from common.money import minor_unit
from tiers import steps
from tiers.models import Run

COLUMNS = ("partner", "program", "sale", "number", "kind", "earned_on", "posted_at", "run", "plan", "tier", "base", "rate",
           "before", "amount", "currency")  # fmt: skip


def cut(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    """Ranges of the partners that have anything to post, `chunk_size` in each: where nothing changed, none."""
    return steps.ranges(unsettled.partners(run.program, run.day), chunk_size)


def post(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Post the differences for the partners in a range. A fixed number of queries.

    Sales from `run.day` on are left for later nights. A sale that went to another partner, changed its currency or moved
    to a later day than this night pays is reversed where it stood. What a later night posted is left to later nights.
    """
    lock_enrollments(run.program, *bounds)
    return {"posted": bulk.insert(Earning, COLUMNS, _lines(run, bounds))}


def _lines(run: Run, bounds: tuple[int, int]) -> Iterator[tuple[Any, ...]]:
    book, now = PlanBook(run.program), timezone.now()
    numbers: dict[tuple[int, int], int] = {}  # the last one used where there are lines already
    for one in unsettled.sales(run.program, run.day, bounds):
        rate = book.rate(one.plan_id, one.tier_code)
        due = rules.commission(one.amount, rate, minor_unit(one.currency)) if rate else NOTHING
        if due != one.stood:
            yield _line(run, now, one, numbers, rate, due)
    for one in unsettled.gone(run.program, run.day, bounds):
        yield _line(run, now, one, numbers, NOTHING, NOTHING)


def _line(
    run: Run, now: datetime, one: Unsettled, numbers: dict[tuple[int, int], int], rate: Any, due: Any
) -> tuple[Any, ...]:
    number = one.lines + 1
    if one.lines:
        number = numbers.get((one.partner_id, one.sale_id), one.lines) + 1
        numbers[one.partner_id, one.sale_id] = number
    return (
        one.partner_id, run.program_id, one.sale_id, number, rules.kind_of_line(number, due), one.day, now, run.pk,
        one.plan_id, one.tier_id, one.amount, rate, one.stood, due - one.stood, one.currency,
    )  # fmt: skip


def register() -> None:
    steps.register(steps.Step("earn", _("Post commissions"), 30, cut, post, ("posted",)))
