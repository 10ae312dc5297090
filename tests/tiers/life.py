"""A program whose tiers ask for net sales of twelve months, and the nights of one partner in it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from journal.models import Entry
from leads.models import Sale
from tests.commissions.facts import run_night
from tests.factories import make_enrollment, make_partner, make_placement, make_program, make_sale, make_sales_edition
from tiers.models import Distinction, Edition, Enrollment, Grace, Placement, Program, Proposal, Run

MEASURE = "net-sales-12m"
START = date(2024, 1, 1)


def sales(value: int) -> dict[str, Any]:
    return {"measure": MEASURE, "is": "at_least", "value": value}


def program_with(
    life: dict[str, Any] | None = None,
    tiers: dict[int, dict[str, Any]] | None = None,
    *,
    champion: dict[str, Any] | None = None,
    **over: Any,
) -> Program:
    """Level 2 takes 50,000 and level 3 200,000 of net sales in twelve months. `tiers`: what else ranks are;
    `champion`: a distinction."""
    program = make_program()
    edition = make_sales_edition(program, second="50000", third="200000", life=life or {}, **over)
    for rank, fields in (tiers or {}).items():
        edition.tiers.filter(rank=rank).update(**fields)
    if champion is not None:
        Distinction.objects.create(edition=edition, code="champion", name={"en": "Champion"}, **champion)
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED)
    return program


def tier_of(program: Program, rank: int) -> Any:
    return program.editions.latest("starts_on").tiers.get(rank=rank)


def enrolled(program: Program, *sold: tuple[str, int], on: date = START, holds: int = 1, **over: Any) -> Enrollment:
    partner = make_partner()
    enrollment = make_enrollment(partner, program, starts_on=on)
    make_placement(enrollment, program.editions.earliest("starts_on").tiers.get(rank=holds), **over)
    for day, amount in sold:
        sell(enrollment, day, amount)
    return enrollment


def sell(enrollment: Enrollment, day: str, amount: int) -> None:
    kind = {"kind": Sale.Kind.REFUND} if amount < 0 else {}
    make_sale(enrollment.partner, sold_on=date.fromisoformat(day), amount=Decimal(amount), **kind)


def nights(program: Program, *days: str) -> Run:
    """The nights of those days; returns the last."""
    for day in days[:-1]:
        run_night(program, date.fromisoformat(day))
    return run_night(program, date.fromisoformat(days[-1]))


def every_night(program: Program, first: str, last: str, *, step: int = 1) -> None:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        run_night(program, day)
        day += timedelta(days=step)


def history(enrollment: Enrollment) -> list[str]:
    """ "2 from 2024-05-01 earned", oldest first."""
    rows = Placement.objects.filter(enrollment=enrollment).order_by("starts_on").select_related("tier")
    return [f"{one.tier.code[-1]} from {one.starts_on} {one.reason}" for one in rows]


def graces(enrollment: Enrollment) -> list[tuple[str, str, str]]:
    rows = Grace.objects.filter(enrollment=enrollment).order_by("starts_on")
    return [(str(one.starts_on), str(one.ends_on), one.outcome or "open") for one in rows]


def proposals(enrollment: Enrollment) -> list[tuple[str, str]]:
    return list(Proposal.objects.filter(enrollment=enrollment).order_by("id").values_list("tier_code", "state"))


def told(enrollment: Enrollment, verb: str) -> list[dict[str, Any]]:
    entries = Entry.objects.filter(partner_id=enrollment.partner_id, verb=verb).order_by("id")
    return [{key: value for key, value in one.after.items() if key != "run"} for one in entries]
