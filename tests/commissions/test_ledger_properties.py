"""After any sequence of events the ledger equals what the plans say, computed here a second time in the plainest way."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commissions.models import Earning, Statement, StatementLine
from commissions.services import issue_statement
from leads.models import Sale
from tests.commissions.facts import paying_program, publish, run_night, tier
from tests.factories import make_enrollment, make_partner, make_placement, make_sale
from tiers.models import Enrollment, Placement, Program

FIRST = date(2026, 1, 20)
NIGHTS_FROM = date(2026, 2, 20)
TIERS = ("level-1", "level-2", "level-3")
MINOR_UNITS = {"USD": Decimal("0.01"), "JPY": Decimal(1), "TND": Decimal("0.001")}

# Few days, so that sales, plans, tiers and nights often meet on one; months begin and end among them.
DAYS = [date(2026, month, day) for month, day in
        [(1, 20), (1, 31), (2, 1), (2, 19), (2, 20), (2, 21), (2, 28), (3, 1), (3, 2), (3, 31), (4, 1), (4, 10)]]  # fmt: skip
days = st.sampled_from(DAYS)
currencies = st.sampled_from(sorted(MINOR_UNITS))
# Ten-thousandths: halves of every minor unit occur often.
amounts = st.one_of(
    st.sampled_from(["0", "0.05", "0.10", "0.30", "0.50", "0.70", "1.005", "10", "30", "50", "100.10", "1000", "1230"]),
    st.integers(0, 10**9).map(lambda units: str(Decimal(units).scaleb(-4))),
).map(Decimal)
rates = st.sampled_from(["0", "0.000001", "0.05", "0.1", "0.15", "0.333333", "0.5", "1"]).map(Decimal)
plan_rates = st.dictionaries(st.sampled_from(TIERS), rates, min_size=1)
Event = tuple[Any, ...]  # a method of World and its arguments


@dataclass
class Fact:
    """A sale as the test knows it."""

    partner: int
    day: date
    amount: Decimal
    currency: str
    refund: bool


@dataclass
class Oracle:
    """What was told, in plain lists: no code of the product is used to compute what is due."""

    sales: dict[int, Fact] = field(default_factory=dict)
    plans: list[tuple[date, date | None, dict[str, Decimal]]] = field(default_factory=list)  # in order of publication
    held: dict[int, dict[date, str]] = field(default_factory=dict)  # by partner: the tier from each day on
    ended: dict[int, date] = field(default_factory=dict)

    def due(self, fact: Fact) -> Decimal:
        rate = self.rate(fact)
        exact = Fraction(fact.amount) * Fraction(rate)
        unit = Fraction(MINOR_UNITS[fact.currency])
        below = exact // unit
        rest = exact / unit - below
        if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1):
            below += 1
        return Decimal(below.numerator) * MINOR_UNITS[fact.currency]

    def rate(self, fact: Fact) -> Decimal:
        plan = None
        for starts_on, ends_on, paid in self.plans:
            if starts_on <= fact.day and (plan is None or starts_on >= plan[0]):
                plan = (starts_on, ends_on, paid)
        if plan is None or (plan[1] is not None and fact.day >= plan[1]):
            return Decimal(0)
        if fact.partner not in self.held or fact.day >= self.ended.get(fact.partner, date.max):
            return Decimal(0)
        code = None
        for starts_on in sorted(self.held[fact.partner]):
            if starts_on <= fact.day:
                code = self.held[fact.partner][starts_on]
        return plan[2].get(code or "", Decimal(0))

    def ledger(self, night: date) -> dict[tuple[int, int, str], Decimal]:
        """What should stand after the night of a day, by sale, partner and currency; nothing where that is zero."""
        stands = {}
        for pk, fact in self.sales.items():
            if fact.day < night and (due := self.due(fact)):
                stands[pk, fact.partner, fact.currency] = due
        return stands


class World:
    """Three partners in the program and one outside of it, what happens to them, and what must be true after it."""

    def __init__(self, rates: dict[str, Decimal], chunk_size: int) -> None:
        self.chunk_size = chunk_size
        self.oracle = Oracle(plans=[(date(2025, 1, 1), None, rates)])
        self.night = NIGHTS_FROM
        self.issued: dict[int, tuple[Decimal, list[int]]] = {}
        self.program: Program = paying_program(rates)
        self.partners = [make_partner() for _number in range(4)]
        for partner in self.partners[:3]:
            make_enrollment(partner, self.program, starts_on=FIRST)
            self.place(self.partners.index(partner), "level-1", FIRST)

    # --- What happens to sales

    def sell(self, partner: int, day: date, amount: Decimal, currency: str, refund: bool) -> None:
        sign, kind = (-1, Sale.Kind.REFUND) if refund else (1, Sale.Kind.NEW)
        owner = self.partners[partner]
        sale = make_sale(owner, sold_on=day, amount=sign * amount, currency=currency, kind=kind)
        self.oracle.sales[sale.pk] = Fact(owner.pk, day, sign * amount, currency, refund)

    def some_sale(self, index: int) -> tuple[Any, Fact]:
        pk = list(self.oracle.sales)[index % len(self.oracle.sales)]
        return Sale.objects.filter(pk=pk), self.oracle.sales[pk]

    def correct_amount(self, index: int, amount: Decimal) -> None:
        sale, fact = self.some_sale(index)
        fact.amount = -amount if fact.refund else amount
        sale.update(amount=fact.amount)

    def correct_day(self, index: int, day: date) -> None:
        sale, fact = self.some_sale(index)
        fact.day = day
        sale.update(sold_on=day)

    def correct_partner(self, index: int, partner: int) -> None:
        sale, fact = self.some_sale(index)
        fact.partner = self.partners[partner].pk
        sale.update(partner=fact.partner)

    def correct_currency(self, index: int, currency: str) -> None:
        sale, fact = self.some_sale(index)
        fact.currency = currency
        sale.update(currency=currency)

    # --- What happens to rules and tiers

    def publish(self, rates: dict[str, Decimal], starts_on: date, lasts: int | None) -> None:
        ends_on = None if lasts is None else starts_on + timedelta(days=lasts)
        publish(self.program, rates, starts_on=starts_on, ends_on=ends_on)
        self.oracle.plans.append((starts_on, ends_on, rates))

    def place(self, partner: int, code: str, day: date) -> None:
        """A tier from a day on, also from one that was paid already: history as it turned out to be."""
        owner = self.partners[partner]
        held = self.oracle.held.setdefault(owner.pk, {})
        held[day] = code
        enrollment = Enrollment.objects.get(partner=owner)
        Placement.objects.filter(enrollment=enrollment).delete()
        starts = sorted(held)
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            reason = Placement.Reason.GRANTED
            make_placement(enrollment, tier(self.program, held[start]), starts_on=start, ends_on=end, reason=reason)

    def end_enrollment(self, partner: int, day: date) -> None:
        owner = self.partners[partner]
        self.oracle.ended[owner.pk] = day
        Enrollment.objects.filter(partner=owner).update(ends_on=day)

    # --- What the program does

    def issue(self, index: int) -> None:
        open_ones = list(Statement.objects.filter(state="draft").order_by("pk"))
        if open_ones:
            one = issue_statement(statement=open_ones[index % len(open_ones)])
            self.issued[one.pk] = contents(one)

    def run(self, days_later: int) -> None:
        self.night += timedelta(days=days_later)
        run_night(self.program, self.night, chunk_size=self.chunk_size)
        assert ledger() == self.oracle.ledger(self.night)
        lines, drafted = Earning.objects.count(), drafts()
        again = run_night(self.program, self.night, chunk_size=self.chunk_size)
        assert (Earning.objects.count(), drafts()) == (lines, drafted)
        assert again.totals["posted"] == Earning.objects.filter(posting__run=again).count()

    # --- What is always true

    def check(self) -> None:
        self.issued_statements_stand()
        self.statements_add_up()
        self.lines_follow_each_other()
        self.no_line_waits_in_vain()

    def issued_statements_stand(self) -> None:
        for pk, seen in self.issued.items():
            statement = Statement.objects.get(pk=pk)
            assert (statement.state, contents(statement)) == ("in_review", seen)

    def statements_add_up(self) -> None:
        lines: dict[int, list[Earning]] = {}
        on_statements = StatementLine.objects.select_related("earning")
        for line in on_statements:
            lines.setdefault(line.statement_id, []).append(line.earning)
        assert len({line.earning_id for line in on_statements}) == len(on_statements)
        for statement in Statement.objects.all():
            own = lines[statement.pk]
            assert statement.amount == sum((line.amount for line in own), Decimal(0))
            assert {(line.partner_id, line.currency) for line in own} == {(statement.partner_id, statement.currency)}
            assert all(line.earned_on < statement.ends_on <= self.night for line in own)

    def lines_follow_each_other(self) -> None:
        """They count from one, say what stood before, and end at what their own terms say."""
        numbers: dict[tuple[int, int], int] = {}
        stood: dict[tuple[int, int, str], Decimal] = {}
        for line in Earning.objects.order_by("sale_id", "partner_id", "number"):
            sale, money = (line.sale_id, line.partner_id), (line.sale_id, line.partner_id, line.currency)
            numbers[sale] = numbers.get(sale, 0) + 1
            assert line.number == numbers[sale]
            assert line.before == stood.get(money, Decimal(0))
            stood[money] = line.before + line.amount
            assert stood[money] == (line.base * line.rate).quantize(MINOR_UNITS[line.currency], ROUND_HALF_EVEN)

    def no_line_waits_in_vain(self) -> None:
        """A line on no statement is of the running month or later, or each month since is issued."""
        running = self.night.replace(day=1)
        issued = set(Statement.objects.exclude(state="draft").values_list("partner_id", "currency", "starts_on"))
        for line in Earning.objects.filter(statement_line__isnull=True):
            month = line.earned_on.replace(day=1)
            while month < running:
                assert (line.partner_id, line.currency, month) in issued
                month = (month + timedelta(days=31)).replace(day=1)


index = st.integers(0, 9)
enrolled = st.integers(0, 2)
partner = st.integers(0, 3)
sale = st.tuples(st.just("sell"), partner, days, amounts, currencies, st.booleans())
event = st.one_of(
    sale,
    st.tuples(st.just("correct_amount"), index, amounts),
    st.tuples(st.just("correct_day"), index, days),
    st.tuples(st.just("correct_partner"), index, partner),
    st.tuples(st.just("correct_currency"), index, currencies),
    st.tuples(st.just("publish"), plan_rates, days, st.none() | st.integers(1, 40)),
    st.tuples(st.just("place"), enrolled, st.sampled_from(TIERS), days),
    st.tuples(st.just("end_enrollment"), enrolled, st.sampled_from(DAYS[1:])),
    st.tuples(st.just("issue"), index),
    st.tuples(st.just("issue"), index),
)
rounds = st.lists(st.tuples(st.lists(event, max_size=6), st.sampled_from([0, 1, 8, 9, 10, 31])), min_size=2, max_size=4)


@pytest.mark.slow
@pytest.mark.django_db
@settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(
    rates=plan_rates,
    sales=st.lists(sale, min_size=4, max_size=10),
    rounds=rounds,
    chunk_size=st.sampled_from([1, 2, 2000]),
)
def test_the_ledger_is_what_the_plans_say(
    rates: dict[str, Decimal], sales: list[Event], rounds: list[tuple[list[Event], int]], chunk_size: int
) -> None:
    with transaction.atomic():
        world = World(rates, chunk_size)
        for name, *arguments in sales:
            getattr(world, name)(*arguments)
        world.run(0)
        world.check()
        for events, days_later in rounds:
            for name, *arguments in events:
                getattr(world, name)(*arguments)
            world.run(days_later)
            world.check()
        transaction.set_rollback(True)


def ledger() -> dict[tuple[int, int, str], Decimal]:
    rows = Earning.objects.order_by().values_list("sale_id", "partner_id", "currency").annotate(Sum("amount"))
    return {(sale, partner, currency): amount for sale, partner, currency, amount in rows if amount != 0}


def drafts() -> list[tuple[int, Decimal]]:
    return list(Statement.objects.order_by("pk").values_list("pk", "amount"))


def contents(statement: Statement) -> tuple[Decimal, list[int]]:
    return statement.amount, list(statement.lines.order_by("earning_id").values_list("earning_id", flat=True))
