"""Reads of the ledger: what plans pay, and why each line is what it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import Count, Exists, Max, OuterRef, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from commissions import events, plan_words, trying
from commissions.models import Adjustment, Earning, Plan, Posting, Statement, Terms, Unpaid
from commissions.plan_words import RuleInWords
from commissions.situations import NOTHING
from common.money import minor_unit
from common.periods import month_of
from common.templatetags import show
from leads.models import Sale
from partners.models import Partner
from tiers.models import Enrollment, Placement, Program, Run, Tier
from tiers.selectors import edition_in_force, programs_visible_to

# --- Rates --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rates:
    """The plan in force on a day, its rules in words, and the share of a sale that it pays by tier code. Nothing where none is."""

    plan: Plan | None
    rules: tuple[RuleInWords, ...]
    by_tier: dict[str, Decimal]

    def share(self, code: str) -> Decimal | None:
        return self.by_tier.get(code, self.by_tier.get(""))


def plans_visible_to(user: User) -> QuerySet[Plan]:
    """Staff see every plan, anyone else the published ones of programs that it sees."""
    if user.is_active and user.is_staff:
        return Plan.objects.all()
    return Plan.objects.published().filter(program__in=programs_visible_to(user))


def rates_in_force(program: Program, on: date) -> Rates:
    """At most two queries."""
    plan = trying.plan_in_force(program, on)
    if plan is None:
        return Rates(None, (), {})
    return Rates(plan, tuple(plan_words.rules(plan)), _shares(plan))


def _shares(plan: Plan) -> dict[str, Decimal]:
    """Of the first rule that pays every sale a share: what most people mean by “the rate”."""
    for rule in plan.definition["rules"]:
        plain = {"code", "name", "event", "pays", "rate"} >= set(rule)
        if plain and rule["event"] == "sale" and rule["pays"] == "share":
            rate = rule["rate"]
            table = {"": rate} if isinstance(rate, str) else rate
            return {"" if code == "others" else code: Decimal(one) for code, one in table.items()}
    return {}


@dataclass(frozen=True, slots=True)
class TierRate:
    tier: Tier
    rate: Decimal | None  # None where the plan names none
    is_held: bool


@dataclass(frozen=True, slots=True)
class ProgramRates:
    program: Program
    plan: Plan | None
    rules: tuple[RuleInWords, ...]
    tiers: tuple[TierRate, ...]

    @property
    def has_rates(self) -> bool:
        """Whether a rule pays every sale a share by tier."""
        return any(row.rate is not None for row in self.tiers)


def rates_for(partner: Partner, *, on: date) -> list[ProgramRates]:
    """What each program pays, and which tier the partner holds. A fixed number of queries a program."""
    enrollments = Enrollment.objects.in_force_on(on).filter(partner=partner).select_related("program").order_by("id")
    found = []
    for enrollment in enrollments:
        edition = edition_in_force(enrollment.program, on)
        rates = rates_in_force(enrollment.program, on)
        held = Placement.objects.in_force_on(on).filter(enrollment=enrollment).values_list("tier__code", flat=True)
        codes = set(held)
        tiers = edition.tiers.order_by("rank") if edition else Tier.objects.none()
        rows = tuple(TierRate(tier, rates.share(tier.code), tier.code in codes) for tier in tiers)
        found.append(ProgramRates(enrollment.program, rates.plan, rates.rules, rows))
    return found


# --- One line, explained ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the fact, with what stood posted after it."""

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
class Tried:
    """A rule of the plan and what came of it for the fact, with each condition and whether it held."""

    name: str
    outcome: str  # a key of OUTCOMES
    conditions: tuple[tuple[str, bool], ...]
    paid: bool

    @property
    def says(self) -> str:
        return str(OUTCOMES[self.outcome])


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every term of before + amount = due, and how due came to be."""

    earning: Earning
    sale: Sale | None
    program: Program
    base: Decimal
    currency: str  # of the line
    base_currency: str  # of the fact
    tier: Tier | None
    placement: Placement | None  # that tier's, on the day whose tier counts
    plan: Plan | None
    rule: RuleInWords | None
    rate: Decimal
    exact: Decimal | None  # base × rate before rounding, where that alone is what is due
    unit: Decimal  # the currency's minor unit
    due: Decimal
    before: Decimal
    amount: Decimal
    run: Run | None
    posting: Posting
    statement: Statement | None
    tried: tuple[Tried, ...]
    notes: tuple[str, ...]  # exchange rates, bands, limits, shares, in words
    lines: tuple[Line, ...]  # all lines of the fact for this partner and program, in order
    changes: tuple[Change, ...]  # what differs from the line before
    why_zero: str  # a code of `REASONS` where nothing is due, else empty
    takes_back: str  # the sale that it takes back a part of

    @property
    def event(self) -> str:
        return self.earning.event_name

    @property
    def taken_off(self) -> Decimal:
        """What is added to what is due to get this line: minus what was posted before."""
        return -self.before

    @property
    def is_rounded(self) -> bool:
        return self.exact is not None and self.exact != self.due

    @property
    def pays_a_share(self) -> bool:
        """Whether `rate` is a share of the base."""
        return self.exact is not None

    @property
    def counts_elsewhere(self) -> bool:
        """The fact was corrected so that it no longer counts here: no plan, tier or rate was asked."""
        return self.why_zero in {"other_partner", "other_currency", "other_day", "voided", "gone"}

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
OUTCOMES = {
    "pays": gettext_lazy("pays"),
    "condition": gettext_lazy("a condition does not hold"),
    "no_tier": gettext_lazy("no tier was held"),
    "tier": gettext_lazy("not for the tier held"),
    "no_rate": gettext_lazy("no rate for the tier held"),
    "over": gettext_lazy("the customer’s months are over"),
    "after_first": gettext_lazy("another rule pays already"),
    "no_sponsor": gettext_lazy("there is no sponsor"),
}
REASONS = {
    "no_plan": gettext_lazy("No commission plan was in force on the day of the sale."),
    "no_tier": gettext_lazy("No tier of the program was held on the day of the sale."),
    "no_rate": gettext_lazy("The plan in force on the day of the sale names no rate for the tier held."),
    "no_rule": gettext_lazy("No rule of the plan is for this."),
    "over": gettext_lazy("The months for which the customer is paid are over."),
    "zero_rate": gettext_lazy("The plan in force on the day of the sale pays nothing for the tier held."),
    "zero_base": gettext_lazy("The amount it is paid on is zero."),
    "no_base": gettext_lazy("The amount that the rule pays on is not known."),
    "no_exchange_rate": gettext_lazy("There is no exchange rate for the day. It is paid as soon as one is imported."),
    "limit": gettext_lazy("The limit that the rule sets is reached."),
    "rounds_to_zero": gettext_lazy("The rate of so small an amount rounds to zero."),
    "refund_of_nothing": gettext_lazy("It takes back a sale that earned nothing."),
    "other_rule": gettext_lazy("Another rule of the plan pays it now."),
    "not_yet": gettext_lazy("Not computed yet: a sale is paid on the night after its day."),
    "next_night": gettext_lazy("Changed since the last night: the next one posts the difference."),
    "other_partner": gettext_lazy("The sale was corrected: it is another company’s."),
    "other_currency": gettext_lazy("The sale was corrected: it is in another currency and counts there."),
    "other_day": gettext_lazy("The sale was corrected: its day is later, and it counts from then."),
    "voided": gettext_lazy("The sale was cancelled."),
    "gone": gettext_lazy("It is not there any more, or does not count here any more."),
    "not_enrolled": gettext_lazy("The company was not in the program."),
}
# What is told of a sale or line, and no night keeps of a fact that earned nothing.
NOT_OF_A_NIGHT = frozenset(
    {"no_plan", "other_rule", "not_yet", "next_night", "other_partner", "other_currency", "other_day", "voided", "gone", "not_enrolled"}
)  # fmt: skip


def explanation(earning: Earning) -> Explanation:
    """Five queries at most, whatever the data."""
    rows = Earning.objects.select_related(
        "sale__product",
        "sale__deal",
        "sale__refund_of",
        "program",
        "terms__plan",
        "terms__tier",
        "posting__run",
        "partner",
    )
    one = rows.select_related("statement_line__statement").get(pk=earning.pk)
    lines = [
        Line(line, line.before + line.amount, line.pk == one.pk)
        for line in Earning.objects.filter(
            event=one.event, fact=one.fact, program=one.program_id, partner=one.partner_id, owner=one.owner_id
        )
        .select_related("terms__plan", "terms__tier", "posting__run", "statement_line__statement")
        .order_by("number")
    ]
    placement = (
        Placement.objects.in_force_on(one.terms_on)
        .filter(enrollment__partner=one.partner_id, enrollment__program=one.program_id, tier=one.tier)
        .select_related("tier")
        .order_by("-starts_on")
        .first()
        if one.tier is not None
        else None
    )
    before = [
        line.earning for line in lines
        if line.earning.number < one.number and (line.earning.currency, line.earning.rule) == (one.currency, one.rule)
    ]  # fmt: skip
    due = one.before + one.amount
    line_of = getattr(one, "statement_line", None)
    document = _rule_of(one)
    currency = str(document.get("_currency", "")) if document else ""
    exact = _exact(one, document)
    return Explanation(
        earning=one, sale=one.sale, program=one.program, base=one.base, currency=one.currency,
        base_currency=one.sale.currency if one.sale and one.event != events.MANUAL else one.currency,
        tier=one.tier, placement=placement, plan=one.plan,
        rule=plan_words.rule({key: value for key, value in document.items() if key != "_currency"}, currency, plan_words.tier_names(one.program_id)) if document else None,
        rate=one.rate, exact=exact, unit=minor_unit(one.currency), due=due, before=one.before, amount=one.amount,
        run=one.posting.run, posting=one.posting, statement=line_of.statement if line_of else None,
        tried=tuple(tried(one.terms)) if one.terms else (), notes=tuple(notes(one)),
        lines=tuple(lines), changes=tuple(_changes(before[-1], one)) if before else (),
        why_zero=_why_nothing_is_due(one) if due == 0 and one.event != events.MANUAL else "",
        takes_back=_taken_back(one),
    )  # fmt: skip


def _rule_of(line: Earning) -> dict[str, object] | None:
    """The document of the rule that paid it."""
    if line.plan is None or not line.rule or (line.terms and line.terms.reason):
        return None
    for rule in line.plan.definition["rules"]:
        if rule["code"] == line.rule:
            return {**rule, "_currency": line.plan.definition.get("currency", "")}
    return None


def _exact(line: Earning, document: dict[str, object] | None) -> Decimal | None:
    if document is None or document["pays"] != "share" or "bands" in document or line.detail:
        return None
    return line.base * line.rate


def _taken_back(line: Earning) -> str:
    return str(line.sale.refund_of) if line.sale and line.sale.refund_of and "takes_back" in (line.detail or {}) else ""


def tried(terms: Terms) -> Iterable[Tried]:
    """Each rule that was looked at, in the plan's order."""
    rules = {rule["code"]: rule for rule in terms.plan.definition["rules"]} if terms.plan else {}
    for code, outcome, held in terms.document.get("tried", []):
        rule = rules[code]
        said = (plan_words.condition(one, rule) for one in rule.get("when", []))
        name = plan_words.rule(rule, terms.plan.definition.get("currency", "") if terms.plan else "").name
        yield Tried(name, outcome, tuple(zip(said, held, strict=True)), code == terms.rule)


def notes(line: Earning) -> Iterable[str]:
    """Exchange rates, bands, limits and shares of a line, one sentence each; why a person posted it. One query for that."""
    if line.event == events.MANUAL:
        yield from Adjustment.objects.filter(pk=line.fact).values_list("reason", flat=True)
    detail = line.detail or {}
    for one in detail.get("exchange", ()):
        yield _("1 %(from)s was worth %(value)s %(to)s (%(source)s, %(on)s).") % {
            "from": one["from"], "to": one["to"], "value": show.quantity(round(float(Fraction(one["value"])), 6)),
            "source": one["source"].upper(), "on": show.day(date.fromisoformat(one["on"])),
        }  # fmt: skip
    if bands := detail.get("bands"):
        yield from _banded(bands, line)
    for name, exact, held in detail.get("limits", ()):
        yield _("The limit %(period)s made %(held)s of %(exact)s.") % {
            "period": plan_words.OVER[name], "held": _number(held), "exact": _number(exact)
        }  # fmt: skip
    if "share" in detail:
        part, total = detail["share"]
        yield _("It is shared: %(part)s of %(total)s parts.") % {"part": part, "total": total}
    if "whole" in detail:
        yield _("Altogether it earned %(amount)s.") % {"amount": show.money(Decimal(detail["whole"]), line.currency)}
    if "takes_back" in detail:
        part, of = detail["part"]
        yield _("It takes back %(part)s of %(of)s, and the same share of the %(due)s that it earned.") % {
            "part": _number(part), "of": _number(of), "due": show.money(Decimal(detail["of"]), line.currency)
        }  # fmt: skip
    if "level" in detail:
        yield _("It is paid to you as the sponsor of %(partner)s.") % {"partner": line.owner}


def _banded(bands: dict[str, object], line: Earning) -> Iterable[str]:
    document = _rule_of(line) or {}
    currency = str(document.get("_currency", ""))
    if "whole" in bands:
        yield _("The total of the period is %(total)s: everything is paid at %(rate)s.") % {
            "total": _number(str(bands["total"])), "rate": plan_words.pay(str(bands["whole"]), document, currency)
        }  # fmt: skip
        return
    parts = bands["parts"]
    assert isinstance(parts, list)  # noqa: S101
    said = ", ".join(
        _("%(part)s at %(rate)s") % {"part": _number(part), "rate": plan_words.pay(rate, document, currency)}
        for rate, part in parts
    )
    yield _("The total of the period was %(before)s before; of this, %(parts)s.") % {
        "before": _number(str(bands["before"])), "parts": said
    }  # fmt: skip


def _number(text: str) -> str:
    return show.quantity(round(float(Fraction(text)), 4))


def _changes(before: Earning, after: Earning) -> Iterable[Change]:
    if before.base != after.base:
        yield Change("base", before.base, after.base)
    if before.earned_on != after.earned_on:
        yield Change("day", before.earned_on, after.earned_on)
    if (before.tier and before.tier.code) != (after.tier and after.tier.code):
        yield Change("tier", before.tier, after.tier)
    if before.plan != after.plan:
        yield Change("plan", before.plan, after.plan)
    if before.rate != after.rate:
        yield Change("rate", before.rate, after.rate)


def _why_nothing_is_due(line: Earning) -> str:
    reason = line.terms.reason if line.terms else ""
    sale = line.sale
    if reason == "gone" and sale is not None:
        if sale.voided_at:
            return "voided"
        if sale.partner_id != line.owner_id:
            return "other_partner"
        if line.posting.run and sale.sold_on >= line.posting.run.day:
            return "other_day"
    if reason == "gone" and trying.plan_in_force(line.program, line.terms_on if sale is None else sale.sold_on) is None:
        return "no_plan"
    if reason == "other_rule" and sale is not None and sale.currency != line.currency:
        return "other_currency"
    return reason or "gone"


# --- Facts that earned nothing ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why a sale earned nothing: a stable code, and a sentence for people."""

    code: str
    sentence: str
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True)
class SaleOutcome:
    """What a sale earned its partner in all programs, or why nothing."""

    sale: Sale
    amount: Decimal
    currency: str
    earning_id: int | None  # its latest line
    nothing: Nothing | None


def why_nothing(*, sale: Sale, program: Program) -> Nothing | None:
    """None where the sale stands with an amount in the ledger. Six queries at most."""
    earned = Earning.objects.filter(sale=sale, program=program, partner=sale.partner_id).order_by().values("currency")
    if earned.annotate(total=Sum("amount")).exclude(total=0).exists():
        return None
    return _Book(program, [sale], sale.partner_id).why(sale)


def outcomes(sales: Sequence[Sale], *, partner: Partner) -> list[SaleOutcome]:
    """What each of the partner's `sales` earned, or why not: in the newest of its programs where none paid.

    A fixed number of queries for each program the partner was ever in.
    """
    earned: dict[int, tuple[Decimal, str, int]] = {}
    rows = (
        Earning.objects.filter(partner=partner, sale__in=[sale.pk for sale in sales])
        .order_by("currency")
        .values_list("sale_id", "currency")
        .annotate(Sum("amount"), Max("id"))
    )
    for sale_id, currency, amount, last in rows:
        if amount or sale_id not in earned:
            earned[sale_id] = (amount, currency, last)
    enrollments = Enrollment.objects.filter(partner=partner).select_related("program").order_by("-starts_on", "-id")
    programs = dict.fromkeys(enrollment.program for enrollment in enrollments)
    books = [_Book(program, sales, partner.pk) for program in programs]
    return [_outcome(sale, earned.get(sale.pk), books) for sale in sales]


def _outcome(sale: Sale, earned: tuple[Decimal, str, int] | None, books: Sequence["_Book"]) -> SaleOutcome:
    amount, currency, last = earned or (NOTHING, sale.currency, None)
    if amount:
        return SaleOutcome(sale, amount, currency, last, None)
    reasons = [book.why(sale) for book in books] or [Nothing("not_enrolled", str(REASONS["not_enrolled"]))]
    return SaleOutcome(sale, NOTHING, sale.currency, last, reasons[0])


def without_pay(sales: "QuerySet[Sale]") -> "QuerySet[Sale]":
    """Those of `sales` that stand with nothing in the ledger for their partner."""
    earned = (
        Earning.objects.filter(sale=OuterRef("pk"), partner=OuterRef("partner")).order_by().values("sale", "currency")
    )
    return sales.exclude(Exists(earned.annotate(total=Sum("amount")).exclude(total=0)))


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
        Sale.objects.standing()
        .filter(partner=partner, sold_on__gte=period.starts_on, sold_on__lt=period.ends_on)
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
    sums = [MonthSums(currency, count, amount, earned.pop(currency, NOTHING)) for currency, count, amount in sold]
    return sums + [MonthSums(currency, 0, NOTHING, amount) for currency, amount in sorted(earned.items()) if amount]


class _Book:
    """Why sales of one partner earned nothing in a program, read once."""

    def __init__(self, program: Program, sales: Sequence[Sale], partner_id: int) -> None:
        self.program = program
        unpaid = Unpaid.objects.filter(
            partner=partner_id, program=program, event=events.SALE.key, fact__in=[sale.pk for sale in sales]
        )
        self.unpaid = {one.fact: one.terms for one in unpaid.select_related("terms__plan", "terms__tier")}
        nights = Run.objects.nights().filter(program=program, state=Run.State.DONE)
        self.last_night = nights.aggregate(Max("day"))["day__max"]
        self.plans = list(Plan.objects.published().filter(program=program))
        self.is_enrolled = Enrollment.objects.filter(program=program, partner=partner_id).exists()

    def why(self, sale: Sale) -> Nothing:
        code = self._code(sale)
        terms = self.unpaid.get(sale.pk)
        said = terms if terms is not None and code == terms.reason else None
        looked_at = tuple(tried(said)) if said else ()
        return Nothing(code, _with_names(code, sale.sold_on, self.program, said), looked_at)

    def _code(self, sale: Sale) -> str:
        if sale.voided_at:
            return "voided"
        if self.last_night is None or sale.sold_on >= self.last_night:
            return "not_yet"
        if sale.pk in self.unpaid:
            return self.unpaid[sale.pk].reason
        if not self.is_enrolled:
            return "no_tier"
        in_force = any(
            plan.starts_on <= sale.sold_on and (plan.ends_on is None or sale.sold_on < plan.ends_on)
            for plan in self.plans
        )
        return "next_night" if in_force else "no_plan"


def _with_names(code: str, day: date, program: Program, terms: Terms | None) -> str:
    names = {
        "day": show.day(day), "program": program, "plan": terms.plan if terms else None, "tier": terms.tier if terms else None
    }  # fmt: skip
    if code == "no_plan":
        return _("No commission plan of “%(program)s” was in force on %(day)s.") % names
    if code == "no_tier":
        return _("No tier of “%(program)s” was held on %(day)s.") % names
    if code == "no_rate" and terms:
        return _("The plan “%(plan)s”, in force on %(day)s, names no rate for %(tier)s.") % names
    if code == "zero_rate" and terms:
        return _("The plan “%(plan)s”, in force on %(day)s, pays 0%% for %(tier)s.") % names
    return str(REASONS[code])
