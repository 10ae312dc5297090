"""What commissions tell people, after the commit that makes it true."""

from smtplib import SMTPException

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import override

from commissions.models import Statement
from partners.models import Member


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=True, max_retries=5)
def mail_issued_statement(statement_id: int, member_id: int) -> None:
    """Tell one member, in its own language, that a statement was issued. Repeating mails again."""
    statement = Statement.objects.select_related("partner").get(pk=statement_id)
    member = Member.objects.select_related("user").get(pk=member_id)
    if member.user is None:
        return
    context = {
        "member": member,
        "statement": statement,
        "VENDOR_NAME": settings.VENDOR_NAME,
        "SITE_URL": settings.SITE_URL,
    }
    with override(member.user.language or settings.LANGUAGE_CODE):
        subject = render_to_string("commissions/mail/statement_issued_subject.txt", context)
        body = render_to_string("commissions/mail/statement_issued.txt", context)
    send_mail(" ".join(subject.split()), body, None, [member.user.email])
