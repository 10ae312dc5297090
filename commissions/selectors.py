"""Reads that span the models of commissions: what a partner is owed, and why each line is what it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commissions import rules
from commissions.models import Earning, Plan, Statement, StatementLine
from commissions.terms import NOTHING, Held, PlanBook, Terms, held_by_partner
from common.money import AmountField, minor_unit
from common.periods import add_months, month_of
from common.templatetags import show
from leads.models import Sale
from partners.models import Partner
from tiers.models import Enrollment, Placement, Program, Run, Tier
from tiers.selectors import edition_in_force

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
            not_issued=Sum("amount", filter=~Q(statement_line__statement__state=Statement.State.ISSUED)
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


@dataclass(frozen=True, slots=True)
class Rates:
    """The plan in force on a day, and what it pays by tier code. No plan and no rates where none is."""

    plan: Plan | None
    by_tier: dict[str, Decimal]


def rates_in_force(program: Program, on: date) -> Rates:
    """At most two queries."""
    plan = PlanBook(program).plan_on(on)
    return Rates(plan, dict(plan.rules.values_list("tier_code", "rate")) if plan else {})


@dataclass(frozen=True, slots=True)
class TierRate:
    tier: Tier
    rate: Decimal | None  # None where the plan names none
    is_held: bool


@dataclass(frozen=True, slots=True)
class ProgramRates:
    program: Program
    plan: Plan | None
    tiers: tuple[TierRate, ...]


def rates_for(partner: Partner, *, on: date) -> list[ProgramRates]:
    """What each program pays its tiers, and which one the partner holds. A fixed number of queries a program."""
    enrollments = Enrollment.objects.in_force_on(on).filter(partner=partner).select_related("program").order_by("id")
    found = []
    for enrollment in enrollments:
        edition = edition_in_force(enrollment.program, on)
        rates = rates_in_force(enrollment.program, on)
        held = Placement.objects.in_force_on(on).filter(enrollment=enrollment).values_list("tier__code", flat=True)
        codes = set(held)
        tiers = edition.tiers.order_by("rank") if edition else Tier.objects.none()
        rows = tuple(TierRate(tier, rates.by_tier.get(tier.code), tier.code in codes) for tier in tiers)
        found.append(ProgramRates(enrollment.program, rates.plan, rows))
    return found


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
        customer = own[0].sale.customer_name if own[0].sale.partner_id == statement.partner_id else ""
        amount = sums[order] if order else sum((one.amount for one in own), NOTHING)
        groups.append(OrderGroup(order, own[0].earned_on, customer, amount, own))
    return groups


def _order_of(earning: Earning, statement: Statement) -> str:
    return earning.sale.order_number if earning.sale.partner_id == statement.partner_id else ""


def _group_of(earning: Earning, statement: Statement) -> tuple[str, int, date]:
    order = _order_of(earning, statement)
    return (order, 0 if order else earning.sale_id, earning.earned_on)


# --- One line, explained ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the sale, with what stood posted after it."""

    earning: Earning
    due: Decimal
    is_this: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A term that differs from the line before: its name as people read it, and both values."""

    term: str  # a key of TERMS
    before: object
    after: object

    @property
    def label(self) -> str:
        return str(TERMS[self.term])


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every term of before + amount = due = round(base × rate)."""

    earning: Earning
    sale: Sale
    program: Program
    base: Decimal
    currency: str
    tier: Tier | None
    placement: Placement | None  # that tier's, on the day of the sale
    plan: Plan | None
    rate: Decimal
    exact: Decimal  # base × rate, before rounding
    unit: Decimal  # the currency's minor unit
    due: Decimal
    before: Decimal
    amount: Decimal
    run: Run
    statement: Statement | None
    lines: tuple[Line, ...]  # all lines of the sale for this partner and program, in order
    changes: tuple[Change, ...]  # what differs from the line before
    why_zero: str  # a code of `REASONS` where nothing is due, else empty

    @property
    def taken_off(self) -> Decimal:
        """What is added to what is due to get this line: minus what was posted before."""
        return -self.before

    @property
    def is_rounded(self) -> bool:
        return self.exact != self.due

    @property
    def counts_elsewhere(self) -> bool:
        """The sale was corrected so that it no longer counts here: no plan, tier or rate was asked."""
        return self.why_zero in {"other_partner", "other_currency", "other_day", "corrected"}

    @property
    def reason(self) -> str:
        """Why nothing is due, as a sentence."""
        return str(REASONS[self.why_zero]) if self.why_zero else ""


TERMS = {
    "base": gettext_lazy("Net amount"),
    "day": gettext_lazy("Day of the sale"),
    "tier": gettext_lazy("Tier held on that day"),
    "plan": gettext_lazy("Plan"),
    "rate": gettext_lazy("Rate"),
}
REASONS = {
    "no_plan": gettext_lazy("No commission plan was in force on the day of the sale."),
    "no_tier": gettext_lazy("No tier of the program was held on the day of the sale."),
    "no_rate": gettext_lazy("The plan in force on the day of the sale names no rate for the tier held."),
    "zero_rate": gettext_lazy("The plan in force on the day of the sale pays nothing for the tier held."),
    "zero_base": gettext_lazy("The net amount of the sale is zero."),
    "rounds_to_zero": gettext_lazy("The rate of so small an amount rounds to zero."),
    "not_yet": gettext_lazy("Not computed yet: a sale is paid on the night after its day."),
    "next_night": gettext_lazy("Changed since the last night: the next one posts the difference."),
    "other_partner": gettext_lazy("The sale was corrected: it is another company’s."),
    "other_currency": gettext_lazy("The sale was corrected: it is in another currency and counts there."),
    "other_day": gettext_lazy("The sale was corrected: its day is later, and it counts from then."),
    "corrected": gettext_lazy("The sale was corrected and did not count here on that night."),
    "not_enrolled": gettext_lazy("The company was not in the program."),
}


def explanation(earning: Earning) -> Explanation:
    """Four queries, whatever the data."""
    terms = Earning.objects.select_related("sale__product", "sale__deal", "program", "plan", "tier", "run", "partner")
    one = terms.select_related("statement_line__statement").prefetch_related("plan__rules").get(pk=earning.pk)
    lines = [
        Line(line, line.before + line.amount, line.pk == one.pk)
        for line in Earning.objects.filter(sale=one.sale_id, program=one.program_id, partner=one.partner_id)
        .select_related("plan", "tier", "run", "statement_line__statement")
        .order_by("number")
    ]
    placement = (
        Placement.objects.in_force_on(one.earned_on)
        .filter(enrollment__partner=one.partner_id, enrollment__program=one.program_id, tier=one.tier_id)
        .select_related("tier")
        .order_by("-starts_on")
        .first()
    )
    before = [
        line.earning for line in lines if line.earning.number < one.number and line.earning.currency == one.currency
    ]
    due = one.before + one.amount
    why_zero = _why_nothing_is_due(one) if due == 0 else ""
    line_of = getattr(one, "statement_line", None)
    return Explanation(
        earning=one, sale=one.sale, program=one.program, base=one.base, currency=one.currency, tier=one.tier,
        placement=placement, plan=one.plan, rate=one.rate, exact=one.base * one.rate, unit=minor_unit(one.currency),
        due=due, before=one.before, amount=one.amount, run=one.run,
        statement=line_of.statement if line_of else None,
        lines=tuple(lines), changes=tuple(_changes(before[-1], one)) if before else (),
        why_zero=why_zero,
    )  # fmt: skip


def _changes(before: Earning, after: Earning) -> Iterable[Change]:
    if before.base != after.base:
        yield Change("base", before.base, after.base)
    if before.earned_on != after.earned_on:
        yield Change("day", before.earned_on, after.earned_on)
    if (before.tier and before.tier.code) != (after.tier and after.tier.code):
        yield Change("tier", before.tier, after.tier)
    if before.plan_id != after.plan_id:
        yield Change("plan", before.plan, after.plan)
    if before.rate != after.rate:
        yield Change("rate", before.rate, after.rate)


def _why_nothing_is_due(line: Earning) -> str:
    sale = line.sale
    if line.plan_id is None and line.base == 0:  # reversed where it stood
        if sale.partner_id != line.partner_id:
            return "other_partner"
        if sale.currency != line.currency:
            return "other_currency"
        return "other_day" if sale.sold_on >= line.run.day else "corrected"
    if line.plan_id is None:
        return "no_plan"
    if line.tier_id is None:
        return "no_tier"
    if line.base == 0:
        return "zero_base"
    if line.rate:
        return "rounds_to_zero"
    paid = {rule.tier_code for rule in line.plan.rules.all()} if line.plan else set()
    return "zero_rate" if line.tier and line.tier.code in paid else "no_rate"


# --- Sales that earned nothing ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why a sale earned nothing: a stable code, and a sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SaleOutcome:
    """What a sale earned its partner in all programs, in the sale's currency, or why nothing."""

    sale: Sale
    amount: Decimal
    earning_id: int | None  # its latest line
    nothing: Nothing | None


def why_nothing(*, sale: Sale, program: Program) -> Nothing | None:
    """None where the sale stands with an amount in the ledger. Seven queries at most."""
    earned = Earning.objects.filter(
        sale=sale, program=program, partner=sale.partner_id, currency=sale.currency
    ).aggregate(Sum("amount"))["amount__sum"]
    return None if earned else _Book(program, sale.partner_id, sale.partner_id).why(sale)


def outcomes(sales: Sequence[Sale], *, partner: Partner) -> list[SaleOutcome]:
    """What each of the partner's `sales` earned, or why not: in the newest of its programs where none paid.

    A fixed number of queries for each program the partner was ever in.
    """
    earned: dict[int, tuple[Decimal, int]] = {}
    currencies = {sale.pk: sale.currency for sale in sales}
    rows = (
        Earning.objects.filter(partner=partner, sale__in=list(currencies))
        .order_by()
        .values_list("sale_id", "currency")
        .annotate(Sum("amount"), Max("id"))
    )
    for sale_id, currency, amount, last in rows:
        if currency == currencies[sale_id]:
            earned[sale_id] = (amount, last)
    enrollments = Enrollment.objects.filter(partner=partner).select_related("program").order_by("-starts_on", "-id")
    programs = dict.fromkeys(enrollment.program for enrollment in enrollments)
    books = [_Book(program, partner.pk, partner.pk) for program in programs]
    return [_outcome(sale, earned.get(sale.pk), books) for sale in sales]


def _outcome(sale: Sale, earned: tuple[Decimal, int] | None, books: Sequence["_Book"]) -> SaleOutcome:
    amount, last = earned or (NOTHING, None)
    if amount:
        return SaleOutcome(sale, amount, last, None)
    reasons = [book.why(sale) for book in books] or [_nothing("not_enrolled")]
    return SaleOutcome(sale, NOTHING, last, reasons[0])


def without_pay(sales: "QuerySet[Sale]") -> "QuerySet[Sale]":
    """Those of `sales` that stand with nothing in the ledger for their partner, in their currency."""
    own = Q(partner=OuterRef("partner"), currency=OuterRef("currency"))  # here, so that the lookup goes by the sale
    earned = Earning.objects.filter(sale=OuterRef("pk")).order_by().values("sale")
    total = earned.annotate(total=Sum("amount", filter=own)).values("total")
    return sales.annotate(stands=Coalesce(Subquery(total), 0, output_field=AmountField())).filter(stands=0)


@dataclass(frozen=True, slots=True)
class MonthSums:
    """A month in one currency: what was sold, and what that earned."""

    currency: str
    sales: int
    sold: Decimal
    earned: Decimal


def month_sums(*, partner: Partner, month: date) -> list[MonthSums]:
    """By currency, for the sales of the month that holds `month`. Two queries."""
    period = month_of(month)
    sold = (
        Sale.objects.filter(partner=partner, sold_on__gte=period.starts_on, sold_on__lt=period.ends_on)
        .order_by("currency")
        .values_list("currency")
        .annotate(Count("id"), Sum("amount"))
    )
    earned = dict(
        Earning.objects.filter(
            partner=partner,
            sale__partner=partner,
            sale__sold_on__gte=period.starts_on,
            sale__sold_on__lt=period.ends_on,
        )
        .order_by()
        .values_list("currency")
        .annotate(Sum("amount"))
    )
    return [MonthSums(currency, count, amount, earned.get(currency, NOTHING)) for currency, count, amount in sold]


class _Book:
    """What decides a program's pay for a range of partners, read once."""

    def __init__(self, program: Program, first_id: int, last_id: int) -> None:
        self.program = program
        self.plans = PlanBook(program)
        self.held: dict[int, Held] = held_by_partner(program, first_id, last_id)
        self.tiers = Tier.objects.in_bulk({tier for held in self.held.values() for _end, tier, _code in held.spans})
        self.last_night = (
            Run.objects.nights().filter(program=program, state=Run.State.DONE).aggregate(Max("day"))["day__max"]
        )

    def why(self, sale: Sale) -> Nothing:
        if self.last_night is None or sale.sold_on >= self.last_night:
            return _nothing("not_yet")
        terms = self.plans.terms(sale.sold_on, self.held.get(sale.partner_id))
        return self._explained(sale, terms)

    def _explained(self, sale: Sale, terms: Terms) -> Nothing:
        if terms.why_zero:
            plan = next((plan for plan in self.plans.plans if plan.pk == terms.plan_id), None)
            tier = self.tiers[terms.tier_id] if terms.tier_id else None
            return Nothing(terms.why_zero, _with_names(terms.why_zero, sale.sold_on, self.program, plan, tier))
        if sale.amount == 0:
            return _nothing("zero_base")
        due = rules.commission(sale.amount, terms.rate, minor_unit(sale.currency))
        return _nothing("next_night" if due else "rounds_to_zero")


def _with_names(code: str, day: date, program: Program, plan: Plan | None, tier: Tier | None) -> str:
    names = {"day": show.day(day), "program": program, "plan": plan, "tier": tier}
    if code == "no_plan":
        return _("No commission plan of “%(program)s” was in force on %(day)s.") % names
    if code == "no_tier":
        return _("No tier of “%(program)s” was held on %(day)s.") % names
    if code == "no_rate":
        return _("The plan “%(plan)s”, in force on %(day)s, names no rate for %(tier)s.") % names
    return _("The plan “%(plan)s”, in force on %(day)s, pays 0%% for %(tier)s.") % names


def _nothing(code: str) -> Nothing:
    return Nothing(code, str(REASONS[code]))
