"""Leads and deals for tests."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import User
from leads import services
from leads.models import Deal, Lead, Offer
from partners.models import Partner
from tests.factories import make_partner, make_portal_user, make_program, make_sales_edition, make_staff
from tiers.models import Benefit, Placement, Program, TierBenefit
from tiers.services import enroll, place, publish_edition

TODAY = date(2026, 11, 24)


@dataclass
class World:
    """A program whose level 2 shares leads; `near` holds level 2 with one login, `low` the entry tier."""

    staff: User
    program: Program
    near: Partner
    person: User
    low: Partner


def make_world() -> World:
    program = make_program(currency="EUR")
    edition = make_sales_edition(program)
    benefit = Benefit.objects.create(program=program, code="lead-sharing", name={"en": "Shared leads"})
    for tier in edition.tiers.filter(rank__gte=2):
        TierBenefit.objects.create(tier=tier, benefit=benefit)
    publish_edition(edition=edition)
    near, low, staff = make_partner(name="Cycles Dupont"), make_partner(name="Roue Bleue"), make_staff()
    for partner in (near, low):
        enrollment = enroll(partner=partner, program=program, on=date(2026, 1, 1))
        if partner == near:
            place(
                enrollment=enrollment, tier=edition.tiers.get(rank=2), on=date(2026, 2, 1),
                reason=Placement.Reason.GRANTED,
            )  # fmt: skip
    return World(staff, program, near, make_portal_user(near), low)


def written(partner: Partner, **over: Any) -> Lead:
    """A prospect wrote to the partner."""
    fields = {
        "contact_name": "Jean Valjean", "contact_email": "jean@prospect.example", "contact_phone": "0600000000",
        "company": "Ville de Lyon", "need": "Trente vélos cargo.", "consent_text": "I agree.", "source": "profile",
        **over,
    }  # fmt: skip
    return services.capture_lead(partner=partner, **fields)


def entered(world: World, **over: Any) -> Lead:
    fields = {"contact_name": "Fantine", "contact_email": "fantine@prospect.example", "need": "A bicycle.", **over}
    return services.enter_lead(actor=world.staff, **fields)


def offer_of(lead: Lead) -> Offer:
    return Offer.objects.filter(lead=lead).latest("id")


def accepted(world: World) -> Lead:
    return services.accept_offer(offer=offer_of(written(world.near)), actor=world.person)


def registered(world: World, **over: Any) -> Deal:
    fields = {
        "title": "Thirty bicycles", "customer_name": "Ville de Lyon", "amount": Decimal("41000.50"), "currency": "EUR",
        "expected_on": date(2026, 12, 24), **over,
    }  # fmt: skip
    return services.register_deal(partner=world.near, actor=world.person, **fields)


def approved(world: World) -> Deal:
    return services.approve_deal(deal=registered(world), actor=world.staff)
