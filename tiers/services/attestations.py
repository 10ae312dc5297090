"""What people vouch for."""

from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from common import documents
from common.templatetags import show
from journal import services as journal
from tiers.errors import AttestationError
from tiers.models import Attestation, Enrollment


@transaction.atomic
def attest(
    *,
    enrollment: Enrollment,
    kind: str,
    title: str,
    starts_on: date,
    ends_on: date | None = None,
    document: Any = "",
    author: User | None = None,
    is_made_up: bool = False,
) -> Attestation:
    """Record a fact that a person vouches for, with a document (a file) where there is one.

    It is known by enrollment, kind, title and first day: repeating changes nothing. Raises AttestationError for an end that
    is not after its start, and where it is known with another end or without the document; DocumentError for a document
    that is not taken.
    """
    if ends_on is not None and ends_on <= starts_on:
        raise AttestationError(_("It ends after it starts."))
    if document:
        documents.checked(document)
    # The enrollment row is the lock: of two that say the same at once, one is recorded.
    Enrollment.objects.select_for_update(no_key=True).get(pk=enrollment.pk)
    own = Attestation.objects.filter(enrollment=enrollment, kind=kind, title=title, starts_on=starts_on)
    known = own.order_by("id").first()
    if known is not None:
        if known.ends_on != ends_on or (document and not known.document):
            raise AttestationError(
                _("“%(title)s” is recorded from that day on, with another end or without a document.")
                % {"title": title}
            )
        return known
    attestation = Attestation.objects.create(
        enrollment=enrollment, kind=kind, title=title, starts_on=starts_on, ends_on=ends_on,
        document=document, author=author, is_made_up=is_made_up,
    )  # fmt: skip
    journal.record(
        verb="tiers.attestation.given", subject=attestation, actor=author, partner_id=enrollment.partner_id,
        after={"kind": kind, "title": title, "starts_on": starts_on.isoformat()},
    )  # fmt: skip
    return attestation


@transaction.atomic
def end_attestation(*, attestation: Attestation, on: date, reason: str, actor: User | None = None) -> Attestation:
    """End it by hand: `on` is the first day without it. What was vouched for stays as it was said, with its author.

    Raises AttestationError without a reason, for a day that is not after its first, and where it has ended by then; then
    nothing is written.
    """
    locked = Attestation.objects.select_for_update(no_key=True).get(pk=attestation.pk)
    if not reason.strip():
        raise AttestationError(_("Say why it ends: whoever reads its history asks."))
    if on <= locked.starts_on:
        raise AttestationError(_("It ends after its first day, %(day)s.") % {"day": show.day(locked.starts_on)})
    if locked.ends_on is not None and locked.ends_on <= on:
        raise AttestationError(_("It ends on %(day)s already.") % {"day": show.day(locked.ends_on)})
    before, locked.ends_on = locked.ends_on, on
    locked.save(update_fields=["ends_on"])
    journal.record(
        verb="tiers.attestation.ended", subject=locked, actor=actor, partner_id=locked.enrollment.partner_id,
        before={"ends_on": before and before.isoformat()},
        after={"title": locked.title, "ends_on": on.isoformat(), "note": reason.strip()},
    )  # fmt: skip
    return locked
