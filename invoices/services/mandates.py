"""The self-billing mandate: its words, who accepted them, until when."""

from collections.abc import Mapping
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from common.periods import program_today
from common.texts import Texts
from invoices.errors import MandateError
from invoices.models import Mandate, MandateText, PartnerIdentity
from journal import services as journal
from partners.models import Partner


@transaction.atomic
def publish_mandate_text(*, text: Mapping[str, str], actor: User | None) -> MandateText:
    """Other words from now on, as the next version; mandates that stand stay on theirs. The same words change nothing.

    Raises MandateError where a language of the site has none.
    """
    latest = MandateText.objects.select_for_update().order_by("-version").first()
    if latest is not None and dict(latest.text) == dict(text):
        return latest
    lacking = [str(name) for code, name in settings.LANGUAGES if not text.get(code, "").strip()]
    if lacking:
        raise MandateError(
            _("Give the words in every language: %(lacking)s is missing.") % {"lacking": ", ".join(lacking)}
        )
    version = (MandateText.objects.aggregate(Max("version"))["version__max"] or 0) + 1
    made = MandateText.objects.create(version=version, text=Texts(text), recorded_by=actor)
    journal.record(verb="invoices.mandate_text.published", subject=made, actor=actor, after={"version": version})
    return made


@transaction.atomic
def accept_mandate(*, partner: Partner, text: MandateText, language: str, actor: User) -> Mandate:
    """The partner lets the vendor write its invoices, by these words, from today on. Accepting them again changes nothing.

    A mandate by earlier words ends today. Raises MandateError where the words are not the latest, or the partner has given
    no legal details yet.
    """
    Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    today = program_today()
    latest = MandateText.objects.order_by("-version").first()
    if latest is None or latest.pk != text.pk:
        raise MandateError(_("The mandate’s words changed while you read them. Read them again."))
    if not PartnerIdentity.objects.filter(partner=partner).exclude(state=PartnerIdentity.State.REFUSED).exists():
        raise MandateError(_("Give your legal details first: the mandate is in that company’s name."))
    standing = Mandate.objects.filter(partner=partner, ends_on__isnull=True).first()
    if standing is not None and standing.text_id == text.pk:
        return standing
    if standing is not None:
        _end(standing, today, actor)
    made = Mandate.objects.create(
        partner=partner, text=text, language=language, starts_on=today, accepted_at=timezone.now(), accepted_by=actor
    )
    journal.record(
        verb="invoices.mandate.accepted", subject=made, actor=actor, partner_id=partner.pk,
        after={"version": text.version, "language": language},
    )  # fmt: skip
    return made


@transaction.atomic
def revoke_mandate(*, mandate: Mandate, ends_on: date, actor: User) -> Mandate:
    """The vendor writes none of the partner's invoices from `ends_on` on. Repeating changes nothing.

    Raises MandateError for a day that is past, or where it was revoked from another day.
    """
    locked = Mandate.objects.select_for_update(no_key=True).get(pk=mandate.pk)
    if locked.ends_on == ends_on:
        return locked
    if locked.ends_on is not None:
        raise MandateError(_("The mandate is revoked already, from another day."))
    if ends_on < program_today():
        raise MandateError(_("A mandate is revoked from today on at the earliest: documents were written under it."))
    _end(locked, max(ends_on, locked.starts_on), actor)
    journal.record(
        verb="invoices.mandate.revoked", subject=locked, actor=actor, partner_id=locked.partner_id,
        after={"ends_on": locked.ends_on.isoformat() if locked.ends_on else ""},
    )  # fmt: skip
    return locked


def _end(mandate: Mandate, ends_on: date, actor: User) -> None:
    mandate.ends_on, mandate.revoked_at, mandate.revoked_by = ends_on, timezone.now(), actor
    mandate.save(update_fields=["ends_on", "revoked_at", "revoked_by"])
