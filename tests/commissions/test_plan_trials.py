"""A plan over the real history: what it would pay beside what stands, in any chunking, once."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commissions import plan_trials, services
from commissions.errors import PlanError
from commissions.models import Earning, Plan, PlanTrial, TrialChunk, TrialRow
from partners.models import Sponsorship
from tests.commissions.facts import holding, paying_program, run_night, sell
from tiers.models import Program

TODAY = date(2025, 6, 15)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2025-06-15T12:00:00Z", tick=False):
        yield


@pytest.fixture
def program() -> Program:
    return paying_program()


def draft(program: Program, *rules: dict[str, Any], starts_on: date = date(2026, 1, 1)) -> Plan:
    return services.draft_plan(
        program=program, name={"en": "Draft"}, starts_on=starts_on, definition={"rules": list(rules)}
    )


SHARE = {"code": "share", "name": {"en": "Share"}, "event": "sale", "pays": "share", "rate": "0.08"}


def run(plan: Plan, starts_on: date = date(2025, 1, 1)) -> PlanTrial:
    trial = plan_trials.start(plan=plan, starts_on=starts_on, day=TODAY, actor=None, queue=lambda _pk: None)
    plan_trials.work(trial.pk)
    trial.refresh_from_db()
    return trial


def test_each_partner_beside_what_stands(program: Program) -> None:
    low, high = holding(program, "level-1", name="Low"), holding(program, "level-3", name="High")
    sell(low, "1000.00", date(2025, 2, 1))
    sell(high, "1000.00", date(2025, 2, 1))
    sell(high, "-400.00", date(2025, 3, 1))
    run_night(program, TODAY)
    trial = run(draft(program, SHARE))
    found = plan_trials.found(trial)
    assert trial.state == "done"
    assert [(one.currency, one.would, one.stands, one.difference) for one in found.totals] == [
        ("USD", Decimal("128.00"), Decimal("140.00"), Decimal("-12.00"))
    ]
    assert [(one.partner, one.difference) for one in found.gains] == [("Low", Decimal("30.00"))]
    assert [(one.partner, one.difference) for one in found.losses] == [("High", Decimal("-42.00"))]
    assert (found.facts, found.without_count, found.reasons) == (3, 0, ())
    assert list(plan_trials.rows(trial)) == [
        (high.external_id, "High", "USD", Decimal("48.00"), Decimal("90.00")),
        (low.external_id, "Low", "USD", Decimal("80.00"), Decimal("50.00")),
    ]


def test_who_would_earn_nothing_and_why(program: Program) -> None:
    low = holding(program, "level-1")
    sell(low, "1000.00", date(2025, 2, 1))
    sell(low, "10.00", date(2025, 2, 2))
    run_night(program, TODAY)
    found = plan_trials.found(run(draft(program, {**SHARE, "tiers": ["level-3"]})))
    assert (found.without_count, found.without[0].stands) == (1, Decimal("50.50"))
    assert found.reasons == (("No rule of the plan is for this.", 2),)


def test_facts_before_its_days_and_nothing_posted(program: Program) -> None:
    partner = holding(program)
    sell(partner, "1000.00", date(2025, 2, 1))
    sell(partner, "1000.00", date(2025, 4, 1))
    run_night(program, TODAY)
    lines = Earning.objects.count()
    found = plan_trials.found(run(draft(program, SHARE), starts_on=date(2025, 3, 1)))
    assert [(one.would, one.stands) for one in found.totals] == [(Decimal("80.00"), Decimal("50.00"))]
    assert Earning.objects.count() == lines


def test_any_chunking_and_any_repetition_gives_the_same(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    partners = [holding(program, f"level-{1 + number % 3}") for number in range(7)]
    Sponsorship.objects.create(partner=partners[0], sponsor=partners[6], starts_on=date(2025, 1, 1))
    for number, partner in enumerate(partners):
        sell(partner, f"{100 * (number + 1)}.00", date(2025, 2, 1))
    run_night(program, TODAY)
    above = {
        "code": "above",
        "name": {"en": "Above"},
        "event": "sale",
        "to": "sponsor",
        "pays": "share",
        "rate": "0.01",
    }
    plan = draft(program, SHARE, above)
    whole = list(plan_trials.rows(run(plan)))
    monkeypatch.setattr(plan_trials, "PARTNERS_AT_ONCE", 2)
    trial = run(plan)
    assert TrialChunk.objects.filter(trial=trial).count() == 4
    assert list(plan_trials.rows(trial)) == whole
    rows = TrialRow.objects.filter(trial=trial).count()
    PlanTrial.objects.filter(pk=trial.pk).update(state="running")
    TrialChunk.objects.filter(trial=trial).update(done_at=None)
    plan_trials.work(trial.pk)
    assert TrialRow.objects.filter(trial=trial).count() == rows
    assert list(plan_trials.rows(trial)) == whole


def test_it_is_of_the_rules_as_they_were_when_it_started(program: Program) -> None:
    partner = holding(program)
    sell(partner, "1000.00", date(2025, 2, 1))
    plan = draft(program, SHARE)
    trial = plan_trials.start(plan=plan, starts_on=date(2025, 1, 1), day=TODAY, actor=None, queue=lambda _pk: None)
    services.change_draft(
        plan=plan, name=plan.name, starts_on=plan.starts_on, definition={"rules": [{**SHARE, "rate": "0.5"}]}
    )
    plan_trials.work(trial.pk)
    assert plan_trials.found(trial).totals[0].would == Decimal("80.00")


def test_what_cannot_be_tried_is_refused(program: Program) -> None:
    with pytest.raises(PlanError, match="tier"):
        run(draft(program, {**SHARE, "tiers": ["nowhere"]}))
    with pytest.raises(PlanError, match="days that have been"):
        run(draft(program, SHARE), starts_on=TODAY)
    assert not PlanTrial.objects.exists()


@pytest.mark.parametrize(
    ("starts_on", "since"),
    [
        (date(2025, 3, 1), date(2025, 3, 1)),
        (date(2026, 1, 1), date(2024, 6, 15)),
        (date(2020, 1, 1), date(2024, 6, 15)),
    ],
)
def test_since_when_where_nobody_says(starts_on: date, since: date) -> None:
    assert plan_trials.first_day(Plan(starts_on=starts_on), TODAY) == since


def test_a_chunk_costs_the_same_queries_for_2_partners_and_for_12(program: Program) -> None:
    plan = draft(program, SHARE)

    def queries() -> int:
        trial = plan_trials.start(plan=plan, starts_on=date(2025, 1, 1), day=TODAY, actor=None, queue=lambda _pk: None)
        with CaptureQueriesContext(connection) as asked:
            plan_trials.work(trial.pk)
            plan_trials.found(trial)
        return len(asked)

    for number in (2, 10):
        for _one in range(number):
            sell(holding(program), "100.00", date(2025, 2, 1))
        run_night(program, TODAY)
        if number == 2:
            few = queries()
    assert queries() == few
