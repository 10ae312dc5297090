"""Money that a person adds or takes: two people, one line, left alone by nights, sealed like the rest."""

from datetime import date
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction

from commissions import sealing, services
from commissions.errors import AdjustmentError
from commissions.models import Adjustment, Earning, Statement
from journal.models import Entry
from partners.models import Partner
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_partner, make_staff
from tiers.models import Program

pytestmark = pytest.mark.django_db
SOLD, NIGHT = date(2025, 3, 3), date(2025, 4, 2)


@pytest.fixture
def program() -> Program:
    return paying_program()


@pytest.fixture
def partner(program: Program) -> Partner:
    return holding(program)


def proposed(partner: Partner, program: Program, **over: Any) -> Adjustment:
    fields = {
        "category": "correction", "reason": "Order 17 was booked late", "amount": Decimal("-12.34"), "currency": "USD",
        "earned_on": SOLD, **over,
    }  # fmt: skip
    fields.setdefault("author", make_staff())
    return services.propose_adjustment(partner=partner, program=program, **fields)


def test_nothing_is_posted_until_another_person_approves(partner: Partner, program: Program) -> None:
    adjustment = proposed(partner, program)
    assert not Earning.objects.exists()
    with pytest.raises(AdjustmentError, match="another person"):
        services.decide_adjustment(adjustment=adjustment, approver=adjustment.author, approve=True)
    assert not Earning.objects.exists()
    approver = make_staff()
    services.decide_adjustment(adjustment=adjustment, approver=approver, approve=True)
    line = services.line_of(adjustment)
    assert (line.amount, line.currency, line.kind, line.number, line.terms) == (
        Decimal("-12.34"), "USD", "adjustment", 1, None,
    )  # fmt: skip
    assert (line.partner, line.owner, line.earned_on, line.available_on) == (partner, partner, SOLD, SOLD)
    assert line.posting.author == approver
    verbs = list(
        Entry.objects.filter(verb__startswith="commissions.adjustment").order_by("pk").values_list("verb", flat=True)
    )
    assert verbs == ["commissions.adjustment.proposed", "commissions.adjustment.posted"]


@pytest.mark.parametrize(
    ("category", "kind"),
    [("correction", "adjustment"), ("goodwill", "adjustment"), ("dispute", "adjustment"), ("bonus", "bonus"),
     ("reimbursement", "reimbursement")],
)  # fmt: skip
def test_the_category_says_what_kind_of_line_it_is(
    partner: Partner, program: Program, category: str, kind: str
) -> None:
    adjustment = proposed(partner, program, category=category)
    services.decide_adjustment(adjustment=adjustment, approver=make_staff(), approve=True)
    assert services.line_of(adjustment).kind == kind


def test_repeating_posts_once_and_a_decision_stands(partner: Partner, program: Program) -> None:
    adjustment, approver = proposed(partner, program), make_staff()
    for _time in range(2):
        services.decide_adjustment(adjustment=adjustment, approver=approver, approve=True)
    assert Earning.objects.count() == 1
    with pytest.raises(AdjustmentError, match="meanwhile"):
        services.decide_adjustment(adjustment=adjustment, approver=approver, approve=False, answer="No")
    for change in ({"amount": Decimal(1)}, {"reason": "Another"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Adjustment.objects.filter(pk=adjustment.pk).update(**change)


def test_the_database_asks_for_two_people(partner: Partner, program: Program) -> None:
    adjustment = proposed(partner, program)
    with pytest.raises(IntegrityError), transaction.atomic():
        Adjustment.objects.filter(pk=adjustment.pk).update(
            state="posted", approver=adjustment.author, decided_at=adjustment.proposed_at
        )


def test_a_refusal_says_why_and_posts_nothing(partner: Partner, program: Program) -> None:
    adjustment, approver = proposed(partner, program), make_staff()
    with pytest.raises(AdjustmentError, match="Say why"):
        services.decide_adjustment(adjustment=adjustment, approver=approver, approve=False)
    done = services.decide_adjustment(adjustment=adjustment, approver=approver, approve=False, answer="Paid already")
    assert (done.state, done.answer, Earning.objects.count()) == ("refused", "Paid already", 0)


@pytest.mark.parametrize(
    ("over", "says"),
    [({"amount": Decimal(0)}, "other than nothing"), ({"amount": Decimal("0.001")}, "other than nothing"),
     ({"amount": Decimal("0.5"), "currency": "JPY"}, "other than nothing"), ({"reason": "  "}, "Say why")],
)  # fmt: skip
def test_what_cannot_be_proposed_leaves_nothing(
    partner: Partner, program: Program, over: dict[str, Any], says: str
) -> None:
    with pytest.raises(AdjustmentError, match=says):
        proposed(partner, program, **over)
    assert not Adjustment.objects.exists()


def test_it_is_about_a_line_of_the_same_partner(partner: Partner, program: Program) -> None:
    sell(partner, "100.00", SOLD)
    run_night(program, NIGHT)
    line = Earning.objects.get()
    assert proposed(partner, program, about=line).about == line
    with pytest.raises(AdjustmentError, match="another partner"):
        proposed(make_partner(), program, about=line)


def test_nights_leave_it_alone_and_it_stands_on_a_statement(partner: Partner, program: Program) -> None:
    sell(partner, "1000.00", SOLD)
    adjustment = proposed(partner, program)
    services.decide_adjustment(adjustment=adjustment, approver=make_staff(), approve=True)
    for _night in range(2):
        run_night(program, NIGHT)
    assert sorted(Earning.objects.values_list("event", "amount")) == [
        ("manual", Decimal("-12.34")), ("sale", Decimal("50.00")),
    ]  # fmt: skip
    assert Statement.objects.get(partner=partner).amount == Decimal("37.66")


def test_the_seal_holds_it_like_any_line(partner: Partner, program: Program) -> None:
    sell(partner, "1000.00", SOLD)
    adjustment = proposed(partner, program)
    services.decide_adjustment(adjustment=adjustment, approver=make_staff(), approve=True)
    run_night(program, NIGHT)
    assert list(sealing.verify()) == []
    line = services.line_of(adjustment)
    assert line.posting.seal is not None
    _past_the_triggers(f"UPDATE commissions_earning SET amount = amount + 1 WHERE id = {line.pk}")  # noqa: S608  # our own words
    assert [fault.code for fault in sealing.verify()] == ["posting_digest"]


def _past_the_triggers(statement: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("DROP TRIGGER commissions_earning_append_only_update")
        cursor.execute(statement)


def test_an_accepted_dispute_posts_at_once(partner: Partner, program: Program) -> None:
    sell(partner, "100.00", SOLD)
    run_night(program, NIGHT)
    line = services.post_adjustment(
        partner=partner, program=program, amount=Decimal("5.00"), currency="USD", earned_on=NIGHT, category="dispute",
        reason="The rate was that of the next tier", author=make_staff(), approver=make_staff(),
        about_earning=Earning.objects.get(),
    )  # fmt: skip
    assert (line.amount, line.event, Adjustment.objects.get().state) == (Decimal("5.00"), "manual", "posted")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_eight_people_who_press_at_once_post_one_line() -> None:
    program = paying_program()
    adjustment = proposed(holding(program), program)
    approvers = [make_staff() for _one in range(8)]
    start = Barrier(8)

    def press(approver: Any) -> None:
        try:
            start.wait()
            services.decide_adjustment(adjustment=adjustment, approver=approver, approve=True)
        finally:
            connections.close_all()

    threads = [Thread(target=press, args=(one,)) for one in approvers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Earning.objects.count() == 1
    assert Entry.objects.filter(verb="commissions.adjustment.posted").count() == 1
