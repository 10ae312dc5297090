"""Every write about certificates that a person asks for. Files come in by `training.imports`."""

from django.db import transaction

from accounts.models import User
from common.periods import add_months
from journal import services as journal
from training.models import Certificate


@transaction.atomic
def save_certificate(*, certificate: Certificate, actor: User | None = None) -> Certificate:
    """Keep a certificate, a new one too. A new one without an end takes the validity of what it certifies.

    Repeating changes nothing.
    """
    months = certificate.certification.valid_months
    if certificate.pk is None and certificate.expires_on is None and months:
        certificate.expires_on = add_months(certificate.awarded_on, months)
    journal.save(row=certificate, actor=actor, partner_id=certificate.member.partner_id)
    return certificate
