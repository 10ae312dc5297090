"""A program whose table brings points, and its nights."""

from datetime import date
from decimal import Decimal
from typing import Any

from partners.models import Partner
from points.documents import row_asked
from points.errors import PointTableError
from points.models import PointEntry, PointRule
from points.services import set_point_rules
from tests.factories import make_edition, make_enrollment, make_partner, make_placement, make_program
from tiers import night
from tiers.models import Edition, Enrollment, Placement, Program, Run

START = date(2025, 1, 1)


def row(code: str = "studio-site", **over: Any) -> dict[str, Any]:
    """A row of the table as a file has it: 300 points for each sale, from 2026-01-01, for good."""
    fields = {
        "code": code, "name": {"en": code.capitalize(), "fr": code.capitalize()}, "category": "sites",
        "starts_on": "2026-01-01", "dataset": "sales", "each": "fact", "points": "300", **over,
    }  # fmt: skip
    return {key: value for key, value in fields.items() if value is not None}


def pointed_program(*rows: dict[str, Any], edition: dict[str, Any] | None = None, **over: Any) -> Program:
    """A program with a published edition without rules, and a points table."""
    program = make_program(**over)
    made = make_edition(program, starts_on=START, **(edition or {}))
    Edition.objects.filter(pk=made.pk).update(state=Edition.State.PUBLISHED)
    assert set_rows(program, *rows) == []
    return program


def set_rows(program: Program, *rows: dict[str, Any]) -> list[str]:
    """What is refused, each with its place; nothing is, where it is empty."""
    try:
        set_point_rules(program=program, rows=[row_asked(one) for one in rows])
    except PointTableError as refusal:
        return [f"{one.path}: {one.says}" for one in refusal.problems]
    return []


def enrolled(program: Program, starts_on: date = START, **over: Any) -> Enrollment:
    """A partner that staff placed in the entry tier, so that nights leave it there."""
    partner = make_partner(**over)
    enrollment = make_enrollment(partner, program, starts_on=starts_on)
    tier = program.editions.get().tiers.get(rank=1)
    make_placement(enrollment, tier, reason=Placement.Reason.GRANTED)
    return enrollment


def run_night(program: Program, day: date, chunk_size: int = night.CHUNK_SIZE) -> Run:
    run = night.start(program=program, day=day, chunk_size=chunk_size)
    night.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.DONE, run.error
    return run


def live(owner: Enrollment | Partner, day: date) -> Decimal:
    own = {"enrollment": owner} if isinstance(owner, Enrollment) else {"enrollment__partner": owner}
    return PointEntry.objects.filter(**own).live_on(day).balance()


def lines(enrollment: Enrollment) -> list[tuple[str, str, str, str | None]]:
    """Kind, points, granted on and expires on of each line, in the order they were posted."""
    return [
        (
            one.kind,
            f"{one.points.normalize():f}",
            one.granted_on.isoformat(),
            one.expires_on and one.expires_on.isoformat(),
        )
        for one in PointEntry.objects.filter(enrollment=enrollment).order_by("pk")
    ]


def rule(program: Program, code: str = "studio-site") -> PointRule:
    return PointRule.objects.filter(program=program, code=code).latest("starts_on")
