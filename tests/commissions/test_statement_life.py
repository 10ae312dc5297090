"""The life of a statement: where it may go from where it is, what is carried, held and released, and that it adds up."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.db.models import Sum

from commissions import lifecycle, services, taxes
from commissions.errors import StatementIssuedError, StatementStateError
from commissions.models import Earning, Hold, Statement, StatementSettings
from commissions.taxes import TaxTerms
from journal.models import Entry
from partners.models import Partner
from tests.commissions.disputes_facts import approve_all, issue_all, line_of, pay_all, posting_adjustments, question
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_portal_user, make_staff
from tiers.models import Program

pytestmark = pytest.mark.django_db
D = Decimal
State = Statement.State
TODAY = "2026-04-02T10:00:00+00:00"
PAID_ON = date(2026, 4, 20)


@pytest.fixture(autouse=True)
def _on_the_second_of_april() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def program() -> Program:
    return paying_program({"level-1": D("0.1")})


@pytest.fixture
def partner(program: Program) -> Partner:
    return holding(program)


def drafted(partner: Partner, program: Program, amount: str = "1000", month: int = 3) -> Statement:
    sell(partner, amount, date(2026, month, 10))
    run_night(program, date(2026, month + 1, 2))
    return Statement.objects.get(partner=partner, starts_on=date(2026, month, 1))


def the(pk: int) -> Statement:
    return Statement.objects.get(pk=pk)


def sums(statement: Statement) -> tuple[str, ...]:
    one = the(statement.pk)
    return (
        one.state,
        *(f"{value:.2f}" for value in (one.opening, one.amount, one.released, one.held, one.tax, one.total)),
    )


# --- Where it may go ------------------------------------------------------------------------------


def walk(one: Statement, to: State) -> None:
    """Lead a draft to a state by the services alone."""
    ids = [one.pk]
    if to != State.DRAFT:
        issue_all()
    if to == State.CARRIED:
        StatementSettings.objects.create(minimums={"USD": "5000"})
    if to not in (State.DRAFT, State.IN_REVIEW):
        approve_all()
    if to in (State.SCHEDULED, State.PAID, State.FAILED):
        lifecycle.schedule(ids, actor=None)
    if to == State.PAID:
        lifecycle.mark_paid(ids, paid_on=PAID_ON, actor=None)
    if to == State.FAILED:
        lifecycle.mark_failed(ids, reason="AC04", actor=None)
    if to == State.BLOCKED:
        lifecycle.block(ids, reason="wait", actor=None)
    if to == State.CANCELLED:
        lifecycle.cancel(ids, reason="wrong", actor=None)
    assert the(one.pk).state == to


@pytest.mark.parametrize("state", State)
def test_the_database_lets_a_statement_go_where_the_table_leads_and_nowhere_else(
    state: State, partner: Partner, program: Program
) -> None:
    one = drafted(partner, program)
    walk(one, state)
    goes = set()
    for to in State:
        changed: dict[str, Any] = {"state": to}
        if to == State.PAID:
            changed["paid_on"] = PAID_ON
        try:
            with transaction.atomic():
                Statement.objects.filter(pk=one.pk).update(**changed)
                goes.add(to)
                raise IntegrityError  # undo
        except IntegrityError:
            pass
    assert goes == {state, *lifecycle.MOVES[state]}


MOVES: dict[str, tuple[Callable[[list[int]], list[int]], dict[State, State]]] = {
    "schedule": (lambda ids: lifecycle.schedule(ids, actor=None), {State.APPROVED: State.SCHEDULED}),
    "unschedule": (lambda ids: lifecycle.unschedule(ids, actor=None), {State.SCHEDULED: State.APPROVED}),
    "mark_paid": (lambda ids: lifecycle.mark_paid(ids, paid_on=PAID_ON, actor=None), {State.SCHEDULED: State.PAID}),
    "mark_failed": (
        lambda ids: lifecycle.mark_failed(ids, reason="AC04", actor=None),
        {State.SCHEDULED: State.FAILED, State.PAID: State.FAILED},
    ),
    "requeue": (lambda ids: lifecycle.requeue(ids, actor=None), {State.FAILED: State.APPROVED}),
    "block": (
        lambda ids: lifecycle.block(ids, reason="wait", actor=None),
        {State.IN_REVIEW: State.BLOCKED, State.APPROVED: State.BLOCKED},
    ),
    "release": (lambda ids: lifecycle.release(ids, actor=None), {State.BLOCKED: State.APPROVED}),
    "cancel": (
        lambda ids: lifecycle.cancel(ids, reason="wrong", actor=None),
        {State.APPROVED: State.CANCELLED, State.BLOCKED: State.CANCELLED, State.FAILED: State.CANCELLED},
    ),
    "carry": (lambda ids: lifecycle.carry(ids, reason="later", actor=None), {State.FAILED: State.CARRIED}),
}


STAYS = {"release": {State.IN_REVIEW}}  # where a move rests beside where it leads


@pytest.mark.parametrize("state", State)
def test_each_move_leads_from_its_states_once_and_refuses_the_others(
    state: State, partner: Partner, program: Program
) -> None:
    one = drafted(partner, program)
    walk(one, state)
    before = Entry.objects.count()
    for name, (do, leads) in MOVES.items():
        with transaction.atomic():
            if state in leads:
                assert do([one.pk]) == [one.pk], name
                assert (the(one.pk).state, Entry.objects.count()) == (leads[state], before + 1)
                assert do([one.pk]) == []  # repeating changes nothing
                assert (the(one.pk).state, Entry.objects.count()) == (leads[state], before + 1)
            elif state in {*leads.values(), *STAYS.get(name, ())}:
                assert do([one.pk]) == [], name
            else:
                with pytest.raises(StatementStateError) as refused:
                    do([one.pk])
                assert refused.value.details == {"states": {str(one.pk): state}}
                assert (the(one.pk).state, Entry.objects.count()) == (state, before)
            transaction.set_rollback(True)


def test_one_that_is_elsewhere_stops_all(partner: Partner, program: Program) -> None:
    first = drafted(partner, program)
    walk(first, State.APPROVED)
    other = drafted(holding(program), program, month=2)
    with pytest.raises(StatementStateError, match="Draft"):
        lifecycle.schedule([first.pk, other.pk], actor=None)
    with pytest.raises(StatementStateError):
        lifecycle.schedule([first.pk, 10**9], actor=None)
    assert the(first.pk).state == State.APPROVED


def test_what_was_blocked_in_review_goes_back_to_its_review(partner: Partner, program: Program) -> None:
    one = drafted(partner, program)
    issue_all()
    lifecycle.block([one.pk], reason="A sale is doubtful", actor=None)
    with pytest.raises(StatementStateError):
        lifecycle.cancel([one.pk], reason="wrong", actor=None)
    with pytest.raises(IntegrityError, match="reviewed"), transaction.atomic():
        Statement.objects.update(state="approved")
    assert lifecycle.release([one.pk], actor=None) == [one.pk]
    assert (the(one.pk).state, the(one.pk).reason) == (State.IN_REVIEW, "")


def test_a_payment_is_written_down(partner: Partner, program: Program) -> None:
    one, staff = drafted(partner, program), make_staff()
    walk(one, State.SCHEDULED)
    lifecycle.mark_paid([one.pk], paid_on=PAID_ON, actor=staff, reference="BATCH-7")
    entry = Entry.objects.get(verb="commissions.statement.paid")
    assert (entry.actor, entry.partner_id, entry.before) == (staff, partner.pk, {"state": "scheduled"})
    assert entry.after == {
        "amount": "100.0000", "currency": "USD", "month": "2026-03-01", "paid_on": "2026-04-20",
        "payment_reference": "BATCH-7",
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="paid statement"), transaction.atomic():
        Statement.objects.update(payment_reference="BATCH-8")
    lifecycle.mark_failed([one.pk], reason="AC04: account closed", actor=staff)
    lifecycle.requeue([one.pk], actor=staff)
    again = the(one.pk)
    assert (again.state, again.paid_on, again.payment_reference, again.reason) == ("approved", None, "", "")


# --- Approval -------------------------------------------------------------------------------------


def test_approval_fills_the_tax_of_the_day_and_says_who(partner: Partner, program: Program) -> None:
    one, staff = drafted(partner, program, "1234.50"), make_staff()
    issue_all()
    asked = []

    def french(partner_ids: Any, on: date) -> dict[int, TaxTerms]:
        asked.append((set(partner_ids), on))
        return {partner.pk: TaxTerms(D("0.2"), "domestic")}

    taxes.register(french)
    try:
        approve_all(staff)
    finally:
        taxes._registered.remove(french)
    assert asked == [({partner.pk}, date(2026, 4, 2))]
    assert sums(one) == ("approved", "0.00", "123.45", "0.00", "0.00", "24.69", "148.14")
    approved = the(one.pk)
    assert (approved.tax_rate, approved.tax_mention, approved.approved_by, approved.net) == (
        D("0.2"), "domestic", staff, D("123.45"),
    )  # fmt: skip
    entry = Entry.objects.get(verb="commissions.statement.approved")
    assert (entry.after["amount"], entry.after["tax"]) == ("148.1400", "24.69")


@pytest.mark.parametrize(
    ("rate", "net", "tax"), [("0.2", "0.125", "0.02"), ("0.2", "0.13", "0.03"), ("0.055", "10.00", "0.55")]
)
def test_tax_is_rounded_once_half_to_even(rate: str, net: str, tax: str) -> None:
    assert TaxTerms(D(rate), "").tax_on(D(net), "EUR") == D(tax)


def test_what_changed_since_it_was_seen_is_not_approved(partner: Partner, program: Program) -> None:
    one = drafted(partner, program)
    issue_all()
    with pytest.raises(StatementIssuedError):
        services.approve_statements(seen={one.pk: D("99")})
    assert services.approve_statements(seen={one.pk: D("100")}) == 1
    assert services.approve_statements(seen={one.pk: D("100")}) == 0
    assert Entry.objects.filter(verb="commissions.statement.approved").count() == 1


def test_approving_many_costs_the_same(program: Program, django_assert_max_num_queries: Any) -> None:
    for _each in range(12):
        sell(holding(program), "1000", date(2026, 3, 10))
    run_night(program, date(2026, 4, 2))
    issue_all()
    with django_assert_max_num_queries(16):
        approve_all()


def test_the_end_of_the_review_approves_where_staff_said_so(partner: Partner, program: Program) -> None:
    one = drafted(partner, program)
    issue_all()
    ends = the(one.pk).review_ends_on
    assert ends == date(2026, 4, 12)
    run_night(program, date(2026, 4, 12))
    assert the(one.pk).state == State.IN_REVIEW  # by hand
    StatementSettings.objects.create(approval="by_itself")
    run_night(program, date(2026, 4, 11))
    assert the(one.pk).state == State.IN_REVIEW
    run = run_night(program, date(2026, 4, 12))
    assert (the(one.pk).state, the(one.pk).approved_by, run.totals["approved"]) == (State.APPROVED, None, 1)


# --- What is carried ------------------------------------------------------------------------------


def test_what_is_under_the_smallest_payment_opens_the_next_statement(partner: Partner, program: Program) -> None:
    StatementSettings.objects.create(minimums={"USD": "50"})
    february = drafted(partner, program, "300", month=2)
    issue_all()
    approve_all()
    assert sums(february) == ("carried", "0.00", "30.00", "0.00", "0.00", "0.00", "30.00")
    assert the(february.pk).carried_to is None  # nothing to go on yet
    march = drafted(partner, program, "450", month=3)
    assert sums(march) == ("draft", "30.00", "45.00", "0.00", "0.00", "0.00", "75.00")
    assert the(february.pk).carried_to == march
    issue_all()
    approve_all()
    assert sums(march) == ("approved", "30.00", "45.00", "0.00", "0.00", "0.00", "75.00")


def test_a_negative_statement_is_carried_and_taken_off_the_next(partner: Partner, program: Program) -> None:
    february = drafted(partner, program, "-400", month=2)
    issue_all()
    approve_all()
    march = drafted(partner, program, "1000", month=3)
    assert sums(february) == ("carried", "0.00", "-40.00", "0.00", "0.00", "0.00", "-40.00")
    assert sums(march) == ("draft", "-40.00", "100.00", "0.00", "0.00", "0.00", "60.00")


def test_what_is_carried_while_its_next_is_drafted_goes_there_at_once(partner: Partner, program: Program) -> None:
    february = drafted(partner, program, "-400", month=2)
    issue_all()
    march = drafted(partner, program, "1000", month=3)
    assert sums(march)[1] == "0.00"
    approve_all()
    assert sums(march) == ("draft", "-40.00", "100.00", "0.00", "0.00", "0.00", "60.00")
    assert the(february.pk).carried_to == march


def test_two_currencies_are_never_carried_into_each_other(partner: Partner, program: Program) -> None:
    sell(partner, "-400", date(2026, 2, 10), currency="EUR")
    run_night(program, date(2026, 3, 2))
    issue_all()
    approve_all()
    march = drafted(partner, program, "1000", month=3)
    assert sums(march) == ("draft", "0.00", "100.00", "0.00", "0.00", "0.00", "100.00")
    assert Statement.objects.get(currency="EUR").carried_to is None


def test_a_cancelled_one_pays_nothing_and_goes_on_without_its_tax(partner: Partner, program: Program) -> None:
    february = drafted(partner, program, "1000", month=2)

    def all_at_20(partner_ids: Any, on: date) -> dict[int, TaxTerms]:
        return dict.fromkeys(partner_ids, TaxTerms(D("0.2"), "domestic"))

    taxes.register(all_at_20)
    try:
        walk(february, State.APPROVED)
    finally:
        taxes._registered.remove(all_at_20)
    march = drafted(partner, program, "500", month=3)
    lifecycle.cancel([february.pk], reason="Issued twice by mistake", actor=None)
    assert sums(february) == ("cancelled", "0.00", "100.00", "0.00", "0.00", "20.00", "120.00")
    assert sums(march) == ("draft", "100.00", "50.00", "0.00", "0.00", "0.00", "150.00")


def test_money_that_is_enough_alone_does_not_wait_for_another_sale(partner: Partner, program: Program) -> None:
    one = drafted(partner, program, "1000", month=2)
    walk(one, State.CANCELLED)
    run_night(program, date(2026, 4, 2))
    alone = Statement.objects.get(starts_on=date(2026, 3, 1))
    assert sums(alone) == ("draft", "100.00", "0.00", "0.00", "0.00", "0.00", "100.00")
    assert alone.lines.count() == 0
    run_night(program, date(2026, 4, 3))
    assert Statement.objects.count() == 2


def test_what_was_carried_is_fixed_with_the_statement_it_opens(partner: Partner, program: Program) -> None:
    february = drafted(partner, program, "-400", month=2)
    issue_all()
    approve_all()
    march = drafted(partner, program, "1000", month=3)
    for change in ({"carried_to": None}, {"carried_to": february}):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            Statement.objects.filter(pk=february.pk).update(**change)
    issue_all()
    with pytest.raises(IntegrityError, match="issued statement"), transaction.atomic():
        Statement.objects.filter(pk=march.pk).update(opening=D(0), total=D(100))
    with pytest.raises(IntegrityError, match="adds_up"), transaction.atomic():
        Statement.objects.filter(pk=drafted(holding(program), program, month=2).pk).update(opening=D(1))


# --- What is held ---------------------------------------------------------------------------------


def test_a_questioned_line_alone_is_held_and_comes_with_the_statement_after_its_answer(
    partner: Partner, program: Program
) -> None:
    owner, staff = make_portal_user(partner), make_staff()
    sell(partner, "1000", date(2026, 2, 10))
    sell(partner, "300", date(2026, 2, 11))
    run_night(program, date(2026, 3, 2))
    february = Statement.objects.get()
    issue_all()
    dispute = question(line_of(partner, "30"), owner, expected=D("45.00"))
    approve_all()
    assert sums(february) == ("approved", "0.00", "130.00", "0.00", "30.00", "0.00", "100.00")
    march = drafted(partner, program, "500", month=3)
    assert sums(march)[3] == "0.00"
    services.refuse_dispute(dispute=dispute, answer="The rate was 10% on that day.", actor=staff)
    assert sums(march) == ("draft", "0.00", "50.00", "30.00", "0.00", "0.00", "80.00")
    assert Hold.objects.get().released_to == march
    issue_all()
    approve_all()
    assert sums(march) == ("approved", "0.00", "50.00", "30.00", "0.00", "0.00", "80.00")


def test_what_is_granted_is_an_adjustment_beside_the_line(partner: Partner, program: Program) -> None:
    owner, staff = make_portal_user(partner), make_staff()
    february = drafted(partner, program, "300", month=2)
    issue_all()
    dispute = question(line_of(partner, "30"), owner, expected=D("45.00"))
    approve_all()
    assert sums(february) == ("carried", "0.00", "30.00", "0.00", "30.00", "0.00", "0.00")
    with posting_adjustments() as asked:
        services.accept_dispute(dispute=dispute, amount=D("15.00"), answer="", actor=staff)
    assert asked[0] | {"program": None} == {
        "partner": partner, "program": None, "amount": D("15.00"), "currency": "USD", "earned_on": date(2026, 4, 2),
        "category": "dispute", "reason": "The rate or the tier is wrong", "author": owner, "approver": staff,
        "about_earning": dispute.earning,
    }  # fmt: skip
    run_night(program, date(2026, 5, 2))
    april = Statement.objects.get(starts_on=date(2026, 4, 1))
    assert april.released == D(30)
    assert line_of(partner, "15").statement_line.statement == april


def test_the_database_holds_only_questioned_lines_and_releases_once(partner: Partner, program: Program) -> None:
    owner = make_portal_user(partner)
    february = drafted(partner, program, "300", month=2)
    line = february.lines.get()
    issue_all()
    dispute = question(line.earning, owner)
    other = question(line_of(holding_with_line(program), "70"), owner)
    with pytest.raises(IntegrityError, match="questioned line"), transaction.atomic():
        Hold.objects.create(line=line, dispute=other)
    approve_all()
    march = drafted(partner, program, "500", month=3)
    with pytest.raises(IntegrityError, match="released once"), transaction.atomic():
        Hold.objects.update(released_to=march)  # not answered
    with pytest.raises(IntegrityError, match="stays held"), transaction.atomic():
        Hold.objects.all().delete()
    services.withdraw_dispute(dispute=dispute, actor=owner)
    with pytest.raises(IntegrityError, match="released once"), transaction.atomic():
        Hold.objects.update(released_to=None)


def holding_with_line(program: Program) -> Partner:
    other = holding(program)
    sell(other, "700", date(2026, 2, 10))
    run_night(program, date(2026, 3, 3))
    return other


def test_nothing_is_lost_when_all_is_held_blocked_failed_and_cancelled(partner: Partner, program: Program) -> None:
    owner, staff = make_portal_user(partner), make_staff()
    february = drafted(partner, program, "300", month=2)
    issue_all()
    dispute = question(february.lines.get().earning, owner)
    lifecycle.block([february.pk], reason="wait", actor=staff)
    lifecycle.release([february.pk], actor=staff)
    approve_all()
    services.withdraw_dispute(dispute=dispute, actor=owner)
    run_night(program, date(2026, 4, 2))
    march = Statement.objects.get(starts_on=date(2026, 3, 1))
    assert sums(march) == ("draft", "0.00", "0.00", "30.00", "0.00", "0.00", "30.00")
    issue_all()
    approve_all()
    pay_all(PAID_ON)
    paid = Statement.objects.filter(state="paid").aggregate(Sum("total"))["total__sum"]
    assert paid == Earning.objects.aggregate(Sum("amount"))["amount__sum"] == D(30)
