"""After any sequence of facts and nights the live balance is what the table says, computed here a second time plainly."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import Sale
from points.models import PointEntry
from tests.factories import make_sale
from tests.points.facts import enrolled, live, pointed_program, row, run_night
from tiers.models import Attestation, Enrollment

FIRST, SPLIT = date(2026, 1, 20), date(2026, 2, 10)
DAYS = [date(2026, month, day) for month, day in
        [(1, 10), (1, 20), (1, 31), (2, 1), (2, 9), (2, 10), (2, 11), (2, 28), (3, 1), (3, 31)]]  # fmt: skip
days = st.sampled_from(DAYS)
amounts = st.sampled_from(["1", "999.99", "1000", "1000.01", "2500", "4000", "9999"]).map(Decimal)
LOOK_AHEAD = (0, 1, 27, 28, 31, 59, 400)
Event = tuple[Any, ...]


@dataclass
class Fact:
    owner: int
    day: date
    amount: Decimal
    kind: str


@dataclass
class Table:
    """What of the table the example draws."""

    occurrences: int | None
    most: int | None
    months: int
    half: bool

    def rows(self) -> list[dict[str, Any]]:
        limits = {"occurrences": self.occurrences, "points": self.most}
        at_most = {key: value for key, value in limits.items() if value is not None} or None
        times = [{"when": [{"field": "kind", "value": "renewal"}], "times": "0.5"}] if self.half else None
        new = [{"field": "kind", "is": "not", "value": "refund"}]
        return [
            row("sold", points="300", ends_on=SPLIT.isoformat(), at_most=at_most, multipliers=times, filters=new,
                starts_on=FIRST.isoformat(), expires={"months": self.months}),
            row("sold", points="450", starts_on=SPLIT.isoformat(), filters=new),
            row("revenue", each={"amount_of": "amount", "per": "1000"}, points="1", starts_on="2026-01-01",
                expires={"days": 31}, at_most={"points": self.most} if self.most else None),
            row("plan", dataset="attestations", points="70", expires="with_fact", starts_on="2026-01-01"),
            row("tenure", dataset=None, each={"day_of": "tenure"}, points="0.25", starts_on=FIRST.isoformat()),
        ]  # fmt: skip


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


@dataclass
class World:
    """Two enrollments, what happens to them, and what their balance must be."""

    table: Table
    chunk_size: int
    facts: dict[int, Fact] = field(default_factory=dict)
    plans: dict[int, tuple[int, date, date | None]] = field(default_factory=dict)
    ended: dict[int, date] = field(default_factory=dict)
    night: date = date(2026, 2, 20)

    def __post_init__(self) -> None:
        self.program = pointed_program(*self.table.rows())
        self.owners: list[Enrollment] = [enrolled(self.program, starts_on=FIRST) for _number in range(2)]

    def sell(self, owner: int, day: date, amount: Decimal, kind: str) -> None:
        signed = -amount if kind == "refund" else amount
        sale = make_sale(self.owners[owner].partner, sold_on=day, amount=signed, kind=kind)
        self.facts[sale.pk] = Fact(owner, day, signed, kind)

    def _some(self, index: int) -> int | None:
        return list(self.facts)[index % len(self.facts)] if self.facts else None

    def correct(self, index: int, day: date, amount: Decimal) -> None:
        if (pk := self._some(index)) is not None:
            fact = self.facts[pk]
            fact.day, fact.amount = day, -amount if fact.kind == "refund" else amount
            Sale.objects.filter(pk=pk).update(sold_on=day, amount=fact.amount)

    def give_away(self, index: int, owner: int) -> None:
        if (pk := self._some(index)) is not None:
            self.facts[pk].owner = owner
            Sale.objects.filter(pk=pk).update(partner=self.owners[owner].partner)

    def remove(self, index: int) -> None:
        if (pk := self._some(index)) is not None:
            del self.facts[pk]
            Sale.objects.filter(pk=pk).delete()

    def vouch(self, owner: int, starts_on: date, lasts: int | None) -> None:
        ends_on = None if lasts is None else starts_on + timedelta(days=lasts)
        made = Attestation.objects.create(
            enrollment=self.owners[owner], kind="plan", title="Plan", starts_on=starts_on, ends_on=ends_on
        )
        self.plans[made.pk] = (owner, starts_on, ends_on)

    def take_back(self, index: int) -> None:
        if self.plans:
            pk = list(self.plans)[index % len(self.plans)]
            del self.plans[pk]
            Attestation.objects.filter(pk=pk).delete()

    def leave(self, owner: int, day: date) -> None:
        self.ended[owner] = day
        Enrollment.objects.filter(pk=self.owners[owner].pk).update(ends_on=day)

    def run(self, days_later: int) -> None:
        self.night += timedelta(days=days_later)
        run_night(self.program, self.night, chunk_size=self.chunk_size)
        for number, owner in enumerate(self.owners):
            assert live(owner, self.night) == self.due(number, self.night)
            for ahead in LOOK_AHEAD:
                day = self.night + timedelta(days=ahead)
                assert of(owner, "sold", day) + of(owner, "revenue", day) == self.sold(number, day)
        lines = PointEntry.objects.count()
        run_night(self.program, self.night, chunk_size=self.chunk_size)
        assert PointEntry.objects.count() == lines

    # --- The oracle: what the table says, in plain arithmetic

    def own(self, owner: int) -> list[tuple[int, Fact]]:
        return sorted(
            (
                (pk, fact) for pk, fact in self.facts.items()
                if fact.owner == owner and FIRST <= fact.day < min(self.night, self.ended.get(owner, date.max))
            ),
            key=lambda one: (one[1].day, one[0]),
        )  # fmt: skip

    def sold(self, owner: int, day: date) -> Fraction:
        total, count, granted = Fraction(0), 0, Fraction(0)
        slices = Fraction(0)
        most = Fraction(self.table.most) if self.table.most else None
        for _pk, fact in self.own(owner):
            if fact.kind != "refund" and fact.day < SPLIT:
                count += 1
                brings = Fraction(0)
                if self.table.occurrences is None or count <= self.table.occurrences:
                    brings = Fraction(150 if self.table.half and fact.kind == "renewal" else 300)
                left = brings if most is None else min(brings, most - granted)
                granted += left
                if fact.day < day < add_months(fact.day, self.table.months):
                    total += left
            elif fact.kind != "refund" and fact.day < day:
                total += 450
            before = slices if most is None else min(slices, most)
            slices += int(abs(fact.amount) // 1000) * (-1 if fact.amount < 0 else 1)
            after = slices if most is None else min(slices, most)
            if fact.day < day < fact.day + timedelta(days=31):
                total += after - before
        return total

    def due(self, owner: int, day: date) -> Fraction:
        left = self.ended.get(owner, date.max)
        standing = sum(
            70 for who, starts, ends in self.plans.values()
            if who == owner and starts <= day and (ends is None or ends > day) and day < left
        )  # fmt: skip
        days_enrolled = max((min(day, left) - FIRST).days, 0)
        return self.sold(owner, day) + standing + Fraction(days_enrolled, 4)


def of(owner: Enrollment, code: str, day: date) -> Decimal:
    return PointEntry.objects.filter(enrollment=owner, source=code).live_on(day).balance()


index, owner = st.integers(0, 9), st.integers(0, 1)
sale = st.tuples(st.just("sell"), owner, days, amounts, st.sampled_from(["new", "renewal", "refund"]))
event = st.one_of(
    sale,
    sale,
    st.tuples(st.just("correct"), index, days, amounts),
    st.tuples(st.just("give_away"), index, owner),
    st.tuples(st.just("remove"), index),
    st.tuples(st.just("vouch"), owner, days, st.none() | st.integers(1, 40)),
    st.tuples(st.just("take_back"), index),
    st.tuples(st.just("leave"), owner, st.sampled_from(DAYS[2:])),
)
rounds = st.lists(st.tuples(st.lists(event, max_size=6), st.sampled_from([0, 1, 8, 31])), min_size=2, max_size=4)
tables = st.builds(
    Table, occurrences=st.sampled_from([None, 1, 3]), most=st.sampled_from([None, 3, 700]),
    months=st.sampled_from([1, 12]), half=st.booleans(),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.django_db
@settings(
    max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(table=tables, sales=st.lists(sale, min_size=2, max_size=8), rounds=rounds, chunk_size=st.sampled_from([1, 2000]))
def test_the_live_balance_is_what_the_table_says(
    table: Table, sales: list[Event], rounds: list[tuple[list[Event], int]], chunk_size: int
) -> None:
    with transaction.atomic():
        world = World(table, chunk_size)
        for name, *arguments in sales:
            getattr(world, name)(*arguments)
        world.run(0)
        for events, days_later in rounds:
            for name, *arguments in events:
                getattr(world, name)(*arguments)
            world.run(days_later)
        transaction.set_rollback(True)
