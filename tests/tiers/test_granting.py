"""What staff decide about tiers: grants, proposals, times without losses, an evaluation at once."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.errors import ProgramError
from journal.models import Entry
from tests.commissions.test_concurrency import at_once
from tests.factories import make_enrollment, make_partner, make_program, make_sales_edition, make_staff
from tests.tiers.life import enrolled, graces, history, nights, program_with, proposals, sell, tier_of
from tiers import services
from tiers.errors import EnrollmentOverError, GraceClosedError, GrantError, NoEditionError, ProposalError, ReliefError
from tiers.models import Enrollment, Evaluation, Grace, Measured, Placement, Program, Proposal, Relief

pytestmark = pytest.mark.django_db
MARCH, JUNE = date(2024, 3, 1), date(2024, 6, 1)


@pytest.fixture
def staff() -> User:
    return make_staff()


@pytest.fixture
def program() -> Program:
    return program_with({"demotion": {"every": "month"}, "grace": {"months": 3}}, {3: {"confirm": True}})


def granting(one: Enrollment, staff: User, rank: int = 2, **over: Any) -> Placement:
    fields = {"tier": tier_of(one.program, rank), "on": MARCH, "note": "Founding partner", "actor": staff, **over}
    return services.grant(enrollment=one, **fields)


def verbs(one: Enrollment) -> list[str]:
    return list(Entry.objects.filter(partner_id=one.partner_id).order_by("id").values_list("verb", flat=True))


# --- Grants -------------------------------------------------------------------------------------------


def test_granting_says_who_why_and_until_when_once(program: Program, staff: User) -> None:
    one = enrolled(program)
    first = granting(one, staff, ends_on=JUNE)
    assert granting(one, staff, ends_on=JUNE) == first
    assert (first.reason, first.note, first.author, first.holds_until) == ("granted", "Founding partner", staff, JUNE)
    assert history(one)[1:] == ["2 from 2024-03-01 granted"]
    (entry,) = Entry.objects.filter(partner_id=one.partner_id)
    assert (entry.verb, entry.actor, entry.before, entry.after) == (
        "tiers.placement.changed", staff, {"tier": "level-1"},
        {"tier": "level-2", "on": "2024-03-01", "reason": "granted", "note": "Founding partner", "until": "2024-06-01"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "over", [{"note": " "}, {"ends_on": MARCH}, {"ends_on": date(2024, 2, 1)}, {"on": date(2015, 1, 1)}]
)
def test_a_grant_that_makes_no_sense_is_refused_and_nothing_written(
    program: Program, staff: User, over: dict[str, Any]
) -> None:
    one = enrolled(program)
    with pytest.raises(GrantError):
        granting(one, staff, **over)
    assert (len(history(one)), verbs(one)) == (1, [])


def test_a_tier_of_another_program_or_of_a_draft_is_not_granted(program: Program, staff: User) -> None:
    one, draft = enrolled(program), make_sales_edition(make_program())
    with pytest.raises(GrantError, match="not in the edition in force"):
        granting(one, staff, tier=draft.tiers.get(rank=2))
    assert len(history(one)) == 1


def test_a_grant_lifts_a_grace_and_makes_proposals_moot(program: Program, staff: User) -> None:
    one = enrolled(program, ("2024-02-01", 250_000), holds=2)
    other = enrolled(program, holds=2)
    nights(program, "2024-03-01")
    assert (proposals(one), graces(other)[0][2]) == ([("level-3", "open")], "open")
    granting(one, staff, 3, on=date(2024, 3, 2))
    granting(other, staff, 3, on=date(2024, 3, 2))
    assert (proposals(one), graces(other)[0][2]) == ([("level-3", "withdrawn")], "lifted")
    nights(program, "2024-03-02", "2024-03-03", "2024-04-01")
    assert (proposals(one), len(graces(other))) == ([("level-3", "withdrawn")], 1)


def test_ending_a_grant_leaves_the_tier_to_the_next_night(program: Program, staff: User) -> None:
    one = enrolled(program)
    granting(one, staff)
    services.end_grant(enrollment=one, on=date(2024, 3, 10), actor=staff)
    services.end_grant(enrollment=one, on=date(2024, 3, 10), actor=staff)
    assert verbs(one) == ["tiers.placement.changed", "tiers.grant.ended"]
    nights(program, "2024-03-09")
    assert len(history(one)) == 2
    nights(program, "2024-03-10")
    assert history(one)[2:] == ["1 from 2024-03-10 ended"]
    with pytest.raises(GrantError, match="No granted tier"):
        services.end_grant(enrollment=one, on=date(2024, 3, 11), actor=staff)


# --- Proposals ----------------------------------------------------------------------------------------


@pytest.fixture
def proposal(program: Program) -> Proposal:
    enrolled(program, ("2024-02-01", 250_000), holds=2)
    nights(program, "2024-03-01")
    return Proposal.objects.get()


def test_confirming_gives_the_tier_as_earned_with_what_earned_it(proposal: Proposal, staff: User) -> None:
    placement = services.confirm_proposal(proposal=proposal, on=MARCH, actor=staff, note="Met them.")
    assert (placement.tier.code, placement.reason, placement.starts_on, placement.author) == (
        "level-3", "earned", MARCH, staff,
    )  # fmt: skip
    assert placement.evaluation == proposal.evaluation
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by, proposal.note) == ("confirmed", staff, "Met them.")
    assert verbs(proposal.enrollment)[-2:] == ["tiers.placement.changed", "tiers.proposal.confirmed"]


@pytest.mark.parametrize("first", ["confirm", "refuse"])
def test_what_is_decided_is_not_decided_again(proposal: Proposal, staff: User, first: str) -> None:
    if first == "confirm":
        services.confirm_proposal(proposal=proposal, on=MARCH, actor=staff)
    else:
        services.refuse_proposal(proposal=proposal, actor=staff, note="Not yet.")
    known = history(proposal.enrollment), verbs(proposal.enrollment)
    with pytest.raises(ProposalError, match="no longer open"):
        services.confirm_proposal(proposal=proposal, on=MARCH, actor=staff)
    with pytest.raises(ProposalError, match="no longer open"):
        services.refuse_proposal(proposal=proposal, actor=staff, note="Never.")
    assert (history(proposal.enrollment), verbs(proposal.enrollment)) == known


def test_refusing_takes_a_reason(proposal: Proposal, staff: User) -> None:
    with pytest.raises(ProposalError, match="Say why"):
        services.refuse_proposal(proposal=proposal, actor=staff, note=" ")
    proposal.refresh_from_db()
    assert proposal.state == "open"


def test_a_tier_as_high_is_held_by_now(proposal: Proposal, staff: User) -> None:
    Placement.objects.filter(enrollment=proposal.enrollment).update(tier=tier_of(proposal.enrollment.program, 3))
    with pytest.raises(ProposalError, match="as high"):
        services.confirm_proposal(proposal=proposal, on=MARCH, actor=staff)
    proposal.refresh_from_db()
    assert proposal.state == "open"  # nothing of it is kept


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_of_two_who_decide_at_once_one_wins(program: Program) -> None:
    one = enrolled(program, ("2024-02-01", 250_000), holds=2)
    nights(program, "2024-03-01")
    proposal, people = Proposal.objects.get(), [make_staff() for _number in range(6)]

    def confirm(who: User) -> Any:
        return lambda: services.confirm_proposal(proposal=Proposal.objects.get(pk=proposal.pk), on=MARCH, actor=who)

    def refuse(who: User) -> Any:
        return lambda: services.refuse_proposal(proposal=Proposal.objects.get(pk=proposal.pk), actor=who, note="No.")

    outcomes = at_once(*(confirm(who) for who in people[:3]), *(refuse(who) for who in people[3:]))
    refused = [one for one in outcomes if isinstance(one, ProgramError)]
    assert [one.code for one in refused] == ["proposal_not_open"] * 5
    assert len([one for one in outcomes if not isinstance(one, Exception)]) == 1
    proposal.refresh_from_db()
    assert len(history(one)) == (2 if proposal.state == "confirmed" else 1)
    assert len([verb for verb in verbs(one) if verb in ("tiers.proposal.confirmed", "tiers.proposal.refused")]) == 1


# --- Times without losses -----------------------------------------------------------------------------


def test_excusing_and_extending_are_kept_once(program: Program, staff: User) -> None:
    one = enrolled(program)
    asked = {"starts_on": MARCH, "ends_on": JUNE, "reason": " Parental leave ", "actor": staff}
    relief = services.excuse(enrollment=one, **asked)
    assert services.excuse(enrollment=one, **asked) == relief
    assert (relief.program, relief.enrollment, relief.reason, relief.author) == (program, one, "Parental leave", staff)
    extension = services.extend_program(program=program, **asked)
    assert services.extend_program(program=program, **asked) == extension
    assert (extension.program, extension.enrollment) == (program, None)
    assert Entry.objects.filter(verb="tiers.relief.given").count() == Relief.objects.count() == 2


@pytest.mark.parametrize("over", [{"reason": ""}, {"ends_on": MARCH}])
def test_an_excuse_needs_a_reason_and_an_end(program: Program, staff: User, over: dict[str, Any]) -> None:
    asked = {"starts_on": MARCH, "ends_on": JUNE, "reason": "x", "actor": staff, **over}
    with pytest.raises(ReliefError):
        services.excuse(enrollment=enrolled(program), **asked)
    with pytest.raises(ReliefError):
        services.extend_program(program=program, **asked)
    assert not Relief.objects.exists()


def test_lifting_a_grace_keeps_the_tier_until_the_next_review(program: Program, staff: User) -> None:
    one = enrolled(program, holds=2)
    nights(program, "2024-03-01")
    grace = Grace.objects.get()
    with pytest.raises(ReliefError):
        services.lift_grace(grace=grace, on=MARCH, note="", actor=staff)
    services.lift_grace(grace=grace, on=date(2024, 3, 2), note="The flood", actor=staff)
    with pytest.raises(GraceClosedError):
        services.lift_grace(grace=grace, on=date(2024, 3, 2), note="The flood", actor=staff)
    nights(program, "2024-03-02", "2024-03-03", "2024-04-01")
    assert graces(one) == [("2024-03-01", "2024-06-01", "lifted"), ("2024-04-01", "2024-07-01", "open")]
    assert history(one) == ["2 from 2024-01-01 joined"]


# --- At once ------------------------------------------------------------------------------------------


def test_an_evaluation_at_once_gives_what_is_earned_without_waiting_for_a_review(staff: User) -> None:
    program = program_with({"promotion": {"every": "year"}})
    one, other = enrolled(program), enrolled(program, ("2024-02-01", 60_000))
    nights(program, "2024-01-02")
    sell(one, "2024-02-10", 60_000)
    evaluation = services.evaluate_now(enrollment=one, on=MARCH, actor=staff)
    assert (evaluation.earned.code, evaluation.run, evaluation.measured) == (
        "level-2",
        None,
        {"net-sales-12m": "600000000"},
    )
    assert services.evaluate_now(enrollment=one, on=MARCH, actor=staff) == evaluation
    assert history(one)[1:] == ["2 from 2024-03-01 earned"]
    assert (history(other)[1:], Measured.objects.count()) == ([], 0)
    nights(program, "2024-03-01", "2024-03-02")
    assert history(one)[1:] == ["2 from 2024-03-01 earned"]
    assert Evaluation.objects.filter(enrollment=one, evaluated_on=MARCH).count() == 1


def test_an_evaluation_at_once_by_nobody_stands_in_the_night_of_that_day() -> None:
    program = program_with({"promotion": {"every": "year"}})
    one = enrolled(program)
    nights(program, "2024-01-02")
    sell(one, "2024-02-10", 60_000)
    services.evaluate_now(enrollment=one, on=MARCH)
    nights(program, "2024-03-01", "2024-03-01")
    assert history(one)[1:] == ["2 from 2024-03-01 earned"]


def test_an_evaluation_at_once_takes_nothing() -> None:
    program = program_with()
    one = enrolled(program, holds=3)
    assert services.evaluate_now(enrollment=one, on=MARCH).earned.code == "level-1"
    assert history(one) == ["3 from 2024-01-01 joined"]


def test_an_enrollment_that_is_over_or_a_program_without_an_edition_is_not_evaluated() -> None:
    program = program_with()
    over = enrolled(program)
    Enrollment.objects.filter(pk=over.pk).update(ends_on=MARCH)
    with pytest.raises(EnrollmentOverError):
        services.evaluate_now(enrollment=over, on=MARCH)
    early = make_enrollment(make_partner(), program, starts_on=date(2010, 1, 1))
    with pytest.raises(NoEditionError):
        services.evaluate_now(enrollment=early, on=date(2012, 1, 1))
    assert not Evaluation.objects.exists()


# --- Queries ------------------------------------------------------------------------------------------


def queries(partners: int) -> int:
    """Of a night that starts and warns graces, proposes, awards and moves."""
    program = program_with(
        {"grace": {"months": 1, "warn_days": [30]}, "deadlines": [{"tier": "level-3", "months": 2, "then": "warn"}]},
        {3: {"confirm": True, "holds": {"months": 6}}},
        champion={"earn": {"measure": "net-sales-12m", "is": "at_least", "value": 10}},
    )
    for _number in range(partners):
        enrolled(program, ("2024-02-01", 250_000))
        enrolled(program, holds=2)
    with CaptureQueriesContext(connection) as captured:
        nights(program, "2024-03-01", "2024-03-02", "2024-04-01")
    return len(captured)


def test_a_night_costs_the_same_queries_whatever_happens_to_how_many() -> None:
    assert queries(2) == queries(20)
