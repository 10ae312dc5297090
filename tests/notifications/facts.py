"""Partners with people, and entries of the journal about them."""

from typing import Any

from django.core import mail

from accounts.models import User
from journal import services as journal
from journal.models import Entry
from notifications import sending, telling
from partners.models import Partner
from tests.factories import make_enrollment, make_partner, make_portal_user, make_program, make_sales_edition
from tiers.models import Enrollment, Program
from tiers.services import publish_edition

EARN = {"measure": "net-sales-12m", "is": "at_least", "value": "900000"}


def make_tiers(**over: Any) -> Program:
    """A published program in euros whose tiers are named Level 1 to Level 3, Palier 1 to Palier 3, with a distinction."""
    program = make_program(slug="resellers", currency="EUR", **over)
    edition = make_sales_edition(program)
    edition.distinctions.create(code="mountain", name={"en": "Mountain", "fr": "Montagne"}, earn=EARN)
    publish_edition(edition=edition)
    return program


def enrolled(program: Program, **over: Any) -> Enrollment:
    return make_enrollment(make_partner(**over), program)


def people(partner: Partner, *roles: str) -> dict[str, User]:
    return {role: make_portal_user(partner, role=role) for role in roles}


def moved(enrollment: Enrollment, before: str = "level-1", after: str = "level-2", **over: Any) -> Entry:
    """The night moved an enrollment from one tier to another."""
    return journal.record(
        verb="tiers.placement.changed", subject=enrollment, partner_id=enrollment.partner_id, before={"tier": before},
        after={"tier": after, "on": "2026-03-01", "reason": "earned", **over},
    )  # fmt: skip


def deliver() -> None:
    """What the schedule does: read on, and send what is due."""
    telling.tell_people()
    while sending.send_mails():
        pass


def sent() -> dict[str, list[str]]:
    """The subjects of the mails sent so far, by address."""
    found: dict[str, list[str]] = {}
    for one in mail.outbox:
        for address in one.to:
            found.setdefault(address, []).append(one.subject)
    return found


def plain(text: Any) -> str:
    """With ordinary spaces, on one line."""
    return " ".join(str(text).replace("\xa0", " ").replace("\u202f", " ").split())
