"""What plans pay, computed a second time in the plainest way: lists, fractions, and docs/plan-file.md. No code of the product.

A World is what is known; `night` says what should stand after the night of a day. It looks at everything anew, whatever was posted
before, but for the rates of exchange that lines hold (`Ledger`).
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

Document = dict[str, Any]
Key = tuple[str, int, int, str, str]  # event, fact, partner, rule, currency
Asked = tuple[str, str, date]  # from, to, day
MINOR_UNITS = {
    "EUR": Fraction(1, 100),
    "USD": Fraction(1, 100),
    "GBP": Fraction(1, 100),
    "JPY": Fraction(1),
    "TND": Fraction(1, 1000),
}
MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
LEVELS = {"partner": 0, "sponsor": 1, "second_sponsor": 2}
MAX_AGE = 7
END = date.max


# --- What is known --------------------------------------------------------------------------------


@dataclass
class Sale:
    partner: int
    on: date
    amount: Fraction
    currency: str
    kind: str = "new"
    cost: Fraction | None = None
    recurring: Fraction | None = None
    quantity: int = 1
    customer: str = ""
    sourced: str = ""
    refund_of: int | None = None
    voided: bool = False


@dataclass
class Collection:
    sale: int
    on: date
    amount: Fraction


@dataclass
class Deal:
    partner: int
    amount: Fraction
    currency: str
    customer: str
    status: str
    closed_on: date | None = None
    decided_on: date | None = None
    of_lead: bool = False
    sourced: str = ""


@dataclass
class Offer:
    partner: int
    answer: str
    answered_on: date
    source: str
    lead_country: str


@dataclass
class Certificate:
    partner: int
    on: date
    certification: str
    job: str


@dataclass
class Record:
    partner: int
    on: date
    kind: str
    name: str = ""
    amount: Fraction | None = None
    currency: str = ""
    quantity: Fraction | None = None
    attributes: dict[str, str] = field(default_factory=dict)


class Placement(NamedTuple):
    id: int
    starts_on: date
    ends_on: date | None
    tier: str


class Sponsorship(NamedTuple):
    partner: int
    sponsor: int
    starts_on: date
    ends_on: date | None


class Target(NamedTuple):
    partner: int
    key: str
    starts_on: date
    ends_on: date
    amount: Fraction | None
    currency: str
    quantity: Fraction | None


class Plan(NamedTuple):
    starts_on: date
    ends_on: date | None
    document: Document


@dataclass
class World:
    currency: str = "USD"  # the program's
    counts_as: dict[str, Fraction] = field(default_factory=dict)  # the edition's exchange table
    ranks: dict[str, int] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)  # in order of publication
    sales: dict[int, Sale] = field(default_factory=dict)
    collections: dict[int, Collection] = field(default_factory=dict)
    deals: dict[int, Deal] = field(default_factory=dict)
    offers: dict[int, Offer] = field(default_factory=dict)
    certificates: dict[int, Certificate] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)
    enrolled: dict[int, tuple[date, date | None]] = field(default_factory=dict)
    placements: dict[int, list[Placement]] = field(default_factory=dict)
    splits: dict[int, dict[int, int]] = field(default_factory=dict)  # by sale: parts by partner
    sponsorships: list[Sponsorship] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    payout: dict[int, dict[date, str]] = field(default_factory=dict)
    rates: dict[tuple[str, str, date], Fraction] = field(default_factory=dict)  # one of the first in the second
    through: str = "EUR"
    country: dict[int, str] = field(default_factory=dict)
    traits: dict[int, dict[str, str]] = field(default_factory=dict)


class Fact(NamedTuple):
    event: str
    id: int
    partner: int
    on: date
    terms_on: date
    currency: str
    net: Fraction | None
    asked: dict[str, Any]
    margin: Fraction | None = None
    recurring: Fraction | None = None
    quantity: int = 1
    customer: str = ""
    customer_since: date | None = None
    refund_of: int | None = None
    sale: int | None = None

    @property
    def place(self) -> tuple[date, str, int]:
        return self.on, self.event, self.id


# --- Facts ----------------------------------------------------------------------------------------


def facts(world: World) -> Iterator[Fact]:
    for made in (_sales, _collections, _deals, _offers, _certificates, _tiers_reached, _records):
        yield from made(world)


def _about(world: World, partner: int) -> dict[str, Any]:
    traits = {f"trait:{name}": value for name, value in world.traits.get(partner, {}).items()}
    return {"country": world.country.get(partner), **traits}


def _customer_since(world: World, sale: Sale) -> date | None:
    """The customer's first purchase from the partner, up to the day of the sale."""
    days = [
        one.on
        for one in world.sales.values()
        if one.partner == sale.partner and one.customer == sale.customer != "" and not one.voided
        and one.kind != "refund" and one.on <= sale.on
    ]  # fmt: skip
    return min(days, default=None)


def _of_sale(world: World, sale: Sale) -> dict[str, Any]:
    since = _customer_since(world, sale)
    return {
        "asked": {
            **_about(world, sale.partner), "amount": sale.amount, "recurring_amount": sale.recurring,
            "currency": sale.currency, "quantity": sale.quantity, "kind": sale.kind, "customer_name": sale.customer,
            "sourced": sale.sourced, "new_customer": since == sale.on,
        },
        "quantity": sale.quantity, "customer": sale.customer, "customer_since": since,
    }  # fmt: skip


def _sales(world: World) -> Iterator[Fact]:
    firsts: dict[int, tuple[date, int]] = {}
    for pk, sale in world.sales.items():
        if not sale.voided and sale.kind != "refund":
            firsts[sale.partner] = min(firsts.get(sale.partner, (END, 0)), (sale.on, pk))
    for pk, sale in world.sales.items():
        if sale.voided:
            continue
        of = {
            "margin": None if sale.cost is None else sale.amount - sale.cost, "recurring": sale.recurring, "sale": pk,
            **_of_sale(world, sale),
        }  # fmt: skip
        terms_on = sale.on if sale.refund_of is None else world.sales[sale.refund_of].on
        yield Fact(
            "sale", pk, sale.partner, sale.on, terms_on, sale.currency, sale.amount, refund_of=sale.refund_of, **of
        )
        if firsts.get(sale.partner) == (sale.on, pk):
            yield Fact("first_sale", pk, sale.partner, sale.on, sale.on, sale.currency, sale.amount, **of)


def _collections(world: World) -> Iterator[Fact]:
    for pk, one in world.collections.items():
        sale = world.sales[one.sale]
        if not sale.voided:
            of = _of_sale(world, sale)
            of["asked"]["amount"] = one.amount
            yield Fact("collection", pk, sale.partner, one.on, sale.on, sale.currency, one.amount, sale=one.sale, **of)


def _deals(world: World) -> Iterator[Fact]:
    for pk, deal in world.deals.items():
        asked = {
            **_about(world, deal.partner), "amount": deal.amount, "currency": deal.currency,
            "customer_name": deal.customer, "sourced": deal.sourced,
        }  # fmt: skip
        days = []
        if deal.status == "won" and deal.closed_on is not None:
            days.append(("deal_won", deal.closed_on))
        if deal.of_lead and deal.decided_on is not None and deal.status != "refused":
            days.append(("lead_qualified", deal.decided_on))
        for event, on in days:
            yield Fact(event, pk, deal.partner, on, on, deal.currency, deal.amount, asked, customer=deal.customer)


def _offers(world: World) -> Iterator[Fact]:
    for pk, one in world.offers.items():
        if one.answer == "accepted":
            asked = {**_about(world, one.partner), "source": one.source, "lead_country": one.lead_country}
            yield Fact("lead_accepted", pk, one.partner, one.answered_on, one.answered_on, "", None, asked)


def _certificates(world: World) -> Iterator[Fact]:
    for pk, one in world.certificates.items():
        asked = {**_about(world, one.partner), "certification": one.certification, "job": one.job}
        yield Fact("certification", pk, one.partner, one.on, one.on, "", None, asked)


def _tiers_reached(world: World) -> Iterator[Fact]:
    for partner, placements in world.placements.items():
        ended = world.enrolled[partner][1] or END
        for one in placements:
            lower = [
                other for other in placements
                if other.ends_on == one.starts_on and other.starts_on < one.starts_on
                and world.ranks[other.tier] < world.ranks[one.tier]
            ]  # fmt: skip
            if lower and one.starts_on < ended:
                asked = {**_about(world, partner), "tier": one.tier}
                yield Fact("tier_reached", one.id, partner, one.starts_on, one.starts_on, "", None, asked)


def _records(world: World) -> Iterator[Fact]:
    for pk, one in world.records.items():
        attributes = {f"attr:{name}": value for name, value in one.attributes.items()}
        asked = {
            **_about(world, one.partner), "kind": one.kind, "name": one.name, "amount": one.amount,
            "currency": one.currency, **attributes,
        }  # fmt: skip
        pieces = 1 if one.quantity is None else int(one.quantity)
        yield Fact("activity", pk, one.partner, one.on, one.on, one.currency, one.amount, asked, quantity=pieces)


# --- Conditions -----------------------------------------------------------------------------------

COMPARED = {
    "at_least": lambda one, other: one >= other, "more_than": lambda one, other: one > other,
    "at_most": lambda one, other: one <= other, "less_than": lambda one, other: one < other,
}  # fmt: skip


def holds(document: Document, fact: Fact, world: World) -> bool:
    for group, wanted in (("all", all), ("any", any)):
        if group in document:
            return wanted(holds(one, fact, world) for one in document[group])
    if "none" in document:
        return not any(holds(one, fact, world) for one in document["none"])
    how, value = document.get("is", "equal"), fact.asked.get(document["field"])
    wanted_value = document.get("value")
    if isinstance(value, Fraction):
        rate = {**world.counts_as, world.currency: Fraction(1)}.get(fact.currency)
        value = None if rate is None else value * rate
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        wanted_value = (
            [Fraction(one) for one in wanted_value] if isinstance(wanted_value, list) else Fraction(wanted_value)
        )
    if value is None or value == "":
        return how in ("empty", "not", "not_in")
    if how in COMPARED:
        return COMPARED[how](value, wanted_value)
    return {
        "equal": lambda: value == wanted_value, "not": lambda: value != wanted_value, "in": lambda: value in wanted_value,
        "not_in": lambda: value not in wanted_value, "empty": lambda: False, "not_empty": lambda: True,
    }[how]()  # fmt: skip


# --- Days, money ----------------------------------------------------------------------------------


def months_later(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def first_of_period(day: date, period: str, starts_month: int = 1) -> date:
    """Back, month by month, to the last month in which a period begins."""
    first = day.replace(day=1)
    while (first.month - starts_month) % MONTHS[period]:
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def to_minor_unit(exact: Fraction, currency: str) -> Fraction:
    unit = MINOR_UNITS[currency]
    return round(exact / unit) * unit  # Python rounds fractions half to even


def found_rate(world: World, source: str, target: str, on: date) -> Fraction | None:
    if source == target:
        return Fraction(1)

    def newest(one: str, other: str) -> Fraction | None:
        for age in range(MAX_AGE + 1):
            day = on - timedelta(days=age)
            if (one, other, day) in world.rates:
                return world.rates[one, other, day]
            if (other, one, day) in world.rates:
                return 1 / world.rates[other, one, day]
        return None

    if (direct := newest(source, target)) is not None:
        return direct
    first, second = newest(source, world.through), newest(world.through, target)
    return None if first is None or second is None or world.through in (source, target) else first * second


# --- Plans ----------------------------------------------------------------------------------------


def plan_on(world: World, day: date) -> Plan | None:
    """Of the plans that have started the last one to start, of these the last published; unless it has ended."""
    started = [(plan.starts_on, number) for number, plan in enumerate(world.plans) if plan.starts_on <= day]
    if not started:
        return None
    plan = world.plans[max(started)[1]]
    return None if plan.ends_on is not None and day >= plan.ends_on else plan


def tier_on(world: World, partner: int, day: date) -> str | None:
    if partner not in world.enrolled or day >= (world.enrolled[partner][1] or END):
        return None
    for one in world.placements.get(partner, ()):
        if one.starts_on <= day < (one.ends_on or END):
            return one.tier
    return None


def sponsors_on(world: World, partner: int, day: date) -> list[int]:
    chain = [partner]
    while True:
        above = [
            one.sponsor for one in world.sponsorships
            if one.partner == chain[-1] and one.starts_on <= day < (one.ends_on or END)
        ]  # fmt: skip
        if not above or above[0] in chain:
            return chain[1:]
        chain.append(above[0])


def paid_in(world: World, partner: int, day: date) -> str:
    known = {starts_on: currency for starts_on, currency in world.payout.get(partner, {}).items() if starts_on <= day}
    return known[max(known)] if known else ""


def rate_for(rates: Any, tier: str | None) -> Fraction | None:
    if isinstance(rates, str):
        return Fraction(rates)
    named = rates.get(tier) or rates.get("others")
    return None if named is None else Fraction(named)


# --- A night --------------------------------------------------------------------------------------


@dataclass
class Result:
    stands: dict[Key, Fraction] = field(default_factory=dict)
    nothing: dict[tuple[str, int], str] = field(default_factory=dict)
    used: dict[Key, dict[Asked, Fraction]] = field(default_factory=dict)  # rates of exchange, by what they paid


@dataclass
class Ledger:
    """The rates that lines hold. `posted` is told what a night made stand, and says it to the next one."""

    stands: dict[Key, Fraction] = field(default_factory=dict)
    held: dict[Key, dict[Asked, Fraction]] = field(default_factory=dict)

    def posted(self, result: Result) -> None:
        for key in {*self.stands, *result.stands}:
            if self.stands.get(key) != result.stands.get(key):
                self.held[key] = result.used.get(key, {})
        self.stands = dict(result.stands)

    def rate(self, fact: Fact, asked: Asked) -> Fraction | None:
        for key, rates in self.held.items():
            if key[:2] == (fact.event, fact.id) and asked in rates:
                return rates[asked]
        return None


def night(world: World, day: date, ledger: Ledger) -> Result:
    """What should stand after the night of a day, and why each other fact of a day with a plan earns nothing."""
    result = Result()
    known = [fact for fact in facts(world) if max(fact.on, fact.terms_on) < day and fact.partner in world.enrolled]
    for partner in sorted({fact.partner for fact in known}):
        by_plan: dict[int, tuple[Plan, list[Fact]]] = {}
        for fact in known:
            plan = plan_on(world, fact.terms_on) if fact.partner == partner else None
            if plan is not None and any(rule["event"] == fact.event for rule in plan.document["rules"]):
                by_plan.setdefault(id(plan), (plan, []))[1].append(fact)
        for plan, own in by_plan.values():
            _Paid(world, plan, own, ledger, result).work()
    return result


class _Paid:
    """The facts of one partner under one plan."""

    def __init__(self, world: World, plan: Plan, own: list[Fact], ledger: Ledger, result: Result) -> None:
        self.world, self.plan, self.ledger, self.result = world, plan, ledger, result
        self.currency: str = plan.document.get("currency", "")
        sales = {fact.id: fact for fact in own if fact.event == "sale" and fact.refund_of is None}
        self.linked: list[tuple[Fact, Fact]] = []  # refunds with the sale that they take back
        self.own: list[Fact] = []
        for fact in sorted(own, key=lambda one: one.place):
            if fact.event == "sale" and fact.refund_of in sales:
                self.linked.append((fact, sales[fact.refund_of]))
            else:
                self.own.append(fact)
        self.chosen = {(fact.event, fact.id): self.rules_for(fact) for fact in self.own}
        self.earned: dict[tuple[str, int], list[tuple[Key, Fraction, dict[Asked, Fraction]]]] = {}
        self.why: dict[tuple[str, int], dict[int, str]] = {}

    # --- Which rules

    def rules_for(self, fact: Fact) -> list[tuple[Document, int, str | None]] | str:
        """Rules that pay with who earns by them and its tier, those to the partner first; else the reason."""
        tier = self.tier_of(fact)
        sponsors = sponsors_on(self.world, fact.partner, fact.terms_on)
        found: list[tuple[Document, int, str | None]] = []
        lacking: set[str] = set()
        is_taken = False
        for rule in self.plan.document["rules"]:
            level = LEVELS[rule.get("to", "partner")]
            if rule["event"] != fact.event or level > len(sponsors):
                continue
            earner = sponsors[level - 1] if level else fact.partner
            held = tier_on(self.world, earner, fact.terms_on) if level else tier
            lacks = self.what_lacks(rule, fact, held)
            beside = rule.get("adds", False) or level > 0
            if lacks:
                lacking.add(lacks)
            elif not (is_taken and not beside):
                found.append((rule, earner, held))
                is_taken = is_taken or not beside
        if found:
            return sorted(found, key=lambda one: LEVELS[one[0].get("to", "partner")])
        if tier is None and "no_tier" in lacking:
            return "no_tier"
        return lacking.pop() if lacking in ({"no_rate"}, {"over"}) else "no_rule"

    def tier_of(self, fact: Fact) -> str | None:
        tier = tier_on(self.world, fact.partner, fact.terms_on)
        months = self.plan.document.get("run_off_months")
        if tier is not None or not months or fact.partner not in self.world.enrolled or fact.customer_since is None:
            return tier
        left = self.world.enrolled[fact.partner][1]
        if left is None or fact.customer_since >= left or not left <= fact.terms_on < months_later(left, months):
            return None
        held = [
            one for one in self.world.placements.get(fact.partner, ()) if one.starts_on < min(one.ends_on or END, left)
        ]
        return max(held, key=lambda one: one.starts_on).tier if held else None

    def what_lacks(self, rule: Document, fact: Fact, held: str | None) -> str:
        if held is None and not rule.get("without_tier"):
            return "no_tier"
        if not all(holds(one, fact, self.world) for one in rule.get("when", ())):
            return "condition"
        if "months" in rule:
            since = fact.customer_since
            if since is None or fact.on >= months_later(since, rule["months"]):
                return "over"
        if "tiers" in rule and held not in rule["tiers"]:
            return "tier"
        rates = rule["bands"]["steps"][0]["rate"] if "bands" in rule else rule["rate"]
        return "no_rate" if rate_for(rates, held) is None else ""

    # --- How much

    def work(self) -> None:
        for level in (0, 1, 2):
            for rule in self.plan.document["rules"]:
                if LEVELS[rule.get("to", "partner")] == level:
                    self.work_rule(rule)
        for fact in self.own:
            self.settle(fact)
        for sale in {id(of): of for _refund, of in self.linked}.values():
            self.take_back(sale)

    def work_rule(self, rule: Document) -> None:
        """The facts that the rule pays, in time: running totals come together on the way."""
        held: dict[Any, Fraction] = {}
        for fact in self.own:
            chosen = self.chosen[fact.event, fact.id]
            for place, (one, earner, tier) in enumerate(chosen if isinstance(chosen, list) else ()):
                if one is rule:
                    why = self.work_fact(fact, rule, earner, tier, held)
                    if why:
                        self.why.setdefault((fact.event, fact.id), {})[place] = why

    def work_fact(self, fact: Fact, rule: Document, earner: int, tier: str | None, held: dict[Any, Fraction]) -> str:
        base, source = self.base(fact, rule)
        if base is None:
            return "no_base"
        if base == 0:
            return "zero_base"
        used: dict[Asked, Fraction] = {}
        is_money = rule["pays"] != "share" or "bands" in rule or "at_least" in rule or "at_most" in rule
        money = self.currency if is_money else source
        target = paid_in(self.world, earner, fact.on) or self.currency or source
        value = base
        if rule["pays"] == "share" and money != source:
            worth = self.worth(fact, source, money, used)
            if worth is None:
                return "no_exchange_rate"
            value = base * worth
        measure = self.measure(fact, rule, value)
        exact = self.at_rates(fact, rule, tier, measure)
        before_limits = exact
        exact = self.limited(fact, rule, exact, held)
        paid = exact
        if money != target:
            worth = self.worth(fact, money, target, used)
            if worth is None:
                return "no_exchange_rate"
            paid = exact * worth
        amount = to_minor_unit(paid, target)
        if amount:
            due = ((fact.event, fact.id, earner, rule["code"], target), amount, used)
            self.earned.setdefault((fact.event, fact.id), []).append(due)
            return ""
        if before_limits == 0:
            return "zero_base" if measure == 0 else "zero_rate"
        return "limit" if exact != before_limits else "rounds_to_zero"

    def base(self, fact: Fact, rule: Document) -> tuple[Fraction | None, str]:
        kind = rule.get("base", "net")
        if kind == "earned":
            own = [
                (key, amount)
                for key, amount, _used in self.earned.get((fact.event, fact.id), [])
                if key[2] == fact.partner
            ]
            return sum((amount for _key, amount in own), Fraction(0)), own[0][0][4] if own else fact.currency
        if kind == "net" and fact.net is None and rule["pays"] != "share":
            return Fraction(1), fact.currency
        return {"net": fact.net, "margin": fact.margin, "recurring": fact.recurring}[kind], fact.currency

    def worth(self, fact: Fact, source: str, target: str, used: dict[Asked, Fraction]) -> Fraction | None:
        asked = (source, target, fact.on)
        rate = self.ledger.rate(fact, asked)
        if rate is None:
            rate = found_rate(self.world, source, target, fact.on)
        if rate is not None:
            used[asked] = rate
        return rate

    def measure(self, fact: Fact, rule: Document, value: Fraction) -> Fraction:
        if rule["pays"] == "share":
            return value
        size = abs(fact.quantity) if rule["pays"] == "unit" else 1
        return Fraction(size if value > 0 else -size)

    def counted(self, fact: Fact, rule: Document, at: Fact) -> Fraction:
        """What a fact adds to the total of a rule. `at` is the fact whose rate of exchange counts."""
        if rule["pays"] != "share":
            return (
                self.measure(fact, rule, Fraction(1) if fact.net is None else fact.net)
                if fact.net != 0
                else Fraction(0)
            )
        base, source = self.base(fact, rule)
        rate = Fraction(1) if source == self.currency else self.worth(at, source, self.currency, {})
        return Fraction(0) if base is None or rate is None else base * rate

    def totals(self, rule: Document) -> list[tuple[Fact, Fraction]]:
        """Everything that the totals of a rule are made of: facts that it pays, refunds of those."""

        def is_paid(fact: Fact) -> bool:
            chosen = self.chosen[fact.event, fact.id]
            return isinstance(chosen, list) and any(one is rule for one, _earner, _tier in chosen)

        own = [(fact, self.counted(fact, rule, fact)) for fact in self.own if is_paid(fact)]
        return own + [(fact, self.counted(fact, rule, of)) for fact, of in self.linked if is_paid(of)]

    def target_of(self, fact: Fact, key: str) -> Target | None:
        found = [
            one for one in self.world.targets
            if one.partner == fact.partner and one.key == key and one.starts_on <= fact.on < one.ends_on
        ]  # fmt: skip
        return min(found, key=lambda one: one.starts_on, default=None)

    def at_rates(self, fact: Fact, rule: Document, tier: str | None, measure: Fraction) -> Fraction:
        if "bands" not in rule:
            return (rate_for(rule["rate"], tier) or Fraction(0)) * measure
        bands = rule["bands"]
        steps = [(Fraction(step["from"]), rate_for(step["rate"], tier) or Fraction(0)) for step in bands["steps"]]
        if bands["over"] == "target":
            target = self.target_of(fact, bands["target"])
            size = Fraction(0)
            if target is not None and rule["pays"] != "share":
                size = target.quantity or Fraction(0)
            elif target is not None and target.currency == self.currency:
                size = target.amount or Fraction(0)
            steps = [(start * size, rate) for start, rate in steps] if size else steps[:1]

        def is_same_period(other: Fact) -> bool:
            if bands["over"] == "target":
                return self.target_of(other, bands["target"]) == self.target_of(fact, bands["target"])
            first = [first_of_period(one.on, bands["over"], bands.get("starts_month", 1)) for one in (fact, other)]
            return first[0] == first[1]

        totals = [(other, amount) for other, amount in self.totals(rule) if is_same_period(other)]
        if bands.get("whole"):
            total = sum((amount for _other, amount in totals), Fraction(0))
            return [rate for start, rate in steps if start <= total or start == 0][-1] * measure
        before = sum((amount for other, amount in totals if other.place < fact.place), Fraction(0))
        return _comes_to(steps, before + measure) - _comes_to(steps, before)

    def limited(self, fact: Fact, rule: Document, exact: Fraction, come: dict[Any, Fraction]) -> Fraction:
        least, most = rule.get("at_least", {}), rule.get("at_most", {})
        for kind in ("line", "customer", *MONTHS):
            if kind not in least and kind not in most or kind == "customer" and not fact.customer:
                continue
            of: Any = (
                fact.customer if kind == "customer" else fact.id if kind == "line" else first_of_period(fact.on, kind)
            )
            key = (kind, of)
            before = come.get(key, Fraction(0))
            come[key] = before + exact
            exact = _held(come[key], least.get(kind), most.get(kind)) - _held(before, least.get(kind), most.get(kind))
        return exact

    # --- Who gets it

    def settle(self, fact: Fact) -> None:
        chosen, key = self.chosen[fact.event, fact.id], (fact.event, fact.id)
        if isinstance(chosen, str):
            self.result.nothing[key] = chosen
            return
        dues = self.earned.get(key, [])
        parts = self.world.splits.get(fact.sale or 0, {})
        shared: list[tuple[Key, Fraction, dict[Asked, Fraction]]] = []
        levels = {rule["code"]: LEVELS[rule.get("to", "partner")] for rule, _earner, _tier in chosen}
        for due, amount, used in dues:
            if levels[due[3]] or not parts:
                shared.append((due, amount, used))
            else:
                given = _divided(amount, parts, MINOR_UNITS[due[4]])
                shared += [((*due[:2], partner, *due[3:]), one, used) for partner, one in given.items() if one]  # type: ignore[misc]
        self.earned[key] = shared
        for due, amount, used in shared:
            self.result.stands[due], self.result.used[due] = amount, used
        reasons = self.why.get(key, {})
        if "no_exchange_rate" in reasons.values():
            self.result.nothing[key] = "no_exchange_rate"
        elif not shared:
            self.result.nothing[key] = reasons[min(reasons)]

    def take_back(self, sale: Fact) -> None:
        """Refunds of one sale, in time: of everything that it earned, the share of it that is taken back."""
        net = sale.net or Fraction(0)
        taken = Fraction(0)
        for refund in [one for one, of in self.linked if of is sale]:
            before, taken = taken, min(taken - (refund.net or 0), net)
            is_any = False
            for (_event, _fact, partner, rule, currency), amount, _used in self.earned.get((sale.event, sale.id), []):
                if net:
                    back = to_minor_unit(amount * before / net, currency) - to_minor_unit(
                        amount * taken / net, currency
                    )
                    if back:
                        self.result.stands["sale", refund.id, partner, rule, currency] = back
                        is_any = True
            if not is_any:
                self.result.nothing["sale", refund.id] = "refund_of_nothing"


def _comes_to(steps: list[tuple[Fraction, Fraction]], total: Fraction) -> Fraction:
    if total < 0:
        return total * steps[0][1]
    ends = [start for start, _rate in steps[1:]] + [max(total, steps[-1][0])]
    return sum(
        (max(min(end, total) - start, Fraction(0)) * rate for (start, rate), end in zip(steps, ends, strict=True)),
        Fraction(0),
    )


def _held(amount: Fraction, least: str | None, most: str | None) -> Fraction:
    if amount == 0:
        return amount
    size = abs(amount)
    if least is not None:
        size = max(size, Fraction(least))
    if most is not None:
        size = min(size, Fraction(most))
    return size if amount > 0 else -size


def _divided(amount: Fraction, parts: dict[int, int], unit: Fraction) -> dict[int, Fraction]:
    """Whole units to each, what is left one by one to the largest remainders, then to the smaller key."""
    total, units = sum(parts.values()), abs(amount) / unit
    exact = {partner: units * part / total for partner, part in parts.items()}
    given = {partner: one.numerator // one.denominator for partner, one in exact.items()}
    left = int(units - sum(given.values()))
    for partner in sorted(parts, key=lambda one: (given[one] - exact[one], one))[:left]:
        given[partner] += 1
    return {partner: (one if amount > 0 else -one) * unit for partner, one in given.items()}
