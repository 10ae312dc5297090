"""The night's fourth step: draft each month's statements from the ledger."""

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext_lazy as _

from commissions.models import Earning, Hold, Statement, StatementLine, StatementSettings
from commissions.situations import NOTHING, lock_partners
from common import bulk
from common.money import AmountField
from common.periods import add_months, month_of
from tiers import steps
from tiers.models import Run

Key = tuple[int, date, str]  # partner, first day of the month, currency
NET = Sum(F("total") - F("tax"), output_field=AmountField())
# What a new draft holds, and what every one starts with.
STARTING = {"state": "draft", "opening": NOTHING, "released": NOTHING, "held": NOTHING, "tax": NOTHING, "tax_rate": NOTHING,
            "tax_mention": "", "payment_reference": "", "reason": ""}  # fmt: skip
COLUMNS = ("partner", "starts_on", "ends_on", "currency", "amount", "total", "drafted_by", *STARTING)
LAST = 2**63 - 1  # the largest key there is

PLACE = """
    INSERT INTO {line} (statement_id, earning_id)
    SELECT statement.id, earning.id FROM ({waiting}) earning
    JOIN {statement} statement ON statement.partner_id = earning.partner_id AND statement.currency = earning.currency
    WHERE statement.starts_on = %s AND statement.state = 'draft'
"""


def waiting(day: date) -> QuerySet[Earning]:
    """Ledger lines of months that are over on `day` and on no statement yet."""
    return Earning.objects.filter(available_on__lt=_running(day), statement_line__isnull=True)


def _running(day: date) -> date:
    return month_of(day).starts_on or day


def cut(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    """Ranges of the partners that have a line waiting, or money to go on with, `chunk_size` in each: mostly none."""
    ids = waiting(run.day).order_by("partner_id").values_list("partner_id", flat=True).distinct()
    payable = {partner_id for partner_id, _currency in _payable(before=add_months(_running(run.day), -1))}
    if not payable:
        return steps.ranges(ids.iterator(chunk_size=10_000), chunk_size)
    return steps.ranges(sorted(payable | set(ids)), chunk_size)


def draft(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Put every ledger line of a month that is over on its partner's statement, and what was carried on the next one.

    A line belongs to the month in which it is available (its own day, and the days it is on hold); where that statement is issued already, to the next one that is not. A line
    that would fall into the running month waits for it to end. One statement of SQL places a month's lines.
    """
    lock_partners(*bounds)
    running = _running(run.day)
    existing: dict[Key, Statement] = {
        (one.partner_id, one.starts_on, one.currency): one
        for one in Statement.objects.filter(partner__id__range=bounds)
    }
    new: dict[Key, Decimal] = {}
    changed: dict[Key, Statement] = {}
    months: set[date] = set()
    moved: list[
        tuple[int, date, str, date]
    ] = []  # lines of a month whose statement is issued, and the month they go to
    groups = waiting(run.day).filter(partner__id__range=bounds).order_by()
    by_month = groups.annotate(month=TruncMonth("available_on")).values_list("partner_id", "month", "currency")
    for partner_id, month, currency, amount in by_month.annotate(Sum("amount")).order_by(
        "partner_id", "month", "currency"
    ):
        goes_to = _open_month(existing, partner_id, month, currency)
        if goes_to >= running:
            continue
        key = (partner_id, goes_to, currency)
        if key in existing:
            statement = changed[key] = existing[key]
            statement.amount += amount
            statement.total += amount
        else:
            new[key] = new.get(key, NOTHING) + amount
        if goes_to == month:
            months.add(month)
        else:
            moved.append((partner_id, month, currency, goes_to))
    for key in _only_carried(existing, new, bounds, add_months(running, -1)):
        new[key] = NOTHING
    bulk.insert(Statement, COLUMNS, (_row(run, key, amount) for key, amount in new.items()))
    Statement.objects.bulk_update(changed.values(), ["amount", "total"], batch_size=500)
    placed = sum(_place(run.day, bounds, month, month) for month in sorted(months))
    placed += sum(_place(run.day, (one, one), month, goes_to, currency) for one, month, currency, goes_to in moved)
    if new:
        gather({partner_id for partner_id, _month, _currency in new})
    return {"statements": len(new) + len(changed), "statement_lines": placed}


def _row(run: Run, key: Key, amount: Decimal) -> tuple[Any, ...]:
    partner_id, month, currency = key
    return (partner_id, month, add_months(month, 1), currency, amount, amount, run.pk, *STARTING.values())


def _open_month(existing: dict[Key, Statement], partner_id: int, month: date, currency: str) -> date:
    while (found := existing.get((partner_id, month, currency))) and found.state != Statement.State.DRAFT:
        month = add_months(month, 1)
    return month


def _place(day: date, bounds: tuple[int, int], month: date, goes_to: date, currency: str = "") -> int:
    """Put the waiting lines of a month on the drafts of the month they go to; how many."""
    quote = connection.ops.quote_name
    lines = waiting(day).filter(
        partner__id__range=bounds, available_on__gte=month, available_on__lt=add_months(month, 1),
        **({"currency": currency} if currency else {}),
    )  # fmt: skip
    selected, params = lines.order_by().values("id", "partner_id", "currency").query.sql_with_params()
    sql = PLACE.format(
        line=quote(StatementLine._meta.db_table), statement=quote(Statement._meta.db_table), waiting=selected
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, connection.ops.adapt_datefield_value(goes_to)])
        return int(cursor.rowcount)


# --- What goes on from one statement to the next ------------------------------------------------


def gather(partner_ids: Collection[int]) -> None:
    """Put what is loose of these partners on the earliest later draft of the same currency: what carried and cancelled
    statements came to in its `opening`, held lines that were answered in its `released`.

    Where there is no such draft it waits for one. A fixed number of queries; repeating changes nothing. The caller holds
    the partners.
    """
    own = Statement.objects.filter(partner__in=partner_ids)
    carried = own.over().filter(Exists(_later("partner", "currency", "starts_on")), carried_to__isnull=True)
    held = Hold.objects.loose().filter(line__statement__partner__in=partner_ids)
    by_line = tuple(f"line__statement__{name}" for name in ("partner", "currency", "starts_on"))
    changed = carried.order_by().update(carried_to=_first_later("partner", "currency", "starts_on"))
    releasing = [
        Hold(pk=pk, released_to_id=draft)
        for pk, draft in held.order_by().annotate(goes_to=_first_later(*by_line)).values_list("pk", "goes_to")
        if draft is not None
    ]
    changed += Hold.objects.bulk_update(releasing, ["released_to"], batch_size=500)
    if changed:
        _open_with(own.filter(state=Statement.State.DRAFT))


def _later(partner: str, currency: str, starts_on: str) -> QuerySet[Statement]:
    return Statement.objects.filter(
        partner=OuterRef(partner), currency=OuterRef(currency), starts_on__gt=OuterRef(starts_on),
        state=Statement.State.DRAFT,
    )  # fmt: skip


def _first_later(partner: str, currency: str, starts_on: str) -> Subquery:
    return Subquery(_later(partner, currency, starts_on).order_by("starts_on").values("pk")[:1])


def _open_with(drafts: QuerySet[Statement]) -> None:
    """What stands before and beside the lines of each draft: two sums in one statement."""
    carried = Statement.objects.filter(carried_to=OuterRef("pk")).order_by().values("carried_to").annotate(sum=NET)
    released = Hold.objects.filter(released_to=OuterRef("pk")).order_by().values("released_to")
    opening = Coalesce(Subquery(carried.values("sum")), 0, output_field=AmountField())
    answered = Coalesce(
        Subquery(released.annotate(sum=Sum("line__earning__amount")).values("sum")), 0, output_field=AmountField()
    )
    drafts.update(opening=opening, released=answered, total=F("amount") + opening + answered)


def _payable(first_id: int = 0, last_id: int = LAST, before: date = date.max) -> set[tuple[int, str]]:
    """Partners and currencies for which what is loose, of months before a day, is enough to be paid without anything more
    being earned. Two queries, and one for the settings where anything is loose."""
    bounds = (first_id, last_id)
    own = Statement.objects.over().filter(carried_to__isnull=True, partner__id__range=bounds, starts_on__lt=before)
    held = Hold.objects.loose().filter(
        line__statement__partner__id__range=bounds, line__statement__starts_on__lt=before
    )
    sums: dict[tuple[int, str], Decimal] = {}
    for partner_id, currency, amount in [
        *own.order_by().values("partner_id", "currency").annotate(sum=NET).values_list("partner_id", "currency", "sum"),
        *held.order_by().values_list("line__statement__partner_id", "line__statement__currency").annotate(
            Sum("line__earning__amount")
        ),
    ]:  # fmt: skip
        sums[partner_id, currency] = sums.get((partner_id, currency), NOTHING) + amount
    if not sums:
        return set()
    settings = StatementSettings.current()
    return {key for key, amount in sums.items() if amount >= settings.minimum(key[1])}


def _only_carried(
    existing: dict[Key, Statement], new: dict[Key, Decimal], bounds: tuple[int, int], month: date
) -> list[Key]:
    """Statements of the last month without a line of their own, so that money that is enough is not kept waiting."""
    have_draft = {(one.partner_id, one.currency) for one in existing.values() if one.state == Statement.State.DRAFT}
    have_draft |= {(partner_id, currency) for partner_id, _month, currency in new}
    return [
        (partner_id, month, currency)
        for partner_id, currency in sorted(_payable(*bounds, before=month) - have_draft)
        if (partner_id, month, currency) not in existing
    ]


def register() -> None:
    steps.register(steps.Step("statements", _("Draft statements"), 40, cut, draft, ("statements", "statement_lines")))
