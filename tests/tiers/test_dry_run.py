"""Trying an edition out: who would move and why, what it costs, and that nothing is written but the outcome."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from commissions.dry_run import yearly_pay
from commissions.models import Earning, Plan
from commissions.plan_documents import by_tier
from journal.models import Entry
from tests.commissions.facts import run_night
from tests.factories import (
    make_enrollment,
    make_partner,
    make_placement,
    make_program,
    make_sale,
    make_sales_edition,
    make_staff,
)
from tiers import comparing, dry_run, night
from tiers.dry_run import Move
from tiers.errors import RuleError
from tiers.models import (
    Benefit,
    Edition,
    Enrollment,
    Evaluation,
    Measured,
    Outcome,
    Placement,
    Program,
    Run,
    TierBenefit,
)
from tiers.services import copy_edition, grant, publish_edition

pytestmark = pytest.mark.django_db
NIGHT = date(2026, 6, 1)
SOLD = date(2026, 5, 31)


@pytest.fixture
def program() -> Program:
    """Partners in levels 1, 2 and 3 by their sales: 100, 60,000 and 250,000."""
    made = make_program()
    publish_edition(edition=make_sales_edition(made))
    for amount in ("100", "60000", "250000"):
        partner = make_partner()
        make_placement(make_enrollment(partner, made), made.editions.get().tiers.get(rank=1))
        make_sale(partner, sold_on=SOLD, amount=Decimal(amount))
    run_night(made, NIGHT)
    return made


def draft_of(program: Program, **thresholds: str) -> Edition:
    draft = copy_edition(edition=program.editions.get(), name="Next", starts_on=date(2026, 7, 1))
    for code, value in thresholds.items():
        asked = {"measure": "net-sales-12m", "is": "at_least", "value": value}
        draft.tiers.filter(code=code.replace("_", "-")).update(earn=asked)
    return draft


def tried(edition: Edition, **options: Any) -> Run:
    run = night.start_dry_run(edition=edition, day=NIGHT, **options)
    night.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.DONE, run.error
    return run


def written() -> tuple[int, ...]:
    return tuple(model._default_manager.count() for model in (Evaluation, Placement, Earning, Entry, Measured))


def test_it_says_who_would_rise_fall_and_stay_and_writes_nothing_else(program: Program) -> None:
    draft = draft_of(program, level_2="60000.01", level_3="60000")
    before = written()
    run = tried(draft)
    assert written() == before
    assert dry_run.moves(run) == [
        Move("level-1", "level-1", 0, 1),
        Move("level-2", "level-3", 1, 1),
        Move("level-3", "level-3", 0, 1),
    ]
    assert run.totals == {
        "measured": 3, "evaluated": 3, "would_rise": 1, "would_fall": 0, "would_be_proposed": 0,
    }  # fmt: skip


def test_who_falls_is_told_by_which_requirement(program: Program) -> None:
    run = tried(draft_of(program, level_2="70000", level_3="300000"))
    assert dry_run.moves(run) == [
        Move("level-1", "level-1", 0, 1),
        Move("level-2", "level-1", -1, 1),
        Move("level-3", "level-2", -1, 1),
    ]
    assert dry_run.deciding_measures(run) == [("Net sales", 2, 1)]
    assert sorted(Outcome.objects.filter(run=run).values_list("held", "decided_by")) == [
        ("level-1", ["net-sales-12m"]), ("level-2", ["net-sales-12m"]), ("level-3", ["net-sales-12m"]),
    ]  # fmt: skip


def test_it_ends_the_same_in_any_chunking_and_can_be_repeated(program: Program) -> None:
    draft = draft_of(program, level_2="70000")
    runs = [tried(draft), tried(draft, chunk_size=1)]
    assert dry_run.moves(runs[0]) == dry_run.moves(runs[1])
    assert Run.objects.nights().count() == 1


def test_a_night_after_it_is_a_night_as_any(program: Program) -> None:
    tried(draft_of(program, level_2="70000"))
    run = run_night(program, NIGHT)
    assert (run.totals["moved_up"], run.totals["moved_down"]) == (2, 0)  # those of its first pass
    assert run.previous_on is None


def would(run: Run) -> list[tuple[str, str, int, str]]:
    found = Outcome.objects.filter(run=run).order_by("enrollment_id")
    return list(found.values_list("held", "would", "change", "proposed"))


def test_who_would_be_proposed_stays_with_a_mark(program: Program) -> None:
    draft = draft_of(program, level_2="100", level_3="60000")
    draft.tiers.filter(rank=3).update(confirm=True)
    run = tried(draft)
    assert would(run) == [
        ("level-1", "level-2", 1, ""), ("level-2", "level-2", 0, "level-3"), ("level-3", "level-3", 0, ""),
    ]  # fmt: skip
    assert run.totals["would_be_proposed"] == 1
    assert dry_run.moves(run)[1:] == [Move("level-2", "level-2", 0, 1, "level-3"), Move("level-3", "level-3", 0, 1)]
    assert [row[3:5] for row in dry_run.rows(run)] == [
        ("Level 2", "up"), ("Level 2", "stays; Level 3 to be confirmed"), ("Level 3", "stays"),
    ]  # fmt: skip


def test_steps_count_and_the_calendar_grace_and_newcomers_do_not(program: Program) -> None:
    draft = draft_of(program, level_2="50", level_3="300000")
    life = {
        "promotion": {"every": "year"}, "demotion": {"every": "anniversary"}, "grace": {"months": 3}, "up_by": 1,
        "newcomers": {"months": 120}, "existing": {"at": "anniversary"},
    }  # fmt: skip
    Edition.objects.filter(pk=draft.pk).update(life=life)
    draft.tiers.filter(rank=2).update(life={"promotion": {"every": "year", "on": "03-01"}})
    assert would(tried(Edition.objects.get(pk=draft.pk))) == [
        ("level-1", "level-2", 1, ""), ("level-2", "level-2", 0, ""), ("level-3", "level-2", -1, ""),
    ]  # fmt: skip
    Edition.objects.filter(pk=draft.pk).update(life={"up_by": 1, "down_by": 1})
    draft.tiers.filter(rank=2).update(earn={"measure": "net-sales-12m", "is": "at_least", "value": "900000"})
    draft.tiers.filter(rank=3).update(earn={"measure": "net-sales-12m", "is": "at_least", "value": "60"})
    # Up by one step, met or not; who meets more than it holds keeps it.
    assert would(tried(Edition.objects.get(pk=draft.pk))) == [
        ("level-1", "level-2", 1, ""), ("level-2", "level-3", 1, ""), ("level-3", "level-3", 0, ""),
    ]  # fmt: skip


def test_a_tier_that_is_never_lost_is_not_lost(program: Program) -> None:
    draft = draft_of(program, level_2="70000", level_3="300000")
    Edition.objects.filter(pk=draft.pk).update(life={"demotion": {"every": "never"}})
    assert [change for _held, _would, change, _proposed in would(tried(Edition.objects.get(pk=draft.pk)))] == [0, 0, 0]


def test_a_tier_by_invitation_is_kept_by_who_was_granted_it(program: Program) -> None:
    first = Enrollment.objects.order_by("pk")[0]
    grant(enrollment=first, tier=program.editions.get().tiers.get(rank=3), on=NIGHT, note="Invited", actor=make_staff())
    draft = draft_of(program)
    draft.tiers.filter(rank=3).update(earn={}, granted_only=True)
    assert would(tried(draft)) == [
        ("level-3", "level-3", 0, ""), ("level-2", "level-2", 0, ""), ("level-3", "level-2", -1, ""),
    ]  # fmt: skip


def test_what_it_costs(program: Program) -> None:
    benefit = Benefit.objects.create(program=program, code="event-money", kind="money", name={"en": "Event money"})
    draft = draft_of(program, level_2="100")
    TierBenefit.objects.create(tier=draft.tiers.get(rank=2), benefit=benefit, quantity=Decimal(1500), per="half_year")
    definition = by_tier({"level-1": "0.05", "level-2": "0.1", "level-3": "0.15"})
    plan = Plan.objects.create(program=program, name={"en": "Plan"}, starts_on=date(2020, 1, 1), definition=definition)
    Plan.objects.filter(pk=plan.pk).update(state="published")
    run = tried(draft)
    (cost,) = dry_run.benefit_costs(run)
    assert (cost.name, cost.now, cost.then, cost.quantity_now, cost.quantity_then) == (
        "Event money", 0, 2, None, Decimal(6000)
    )  # fmt: skip
    # 100 at 5% becomes 100 at 10%; 60,000 at 10% and 250,000 at 15% stay.
    assert yearly_pay(run) == (Decimal("43505.00"), Decimal("43510.00"))


def test_an_edition_that_cannot_be_evaluated_is_not_tried(program: Program) -> None:
    draft = draft_of(program)
    draft.tiers.filter(rank=2).update(earn={"measure": "nothing", "is": "at_least", "value": 1})
    with pytest.raises(RuleError, match=r"tiers\[1\].earn: there is no measure “nothing”"):
        night.start_dry_run(edition=draft, day=NIGHT)
    assert Run.objects.count() == 1


def test_the_rows_of_the_download(program: Program) -> None:
    run = tried(draft_of(program, level_2="70000"))
    assert [row[2:] for row in dry_run.rows(run)] == [
        ("Level 1", "Level 1", "stays", "Net sales"),
        ("Level 3", "Level 3", "stays", ""),
        ("Level 2", "Level 1", "down", "Net sales"),
    ]


def test_two_editions_in_words(program: Program) -> None:
    draft = draft_of(program, level_2="70000")
    Edition.objects.filter(pk=draft.pk).update(life={"demotion": {"every": "year", "on": "03-01"}})
    parts = comparing.compare(program.editions.order_by("pk")[0], Edition.objects.get(pk=draft.pk))
    differ = {part.title: [(line.sign, line.says) for line in part.lines if line.sign] for part in parts}
    assert differ == {
        "Life of a tier": [("-", "Tiers are lost every night."), ("+", "Tiers are lost every year, on 1 March.")],
        "Level 1": [],
        "Level 2": [
            ("-", "Net sales: at least $50,000 over 12 months"),
            ("+", "Net sales: at least $70,000 over 12 months"),
        ],
        "Level 3": [],
        "Measures": [],
    }
