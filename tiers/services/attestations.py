"""What people vouch for."""

from datetime import date
from typing import Any

from django.db import transaction

from accounts.models import User
from journal import services as journal
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
    """Record a fact that a person vouches for, with a document (a file) where there is one. Repeating records it again."""
    attestation = Attestation.objects.create(
        enrollment=enrollment, kind=kind, title=title, starts_on=starts_on, ends_on=ends_on,
        document=document, author=author, is_made_up=is_made_up,
    )  # fmt: skip
    journal.record(
        verb="tiers.attestation.given", subject=attestation, actor=author, partner_id=enrollment.partner_id,
        after={"kind": kind, "title": title, "starts_on": starts_on.isoformat()},
    )  # fmt: skip
    return attestation
