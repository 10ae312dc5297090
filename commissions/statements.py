"""The night's fourth step: draft each month's statements from the ledger."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext_lazy as _

from commissions import earning
from commissions.models import Earning, Statement, StatementLine
from commissions.terms import NOTHING, lock_partners
from common import bulk
from common.periods import add_months, month_of
from tiers import steps
from tiers.models import Run

Key = tuple[int, date, str]  # partner, first day of the month, currency


def cut(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    return earning.cut(run, chunk_size)


def draft(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Put every ledger line of a month that is over on its partner's statement. A fixed number of queries.

    A line belongs to the month of its sale; where that statement is issued already, to the next one that is not. A line
    that would fall into the running month waits for it to end.
    """
    lock_partners(*bounds)
    running = month_of(run.day).starts_on or run.day
    existing: dict[Key, Statement] = {
        (one.partner_id, one.starts_on, one.currency): one
        for one in Statement.objects.filter(partner__id__range=bounds)
    }
    new: dict[Key, Statement] = {}
    changed: dict[Key, Statement] = {}
    placed: list[tuple[Statement, int]] = []
    waiting = Earning.objects.filter(partner__id__range=bounds, earned_on__lt=running, statement_line__isnull=True)
    for pk, partner_id, earned_on, currency, amount in waiting.order_by("id").values_list(
        "id", "partner_id", "earned_on", "currency", "amount"
    ):
        month = _open_month(existing, partner_id, earned_on, currency)
        if month >= running:
            continue
        key = (partner_id, month, currency)
        if key in existing:
            statement = changed[key] = existing[key]
        elif key in new:
            statement = new[key]
        else:
            statement = new[key] = Statement(
                partner_id=partner_id, starts_on=month, ends_on=add_months(month, 1), currency=currency,
                amount=NOTHING, drafted_by=run,
            )  # fmt: skip
        statement.amount += amount
        placed.append((statement, pk))
    Statement.objects.bulk_create(new.values(), batch_size=1000)
    Statement.objects.bulk_update(changed.values(), ["amount"], batch_size=500)
    bulk.insert(StatementLine, ("statement", "earning"), ((statement.pk, pk) for statement, pk in placed))
    return {"statements": len(new) + len(changed), "statement_lines": len(placed)}


def _open_month(existing: dict[Key, Statement], partner_id: int, earned_on: date, currency: str) -> date:
    month = earned_on.replace(day=1)
    while (found := existing.get((partner_id, month, currency))) and found.state == Statement.State.ISSUED:
        month = add_months(month, 1)
    return month


def register() -> None:
    steps.register(steps.Step("statements", _("Draft statements"), 40, cut, draft))
