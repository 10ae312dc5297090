"""What payouts tell people, after the commit that makes it true."""

from smtplib import SMTPException

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import override

from partners.models import Member
from payouts.models import PayeeAccount


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=True, max_retries=5)
def mail_account_news(account_id: int, what: str, member_id: int) -> None:
    """Tell one owner, in its own language, what happened to an account: asked, confirmed, refused, withdrawn or flagged. Repeating mails again."""
    account = PayeeAccount.objects.select_related("partner", "asked_by").get(pk=account_id)
    member = Member.objects.select_related("user").get(pk=member_id)
    address = member.user.email if member.user is not None and member.user.is_active else member.email
    if not address:
        return
    context = {
        "member": member, "account": account, "what": what, "VENDOR_NAME": settings.VENDOR_NAME,
        "SITE_URL": settings.SITE_URL,
    }  # fmt: skip
    with override((member.user.language if member.user else "") or settings.LANGUAGE_CODE):
        subject = render_to_string("payouts/mail/account_news_subject.txt", context)
        body = render_to_string("payouts/mail/account_news.txt", context)
    send_mail(" ".join(subject.split()), body, None, [address])
