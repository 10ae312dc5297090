"""How a night goes: when tiers are lost, what stands, what a failure leaves behind."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.commissions.facts import run_night
from tests.factories import make_enrollment, make_partner, make_placement, make_program, make_sale, make_sales_edition
from tiers import jobs, night, placing, steps
from tiers.errors import NoEditionError
from tiers.models import Chunk, Edition, Enrollment, Evaluation, Measured, Placement, Program, Run

pytestmark = pytest.mark.django_db
JUNE = date(2026, 6, 1)


def program_with(demotion: str = "day") -> Program:
    """Level 2 takes 50,000 and level 3 200,000 of net sales in twelve months."""
    program = make_program()
    edition = make_sales_edition(program, life={"demotion": {"every": demotion}})
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED)
    return program


def enrolled(program: Program, *sales: tuple[date, str], holds: int = 1, **over: Any) -> Enrollment:
    """A partner with those sales, which holds a level since 2016."""
    partner = make_partner()
    enrollment = make_enrollment(partner, program)
    make_placement(enrollment, program.editions.get().tiers.get(rank=holds), **over)
    for sold_on, amount in sales:
        make_sale(partner, sold_on=sold_on, amount=Decimal(amount))
    return enrollment


def history(enrollment: Enrollment) -> list[tuple[str, date, date | None, str]]:
    placements = Placement.objects.filter(enrollment=enrollment).order_by("starts_on")
    return [(one.tier.code, one.starts_on, one.ends_on, one.reason) for one in placements.select_related("tier")]


def test_a_tier_is_given_the_night_it_is_earned_and_the_past_is_kept() -> None:
    program = program_with()
    enrollment = enrolled(program, (date(2026, 5, 31), "50000"))
    run_night(program, JUNE)
    joined = ("level-1", date(2016, 1, 1), JUNE, "joined")
    assert history(enrollment) == [joined, ("level-2", JUNE, None, "earned")]


def test_a_cent_less_than_the_threshold_is_not_enough_and_a_sale_of_the_day_itself_does_not_count() -> None:
    program = program_with()
    short = enrolled(program, (date(2026, 5, 31), "49999.99"))
    today = enrolled(program, (JUNE, "50000"))
    run_night(program, JUNE)
    assert [len(history(one)) for one in (short, today)] == [1, 1]


@pytest.mark.parametrize(
    ("demotion", "stands_on", "lost_on"),
    [
        ("day", None, date(2026, 6, 2)),
        ("month", date(2026, 6, 30), date(2026, 7, 1)),
        ("quarter", date(2026, 6, 30), date(2026, 7, 1)),
        ("year", date(2026, 12, 31), date(2027, 1, 1)),
    ],
)
def test_a_tier_is_lost_at_a_review_alone(demotion: str, stands_on: date | None, lost_on: date) -> None:
    program = program_with(demotion)
    enrollment = enrolled(program, (date(2025, 6, 1), "50000"))
    run_night(program, JUNE)  # the sale is in the window for the last time
    assert history(enrollment)[-1][0] == "level-2"
    if stands_on:
        run_night(program, date(2026, 6, 2))
        run_night(program, stands_on)
        assert history(enrollment)[-1] == ("level-2", JUNE, None, "earned")
    run_night(program, lost_on)
    assert history(enrollment)[-2:] == [("level-2", JUNE, lost_on, "earned"), ("level-1", lost_on, None, "lost")]


def test_a_review_night_that_did_not_run_is_made_up_for_by_the_next_one() -> None:
    program = program_with("quarter")
    enrollment = enrolled(program, (date(2025, 6, 1), "50000"))
    run_night(program, JUNE)
    assert run_night(program, date(2026, 7, 3)).previous_on == JUNE  # 1 July was missed
    assert history(enrollment)[-1] == ("level-1", date(2026, 7, 3), None, "lost")
    assert run_night(program, date(2026, 7, 4)).previous_on == date(2026, 7, 3)


def test_a_tier_granted_by_staff_stands() -> None:
    program = program_with()
    enrollment = enrolled(program, holds=3, reason=Placement.Reason.GRANTED)
    run = run_night(program, JUNE)
    assert [code for code, *_rest in history(enrollment)] == ["level-3"]
    assert (run.totals["evaluated"], run.totals["moved_down"]) == (1, 0)
    assert Evaluation.objects.get().earned.code == "level-1"  # what it would be is known all the same


def test_the_day_run_again_takes_back_what_a_corrected_fact_gave() -> None:
    program = program_with("quarter")
    enrollment = enrolled(program, (date(2026, 5, 31), "50000"))
    run_night(program, JUNE)
    enrollment.partner.sales.update(amount=Decimal(100))
    run_night(program, JUNE)
    assert history(enrollment)[-1][:3] == ("level-1", JUNE, None)
    assert Placement.objects.current().count() == 1


def test_a_night_for_an_earlier_day_moves_nobody_placed_since() -> None:
    program = program_with()
    enrollment = enrolled(program, (date(2026, 5, 31), "50000"))
    run_night(program, JUNE)
    before = history(enrollment)
    run_night(program, date(2026, 3, 1))
    assert history(enrollment) == before


def test_the_work_table_is_empty_after_a_night() -> None:
    program = program_with()
    enrolled(program, (date(2026, 5, 31), "50000"))
    assert run_night(program, JUNE).totals["measured"] == 1
    assert not Measured.objects.exists()


def test_no_edition_in_force_is_said_with_program_and_day() -> None:
    with pytest.raises(NoEditionError, match="2015"):
        night.start(program=program_with(), day=date(2015, 1, 1))


# --- Failures ---------------------------------------------------------------------------------------


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Enrollment:
    """Placing fails wherever this enrollment is."""
    program = program_with()
    first = enrolled(program, (date(2026, 5, 31), "50000"))
    enrolled(program, (date(2026, 5, 31), "50000"))
    step = next(one for one in steps.of(Run()) if one.key == "place")

    def place(run: Run, bounds: tuple[int, int]) -> steps.Counts:
        counts = placing.place(run, bounds)
        if bounds[0] <= first.pk <= bounds[1]:
            raise ValueError("a bad row")
        return counts

    working = steps.Step(step.key, step.label, step.position, step.cut, place, step.counts)
    monkeypatch.setitem(steps._registered, "place", working)
    return first


def start_and_work(enrollment: Enrollment, *, keep_going: bool) -> Run:
    run = night.start(program=enrollment.program, day=JUNE, chunk_size=1, keep_going=keep_going)
    night.work(run.pk)
    run.refresh_from_db()
    return run


def test_a_chunk_that_fails_leaves_nothing_and_stops_the_night(broken: Enrollment) -> None:
    run = start_and_work(broken, keep_going=False)
    assert (run.state, run.error) == (Run.State.FAILED, "place 1: ValueError: a bad row")
    assert Placement.objects.count() == 2
    assert Chunk.objects.get(run=run, step="place", number=1).state == Chunk.State.FAILED


def test_keep_going_works_the_rest_and_still_says_what_failed(broken: Enrollment) -> None:
    run = start_and_work(broken, keep_going=True)
    assert (run.state, run.error) == (Run.State.FAILED, "place 1: ValueError: a bad row")
    assert len(history(broken)) == 1
    assert Placement.objects.filter(starts_on=JUNE).count() == 1
    assert run.totals["moved_up"] == 1


def test_a_night_that_failed_is_finished_by_running_the_day_again(
    broken: Enrollment, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_and_work(broken, keep_going=True)
    monkeypatch.undo()
    run = start_and_work(broken, keep_going=False)
    assert (run.state, run.error, run.totals["moved_up"]) == (Run.State.DONE, "", 2)
    assert [code for code, *_rest in history(broken)] == ["level-1", "level-2"]


# --- Queries -----------------------------------------------------------------------------------------


def queries(partners: int) -> int:
    program = program_with()
    for _number in range(partners):
        enrolled(program, (date(2026, 5, 31), "50000"))
    with CaptureQueriesContext(connection) as captured:
        run_night(program, JUNE)
    return len(captured)


def test_a_chunk_costs_the_same_queries_for_5_partners_and_for_50() -> None:
    assert queries(5) == queries(50)


def test_the_command_tells_what_this_pass_did(capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(program_with(), (date(2026, 5, 31), "50000"))
    told = []
    for _pass in range(2):
        call_command("night", "--as-of", "2026-06-01")
        told.append(capsys.readouterr().out)
    assert ["moved_up 1" in one for one in told] == [True, False]
    assert "moved_up 0" in told[1]


def test_who_finishes_a_step_asks_the_others_back_and_who_leaves_asks_nobody(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.NIGHT_WORKERS = 3
    asked: list[int] = []
    monkeypatch.setattr(jobs.work, "delay", asked.append)
    program = program_with()
    enrolled(program, (date(2026, 5, 31), "50000"))
    run = night.start(program=program, day=JUNE)
    steps_cut = len(asked)
    jobs.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    worked = run.chunks.values_list("step", flat=True).distinct().order_by().count()
    assert (steps_cut, asked) == (0, [run.pk, run.pk] * (worked - 1))
    jobs.work(run.pk)
    assert len(asked) == 2 * (worked - 1)


def test_a_second_pass_measures_into_an_empty_table(monkeypatch: pytest.MonkeyPatch) -> None:
    program = program_with()
    enrollment = enrolled(program, (date(2026, 5, 31), "50000"))
    run = night.start(program=program, day=JUNE)
    Measured.objects.create(run=run, enrollment=enrollment, measure=program.editions.get().measures.first(), value=1)
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED)
    run_night(program, JUNE)
    assert Evaluation.objects.get().measured["net-sales-12m"] == "500000000"
