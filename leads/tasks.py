"""What leads and deals tell people, after the commit that makes it true. No mail carries a prospect's details."""

from smtplib import SMTPException
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import get_language, override

from leads.models import Deal, Lead
from partners.models import Member
from partners.roles import Right, roles_that_may


def after_commit(task: Any, pk: int) -> None:
    """Queue a mail once the transaction that it tells of is committed."""
    language = get_language() or settings.LANGUAGE_CODE
    transaction.on_commit(lambda: task.delay(pk, language))


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=True, max_retries=5)
def mail_offer(lead_id: int, language: str) -> None:
    """Tell the partner's people who may work leads that one waits for them, each in its own language."""
    lead = Lead.objects.select_related("partner").get(pk=lead_id)
    people = Member.objects.filter(
        partner=lead.partner, left_on__isnull=True, user__is_active=True, role__in=roles_that_may(Right.WORK_LEADS)
    ).select_related("user")
    for member in people:
        if member.user is not None:
            _mail("offer", member.user.email, member.user.language, {"lead": lead, "member": member})


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=True, max_retries=5)
def mail_receipt(lead_id: int, language: str) -> None:
    """Tell the prospect that its message arrived, in the language it wrote in."""
    lead = Lead.objects.select_related("partner").get(pk=lead_id)
    _mail("receipt", lead.contact_email, language, {"lead": lead})


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=True, max_retries=5)
def mail_decision(deal_id: int, language: str) -> None:
    """Tell who registered a deal what staff decided."""
    deal = Deal.objects.select_related("partner", "registered_by").get(pk=deal_id)
    if deal.registered_by is not None:
        _mail("decision", deal.registered_by.email, deal.registered_by.language, {"deal": deal})


def _mail(name: str, to: str, language: str, context: dict[str, Any]) -> None:
    context |= {"VENDOR_NAME": settings.VENDOR_NAME, "SITE_URL": settings.SITE_URL}
    with override(language or settings.LANGUAGE_CODE):
        subject = render_to_string(f"leads/mail/{name}_subject.txt", context)
        body = render_to_string(f"leads/mail/{name}.txt", context)
    send_mail(" ".join(subject.split()), body, None, [to])
