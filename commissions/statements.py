"""The night's fourth step: draft each month's statements from the ledger."""

from collections.abc import Iterable
from datetime import date

from django.db import connection
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _

from commissions.models import Earning, Statement, StatementLine
from commissions.terms import NOTHING, lock_partners
from common.periods import add_months, month_of
from tiers import steps
from tiers.models import Run

Key = tuple[int, date, str]  # partner, first day of the month, currency

PLACE = """
    INSERT INTO {line} (statement_id, earning_id)
    SELECT statement.id, earning.id FROM {earning} earning
    JOIN {statement} statement ON statement.partner_id = earning.partner_id AND statement.currency = earning.currency
        AND statement.starts_on = %s
    WHERE earning.partner_id BETWEEN %s AND %s AND earning.earned_on >= %s AND earning.earned_on < %s
    AND statement.state = 'draft' {of_one} AND NOT EXISTS (SELECT 1 FROM {line} placed WHERE placed.earning_id = earning.id)
"""


def waiting(day: date) -> QuerySet[Earning]:
    """Ledger lines of months that are over on `day` and on no statement yet."""
    return Earning.objects.filter(earned_on__lt=_running(day), statement_line__isnull=True)


def _running(day: date) -> date:
    return month_of(day).starts_on or day


def cut(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    """Ranges of the partners that have a line waiting, `chunk_size` in each: mostly none."""
    ids = waiting(run.day).order_by("partner_id").values_list("partner_id", flat=True).distinct()
    return steps.ranges(ids.iterator(chunk_size=10_000), chunk_size)


def draft(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Put every ledger line of a month that is over on its partner's statement.

    A line belongs to the month of its sale; where that statement is issued already, to the next one that is not. A line
    that would fall into the running month waits for it to end. One statement of SQL places a month's lines.
    """
    lock_partners(*bounds)
    running = _running(run.day)
    existing: dict[Key, Statement] = {
        (one.partner_id, one.starts_on, one.currency): one
        for one in Statement.objects.filter(partner__id__range=bounds)
    }
    new: dict[Key, Statement] = {}
    changed: dict[Key, Statement] = {}
    months: set[date] = set()
    moved: list[
        tuple[int, date, str, date]
    ] = []  # lines of a month whose statement is issued, and the month they go to
    groups = waiting(run.day).filter(partner__id__range=bounds).order_by()
    by_month = groups.annotate(month=TruncMonth("earned_on")).values_list("partner_id", "month", "currency")
    for partner_id, month, currency, amount in by_month.annotate(Sum("amount")).order_by(
        "partner_id", "month", "currency"
    ):
        goes_to = _open_month(existing, partner_id, month, currency)
        if goes_to >= running:
            continue
        key = (partner_id, goes_to, currency)
        if key in existing:
            statement = changed[key] = existing[key]
        elif key in new:
            statement = new[key]
        else:
            statement = new[key] = _new(run, *key)
        statement.amount += amount
        if goes_to == month:
            months.add(month)
        else:
            moved.append((partner_id, month, currency, goes_to))
    Statement.objects.bulk_create(new.values(), batch_size=1000)
    Statement.objects.bulk_update(changed.values(), ["amount"], batch_size=500)
    placed = sum(_place(bounds, month, month) for month in sorted(months))
    placed += sum(_place((one, one), month, goes_to, currency) for one, month, currency, goes_to in moved)
    return {"statements": len(new) + len(changed), "statement_lines": placed}


def _new(run: Run, partner_id: int, month: date, currency: str) -> Statement:
    return Statement(
        partner_id=partner_id, starts_on=month, ends_on=add_months(month, 1), currency=currency, amount=NOTHING,
        drafted_by=run,
    )  # fmt: skip


def _open_month(existing: dict[Key, Statement], partner_id: int, month: date, currency: str) -> date:
    while (found := existing.get((partner_id, month, currency))) and found.state == Statement.State.ISSUED:
        month = add_months(month, 1)
    return month


def _place(bounds: tuple[int, int], month: date, goes_to: date, currency: str = "") -> int:
    """Put the waiting lines of a month on the drafts of the month they go to; how many."""
    quote, day = connection.ops.quote_name, connection.ops.adapt_datefield_value
    sql = PLACE.format(
        line=quote(StatementLine._meta.db_table), earning=quote(Earning._meta.db_table),
        statement=quote(Statement._meta.db_table), of_one="AND earning.currency = %s" if currency else "",
    )  # fmt: skip
    params = [day(goes_to), *bounds, day(month), day(add_months(month, 1)), *([currency] if currency else [])]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def register() -> None:
    steps.register(steps.Step("statements", _("Draft statements"), 40, cut, draft, ("statements", "statement_lines")))
