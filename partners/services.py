"""Every write about partners and their people that a person asks for. Files come in by `partners.imports`."""

from collections.abc import Collection, Iterable
from datetime import date

from django.db import connection, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from journal import services as journal
from partners.errors import PartnerError, SponsorshipError
from partners.models import Location, Member, Partner, Sponsorship
from partners.rules import Bond, circles, shared


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


# --- Sponsors -------------------------------------------------------------------------------------


@transaction.atomic
def sponsor(
    *, partner: Partner, sponsor: Partner, starts_on: date, ends_on: date | None = None, actor: User | None = None
) -> Sponsorship:
    """Say who brought a partner in, or supplies it, from `starts_on` up to, not including, `ends_on`.

    The same sponsor from the same day on again changes the end. Repeating changes nothing. Raises SponsorshipError for a
    partner itself, a second sponsor on a day, a circle, an end before the start.
    """
    lock_sponsorships()
    return _begin(partner, sponsor, starts_on, ends_on, actor)


def _begin(
    partner: Partner, sponsor: Partner, starts_on: date, ends_on: date | None, actor: User | None
) -> Sponsorship:  # fmt: skip
    found = Sponsorship.objects.filter(partner=partner, sponsor=sponsor, starts_on=starts_on).first()
    made = found or Sponsorship(partner=partner, sponsor=sponsor, starts_on=starts_on)
    made.ends_on = ends_on
    return _keep(made, actor)


@transaction.atomic
def set_sponsor(
    *, partner: Partner, sponsor: Partner | None, on: date, actor: User | None = None
) -> Sponsorship | None:
    """From a day on a partner has this sponsor and no other, or none. Repeating changes nothing. Raises as `sponsor`."""
    lock_sponsorships()
    before = Sponsorship.objects.filter(partner=partner).on(on).first()
    if before is not None and sponsor is not None and before.sponsor_id == sponsor.pk and before.ends_on is None:
        return before
    if before is not None:
        end_sponsorship(sponsorship=before, ends_on=on, actor=actor)
    return _begin(partner, sponsor, on, None, actor) if sponsor is not None else None


@transaction.atomic
def end_sponsorship(*, sponsorship: Sponsorship, ends_on: date, actor: User | None = None) -> Sponsorship:
    """A partner has no sponsor, or another, from `ends_on`. Repeating changes nothing. Raises as `sponsor`."""
    lock_sponsorships()
    made = Sponsorship.objects.select_related("partner", "sponsor").get(pk=sponsorship.pk)
    made.ends_on = ends_on
    return _keep(made, actor)


def _keep(made: Sponsorship, actor: User | None) -> Sponsorship:
    names = {"partner": made.partner, "sponsor": made.sponsor}
    bond = bond_of(made)
    if made.partner_id == made.sponsor_id:
        raise SponsorshipError(_("%(partner)s cannot sponsor itself.") % names)
    if made.ends_on is not None and made.ends_on < made.starts_on:
        raise SponsorshipError(_("The end comes before the start."))
    others = list(Sponsorship.objects.filter(partner=made.partner_id).exclude(pk=made.pk).select_related("sponsor"))
    for other in others:
        if shared(bond_of(other), bond) is not None:
            raise SponsorshipError(
                _("%(partner)s has a sponsor at that time, %(sponsor)s: end that first.")
                % {"partner": made.partner, "sponsor": other.sponsor}
            )
    if circles([bond], lambda partners: bonds_of(partners, without={made.pk}, and_=[bond])):
        raise SponsorshipError(
            _("%(sponsor)s has %(partner)s above it at that time, so it cannot be its sponsor.") % names
        )
    is_new = made.pk is None
    kept = None if is_new else Sponsorship.objects.get(pk=made.pk)
    if kept is not None and kept.ends_on == made.ends_on:
        return made
    made.save()
    journal.record(
        verb=f"partners.sponsorship.{'started' if is_new else 'changed'}", subject=made, actor=actor,
        partner_id=made.partner_id, before={} if kept is None else {"ends_on": _day(kept.ends_on)},
        after={"sponsor": made.sponsor.external_id, "starts_on": _day(made.starts_on), "ends_on": _day(made.ends_on)},
    )  # fmt: skip
    return made


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def lock_sponsorships() -> None:
    """One writer of sponsorships at a time, until the transaction ends: a circle may come of two that look at other rows.

    SQLite has one writer as it is.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Sponsorship._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def bond_of(sponsorship: Sponsorship) -> Bond:
    return Bond(sponsorship.partner_id, sponsorship.sponsor_id, sponsorship.starts_on, sponsorship.ends_on)


def bonds_of(partners: set[int], *, without: Collection[int | None], and_: Iterable[Bond]) -> list[Bond]:
    """Bonds of these partners: those that are kept but `without`, and those that are about to be. One query."""
    kept = Sponsorship.objects.filter(partner__in=partners)
    return [
        *(bond_of(one) for one in kept if one.pk not in without),
        *(bond for bond in and_ if bond.partner in partners),
    ]
