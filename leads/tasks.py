"""What leads tell who is no member: the prospect. What partners are told stands in `notices`."""

from smtplib import SMTPException
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import get_language, override

from leads.models import Lead


def after_commit(task: Any, pk: int) -> None:
    """Queue a mail once the transaction that it tells of is committed."""
    language = get_language() or settings.LANGUAGE_CODE
    transaction.on_commit(lambda: task.delay(pk, language))


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=True, max_retries=5)
def mail_receipt(lead_id: int, language: str) -> None:
    """Tell the prospect that its message arrived, in the language it wrote in."""
    lead = Lead.objects.select_related("partner").get(pk=lead_id)
    context = {"lead": lead, "VENDOR_NAME": settings.VENDOR_NAME, "SITE_URL": settings.SITE_URL}
    with override(language):
        subject = render_to_string("leads/mail/receipt_subject.txt", context)
        body = render_to_string("leads/mail/receipt.txt", context)
    send_mail(" ".join(subject.split()), body, None, [lead.contact_email])
