"""Every write about partners and their people that a person asks for. Files come in by `partners.imports`."""

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from journal import services as journal
from partners.errors import PartnerError
from partners.models import Location, Member, Partner


@transaction.atomic
def save_partner(*, partner: Partner, actor: User | None = None) -> Partner:
    """Keep what staff typed about a partner, a new one too; without an address of its page it gets one from its name.

    Repeating changes nothing.
    """
    if not partner.slug:
        partner.slug = _free_slug(partner.name)
    journal.save(row=partner, actor=actor, partner_id=partner.pk)
    return partner


def _free_slug(name: str) -> str:
    """The name as an address, with a number where another partner has it."""
    base = slugify(name)[:200] or "partner"
    taken = set(Partner.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken)


@transaction.atomic
def set_status(*, partner: Partner, status: Partner.Status, reason: str, actor: User | None = None) -> Partner:
    """Suspend a partner, take it back, or note that it left: from then on its people cannot enter the portal, and the
    directory does not list it. Repeating changes nothing. Raises PartnerError without a reason.
    """
    if not reason.strip():
        raise PartnerError(_("Say why: the partner’s history keeps it."))
    locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    if locked.status == status:
        return locked
    before, locked.status = locked.status, status
    locked.save(update_fields=["status"])
    journal.record(
        verb="partners.partner.status", subject=locked, actor=actor, partner_id=locked.pk,
        before={"status": before}, after={"status": str(status), "reason": reason},
    )  # fmt: skip
    return locked


@transaction.atomic
def save_location(*, location: Location, actor: User | None = None) -> Location:
    """Keep where a partner is. Coordinates given by hand are exact; without any it is listed as not placed."""
    if location.latitude is None or location.longitude is None:
        location.latitude = location.longitude = None
        location.accuracy = Location.Accuracy.UNKNOWN
    elif location.accuracy == Location.Accuracy.UNKNOWN:
        location.accuracy = Location.Accuracy.EXACT
    journal.save(row=location, actor=actor, partner_id=location.partner_id)
    return location


@transaction.atomic
def save_member(*, member: Member, actor: User | None = None) -> Member:
    """Keep what staff typed about a person of a partner. Repeating changes nothing."""
    journal.save(row=member, actor=actor, partner_id=member.partner_id)
    return member
