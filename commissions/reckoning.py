"""What one partner's facts earn by a plan. Pure: facts, tiers and rates in, dues out; the order of facts does not matter.

The night posts with it, dry runs and the calculator show with it, lines explain themselves by what it noted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from commissions import rules
from commissions.rules import Bands, Limits, Number
from common.days import add_months

SCALE = 10_000
PERIODS = ("month", "quarter", "half_year", "year")
NO_RATE = "no_exchange_rate"
MONTHS_OF = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


class Fact(NamedTuple):
    """Something that may earn. Amounts are ten-thousandths; `met` has a bit for each condition of the plan that holds.

    `terms_on` is the day whose plan and tier count: a refund's is that of the sale it takes back, a collection's that of its sale.
    """

    event: str
    id: int
    on: date
    terms_on: date
    currency: str
    met: int
    net: int | None
    margin: int | None
    recurring: int | None
    quantity: int
    customer: str
    customer_since: date | None
    refund_of: int | None
    sale: int | None
    changed_at: Any


@dataclass(frozen=True, slots=True)
class Step:
    starts: Fraction  # ten-thousandths, or a share of the target
    rates: Mapping[str, Fraction]  # by tier code; "" for any


@dataclass(frozen=True, slots=True)
class Banded:
    """Rates by a running total over a period, or against the partner's plan target."""

    over: str  # one of PERIODS, or "target"
    steps: tuple[Step, ...]
    whole: bool  # the band reached pays the whole amount, not each part at its own band
    starts_month: int = 1
    target: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a plan, read. `pays`: share of the base, fixed amount for each fact, or unit: for each piece."""

    code: str
    event: str
    conditions: tuple[int, ...]  # bits of Fact.met
    pays: str
    base: str  # net, margin, recurring, earned
    rates: Mapping[str, Fraction]  # by tier code; "" for any. Fixed and unit: ten-thousandths of the plan's currency
    tiers: frozenset[str] | None = None
    banded: Banded | None = None
    adds: bool = False
    months: int | None = None
    level: int = 0  # 0 the partner, 1 its sponsor, 2 its sponsor's sponsor
    line: Limits | None = None
    customer: Limits | None = None
    periods: tuple[tuple[str, Limits], ...] = ()
    without_tier: bool = False

    @property
    def counts_money(self) -> bool:
        """Whether it names money, which is in the plan's currency."""
        return self.is_limited or self.pays != "share" or self.banded is not None

    @property
    def is_limited(self) -> bool:
        return bool(self.line or self.customer or self.periods)

    @property
    def runs(self) -> bool:
        """Whether what a fact earns depends on the facts before it."""
        return bool(self.customer or self.periods or self.banded)


@dataclass(frozen=True, slots=True)
class Book:
    """A plan, read: what `reckon` needs of it."""

    plan_id: int
    starts_on: date
    ends_on: date | None
    currency: str  # "" where amounts stay in the currency of the facts
    hold_days: int
    run_off_months: int
    rules: tuple[Rule, ...]
    conditions: tuple[Any, ...] = ()  # their documents, by bit

    @property
    def runs(self) -> bool:
        return any(rule.runs for rule in self.rules)

    def of(self, event: str) -> list[Rule]:
        return [rule for rule in self.rules if rule.event == event]


class Terms(NamedTuple):
    """By what a line was computed: kept once for all lines that share it (models.Terms)."""

    plan_id: int | None
    tier_id: int | None
    rule: str
    reason: str
    tried: tuple[tuple[str, str, tuple[bool, ...]], ...]


class Due(NamedTuple):
    """What a fact should earn a partner by a rule. Amounts are ten-thousandths of `currency`, `base` of the fact's."""

    fact: Fact
    partner: int
    rule: Rule
    terms: Terms
    currency: str
    base: int
    rate: Fraction
    amount: int
    detail: dict[str, Any] | None


class Nothing(NamedTuple):
    """A fact that earns nothing, with the reason in its terms."""

    fact: Fact
    terms: Terms


class Exchange(NamedTuple):
    """What one of a currency is worth in another, and where that is from."""

    value: Fraction
    source: dict[str, Any]


class Target(NamedTuple):
    key: str
    starts_on: date
    ends_on: date
    amount: int | None
    currency: str
    quantity: int | None


Tier = tuple[int, str]  # its key and code


@dataclass(slots=True)
class Situation:
    """What is known of one partner: the tiers it held, who sponsors it, who shares its sales, its plan targets."""

    partner: int
    tier_on: Callable[[date], Tier | None]
    left_on: date | None = None
    last_tier: Tier | None = None
    sponsors_on: Callable[[date], Sequence[int]] = lambda _day: ()
    sponsor_tier_on: Callable[[int, date], Tier | None] = lambda _partner, _day: None
    splits: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)  # by sale: partner and parts
    targets: Sequence[Target] = ()
    paid_in: Callable[[date], str] = lambda _day: ""  # "" where the plan's currency counts
    sponsor_paid_in: Callable[[int, date], str] = lambda _partner, _day: ""


class _Paying(NamedTuple):
    """A rule that pays a fact, at a rate. `tier` is the earner's."""

    rule: Rule
    terms: Terms
    rate: Fraction
    tier: str
    is_plain: bool  # a share, without bands and limits


Decision = tuple[list[_Paying], Terms | None]  # None where a rule pays


class Reckoner:
    """Reckons the facts of one plan, partner after partner.

    `exchange(fact, from, to)` gives None where no rate is known; `minor_unit(currency)` is the smallest payable amount in
    ten-thousandths.
    """

    def __init__(
        self, book: Book, exchange: Callable[[Fact, str, str], Exchange | None], minor_unit: Callable[[str], int]
    ) -> None:
        self.book, self.exchange, self.minor_unit = book, exchange, minor_unit
        self._rules = {event: book.of(event) for event in {rule.event for rule in book.rules}}
        self._timed = [rule for rule in book.rules if rule.months is not None]
        self._levels = max((rule.level for rule in book.rules), default=0)
        self._decided: dict[Any, Decision] = {}

    def reckon(self, facts: Iterable[Fact], situation: Situation) -> Iterator[Due | Nothing]:
        """Everything that the facts of one partner earn, and each that earns nothing."""
        facts = sorted(facts, key=_in_time) if self.book.runs else list(facts)
        sales = {fact.id for fact in facts if fact.event == "sale" and fact.refund_of is None}
        refunds = [fact for fact in facts if fact.refund_of in sales and fact.event == "sale"]
        taken = {fact.refund_of for fact in refunds}
        own = [fact for fact in facts if fact.refund_of not in sales or fact.event != "sale"] if refunds else facts
        totals = _Totals(self, facts if self.book.runs else (), sales, situation)
        kept: dict[int, tuple[Fact, list[Due | Nothing]]] = {}
        for fact in own:
            found = self._of_fact(fact, situation, totals)
            if fact.id in taken and fact.event == "sale":
                kept[fact.id] = fact, found
            yield from found
        for pk, (original, found) in kept.items():
            yield from self._refunded(original, found, [fact for fact in refunds if fact.refund_of == pk])

    # --- Which rules pay

    def decide(self, fact: Fact, situation: Situation) -> Decision:
        tier = situation.tier_on(fact.terms_on) or self._run_off(fact, situation)
        above: tuple[Tier | None, ...] = ()
        if self._levels:
            sponsors = situation.sponsors_on(fact.terms_on)[: self._levels]
            above = tuple(situation.sponsor_tier_on(one, fact.terms_on) for one in sponsors)
        over = tuple(rule.code for rule in self._timed if not _within(fact, rule.months or 0)) if self._timed else ()
        key = (fact.event, fact.met, tier, above, over)
        found = self._decided.get(key)
        if found is None:
            found = self._decided[key] = self._decide(fact, tier, above, over)
        return found

    def _run_off(self, fact: Fact, situation: Situation) -> Tier | None:
        """The last tier held, for customers won before the partner left, as long as the plan goes on paying."""
        left, since = situation.left_on, fact.customer_since
        if not self.book.run_off_months or left is None or since is None or since >= left:
            return None
        return situation.last_tier if left <= fact.terms_on < add_months(left, self.book.run_off_months) else None

    def _decide(self, fact: Fact, tier: Tier | None, above: tuple[Tier | None, ...], over: tuple[str, ...]) -> Decision:
        tried: list[tuple[str, str, tuple[bool, ...]]] = []
        chosen: list[tuple[Rule, Tier | None]] = []
        is_taken = False
        for rule in self._rules.get(fact.event, ()):
            held = tuple(bool(fact.met >> bit & 1) for bit in rule.conditions)
            earner = tier if rule.level == 0 else above[rule.level - 1] if len(above) >= rule.level else None
            outcome = _outcome(rule, earner, held, is_over=rule.code in over, is_taken=is_taken,
                               has_sponsor=len(above) >= rule.level)  # fmt: skip
            tried.append((rule.code, outcome, held))
            if outcome == "pays":
                chosen.append((rule, earner))
                is_taken = is_taken or not (rule.adds or rule.level)
        paying = [
            _Paying(rule, Terms(self.book.plan_id, earner[0] if earner else None, rule.code, "", tuple(tried)),
                    rate_of(rule, earner[1] if earner else ""), earner[1] if earner else "",
                    rule.pays == "share" and rule.banded is None and not rule.is_limited)
            for rule, earner in sorted(chosen, key=lambda one: one[0].level)
        ]  # fmt: skip
        if paying:
            return paying, None
        return [], Terms(self.book.plan_id, tier[0] if tier else None, "", _reason(tried, tier), tuple(tried))

    # --- What they pay

    def _of_fact(self, fact: Fact, situation: Situation, totals: "_Totals") -> list[Due | Nothing]:
        paying, nothing = self.decide(fact, situation)
        if nothing is not None:
            return [Nothing(fact, nothing)]
        dues: list[Due | Nothing] = []
        reason = ""
        for one in paying:
            found = self._due(fact, one, situation, totals, [due for due in dues if isinstance(due, Due)])
            if isinstance(found, str):
                reason = found if found == NO_RATE else reason or found
            elif one.rule.level == 0 and fact.sale is not None and fact.sale in situation.splits:
                dues += self._split(found, situation.splits[fact.sale])
            else:
                dues.append(found)
        if not dues or reason == NO_RATE:  # a rate that is missing is waited for, whatever other rules pay
            dues.append(Nothing(fact, paying[0].terms._replace(rule="", reason=reason)))
        return dues

    def _due(self, fact: Fact, one: _Paying, situation: Situation, totals: "_Totals", before: list[Due]) -> Due | str:
        """The due, or why it is nothing."""
        rule = one.rule
        base, source = self._base(fact, rule, before)
        if base is None:
            return "no_base"
        if base == 0:
            return "zero_base"
        money = self.book.currency if rule.counts_money else source
        partner = situation.partner if rule.level == 0 else situation.sponsors_on(fact.terms_on)[rule.level - 1]
        own = situation.sponsor_paid_in(partner, fact.on) if rule.level else situation.paid_in(fact.on)
        target = own or self.book.currency or source
        detail: dict[str, Any] = {"level": rule.level} if rule.level else {}
        if one.is_plain and money == target and (amount := self._plainly(base, one.rate, target)):
            return Due(fact, partner, rule, one.terms, target, base, one.rate, amount, detail or None)
        value: Number = base
        if money != source and rule.pays == "share":
            worth = self._worth(fact, source, money, detail)
            if worth is None:
                return NO_RATE
            value = base * worth
        whole = self._exact(fact, one, value, totals, detail)
        exact = totals.limited(fact, rule, whole, detail) if rule.is_limited else whole
        worth = Fraction(1) if money == target else self._worth(fact, money, target, detail)
        if worth is None:
            return NO_RATE
        amount = rules.rounded(exact * worth, self.minor_unit(target))
        if amount == 0:
            return _why_zero(measure(rule, fact, value), whole, detail)
        return Due(fact, partner, rule, one.terms, target, base, _shown_rate(one, detail), amount, detail or None)

    def _plainly(self, base: int, rate: Fraction, currency: str) -> int:
        """A share of the base, rounded: what most facts earn, without fractions, whose arithmetic takes most of the time."""
        unit = self.minor_unit(currency)
        return rules.half_even(base * rate.numerator, rate.denominator * unit) * unit

    def _base(self, fact: Fact, rule: Rule, before: list[Due]) -> tuple[int | None, str]:
        """What the rule pays on, in ten-thousandths of a currency. Where it pays so much for each: what gives the sign."""
        if rule.base == "earned":
            own = [due for due in before if due.rule.level == 0]
            return sum(due.amount for due in own), own[0].currency if own else fact.currency
        if rule.base == "net":
            return fact.net if fact.net is not None or rule.pays == "share" else SCALE, fact.currency
        return (fact.margin if rule.base == "margin" else fact.recurring), fact.currency

    def _worth(self, fact: Fact, source: str, target: str, detail: dict[str, Any]) -> Fraction | None:
        found = self.exchange(fact, source, target)
        if found is None:
            return None
        detail.setdefault("exchange", []).append(found.source)
        return found.value

    def _exact(self, fact: Fact, one: _Paying, value: Number, totals: "_Totals", detail: dict[str, Any]) -> Number:
        """In ten-thousandths of the currency that the rule counts in, not rounded; without limits."""
        rule = one.rule
        if rule.banded is not None:
            return totals.banded(fact, one, value, detail)
        return one.rate * measure(rule, fact, value)

    def _split(self, due: Due, parts: Sequence[tuple[int, int]]) -> list[Due | Nothing]:
        given = rules.shares(due.amount, [part for _partner, part in parts], self.minor_unit(due.currency))
        total = sum(part for _partner, part in parts)
        return [
            due._replace(partner=partner, amount=amount,
                         detail={**(due.detail or {}), "share": [part, total], "whole": text(due.amount)})
            for (partner, part), amount in zip(parts, given, strict=True) if amount
        ]  # fmt: skip

    def _refunded(self, original: Fact, found: list[Due | Nothing], refunds: list[Fact]) -> Iterator[Due | Nothing]:
        """Refunds of one sale, in time: each takes back its share of what the sale earned, whoever earned it."""
        of, taken = original.net or 0, 0
        for fact in sorted(refunds, key=_in_time):
            before, taken = taken, min(taken - (fact.net or 0), of)
            dues = [self._back(fact, due, of, before, taken) for due in found if isinstance(due, Due)]
            some: list[Due | Nothing] = [due for due in dues if due.amount]
            yield from some or [Nothing(fact, found[0].terms._replace(rule="", reason="refund_of_nothing"))]

    def _back(self, fact: Fact, due: Due, of: int, before: int, taken: int) -> Due:
        amount = rules.taken_back(due.amount, of, before, taken, self.minor_unit(due.currency))
        detail = {"takes_back": due.fact.id, "of": text(due.amount), "part": [text(taken - before), text(of)]}
        if due.detail and "share" in due.detail:
            detail["share"] = due.detail["share"]
        return due._replace(fact=fact, base=fact.net or 0, amount=amount, detail=detail)


class _Totals:
    """What has come together so far of one partner's facts, by rule: over periods, by customer, up to a target."""

    def __init__(self, reckoner: Reckoner, facts: Iterable[Fact], sales: set[int], situation: Situation) -> None:
        self.reckoner, self.situation = reckoner, situation
        self.come: dict[Any, Number] = {}
        self.whole: dict[Any, Number] = {}  # of rules that pay the band reached to the whole period
        self.refunds: dict[str, list[tuple[Fact, Fact]]] = {}  # with the sale that each takes back
        by_sale: dict[int, Fact] = {fact.id: fact for fact in facts if fact.event == "sale"}
        for fact in facts:
            linked = fact.event == "sale" and fact.refund_of in sales
            decided_by = by_sale[fact.refund_of] if linked and fact.refund_of is not None else fact
            for one in reckoner.decide(decided_by, situation)[0]:
                if one.rule.banded is None:
                    continue
                if one.rule.banded.whole:
                    self._add(self.whole, fact, one.rule, at=decided_by)
                elif linked:
                    self.refunds.setdefault(one.rule.code, []).append((fact, decided_by))

    def _counted(self, fact: Fact, rule: Rule, at: Fact) -> Number | None:
        """What the fact adds to the running total of the rule, at the rate of exchange of `at`; None where it adds nothing."""
        book = self.reckoner.book
        if rule.pays != "share":
            return measure(rule, fact, fact.net if fact.net is not None else SCALE)
        base, source = self.reckoner._base(fact, rule, [])
        if base is None or source == book.currency:
            return base
        found = self.reckoner.exchange(at, source, book.currency)
        return None if found is None else base * found.value

    def _add(self, totals: dict[Any, Number], fact: Fact, rule: Rule, *, at: Fact) -> None:
        counted = self._counted(fact, rule, at)
        if counted is not None:
            key = self._key(fact, rule)
            totals[key] = totals.get(key, 0) + counted

    def _key(self, fact: Fact, rule: Rule) -> Any:
        banded = rule.banded
        assert banded is not None  # noqa: S101  # callers look
        if banded.over == "target":
            target = self._target(fact, banded.target)
            return rule.code, "target", target.starts_on if target else None
        return rule.code, banded.over, period_start(fact.on, banded.over, banded.starts_month)

    def _target(self, fact: Fact, key: str) -> Target | None:
        for one in self.situation.targets:
            if one.key == key and one.starts_on <= fact.on < one.ends_on:
                return one
        return None

    def bands(self, fact: Fact, rule: Rule, code: str) -> Bands:
        """Those of the tier. Of a target: where there is none, or in another currency, the lowest alone."""
        banded = rule.banded
        assert banded is not None  # noqa: S101
        steps, size = banded.steps, Fraction(1)
        if banded.over == "target":
            target = self._target(fact, banded.target)
            goal = _goal(target, rule, self.reckoner.book.currency)
            steps, size = (steps, goal) if goal else (steps[:1], Fraction(1))
        rates = tuple(step.rates.get(code, step.rates.get("", Fraction(0))) for step in steps)
        return Bands(tuple(step.starts * size for step in steps), rates)

    def banded(self, fact: Fact, one: _Paying, value: Number, detail: dict[str, Any]) -> Number:
        rule, banded = one.rule, one.rule.banded
        assert banded is not None  # noqa: S101
        bands, key = self.bands(fact, rule, one.tier), self._key(fact, rule)
        amount = measure(rule, fact, value)
        if banded.whole:
            total = self.whole.get(key, 0)
            rate = bands.rate_at(total)
            detail["bands"] = {"total": text(total * _scale(rule)), "whole": text_of_rate(rate, rule)}
            return rate * amount
        self._refunds_before(fact, rule)
        before = self.come.get(key, 0)
        after = self.come[key] = before + amount
        parts = [[text_of_rate(rate, rule), text(part * _scale(rule))] for rate, part in bands.parts(before, after)]
        detail["bands"] = {"before": text(before * _scale(rule)), "parts": parts}
        return bands.up_to(after) - bands.up_to(before)

    def _refunds_before(self, fact: Fact, rule: Rule) -> None:
        """Refunds that take back an earlier sale lower the total of their own period from then on."""
        waiting = self.refunds.get(rule.code, [])
        while waiting and _in_time(waiting[0][0]) < _in_time(fact):
            refund, sale = waiting.pop(0)
            self._add(self.come, refund, rule, at=sale)

    def limited(self, fact: Fact, rule: Rule, exact: Number, detail: dict[str, Any]) -> Number:
        """Within the limits of the line, of the customer and of each period, in this order."""
        if rule.line:
            exact = _noted(rule.line.held(exact), exact, "line", detail)
        if rule.customer and fact.customer:
            exact = self._within((rule.code, "customer", fact.customer), rule.customer, exact, "customer", detail)
        for period, limits in rule.periods:
            key = (rule.code, "limit", period, period_start(fact.on, period, 1))
            exact = self._within(key, limits, exact, period, detail)
        return exact

    def _within(self, key: Any, limits: Limits, exact: Number, name: str, detail: dict[str, Any]) -> Number:
        before = self.come.get(key, 0)
        after = self.come[key] = before + exact
        return _noted(limits.held(after) - limits.held(before), exact, name, detail)


# --- Words of one rule ----------------------------------------------------------------------------


def rate_of(rule: Rule, code: str) -> Fraction:
    return rule.rates.get(code, rule.rates.get("", Fraction(0)))


def measure(rule: Rule, fact: Fact, value: Number) -> Number:
    """What the rate multiplies: money, pieces or facts; minus where the fact takes back."""
    if rule.pays == "share":
        return value
    sign = -1 if value < 0 else 1
    return sign * (abs(fact.quantity) if rule.pays == "unit" else 1)


def period_start(day: date, period: str, starts_month: int) -> date:
    """The first day of the period that holds the day. `starts_month` is the month in which a (fiscal) year starts."""
    months = MONTHS_OF[period]
    index = day.year * 12 + day.month - 1 - (starts_month - 1)
    year, month = divmod(index - index % months + starts_month - 1, 12)
    return date(year, month + 1, 1)


def text(units: Number) -> str:
    """Ten-thousandths as people write numbers; what no decimal writes, as a fraction."""
    return plain(Fraction(units) / SCALE)


def plain(number: Fraction) -> str:
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{number.numerator}/{number.denominator}"
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    digits = str(abs(number.numerator * 10**places // number.denominator)).rjust(places + 1, "0")
    whole, part = (digits[:-places], digits[-places:]) if places else (digits, "")
    return ("-" if number < 0 else "") + whole + (f".{part}" if part else "")


def text_of_rate(rate: Fraction, rule: Rule) -> str:
    return plain(rate if rule.pays == "share" else rate / SCALE)


def _scale(rule: Rule) -> int:
    """Totals of pieces and facts are whole numbers, of money ten-thousandths."""
    return 1 if rule.pays == "share" else SCALE


def _shown_rate(one: _Paying, detail: dict[str, Any]) -> Fraction:
    """The rate of the line: of the band that pays the whole, else the rule's; 0 where each part has its own."""
    if one.rule.banded is None:
        return one.rate if one.rule.pays == "share" else one.rate / SCALE
    return Fraction(detail["bands"]["whole"]) if one.rule.banded.whole else Fraction(0)


def _goal(target: Target | None, rule: Rule, currency: str) -> Fraction:
    """Money in ten-thousandths, or pieces; 0 where there is none."""
    if target is None or (rule.pays == "share" and target.currency != currency):
        return Fraction(0)
    return Fraction(target.amount or 0) if rule.pays == "share" else Fraction(target.quantity or 0, SCALE)


def _why_zero(measured: Number, whole: Number, detail: dict[str, Any]) -> str:
    if whole == 0:
        return "zero_base" if measured == 0 else "zero_rate"
    return "limit" if "limits" in detail else "rounds_to_zero"


def _noted(held: Number, exact: Number, name: str, detail: dict[str, Any]) -> Number:
    if held != exact:
        detail.setdefault("limits", []).append([name, text(exact), text(held)])
    return held


def _within(fact: Fact, months: int) -> bool:
    """Whether the fact is of the customer's first months."""
    return fact.customer_since is not None and fact.on < add_months(fact.customer_since, months)


def _outcome(
    rule: Rule, earner: Tier | None, held: tuple[bool, ...], *, is_over: bool, is_taken: bool, has_sponsor: bool
) -> str:
    if not has_sponsor:
        return "no_sponsor"
    if earner is None and not rule.without_tier:
        return "no_tier"
    if not all(held):
        return "condition"
    if is_over:
        return "over"
    if rule.tiers is not None and (earner is None or earner[1] not in rule.tiers):
        return "tier"
    code = earner[1] if earner else ""
    rates = rule.banded.steps[0].rates if rule.banded else rule.rates
    if code not in rates and "" not in rates:
        return "no_rate"
    return "after_first" if is_taken and not (rule.adds or rule.level) else "pays"


def _reason(tried: Sequence[tuple[str, str, tuple[bool, ...]]], tier: Tier | None) -> str:
    """Why no rule pays: the one thing that all lack, else that no rule is for such a fact."""
    outcomes = {outcome for _code, outcome, _held in tried if outcome != "no_sponsor"}
    if tier is None and "no_tier" in outcomes:
        return "no_tier"
    return outcomes.pop() if len(outcomes) == 1 and outcomes <= {"no_rate", "over"} else "no_rule"


def _in_time(fact: Fact) -> tuple[date, str, int]:
    return fact.on, fact.event, fact.id
