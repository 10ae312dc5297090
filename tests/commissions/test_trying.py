"""Try a sale: what it would earn by the very engine, and nothing of it remains."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection

from commissions import events, services, trying
from commissions.errors import PlanError
from commissions.models import Earning, Plan, Unsettled
from commissions.reckoning import Due
from common.money import from_units
from leads.models import Deal, Sale
from partners.models import Partner, Sponsorship
from tests.commissions.facts import holding, move, paying_program, run_night, sell
from tiers.models import Program

TODAY = date(2025, 6, 15)
pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2025-06-15T12:00:00Z", tick=False):
        yield


@pytest.fixture
def program() -> Program:
    return paying_program()


@pytest.fixture
def partner(program: Program) -> Partner:
    return holding(program)


def rule(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": {"en": code}, "event": "sale", "pays": "share", **more}


def draft(program: Program, *rules: dict[str, Any], starts_on: date = date(2025, 1, 1), **head: Any) -> Plan:
    return services.draft_plan(
        program=program, name={"en": "Draft"}, starts_on=starts_on, definition={**head, "rules": list(rules)}
    )


def tried(plan: Plan, partner: Partner, amount: str = "1000.00", **over: Any) -> trying.Trial:
    fields = {"sold_on": TODAY, "currency": "USD", **over}
    return trying.try_sale(plan=plan, partner=partner, amount=Decimal(amount), **fields)


def amounts(trial: trying.Trial) -> list[tuple[str, str]]:
    return [(due.rule.code, f"{from_units(due.amount):.2f}") for due in trial.dues]


def everything() -> dict[str, list[Any]]:
    """Every row of every table that settling touches."""
    tables = [
        name
        for name in connection.introspection.table_names()
        if name.startswith(("commissions_", "leads_", "journal_"))
    ]
    found = {}
    with connection.cursor() as cursor:
        for name in sorted(tables):
            cursor.execute(f'SELECT * FROM "{name}" ORDER BY 1')  # noqa: S608  # names of our own tables
            found[name] = cursor.fetchall()
    return found


def test_a_draft_pays_the_sale_as_if_it_were_published(program: Program, partner: Partner) -> None:
    plan = draft(
        program,
        rule("first", when=[{"field": "quantity", "is": "at_least", "value": 10}], rate="0.5"),
        rule("rest", rate="0.07"),
    )
    assert amounts(tried(plan, partner)) == [("rest", "70.00")]
    assert amounts(tried(plan, partner, quantity=10)) == [("first", "500.00")]
    outcome = {code: (what, held) for code, what, held in tried(plan, partner).results[0].terms.tried}
    assert outcome == {"first": ("condition", (False,)), "rest": ("pays", ())}


def test_nothing_remains_of_it_not_even_what_triggers_noted(program: Program, partner: Partner) -> None:
    sell(partner, "100.00", date(2025, 6, 2))
    run_night(program, TODAY)
    plan = draft(program, rule("share", rate="0.07"))
    before = everything()
    tried(plan, partner)
    assert everything() == before
    assert not Sale.objects.filter(external_id__startswith="trial").exists()
    assert not Unsettled.objects.filter(partner=partner).exists()
    run_night(program, date(2025, 6, 16))
    assert Earning.objects.count() == 1


def test_a_published_plan_is_tried_at_the_tier_held_on_the_day(program: Program, partner: Partner) -> None:
    plan = Plan.objects.get(program=program)
    move(partner, program, "level-3", date(2025, 6, 10))
    assert amounts(tried(plan, partner)) == [("share", "150.00")]
    assert amounts(tried(plan, partner, sold_on=date(2025, 6, 9))) == [("share", "50.00")]


def test_bands_count_what_the_partner_sold_before_and_say_how(program: Program, partner: Partner) -> None:
    sell(partner, "900.00", date(2025, 4, 1))
    sell(partner, "5000.00", date(2024, 12, 31))
    steps = [{"from": "0", "rate": "0.1"}, {"from": "1000", "rate": "0.2"}]
    plan = draft(program, rule("bands", bands={"over": "quarter", "steps": steps}), currency="USD")
    trial = tried(plan, partner, "300.00")
    assert amounts(trial) == [("bands", "50.00")]  # 100 at 10%, 200 at 20%
    assert trial.dues[0].detail == {"bands": {"before": "900", "parts": [["0.1", "100"], ["0.2", "200"]]}}


def test_what_it_changes_of_other_facts_is_said(program: Program, partner: Partner) -> None:
    """A band that counts for everything pays the difference on what was sold before."""
    sell(partner, "900.00", date(2025, 6, 1))
    steps = [{"from": "0", "rate": "0.1"}, {"from": "1000", "rate": "0.2"}]
    plan = draft(program, rule("bands", bands={"over": "month", "whole": True, "steps": steps}), currency="USD")
    (effect,) = tried(plan, partner, "300.00").effects
    assert (effect.currency, effect.month_before, effect.month_after) == ("USD", Decimal(90), Decimal(240))
    assert (effect.others, effect.other_facts) == (Decimal(90), 1)


def test_the_month_stands_beside_it(program: Program, partner: Partner) -> None:
    sell(partner, "100.00", date(2025, 6, 1))
    sell(partner, "1000.00", date(2025, 5, 31))
    (effect,) = tried(Plan.objects.get(program=program), partner, "200.00").effects
    assert (effect.month_before, effect.month_after, effect.others) == (Decimal(5), Decimal(15), Decimal(0))


def test_why_nothing_is_said_rule_by_rule(program: Program, partner: Partner) -> None:
    plan = draft(program, rule("gold", tiers=["level-3"], rate="0.1"), rule("margin", base="margin", rate="0.1"))
    trial = tried(plan, partner)
    assert [type(one).__name__ for one in trial.results] == ["Nothing"]
    assert trial.results[0].terms.reason == "no_base"
    assert amounts(tried(plan, partner, cost=Decimal("400.00"))) == [("margin", "60.00")]


def test_a_currency_without_a_rate_is_no_guess(program: Program, partner: Partner) -> None:
    plan = draft(program, rule("capped", rate="0.1", at_most={"line": "50"}), currency="EUR")
    assert tried(plan, partner).results[0].terms.reason == "no_exchange_rate"
    assert amounts(tried(plan, partner, currency="EUR")) == [("capped", "50.00")]


def test_the_sponsor_gets_its_own_line(program: Program, partner: Partner) -> None:
    sponsor = holding(program, "level-2")
    Sponsorship.objects.create(partner=partner, sponsor=sponsor, starts_on=date(2025, 1, 1))
    plan = draft(program, rule("own", rate="0.1"), rule("above", to="sponsor", base="earned", rate="0.2"))
    found = [(due.partner, f"{from_units(due.amount):.2f}") for due in tried(plan, partner).dues]
    assert found == [(partner.pk, "100.00"), (sponsor.pk, "20.00")]


def test_a_first_sale_earns_by_both_events(program: Program, partner: Partner) -> None:
    plan = draft(program, rule("share", rate="0.1"), rule("welcome", event="first_sale", pays="fixed", rate="150", adds=True), currency="USD")  # fmt: skip
    assert sorted(amounts(tried(plan, partner))) == [("share", "100.00"), ("welcome", "150.00")]
    sell(partner, "1.00", date(2025, 6, 1))
    assert amounts(tried(plan, partner)) == [("share", "100.00")]


@pytest.mark.parametrize("day", [date(2025, 5, 31), date(2025, 7, 1)])
def test_a_day_on_which_the_plan_does_not_count_is_refused(program: Program, partner: Partner, day: date) -> None:
    plan = draft(program, rule("share", rate="0.1"), starts_on=date(2025, 6, 1))
    services.draft_plan(program=program, name={"en": "x"}, starts_on=date(2025, 7, 1), definition={"rules": []})
    services.publish_plan(
        program=program,
        name={"en": "Later"},
        starts_on=date(2025, 7, 1),
        definition={"rules": [rule("later", rate="0.1")]},
    )
    with pytest.raises(PlanError, match="another plan counts"):
        tried(plan, partner, sold_on=day)


def test_a_draft_that_is_still_to_start_is_tried_on_its_days(program: Program, partner: Partner) -> None:
    plan = draft(program, rule("share", rate="0.11"), starts_on=date(2026, 1, 1))
    assert amounts(tried(plan, partner, sold_on=date(2026, 2, 1))) == [("share", "110.00")]


def test_another_fact_that_there_is(program: Program, partner: Partner) -> None:
    deal = Deal.objects.create(
        partner=partner, title="A deal", customer_name="Ville de Bron", amount=Decimal(41000), currency="USD",
        expected_on=TODAY, closed_on=date(2025, 6, 3), status=Deal.Status.WON,
    )  # fmt: skip
    plan = draft(program, rule("won", event="deal_won", rate="0.01"))
    trial = trying.try_fact(
        plan=plan, partner=partner, event=events.DEAL_WON.key, fact=deal.pk, terms_on=date(2025, 6, 3)
    )
    assert [(due.rule.code, due.amount) for due in trial.results if isinstance(due, Due)] == [("won", 4_100_000)]
    with pytest.raises(PlanError, match="No rule"):
        trying.try_fact(
            plan=Plan.objects.published().get(program=program), partner=partner, event="deal_won", fact=deal.pk,
            terms_on=date(2025, 6, 3),
        )  # fmt: skip
