"""Legal details: each change is another row, from a day on."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from common.periods import program_today
from common.texts import Texts
from invoices import numbers
from invoices.errors import IdentityError
from invoices.models import InvoiceSettings, PartnerIdentity, VendorIdentity
from invoices.rules import Status
from journal import services as journal
from partners.models import Partner

WHO = ("name", "street", "street2", "postal_code", "city", "country", "registration_number", "establishment_number",
       "vat_number", "legal_line")  # fmt: skip
State = PartnerIdentity.State
PARTNER = (*WHO, "tax_status", "exemption", "exemption_code", "language")


@transaction.atomic
def record_identity(*, partner: Partner, fields: Mapping[str, str], actor: User | None) -> PartnerIdentity:
    """These are the partner's legal details from today on; where the settings say so, once staff accepted them.

    What waited for staff before is refused in its favour. Giving what stands already changes nothing.
    Raises IdentityError, naming the fields, for what cannot stand on an invoice.
    """
    Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    today = program_today()
    given = _checked({name: fields.get(name, "") for name in PARTNER}, today, Status(fields["tax_status"]))
    if given["language"] not in dict(settings.LANGUAGES):
        given["language"] = settings.LANGUAGE_CODE
    if given["tax_status"] != Status.EXEMPT:
        given |= {"exemption": "", "exemption_code": ""}
    own = PartnerIdentity.objects.filter(partner=partner)
    waiting = own.filter(state=State.SUBMITTED).first()
    standing = waiting or own.in_force_on(today).last()
    if standing is not None and _facts(standing, PARTNER) == given:
        return standing
    if waiting is not None:
        waiting.state, waiting.reason = State.REFUSED, _("Replaced by later details.")
        waiting.save(update_fields=["state", "reason"])
    reviewed = InvoiceSettings.current().reviews_identities
    made = PartnerIdentity.objects.create(
        partner=partner, starts_on=today, recorded_by=actor, state=State.SUBMITTED if reviewed else State.ACCEPTED,
        **given,
    )  # fmt: skip
    journal.record(
        verb="invoices.identity.submitted" if reviewed else "invoices.identity.changed", subject=made, actor=actor,
        partner_id=partner.pk, before=_facts(standing, PARTNER) if standing else {}, after=given,
    )  # fmt: skip
    return made


@transaction.atomic
def decide_identity(*, identity: PartnerIdentity, accept: bool, actor: User, reason: str = "") -> PartnerIdentity:
    """Accept legal details, from today on, or refuse them with a reason. Repeating changes nothing.

    Raises IdentityError where they were decided otherwise, or a refusal says no reason.
    """
    locked = PartnerIdentity.objects.select_for_update(no_key=True).get(pk=identity.pk)
    wanted = State.ACCEPTED if accept else State.REFUSED
    if locked.state == wanted:
        return locked
    if locked.state != State.SUBMITTED:
        raise IdentityError(_("These details were decided already. Look at them again."))
    if not accept and not reason.strip():
        raise IdentityError(_("Say why they are refused: the partner reads it."))
    locked.state, locked.reason = wanted, reason.strip()
    locked.starts_on = max(locked.starts_on, program_today()) if accept else locked.starts_on
    locked.decided_at, locked.decided_by = timezone.now(), actor
    locked.save(update_fields=["state", "reason", "starts_on", "decided_at", "decided_by"])
    journal.record(
        verb=f"invoices.identity.{wanted}", subject=locked, actor=actor, partner_id=locked.partner_id,
        after={"reason": locked.reason, "starts_on": locked.starts_on.isoformat()},
    )  # fmt: skip
    return locked


@transaction.atomic
def record_vendor_identity(
    *, fields: Mapping[str, str], starts_on: date, mentions: Mapping[str, str], actor: User | None
) -> VendorIdentity:  # fmt: skip
    """These are the vendor's legal details from a day on. Giving what stands from that day changes nothing.

    Raises IdentityError, naming the fields, for what cannot stand on an invoice.
    """
    given = _checked({name: fields.get(name, "") for name in WHO}, starts_on, None)
    standing = (
        VendorIdentity.objects.select_for_update().filter(starts_on__lte=starts_on).order_by("starts_on", "id").last()
    )
    said = Texts(mentions)
    if standing is not None and _facts(standing, WHO) == given and dict(standing.mentions) == dict(said):
        return standing
    made = VendorIdentity.objects.create(starts_on=starts_on, recorded_by=actor, mentions=said, **given)
    journal.record(
        verb="invoices.vendor.changed", subject=made, actor=actor, before=_facts(standing, WHO) if standing else {},
        after={**given, "starts_on": starts_on.isoformat()},
    )  # fmt: skip
    return made


def _checked(given: dict[str, str], on: date, status: Status | None) -> dict[str, str]:
    tidy = numbers.tidied(given)
    if found := numbers.problems(tidy, on=on, status=status):
        raise IdentityError(found)
    return tidy


def _facts(identity: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: getattr(identity, name) for name in names}
