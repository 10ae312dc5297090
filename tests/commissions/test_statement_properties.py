"""Random months of pay: whatever staff, partners and banks do, every line of the ledger is paid once or still open, to the cent."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commissions import lifecycle, services, taxes
from commissions.errors import DisputeError
from commissions.models import Dispute, Earning, Hold, Statement, StatementLine, StatementSettings
from commissions.taxes import TaxTerms
from common.periods import add_months
from tests.commissions.disputes_facts import posting_adjustments
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_portal_user, make_staff

D = Decimal
State = Statement.State
FIRST = date(2026, 2, 1)
Key = tuple[int, str]


class World:
    """Two partners, two currencies, months that go by."""

    def __init__(self) -> None:
        self.program = paying_program({"level-1": D("0.1")})
        self.partners = [holding(self.program) for _each in range(2)]
        self.owners = [make_portal_user(one) for one in self.partners]
        self.staff = make_staff()
        self.today = FIRST
        self.frozen: dict[int, tuple[Any, ...]] = {}
        StatementSettings.objects.create(minimums={"USD": "20", "EUR": "7.50"}, review_days=90)

    def sell(self, who: int, amount: int, currency: str) -> None:
        if amount:
            sell(self.partners[who], str(amount), self.today, currency=currency)

    def month(self) -> None:
        self.today = add_months(self.today, 1)
        run_night(self.program, self.today + timedelta(days=1))

    def some(self, *states: State) -> list[Statement]:
        return list(Statement.objects.filter(state__in=states).order_by("pk"))

    def one(self, index: int, do: Callable[[list[int]], object], *states: State) -> None:
        if found := self.some(*states):
            do([found[index % len(found)].pk])

    def issue(self, index: int) -> None:
        drafts = self.some(State.DRAFT)[: 1 + index]
        services.issue_statements(seen={one.pk: one.total for one in drafts})
        for one in drafts:
            self.frozen[one.pk] = self.contents(Statement.objects.get(pk=one.pk))

    def contents(self, one: Statement) -> tuple[Any, ...]:
        lines = sorted(one.lines.values_list("earning_id", flat=True))
        return one.opening, one.amount, one.released, one.starts_on, lines

    def approve(self, index: int) -> None:
        waiting = self.some(State.IN_REVIEW)[: 1 + index]
        services.approve_statements(seen={one.pk: one.total for one in waiting}, actor=self.staff)

    def pay(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.mark_paid(ids, paid_on=self.today, actor=None), State.SCHEDULED)

    def schedule(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.schedule(ids, actor=None), State.APPROVED)

    def unschedule(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.unschedule(ids, actor=None), State.SCHEDULED)

    def fail(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.mark_failed(ids, reason="AC04", actor=None), State.SCHEDULED, State.PAID)

    def requeue(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.requeue(ids, actor=None), State.FAILED)

    def carry(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.carry(ids, reason="later", actor=None), State.FAILED)

    def block(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.block(ids, reason="?", actor=None), State.IN_REVIEW, State.APPROVED)

    def release(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.release(ids, actor=None), State.BLOCKED)

    def cancel(self, index: int) -> None:
        self.one(index, lambda ids: lifecycle.cancel(ids, reason="wrong", actor=None), State.APPROVED, State.FAILED)

    def question(self, index: int) -> None:
        lines = list(Earning.objects.order_by("pk"))
        if not lines:
            return
        line = lines[index * 3 % len(lines)]
        owner = self.owners[self.partners.index(line.partner)]
        try:
            with transaction.atomic():
                services.open_dispute(earning=line, category="other", text="Why?", actor=owner)
        except DisputeError:
            pass  # questioned already, or too late

    def answer(self, index: int, amount: int) -> None:
        asked = list(Dispute.objects.open().order_by("pk"))
        if not asked:
            return
        dispute = asked[index % len(asked)]
        if amount % 3 == 0:
            services.refuse_dispute(dispute=dispute, answer="It is right", actor=self.staff)
        elif amount % 3 == 1:
            services.withdraw_dispute(dispute=dispute, actor=dispute.opened_by)
        else:
            services.accept_dispute(dispute=dispute, amount=D(amount), answer="", actor=self.staff)

    # --- What is always true, from the lines alone

    def check(self) -> None:
        statements = {one.pk: one for one in Statement.objects.all()}
        holds = {hold.line_id: hold for hold in Hold.objects.all()}
        worth = dict.fromkeys(statements, D(0))
        ledger: dict[Key, D] = {}
        waits: dict[Key, D] = {}
        placed = {line.earning_id: line for line in StatementLine.objects.all()}
        for earning in Earning.objects.all():
            key = (earning.partner_id, earning.currency)
            ledger[key] = ledger.get(key, D(0)) + earning.amount
            line = placed.get(earning.pk)
            hold = holds.get(line.pk) if line else None
            goes_to = hold.released_to_id if hold else (line.statement_id if line else None)
            if goes_to is None:
                waits[key] = waits.get(key, D(0)) + earning.amount
            else:
                assert (statements[goes_to].partner_id, statements[goes_to].currency) == key
                worth[goes_to] += earning.amount
        for one in sorted(statements.values(), key=lambda one: (one.starts_on, one.pk)):
            assert one.net == worth[one.pk], one
            assert one.tax == (D("0.2") * one.net).quantize(D("0.01")) if one.approved_at else one.tax == 0
            if one.carried_to_id:
                assert statements[one.carried_to_id].starts_on > one.starts_on
                worth[one.carried_to_id] += worth[one.pk]
        paid: dict[Key, D] = {}
        for one in statements.values():
            key = (one.partner_id, one.currency)
            if one.state == State.PAID:
                paid[key] = paid.get(key, D(0)) + one.total - one.tax
            elif not one.carried_to_id:
                waits[key] = waits.get(key, D(0)) + one.net
            assert one.state != State.PAID or one.net >= {"USD": D(20), "EUR": D("7.50")}[one.currency]
        assert {key: paid.get(key, D(0)) + waits.get(key, D(0)) for key in ledger} == ledger
        for pk, seen in self.frozen.items():
            assert self.contents(statements[pk]) == seen


index = st.integers(0, 5)
event = st.one_of(
    st.tuples(st.just("sell"), st.integers(0, 1), st.integers(-900, 900), st.sampled_from(["USD", "EUR"])),
    st.tuples(st.just("sell"), st.integers(0, 1), st.integers(100, 5000), st.sampled_from(["USD", "EUR"])),
    *(
        st.tuples(st.just(name), index)
        for name in ("issue", "approve", "approve", "schedule", "unschedule", "pay", "fail", "requeue", "carry", "block",
                     "release", "cancel", "question", "question")
    ),
    st.tuples(st.just("answer"), index, st.integers(1, 30)),
)  # fmt: skip
months = st.lists(st.lists(event, min_size=2, max_size=14), min_size=2, max_size=5)


@pytest.mark.slow
@pytest.mark.django_db
@settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(months=months)
def test_what_is_paid_and_what_is_open_are_the_ledger(months: list[list[tuple[Any, ...]]]) -> None:
    def french(partner_ids: Any, on: date) -> dict[int, TaxTerms]:
        return dict.fromkeys(partner_ids, TaxTerms(D("0.2"), "domestic"))

    taxes.register(french)
    try:
        with transaction.atomic(), posting_adjustments():
            world = World()
            world.sell(0, 1000, "USD")
            world.sell(1, -500, "EUR")
            for events in months:
                world.month()
                for name, *arguments in events:
                    getattr(world, name)(*arguments)
                    world.check()
            transaction.set_rollback(True)
    finally:
        taxes._registered.remove(french)
