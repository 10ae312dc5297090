"""Facts from elsewhere as people and machines write them: what is kept, what is refused, and what the journal tells."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from journal.models import Entry
from partners.models import Partner
from records import services
from records.errors import FactError
from records.models import PlanTarget, Record, Score
from records.selectors import codes
from records.services import Taken
from tests.factories import make_partner, make_staff
from tests.records.facts import make_award, make_record, make_score
from tiers.errors import AwardError
from tiers.models import Award

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 1)


@pytest.fixture
def partner() -> Partner:
    return make_partner()


@pytest.fixture
def staff() -> User:
    return make_staff()


def fact(partner: Partner, **over: Any) -> dict[str, Any]:
    return {"external_id": "A1", "partner_id": partner.pk, "kind": "installation", "occurred_on": DAY, **over}


def target(partner: Partner, **over: Any) -> dict[str, Any]:
    return {"partner_id": partner.pk, "key": "revenue", "starts_on": DAY, "ends_on": date(2027, 1, 1), **over}


def award(partner: Partner, **over: Any) -> dict[str, Any]:
    return {"partner_id": partner.pk, "code": "cloud", "starts_on": DAY, **over}


def test_facts_are_added_changed_and_left_alone(partner: Partner, staff: User) -> None:
    whole = fact(
        partner, amount=Decimal("12.5"), currency="EUR", attributes={"product": "crm"}, ends_on=date(2026, 2, 1)
    )
    assert services.record_facts(facts=[whole, fact(partner, external_id="A2")], actor=staff) == Taken(2, 0, 0)
    assert services.record_facts(facts=[whole, fact(partner, external_id="A2")], actor=staff) == Taken(0, 0, 2)
    changed = {**whole, "amount": Decimal(20)}
    del changed["ends_on"]
    assert services.record_facts(facts=[changed], actor=staff) == Taken(0, 1, 0)
    one = Record.objects.get(external_id="A1")
    assert (one.amount, one.ends_on, one.attributes) == (Decimal(20), None, {"product": "crm"})
    made, other, told = Entry.objects.order_by("id")
    assert (made.verb, made.subject, made.partner_id, made.actor) == (
        "records.record.created", f"records.record:{one.pk}", partner.pk, staff,
    )  # fmt: skip
    assert other.after["external_id"] == "A2"
    assert told.verb == "records.record.changed"
    assert (told.before, told.after) == (
        {"amount": "12.5000", "ends_on": "2026-02-01"},
        {"amount": "20", "ends_on": None},
    )


def test_every_fact_that_does_not_hold_together_is_named_and_nothing_written(partner: Partner, staff: User) -> None:
    with pytest.raises(FactError) as refused:
        services.record_facts(
            facts=[
                fact(partner), fact(partner, external_id="A2", ends_on=DAY), fact(partner, external_id="A3", amount=Decimal(1)),
                fact(partner), fact(partner, external_id="A4", attributes={"Not a name": "x"}, kind="Not a code"),
                fact(partner, external_id="A5", starts_on=date(2026, 3, 1), ends_on=date(2026, 2, 1), currency="EUR"),
            ],
            actor=staff,
        )  # fmt: skip
    assert {place: sorted(wrong) for place, wrong in refused.value.problems.items()} == {
        1: ["ends_on"], 2: ["currency"], 3: ["external_id"], 4: ["attributes", "kind"], 5: ["amount", "ends_on"],
    }  # fmt: skip
    assert (Record.objects.count(), Entry.objects.count()) == (0, 0)


def test_scores_are_known_by_partner_kind_scope_and_day(partner: Partner, staff: User) -> None:
    def score(**over: Any) -> dict[str, Any]:
        return {"partner_id": partner.pk, "kind": "csat", "value": Decimal("4.5"), "scored_on": DAY, **over}

    both = [score(), score(scope="FR", value=Decimal(3))]
    assert services.set_scores(scores=both, actor=staff) == Taken(2, 0, 0)
    assert services.set_scores(scores=[score(), score(scope="FR", value=Decimal(4))], actor=staff) == Taken(0, 1, 1)
    assert sorted(Score.objects.values_list("scope", "value")) == [("", Decimal("4.5")), ("FR", Decimal(4))]
    with pytest.raises(FactError):
        services.set_scores(scores=[score(), score(value=Decimal(1))], actor=staff)


def test_a_target_keeps_its_author(partner: Partner, staff: User) -> None:
    services.set_plan_targets(targets=[target(partner, amount=Decimal(10), currency="EUR")], actor=staff)
    other = make_staff()
    again = [
        target(partner, amount=Decimal(10), currency="EUR"),
        target(partner, key="people", quantity=Decimal("2.5")),
    ]
    assert services.set_plan_targets(targets=again, actor=other) == Taken(1, 0, 1)
    assert services.set_plan_targets(targets=[target(partner, quantity=Decimal(3))], actor=other) == Taken(0, 1, 0)
    first, second = PlanTarget.objects.order_by("id")
    assert (first.author, first.amount, first.currency, first.quantity) == (staff, None, "", Decimal(3))
    assert (second.author, second.quantity) == (other, Decimal("2.5"))


@pytest.mark.parametrize(
    "over", [{}, {"amount": Decimal(1), "currency": "EUR", "quantity": Decimal(1)}, {"amount": Decimal(1)}]
)
def test_a_target_is_an_amount_or_a_quantity(partner: Partner, over: dict[str, Any]) -> None:
    with pytest.raises(FactError):
        services.set_plan_targets(targets=[target(partner, **over)], actor=None)
    assert not PlanTarget.objects.exists()


def test_awards_are_granted_with_a_reason_once(partner: Partner, staff: User) -> None:
    def give(**over: Any) -> Any:
        asked = {"awards": [award(partner)], "origin": Award.Origin.GRANTED, "actor": staff, "reason": "Won the prize."}
        return services.give_awards(**{**asked, **over})

    with pytest.raises(AwardError):
        give(reason=" ")
    with pytest.raises(AwardError):
        give(origin=Award.Origin.EARNED)
    with pytest.raises(AwardError):
        give(awards=[award(partner), award(partner, code="x", ends_on=DAY)])
    assert not Award.objects.exists()
    assert (give().added, give(reason="Again.").unchanged) == (1, 1)
    one = Award.objects.get()
    assert (one.origin, one.author, one.note, one.external_id) == ("granted", staff, "Won the prize.", None)
    entry = Entry.objects.get()
    assert (entry.verb, entry.subject, entry.after["reason"]) == (
        "tiers.award.given",
        f"tiers.award:{one.pk}",
        "Won the prize.",
    )


def test_imported_awards_are_known_by_their_external_id(partner: Partner, staff: User) -> None:
    def send(**over: Any) -> tuple[int, int, int]:
        given = services.give_awards(
            awards=[award(partner, external_id="E1", **over)], origin=Award.Origin.IMPORTED, actor=staff
        )
        return given.added, given.changed, given.unchanged

    assert (send(grade="gold"), send(grade="gold"), send(grade="silver")) == ((1, 0, 0), (0, 0, 1), (0, 1, 0))
    assert Award.objects.get().grade == "silver"
    assert [entry.verb for entry in Entry.objects.order_by("id")] == ["tiers.award.given", "tiers.award.changed"]


def test_an_award_is_ended_with_a_reason_and_an_earned_one_is_not(partner: Partner, staff: User) -> None:
    one, earned = make_award(partner), make_award(partner, origin=Award.Origin.EARNED, code="other")
    end = date(2026, 3, 1)
    for refused in [{"reason": ""}, {"on": DAY}, {"award": earned}]:
        with pytest.raises(AwardError):
            services.end_award(**{"award": one, "on": end, "reason": "Left.", "actor": staff, **refused})
    assert not Entry.objects.exists()
    for _again in range(2):
        assert services.end_award(award=one, on=end, reason="Left.", actor=staff).ends_on == end
    entry = Entry.objects.get()
    assert (entry.before, entry.after) == ({"ends_on": None}, {"ends_on": "2026-03-01", "reason": "Left."})
    earned.grade = "gold"
    with pytest.raises(AwardError):
        services.correct_award(award=earned, actor=staff)


def test_facts_that_never_were_are_taken_back_and_the_journal_keeps_them(partner: Partner, staff: User) -> None:
    make_record(partner, external_id="A1", amount=Decimal(5), currency="EUR")
    kept = make_record(partner)
    assert services.take_back(facts=Record.objects.filter(external_id="A1"), actor=staff) == 1
    assert list(Record.objects.all()) == [kept]
    entry = Entry.objects.get()
    assert (entry.verb, entry.before["external_id"], entry.before["amount"]) == (
        "records.record.removed",
        "A1",
        "5.0000",
    )


def test_statements_do_not_grow_with_rows(partner: Partner, staff: User) -> None:
    def statements(number: int, amount: int) -> int:
        facts = [
            fact(partner, external_id=f"F{number}-{n}", amount=Decimal(amount), currency="EUR") for n in range(number)
        ]
        with CaptureQueriesContext(connection) as asked:
            services.record_facts(facts=facts, actor=staff)
        return len(asked)

    assert (statements(2, 1), statements(2, 2)) == (statements(40, 1), statements(40, 2))


def test_codes_are_told_without_reading_the_table(partner: Partner, django_assert_num_queries: Any) -> None:
    assert codes(Score, "kind") == []
    for number, kind in enumerate(["nps", "csat", "nps", "audit"]):
        make_score(partner, kind=kind, scope=str(number))
    with django_assert_num_queries(1):
        assert codes(Score, "kind") == ["audit", "csat", "nps"]
