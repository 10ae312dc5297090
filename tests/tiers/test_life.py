"""The life of a tier: nights over months and years, on a real program."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journal.models import Entry
from tests.factories import make_staff
from tests.tiers.life import (
    enrolled,
    every_night,
    graces,
    history,
    nights,
    program_with,
    proposals,
    sales,
    sell,
    tier_of,
    told,
)
from tiers import services
from tiers.evaluating import held_before
from tiers.models import Award, Enrollment, Evaluation, Grace, Placement, Proposal

pytestmark = pytest.mark.django_db


def day(text: str) -> date:
    return date.fromisoformat(text)


def test_up_every_quarter_down_every_year() -> None:
    program = program_with({"promotion": {"every": "quarter"}, "demotion": {"every": "year", "on": "03-01"}})
    one = enrolled(program, ("2024-05-10", 60_000))
    nights(program, "2024-05-01", "2024-05-20", "2024-06-30")
    assert history(one) == ["1 from 2024-01-01 joined"]
    nights(program, "2024-07-01", "2024-10-01", "2025-03-01", "2025-05-11", "2025-07-01", "2025-10-01", "2026-02-28")
    assert history(one) == ["1 from 2024-01-01 joined", "2 from 2024-07-01 earned"]
    nights(program, "2026-03-01")
    assert history(one)[2:] == ["1 from 2026-03-01 lost"]


def test_the_first_night_of_all_reviews_whatever_its_day() -> None:
    program = program_with({"promotion": {"every": "quarter"}})
    one = enrolled(program, ("2024-05-10", 60_000))
    nights(program, "2024-05-20")
    assert history(one)[1:] == ["2 from 2024-05-20 earned"]


def test_held_for_thirteen_months_and_for_as_long_again_where_it_is_earned_again() -> None:
    program = program_with({}, {2: {"holds": {"months": 13}}})
    one = enrolled(program, ("2024-01-31", 60_000))
    again = enrolled(program, ("2024-01-31", 60_000), ("2024-12-01", 50_000))
    nights(program, "2024-02-01", "2025-02-01", "2025-02-28")
    assert history(one) == history(again) == ["1 from 2024-01-01 joined", "2 from 2024-02-01 earned"]
    nights(program, "2025-03-01")
    assert history(one)[2:] == ["1 from 2025-03-01 lost"]
    assert history(again)[2:] == []
    assert Placement.objects.current().get(enrollment=again).holds_until == day("2026-04-01")
    assert told(again, "tiers.placement.held") == [{"tier": "level-2", "until": "2026-04-01"}]
    nights(program, "2026-03-31")
    assert history(again)[2:] == []
    nights(program, "2026-04-01")
    assert history(again)[2:] == ["1 from 2026-04-01 lost"]


# --- Grace --------------------------------------------------------------------------------------------

GRACE = {"demotion": {"every": "month"}, "grace": {"months": 3, "warn_days": [60, 30, 7]}}


def test_grace_with_what_is_missing_and_warnings_and_the_end() -> None:
    program = program_with(GRACE)
    one = enrolled(program, ("2024-06-01", 60_000), ("2025-01-15", 20_000), holds=2)
    every_night(program, "2025-05-25", "2025-07-03")
    assert graces(one) == [("2025-07-01", "2025-10-01", "open")]
    (gap,) = Grace.objects.get().gaps
    assert (gap["measure"], gap["figure"], gap["threshold"], gap["missing"]) == (
        "net-sales-12m",
        "20000",
        "50000",
        "30000",
    )
    assert gap["name"]["en"] == "Net sales"
    every_night(program, "2025-07-04", "2025-09-30")
    assert [entry["days"] for entry in told(one, "tiers.grace.warned")] == [60, 30, 7]
    assert history(one) == ["2 from 2024-01-01 joined"]
    nights(program, "2025-10-01")
    assert history(one)[1:] == ["1 from 2025-10-01 lost"]
    assert graces(one) == [("2025-07-01", "2025-10-01", "lost")]


def test_kept_again_within_its_grace() -> None:
    program = program_with(GRACE)
    one = enrolled(program, ("2024-06-01", 60_000), holds=2)
    nights(program, "2025-05-31", "2025-07-01")
    assert graces(one)[0][2] == "open"
    sell(one, "2025-07-10", 50_000)
    nights(program, "2025-07-11", "2025-10-01", "2025-11-01")
    assert graces(one) == [("2025-07-01", "2025-10-01", "kept")]
    assert history(one) == ["2 from 2024-01-01 joined"]


def test_a_warning_whose_nights_did_not_run_comes_once() -> None:
    program = program_with(GRACE)
    one = enrolled(program, holds=2)
    nights(program, "2025-07-01", "2025-09-28", "2025-09-29")
    assert told(one, "tiers.grace.warned") == [{"tier": "level-2", "ends_on": "2025-10-01", "days": 3}]


# --- Reminders and reviews of a tier's own --------------------------------------------------------------


def test_who_would_not_keep_its_tier_is_told_before_the_review_with_what_is_missing_once_a_night() -> None:
    program = program_with({"demotion": {"every": "anniversary", "warn_days": [90, 60, 30]}})
    lacking = enrolled(program, ("2024-06-01", 20_000), holds=2, on=day("2024-03-01"))
    keeping = enrolled(program, ("2024-06-01", 60_000), holds=2, on=day("2024-03-01"))
    nights(program, "2024-11-30", "2024-12-01", "2024-12-02", "2024-12-01", "2024-12-31")
    (first, second) = told(lacking, "tiers.review.reminded")
    ((gap,), (_same,)) = first.pop("gaps"), second.pop("gaps")
    assert first == {"tier": "level-2", "on": "2025-03-01", "days": 90}
    assert second == {"tier": "level-2", "on": "2025-03-01", "days": 60}
    assert (gap["measure"], gap["figure"], gap["missing"]) == ("net-sales-12m", "20000", "30000")
    sell(lacking, "2025-01-15", 30_000)
    nights(program, "2025-01-30", "2025-03-01")
    assert len(told(lacking, "tiers.review.reminded")) == 2
    assert told(keeping, "tiers.review.reminded") == []
    assert history(lacking) == history(keeping) == ["2 from 2024-03-01 joined"]


def test_a_tier_is_given_and_lost_at_its_own_reviews() -> None:
    yearly = {"promotion": {"every": "year"}, "demotion": {"every": "year"}}
    program = program_with({}, {3: {"life": yearly}})
    one = enrolled(program)
    nights(program, "2024-02-01")
    sell(one, "2024-02-10", 250_000)
    nights(program, "2024-02-11", "2024-12-31", "2025-01-01")
    assert history(one)[1:] == ["2 from 2024-02-11 earned", "3 from 2025-01-01 earned"]
    nights(program, "2025-02-11", "2025-12-31")
    assert history(one)[3:] == []
    nights(program, "2026-01-01")
    assert history(one)[3:] == ["1 from 2026-01-01 lost"]


def test_a_day_run_again_does_not_give_what_its_review_does_not() -> None:
    program = program_with({}, {3: {"life": {"promotion": {"every": "year"}}}})
    one = enrolled(program)
    nights(program, "2024-02-01")
    sell(one, "2024-02-10", 250_000)
    nights(program, "2024-02-11", "2024-02-11")
    assert history(one)[1:] == ["2 from 2024-02-11 earned"]


def test_what_an_evaluation_between_nights_gave_at_once_stays_that_night() -> None:
    program = program_with({"promotion": {"every": "year"}})
    one = enrolled(program)
    nights(program, "2024-02-10")
    sell(one, "2024-02-10", 60_000)
    services.evaluate_now(enrollment=one, on=day("2024-02-11"))
    nights(program, "2024-02-11", "2024-02-12")
    assert history(one)[1:] == ["2 from 2024-02-11 earned"]


def test_a_tier_to_be_kept_is_told_about_again_when_it_is_lost() -> None:
    program = program_with({"deadlines": [{"tier": "level-2", "months": 24, "then": "warn", "keep": True}]})
    never = enrolled(program)
    lost = enrolled(program, ("2025-06-01", 60_000))
    nights(program, "2025-06-02", "2026-01-01", "2026-01-02", "2026-06-01")
    assert told(never, "tiers.deadline.passed") == [{"tier": "level-2"}]
    assert told(lost, "tiers.deadline.passed") == []
    nights(program, "2026-06-02", "2026-06-02", "2026-06-03")
    assert history(lost)[1:] == ["2 from 2025-06-02 earned", "1 from 2026-06-02 lost"]
    assert told(lost, "tiers.deadline.passed") == [{"tier": "level-2"}]


def test_the_time_at_a_tier_goes_on_through_holds_editions_and_grants() -> None:
    program = program_with({}, {2: {"holds": {"months": 2}}})
    one = enrolled(program, ("2024-05-01", 60_000))
    nights(program, "2024-05-02", "2024-07-02")
    services.grant(enrollment=one, tier=tier_of(program, 2), on=day("2024-08-01"), note="x", actor=make_staff())
    copied = services.copy_edition(edition=program.editions.get(), name="Next", starts_on=day("2024-09-01"))
    services.publish_edition(edition=copied)
    nights(program, "2024-09-01")
    held = Placement.objects.filter(enrollment=one, tier__code="level-2")
    assert held.values("tier").distinct().count() == 2  # carried into the new edition's own row
    assert held_before([one.pk], day("2024-09-02")) == {one.pk: ("level-2", "2024-05-02")}
    assert held_before([one.pk], day("2024-05-02")) == {one.pk: ("level-1", "2024-01-01")}
    assert held_before([one.pk], day("2024-01-01")) == {}


def test_the_time_at_a_tier_begins_again_after_a_break() -> None:
    program = program_with()
    one = enrolled(program, ("2024-05-01", 60_000))
    nights(program, "2024-05-02", "2025-05-02")
    sell(one, "2025-06-01", 60_000)
    nights(program, "2025-06-02", "2025-06-03")
    assert held_before([one.pk], day("2025-06-02")) == {one.pk: ("level-1", "2025-05-02")}
    assert held_before([one.pk], day("2025-06-03")) == {one.pk: ("level-2", "2025-06-02")}


# --- Protected times ----------------------------------------------------------------------------------


def test_newcomers_lose_nothing_in_their_first_months() -> None:
    program = program_with({"newcomers": {"months": 6}})
    one = enrolled(program, on=day("2025-01-15"), holds=2)
    nights(program, "2025-01-16", "2025-07-14")
    assert history(one) == ["2 from 2025-01-15 joined"]
    nights(program, "2025-07-15")
    assert history(one)[1:] == ["1 from 2025-07-15 lost"]


def test_an_excused_partner_loses_nothing_and_its_review_is_held_after() -> None:
    program = program_with({"demotion": {"every": "year"}})
    staff = make_staff()
    one, other = enrolled(program, holds=2), enrolled(program, holds=2)
    nights(program, "2024-12-01")  # the first night of all
    assert history(one)[1:] == ["1 from 2024-12-01 lost"]
    services.grant(
        enrollment=one, tier=tier_of(program, 2), on=day("2024-12-02"), ends_on=day("2024-12-20"), note="x", actor=staff
    )
    services.excuse(
        enrollment=one, starts_on=day("2024-12-10"), ends_on=day("2025-02-10"), reason="Parental leave", actor=staff
    )
    nights(program, "2024-12-20", "2025-01-01", "2025-02-09")
    assert history(one)[2:] == ["2 from 2024-12-02 granted"]
    assert history(other)[1:] == ["1 from 2024-12-01 lost"]
    nights(program, "2025-02-10")
    assert history(one)[3:] == ["1 from 2025-02-10 ended"]


def test_an_extension_holds_for_everyone_in_the_program() -> None:
    program, staff = program_with({"demotion": {"every": "quarter"}}), make_staff()
    one, two = enrolled(program, ("2024-06-01", 60_000), holds=2), enrolled(program, ("2024-06-01", 60_000), holds=2)
    nights(program, "2025-04-02")
    services.extend_program(
        program=program, starts_on=day("2025-06-15"), ends_on=day("2025-08-15"), reason="A hard summer", actor=staff
    )
    nights(program, "2025-07-01", "2025-08-14")
    assert history(one) == history(two) == ["2 from 2024-01-01 joined"]
    nights(program, "2025-08-15")  # the review of 1 July is held
    assert history(one)[1:] == history(two)[1:] == ["1 from 2025-08-15 lost"]


def test_partners_from_before_the_edition_keep_what_they_hold_until_its_day() -> None:
    program = program_with({}, starts_on=day("2016-01-01"))
    old = enrolled(program, ("2024-05-01", 60_000), holds=2)
    draft = services.copy_edition(edition=program.editions.get(), name="Harder", starts_on=day("2024-07-01"))
    draft.tiers.filter(rank=2).update(earn=sales(100_000))
    draft.life = {"existing": {"from": "2024-09-01"}}
    draft.save()
    services.publish_edition(edition=draft)
    new = enrolled(program, ("2024-05-01", 60_000), on=day("2024-07-01"))
    Placement.objects.filter(enrollment=new).update(tier=draft.tiers.get(rank=2))
    nights(program, "2024-06-30", "2024-07-02", "2024-08-31")
    assert history(old) == ["2 from 2024-01-01 joined", "2 from 2024-07-02 joined"]  # the same tier, of the new edition
    assert history(new) == ["2 from 2024-07-01 joined", "1 from 2024-07-02 lost"]
    nights(program, "2024-09-01")
    assert history(old)[2:] == ["1 from 2024-09-01 lost"]


# --- Confirmed, granted, matched ----------------------------------------------------------------------


def test_who_qualifies_waits_for_staff_and_holds_it_once_confirmed() -> None:
    program, staff = program_with({}, {3: {"confirm": True, "holds": {"months": 12}}}), make_staff()
    one = enrolled(program, ("2024-05-01", 250_000))
    run = nights(program, "2024-05-02", "2024-05-03")
    assert history(one)[1:] == ["2 from 2024-05-02 earned"]
    assert proposals(one) == [("level-3", "open")]
    assert run.totals["proposed"] == 0
    services.confirm_proposal(proposal=Proposal.objects.get(), on=day("2024-05-03"), actor=staff, note="Met them.")
    held = Placement.objects.current().get(enrollment=one)
    assert (held.tier.code, held.reason, held.holds_until, held.author) == (
        "level-3",
        "earned",
        day("2025-05-03"),
        staff,
    )
    nights(program, "2024-05-03", "2024-05-04", "2025-05-02")
    assert history(one)[2:] == ["3 from 2024-05-03 earned"]
    nights(program, "2025-05-03")
    assert history(one)[3:] == ["1 from 2025-05-03 lost"]


def test_who_no_longer_qualifies_is_no_longer_proposed_and_a_refusal_stands_until_then() -> None:
    program, staff = program_with({}, {3: {"confirm": True}}), make_staff()
    one = enrolled(program, ("2024-05-01", 250_000))
    nights(program, "2024-05-02")
    one.partner.sales.update(amount=100_000)
    nights(program, "2024-05-03")
    assert proposals(one) == [("level-3", "withdrawn")]
    one.partner.sales.update(amount=250_000)
    nights(program, "2024-05-04")
    services.refuse_proposal(proposal=Proposal.objects.get(state="open"), actor=staff, note="Not yet.")
    nights(program, "2024-05-04", "2024-05-05", "2024-06-01")
    assert proposals(one) == [("level-3", "withdrawn"), ("level-3", "refused")]
    one.partner.sales.update(amount=100_000)
    nights(program, "2024-06-02")
    one.partner.sales.update(amount=250_000)
    nights(program, "2024-06-03")
    assert proposals(one)[2:] == [("level-3", "open")]


def test_a_grant_stands_to_its_end_then_results_decide() -> None:
    program, staff = program_with({"demotion": {"every": "year"}, "grace": {"months": 3}}), make_staff()
    one = enrolled(program, ("2024-05-01", 60_000))
    match = services.grant(
        enrollment=one, tier=tier_of(program, 3), on=day("2024-03-01"), ends_on=day("2024-09-01"),
        note="Gold at the other vendor", is_match=True, actor=staff,
    )  # fmt: skip
    assert (match.reason, match.note, match.author, match.holds_until) == (
        "matched", "Gold at the other vendor", staff, day("2024-09-01"),
    )  # fmt: skip
    nights(program, "2024-03-02", "2024-06-01", "2024-08-31")
    assert history(one)[1:] == ["3 from 2024-03-01 matched"]
    nights(program, "2024-09-01", "2024-09-02")
    assert history(one)[2:] == ["2 from 2024-09-01 ended"]


def test_a_grant_without_end_stands_until_staff_end_it_and_what_is_earned_above_it_is_given() -> None:
    program, staff = program_with(), make_staff()
    one = enrolled(program)
    services.grant(enrollment=one, tier=tier_of(program, 2), on=day("2024-03-01"), note="Founding partner", actor=staff)
    sell(one, "2024-03-10", 250_000)
    nights(program, "2024-03-02", "2024-03-11", "2025-03-10")
    assert history(one)[1:] == ["2 from 2024-03-01 granted", "3 from 2024-03-11 earned"]
    nights(program, "2025-03-11")
    assert history(one)[3:] == ["2 from 2025-03-11 granted"]  # back to what was granted, not below
    restored = Placement.objects.current().get(enrollment=one)
    assert (restored.note, restored.author) == ("Founding partner", staff)
    services.end_grant(enrollment=one, on=day("2025-04-01"), actor=staff)
    nights(program, "2025-03-12", "2025-04-01")
    assert history(one)[4:] == ["1 from 2025-04-01 ended"]


def test_a_tier_by_invitation_is_granted_alone() -> None:
    program = program_with({}, {3: {"earn": {}, "granted_only": True}})
    one = enrolled(program, ("2024-05-01", 900_000))
    nights(program, "2024-05-02")
    assert history(one)[1:] == ["2 from 2024-05-02 earned"]
    services.grant(enrollment=one, tier=tier_of(program, 3), on=day("2024-05-03"), note="Invited", actor=make_staff())
    nights(program, "2024-05-03", "2024-05-04", "2026-05-04")
    assert history(one)[2:] == ["3 from 2024-05-03 granted"]


# --- Deadlines and steps ------------------------------------------------------------------------------


def test_a_deadline_warns_once_or_ends_the_enrollment() -> None:
    def with_deadline(then: str) -> Any:
        return program_with(
            {"deadlines": [{"tier": "level-2", "months": 24, "then": then}]},
            champion={"earn": {"measure": "net-sales-12m", "is": "at_most", "value": 10}},
        )

    warning, ending = with_deadline("warn"), with_deadline("end")
    late, over = enrolled(warning), enrolled(ending)
    reached = enrolled(ending, ("2024-05-01", 60_000))
    for program in (warning, ending):
        nights(program, "2024-05-02", "2025-12-31", "2026-01-01", "2026-01-02", "2026-01-01")
    assert told(late, "tiers.deadline.passed") == [{"tier": "level-2"}]
    over.refresh_from_db()
    assert over.ends_on == day("2026-01-01")
    assert not Placement.objects.current().filter(enrollment=over).exists()
    assert Award.objects.get(enrollment=over, code="champion").ends_on == day("2026-01-01")
    assert told(over, "tiers.enrollment.ended") == [{"on": "2026-01-01", "reason": "deadline"}]
    reached.refresh_from_db()
    assert (reached.ends_on, history(reached)[1:]) == (None, ["2 from 2024-05-02 earned", "1 from 2025-12-31 lost"])


def test_one_step_at_a_time() -> None:
    monthly = {"every": "month"}
    program = program_with({"promotion": monthly, "demotion": monthly, "up_by": 1, "down_by": 1})
    one = enrolled(program, ("2024-05-01", 250_000))
    nights(program, "2024-05-02", "2024-05-03", "2024-06-01", "2025-05-01", "2025-05-02", "2025-06-01", "2025-07-01")
    assert history(one)[1:] == [
        "2 from 2024-05-02 earned", "3 from 2024-06-01 earned", "2 from 2025-06-01 lost", "1 from 2025-07-01 lost",
    ]  # fmt: skip


# --- Distinctions -------------------------------------------------------------------------------------


def test_a_distinction_is_held_beside_any_tier_as_long_as_it_is_kept() -> None:
    program = program_with(champion={"earn": sales(10_000), "keep": sales(5_000)})
    one = enrolled(program, ("2024-05-01", 10_000), ("2024-08-01", 6_000))
    run = nights(program, "2024-05-02")
    assert run.totals["awarded"] == 1
    nights(program, "2025-05-01", "2025-05-02", "2025-08-01")
    assert Award.objects.get().ends_on is None
    nights(program, "2025-08-02")
    award = Award.objects.get()
    assert (award.partner, award.code, award.origin, award.starts_on, award.ends_on) == (
        one.partner, "champion", "earned", day("2024-05-02"), day("2025-08-02"),
    )  # fmt: skip
    assert [len(told(one, f"tiers.award.{verb}")) for verb in ("earned", "ended")] == [1, 1]


def test_a_distinction_that_holds_is_kept_for_its_time() -> None:
    program = program_with(champion={"earn": sales(10_000), "holds": {"until": "03-01"}})
    enrolled(program, ("2023-12-15", 10_000))
    nights(program, "2024-01-02", "2024-02-28", "2024-03-01", "2025-02-28")
    assert [(one.starts_on, one.holds_until, one.ends_on) for one in Award.objects.all()] == [
        (day("2024-01-02"), day("2025-03-01"), None)
    ]
    nights(program, "2025-03-01")
    assert Award.objects.get().ends_on == day("2025-03-01")


# --- The same day again -------------------------------------------------------------------------------

EVERYTHING = {
    "demotion": {"every": "month", "warn_days": [25]}, "grace": {"months": 1, "warn_days": [7]}, "up_by": 1, "down_by": 1,
    "newcomers": {"months": 2}, "deadlines": [{"tier": "level-3", "months": 12, "then": "warn", "keep": True}],
}  # fmt: skip


def everything() -> list[Any]:
    """All that nights write, without the journal."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Placement, Grace, Proposal, Award, Enrollment, Evaluation)
    ]


@pytest.mark.parametrize("second", ["2024-05-02", "2024-06-01", "2024-07-01", "2025-01-01", "2025-05-02", "2025-07-01"])
def test_a_day_run_again_changes_and_tells_nothing(second: str) -> None:
    program = program_with(
        EVERYTHING, {3: {"confirm": True}, 2: {"holds": {"months": 2}}}, champion={"earn": sales(10_000)}
    )
    enrolled(program, ("2024-05-01", 250_000))
    enrolled(program, ("2024-05-01", 60_000), holds=3)
    enrolled(program)
    for stop in (
        "2024-04-01",
        "2024-05-02",
        "2024-06-01",
        "2024-07-01",
        "2025-01-01",
        "2025-05-02",
        "2025-06-01",
        "2025-07-01",
    ):
        nights(program, stop)
        if stop == second:
            break
    before, told_before = everything(), Entry.objects.count()
    nights(program, second)
    assert everything() == before
    assert Entry.objects.count() == told_before


def test_a_day_run_again_with_corrected_facts_takes_back_a_loss_and_its_grace() -> None:
    program = program_with(GRACE)
    one = enrolled(program, holds=2)
    nights(program, "2025-06-15", "2025-07-01", "2025-10-01")
    assert (history(one)[1:], graces(one)[0][2]) == (["1 from 2025-10-01 lost"], "lost")
    sell(one, "2025-09-30", 50_000)
    nights(program, "2025-10-01")
    assert history(one)[1:] == ["2 from 2025-10-01 joined"]
    assert graces(one)[0][2] == "kept"


# --- Always -------------------------------------------------------------------------------------------

actions = st.lists(
    st.one_of(
        st.tuples(st.just("night"), st.integers(0, 40)),
        st.tuples(st.just("sell"), st.sampled_from([-60_000, 20_000, 60_000, 200_000])),
        st.tuples(st.just("grant"), st.tuples(st.sampled_from([1, 2, 3]), st.none() | st.integers(1, 60))),
        st.tuples(st.just("end"), st.none()),
        st.tuples(st.just("confirm"), st.none()),
        st.tuples(st.just("refuse"), st.none()),
        st.tuples(st.just("excuse"), st.integers(1, 60)),
        st.tuples(st.just("now"), st.none()),
    ),
    max_size=12,
)  # fmt: skip


def act(what: str, value: Any, one: Enrollment, today: date, staff: Any) -> date:
    """Do it; returns the day it is after that. What services refuse is refused."""
    program = one.program
    waiting = Proposal.objects.filter(enrollment=one, state="open").first()
    if what == "night":
        today += timedelta(days=value)
        nights(program, today.isoformat())
    elif what == "sell":
        sell(one, (today - timedelta(days=1)).isoformat(), value)
    elif what == "grant":
        rank, days = value
        ends_on = today + timedelta(days=days) if days else None
        services.grant(enrollment=one, tier=tier_of(program, rank), on=today, ends_on=ends_on, note="x", actor=staff)
    elif (
        what == "end"
        and Placement.objects.current().filter(enrollment=one, reason="granted", holds_until=None).exists()
    ):
        services.end_grant(enrollment=one, on=today, actor=staff)
    elif what == "confirm" and waiting:
        services.confirm_proposal(proposal=waiting, on=today, actor=staff)
    elif what == "refuse" and waiting:
        services.refuse_proposal(proposal=waiting, actor=staff, note="x")
    elif what == "excuse":
        services.excuse(enrollment=one, starts_on=today, ends_on=today + timedelta(days=value), reason="x", actor=staff)
    elif what == "now":
        services.evaluate_now(enrollment=one, on=today)
    return today


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions)
def test_whatever_happens_one_tier_is_held_on_every_day(db: None, done: list[tuple[str, Any]]) -> None:
    program = program_with(
        {"demotion": {"every": "month"}, "grace": {"months": 1}, "up_by": 1},
        {3: {"confirm": True}, 2: {"holds": {"months": 2}}},
    )
    one, staff, today = enrolled(program), make_staff(), date(2024, 3, 1)
    for what, value in done:
        today = act(what, value, one, today, staff)
    rows = list(Placement.objects.filter(enrollment=one).order_by("starts_on"))
    assert [row.ends_on for row in rows] == [*(row.starts_on for row in rows[1:]), None]
    assert Grace.objects.filter(enrollment=one, closed_on=None).count() <= 1
    assert Proposal.objects.filter(enrollment=one, state="open").count() <= 1
    before = everything()
    nights(program, today.isoformat())
    once = everything()
    nights(program, today.isoformat())
    assert everything() == once
    assert len(before[0]) <= len(once[0])
