"""A program that pays, and its nights."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from commissions.models import Earning, Plan
from commissions.plan_documents import by_tier
from commissions.services import publish_plan
from leads.models import Sale
from partners.models import Partner
from tests.factories import make_edition, make_enrollment, make_partner, make_placement, make_program, make_sale
from tiers import night
from tiers.models import Edition, Enrollment, Placement, Program, Run, Tier

START = date(2025, 1, 1)
RATES = {"level-1": Decimal("0.05"), "level-2": Decimal("0.10"), "level-3": Decimal("0.15")}


def paying_program(rates: Mapping[str, Decimal] = RATES, **over: Any) -> Program:
    """A program with a published edition without rules, whose plan pays 5, 10 and 15% from 2025-01-01."""
    program = make_program(**over)
    edition = make_edition(program, starts_on=START)
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED)
    publish(program, rates)
    return program


def publish(
    program: Program, rates: Mapping[str, Decimal], starts_on: date = START, ends_on: date | None = None
) -> Plan:
    name = {"en": "Plan", "fr": "Plan"}
    return publish_plan(program=program, name=name, starts_on=starts_on, ends_on=ends_on, definition=by_tier(rates))


def tier(program: Program, code: str) -> Tier:
    return Tier.objects.get(edition__program=program, code=code)


def holding(program: Program, code: str = "level-1", **over: Any) -> Partner:
    """A partner that staff placed in a tier on 2025-01-01, so that nights leave it there."""
    partner = make_partner(**over)
    enrollment = make_enrollment(partner, program, starts_on=START)
    make_placement(enrollment, tier(program, code), reason=Placement.Reason.GRANTED)
    return partner


def move(partner: Partner, program: Program, code: str, on: date) -> Placement:
    """The partner holds another tier from `on`."""
    enrollment = Enrollment.objects.get(partner=partner, program=program)
    Placement.objects.current().filter(enrollment=enrollment).update(ends_on=on)
    return make_placement(enrollment, tier(program, code), starts_on=on, reason=Placement.Reason.GRANTED)


def run_night(program: Program, day: date, chunk_size: int = night.CHUNK_SIZE) -> Run:
    run = night.start(program=program, day=day, chunk_size=chunk_size)
    night.work(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.DONE, run.error
    return run


def sell(partner: Partner, amount: str, on: date, **over: Any) -> Sale:
    kind = Sale.Kind.REFUND if Decimal(amount) < 0 else Sale.Kind.NEW
    return make_sale(partner, amount=Decimal(amount), sold_on=on, kind=kind, **over)


def posted(sale: Sale) -> list[tuple[int, str, str, str]]:
    """The sale's lines as (number, kind, amount, currency), in order."""
    lines = Earning.objects.filter(sale=sale).order_by("partner_id", "number")
    return [(line.number, line.kind, f"{line.amount:f}", line.currency) for line in lines]
