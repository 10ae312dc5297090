"""Reads of statements: what a partner is owed, and what stands on each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

from django.db.models import Count, Q, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from commissions.models import Dispute, Earning, Hold, Statement, StatementLine, StatementSettings
from commissions.situations import NOTHING
from common.periods import add_months, month_of
from common.templatetags import show
from leads.models import Sale
from partners.models import Partner

# --- Sums ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Balance:
    """What a partner earned in one currency."""

    currency: str
    this_month: Decimal  # sales of the month that holds the day
    not_issued: Decimal  # everything that stands on no issued statement yet
    last_12_months: Decimal  # sales of twelve months, the one that holds the day being the last


def balance(*, partner: Partner, on: date) -> list[Balance]:
    """One for each currency the partner ever earned in, by currency. One query."""
    month = month_of(on)
    rows = (
        Earning.objects.filter(partner=partner)
        .order_by("currency")
        .values_list("currency")
        .annotate(
            this_month=Sum("amount", filter=Q(earned_on__gte=month.starts_on, earned_on__lt=month.ends_on)),
            not_issued=Sum("amount", filter=Q(statement_line__statement__state=Statement.State.DRAFT)
                           | Q(statement_line__isnull=True)),
            last_12_months=Sum("amount", filter=Q(earned_on__gte=add_months(on.replace(day=1), -11), earned_on__lt=month.ends_on)),
        )
    )  # fmt: skip
    return [Balance(currency, *(amount or NOTHING for amount in amounts)) for currency, *amounts in rows]


@dataclass(frozen=True, slots=True)
class MonthAmount:
    month: date  # its first day
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """Months in order, one for each, zeros included."""

    currency: str
    months: tuple[MonthAmount, ...]

    @property
    def total(self) -> Decimal:
        return sum((one.amount for one in self.months), NOTHING)


def monthly(*, partner: Partner, months: int, on: date) -> list[Series]:
    """What the sales of each of the last `months` months earned, the month of `on` being the last. One query.

    A series for each currency with a line in that time, by currency.
    """
    starts = [add_months(on.replace(day=1), back - months + 1) for back in range(months)]
    rows = (
        Earning.objects.filter(partner=partner, earned_on__gte=starts[0], earned_on__lt=add_months(starts[-1], 1))
        .order_by()
        .annotate(month=TruncMonth("earned_on"))
        .values_list("currency", "month")
        .annotate(Sum("amount"))
    )
    sums: dict[str, dict[date, Decimal]] = {}
    for currency, month, amount in rows:
        sums.setdefault(currency, {})[month] = amount
    return [
        Series(currency, tuple(MonthAmount(start, found.get(start, NOTHING)) for start in starts))
        for currency, found in sorted(sums.items())
    ]


# --- Statements ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KindSum:
    label: str
    lines: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StatementSums:
    lines: int
    sales: int
    by_kind: tuple[KindSum, ...]


def statement_sums(statement: Statement) -> StatementSums:
    """How many lines and sales, and what each kind of line comes to. Two queries."""
    lines = statement.lines.order_by()
    counts = lines.aggregate(Count("id"), sales=Count("earning__sale", distinct=True))
    rows = dict[str, tuple[int, Decimal]]()
    for kind, number, amount in lines.values_list("earning__kind").annotate(Count("id"), Sum("earning__amount")):
        rows[kind] = (number, amount)
    kinds = tuple(KindSum(str(label), *rows[kind]) for kind, label in Earning.Kind.choices if kind in rows)
    return StatementSums(counts["id__count"], counts["sales"], kinds)


@dataclass(frozen=True, slots=True)
class SumLine:
    """A line of what a statement comes to, with its sign."""

    label: str
    amount: Decimal
    is_total: bool = False


def sums_in_words(statement: Statement, sums: StatementSums | None = None) -> list[SumLine]:
    """From the opening balance to the total, as a bank statement adds up; what is nothing is left out, lines and total are not.

    Two queries, none where `sums` are given.
    """
    by_kind = (sums or statement_sums(statement)).by_kind
    found = [SumLine(_("Opening balance"), statement.opening)] if statement.opening else []
    found += [SumLine(kind.label, kind.amount) for kind in by_kind] or [SumLine(_("Lines"), statement.amount)]
    if statement.released:
        found.append(SumLine(_("Lines held before, answered since"), statement.released))
    if statement.held:
        found.append(SumLine(_("Held: lines you question"), -statement.held))
    if statement.tax or statement.tax_rate:
        rate = show.percent(statement.tax_rate)
        found.append(SumLine(_("Tax, %(rate)s") % {"rate": rate}, statement.tax))
    return [*found, SumLine(_("Total"), statement.total, is_total=True)]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a statement's way to being paid. `when` says it in words; `tone` is the colour of where it stands."""

    label: str
    when: str
    is_done: bool = False
    is_here: bool = False
    tone: str = ""


def _issue_day(month: date, close_days: int, today: date) -> str:
    expected = add_months(month, 1) + timedelta(days=close_days)
    return _("around %(day)s") % {"day": show.day(expected)} if expected >= today else _("soon")


def way(statement: Statement, settings: StatementSettings, today: date) -> list[Step]:
    """The way of a statement from draft to paid, and where it is on it."""
    at, state = Statement.State, statement.state
    order = [at.DRAFT, at.IN_REVIEW, at.APPROVED, at.SCHEDULED, at.PAID]
    here = order.index(at(state)) if state in order else (2 if statement.approved_at else 1)
    issued = _issue_day(statement.starts_on, settings.close_days, today)
    review = _("%(days)s days to question a line") % {"days": settings.review_days}
    if statement.review_ends_on is not None:
        issued = show.day(statement.issued_at)
        review = _("until %(day)s") % {"day": show.day(statement.review_ends_on - timedelta(days=1))}
    by_itself = settings.approval == StatementSettings.Approval.BY_ITSELF
    approved = show.day(statement.approved_at) or (_("when the review is over") if by_itself else _("by our team, after the review"))  # fmt: skip
    steps = [
        Step(_("Draft"), _("follows your sales") if here == 0 else _("issued on %(day)s") % {"day": issued}, here > 0, here == 0),
        Step(_("In review"), review if here else f"{issued}, {review}", here > 1, here == 1),
        Step(pgettext("statement", "Approved"), approved, here > 2, here == 2),
        Step(_("Payment scheduled"), _("with the next payment") if here < 3 else _("on its way to your bank"), here > 3, here == 3),
        Step(_("Paid"), show.day(statement.paid_on), is_here=here == 4),
    ]  # fmt: skip
    if state in order:
        return steps
    aside = Step(statement.get_state_display(), _aside(statement), is_here=True, tone=show.tone(state))
    return [
        *(Step(one.label, one.when, is_done=True) for one in steps[: here + 1] if _was(statement, one, steps)),
        aside,
    ]


def _was(statement: Statement, step: Step, steps: list[Step]) -> bool:
    """Whether a statement that left the way went over the step: one that was carried at the end of its review was not approved."""
    return step is not steps[2] or statement.approved_at is not None


def _aside(statement: Statement) -> str:
    """What happens to a statement that is not on the way to being paid."""
    at = Statement.State
    if statement.state in (at.CARRIED, at.CANCELLED):
        says = _("nothing is paid by it: its balance opens your next statement")
        return f"{statement.reason} – {says}" if statement.reason else says
    if statement.state == at.FAILED:
        says = _("the bank did not carry it out: check your payment details")
        return f"{says} ({statement.reason})" if statement.reason else says
    return statement.reason


@dataclass(frozen=True, slots=True)
class Coming:
    """Money that is coming: of which statement, how much, and when, in words."""

    statement: Statement
    when: str


def coming(*, partner: Partner, today: date) -> list[Coming]:
    """Statements that are not paid yet, oldest first. One query."""
    at = Statement.State
    open_ones = Statement.objects.filter(partner=partner).exclude(state__in=(at.PAID, at.CARRIED, at.CANCELLED))
    days = Coalesce(Subquery(StatementSettings.objects.values("close_days")[:1]), StatementSettings().close_days)
    listed = open_ones.annotate(close_days=days).order_by("starts_on", "currency")
    return [Coming(one, _when(one, one.close_days, today)) for one in listed]


def _when(one: Statement, close_days: int, today: date) -> str:
    at = Statement.State
    if one.state == at.DRAFT:
        return _("to be issued %(when)s") % {"when": _issue_day(one.starts_on, close_days, today)}
    if one.state == at.IN_REVIEW and one.review_ends_on is not None:
        return _("in review until %(day)s") % {"day": show.day(one.review_ends_on - timedelta(days=1))}
    if one.state == at.APPROVED:
        return _("with the next payment")
    if one.state == at.SCHEDULED:
        return _("on its way to your bank")
    return _aside(one)


def disputes_of(earnings: Iterable[Earning]) -> dict[int, Dispute]:
    """The latest dispute of each line, by line. One query."""
    return {one.earning_id: one for one in Dispute.objects.filter(earning__in=list(earnings)).order_by("pk")}


def holds_of(statement: Statement) -> tuple[list[Hold], list[Hold]]:
    """Its lines that are held, and those of earlier statements that it releases. Two queries."""
    terms = Hold.objects.select_related("dispute", "released_to", "line__earning", "line__statement").order_by("pk")
    return list(terms.filter(line__statement=statement)), list(terms.filter(released_to=statement))


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """Consecutive lines of one order, with what the whole statement pays for it."""

    order_number: str
    sold_on: date
    customer_name: str
    amount: Decimal
    lines: tuple[Earning, ...]


def by_order(lines: Iterable[StatementLine], statement: Statement) -> list[OrderGroup]:
    """The lines of a page as orders; a sale without one stands alone. One query. Another partner's sale is not named."""
    earnings = [line.earning for line in lines]
    numbers = {_order_of(one, statement) for one in earnings} - {""}
    sums = dict(
        statement.lines.filter(earning__sale__order_number__in=numbers, earning__sale__partner=statement.partner_id)
        .order_by()
        .values_list("earning__sale__order_number")
        .annotate(Sum("earning__amount"))
    )
    groups = []
    for (order, _sale, _day), found in groupby(earnings, key=lambda one: _group_of(one, statement)):
        own = tuple(found)
        sale = _sale_of(own[0], statement)
        customer = sale.customer_name if sale else ""
        amount = sums[order] if order else sum((one.amount for one in own), NOTHING)
        groups.append(OrderGroup(order, own[0].earned_on, customer, amount, own))
    return groups


def _order_of(earning: Earning, statement: Statement) -> str:
    sale = _sale_of(earning, statement)
    return sale.order_number if sale else ""


def _sale_of(earning: Earning, statement: Statement) -> Sale | None:
    """The sale of a line, where it is the partner's to read."""
    return earning.sale if earning.sale and earning.sale.partner_id == statement.partner_id else None


def _group_of(earning: Earning, statement: Statement) -> tuple[str, int, date]:
    order = _order_of(earning, statement)
    return (order, 0 if order else earning.pk, earning.earned_on)
