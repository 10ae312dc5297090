"""What commissions tell people, after the commit that makes it true."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from smtplib import SMTPException
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import override

from commissions.models import Statement
from commissions.readers import readers_of
from partners.models import Member

BATCH = 1000


def after_commit(task: Any, *arguments: Any) -> None:
    """Ask for a task once the transaction is committed. One that cannot be asked for is logged, and keeps back no other."""

    def ask() -> None:  # not a partial: Django asks a robust callback for its name before it logs
        task.delay(*arguments)

    transaction.on_commit(ask, robust=True)


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


@shared_task
def mail_statements_issued_at(moment: str) -> None:
    """Ask for the mails of every statement that closing a month issued at a moment, each by a task of its own."""
    issued = Statement.objects.filter(issued_at=datetime.fromisoformat(moment)).order_by("pk")
    waiting: Iterator[tuple[int, int]] = issued.values_list("pk", "partner_id").iterator(chunk_size=BATCH)
    while batch := list(islice(waiting, BATCH)):
        readers: dict[int, list[int]] = {}
        for partner_id, member_id in readers_of({partner_id for _pk, partner_id in batch}):
            readers.setdefault(partner_id, []).append(member_id)
        with transaction.atomic():
            for pk, partner_id in batch:
                for member_id in readers.get(partner_id, ()):
                    after_commit(mail_issued_statement, pk, member_id)
