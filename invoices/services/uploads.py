"""Invoices that partners send themselves, matched to their statements."""

import hashlib
from datetime import date
from decimal import Decimal

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from commissions.models import Statement
from common import documents
from common.periods import program_today
from common.templatetags.show import money
from invoices import incoming
from invoices.errors import UploadError
from invoices.models import Invoice, UploadedInvoice
from invoices.selectors import TO_BILL
from journal import services as journal

State = UploadedInvoice.State


@transaction.atomic
def send_invoice(
    *, statement: Statement, number: str, issued_on: date, net: Decimal, tax: Decimal, document: File, actor: User | None
) -> UploadedInvoice:  # fmt: skip
    """The partner's own invoice for one of its statements; staff decide. Its currency is the statement's.

    Raises UploadError where it does not come to what the statement says, where its number stands on another invoice of the
    partner, where the statement has a document already, or where the XML inside the PDF says otherwise; DocumentError for a
    file that is not taken.
    """
    locked = Statement.objects.select_for_update(no_key=True).get(pk=statement.pk)
    number = number.strip()
    _fits(locked, net, tax, issued_on)
    others = UploadedInvoice.objects.filter(partner=locked.partner_id).exclude(state=State.REFUSED)
    if Invoice.objects.filter(statement=locked).exists() or others.filter(statement=locked).exists():
        raise UploadError(_("This statement has its invoice already."))
    if others.filter(number=number).exists():
        raise UploadError(
            _("You sent an invoice with the number %(number)s before: each number stands once.") % {"number": number}
        )
    name = documents.checked(document)
    if not name.lower().endswith(".pdf"):
        raise UploadError(_("Send the invoice as a PDF."))
    content = document.read()
    document.seek(0)
    profile = incoming.checked(content, number=number, currency=locked.currency, net=net, tax=tax)
    made = UploadedInvoice.objects.create(
        partner_id=locked.partner_id, statement=locked, number=number, issued_on=issued_on, net=net, tax=tax,
        gross=net + tax, currency=locked.currency, document=document, document_name=name,
        sha256=hashlib.sha256(content).hexdigest(), profile=profile, sent_by=actor,
    )  # fmt: skip
    journal.record(
        verb="invoices.upload.sent", subject=made, actor=actor, partner_id=locked.partner_id,
        after={"number": number, "gross": str(made.gross), "currency": made.currency, "statement": locked.pk},
    )  # fmt: skip
    return made


def _fits(statement: Statement, net: Decimal, tax: Decimal, issued_on: date) -> None:
    if statement.state not in TO_BILL:
        raise UploadError(_("This statement is not approved: there is nothing to invoice yet."))
    if issued_on > program_today():
        raise UploadError(_("The invoice is dated after today."))
    for given, expected, what in (
        (net, statement.net, _("The statement comes to %(expected)s without tax, the invoice to %(given)s.")),
        (tax, statement.tax, _("The statement has %(expected)s of tax, the invoice %(given)s.")),
    ):
        if given != expected:
            shown = {"expected": money(expected, statement.currency), "given": money(given, statement.currency)}
            raise UploadError(what % shown)


@transaction.atomic
def decide_upload(*, upload: UploadedInvoice, accept: bool, actor: User, reason: str = "") -> UploadedInvoice:
    """Accept a partner's invoice, or refuse it with a reason: another may then be sent. Repeating changes nothing.

    Raises UploadError where it was decided otherwise, or a refusal says no reason.
    """
    locked = UploadedInvoice.objects.select_for_update(no_key=True).get(pk=upload.pk)
    wanted = State.ACCEPTED if accept else State.REFUSED
    if locked.state == wanted:
        return locked
    if locked.state != State.SUBMITTED:
        raise UploadError(_("This invoice was decided already. Look at it again."))
    if not accept and not reason.strip():
        raise UploadError(_("Say why it is refused: the partner reads it."))
    locked.state, locked.reason = wanted, reason.strip()
    locked.decided_at, locked.decided_by = timezone.now(), actor
    locked.save(update_fields=["state", "reason", "decided_at", "decided_by"])
    journal.record(
        verb=f"invoices.upload.{wanted}", subject=locked, actor=actor, partner_id=locked.partner_id,
        after={"number": locked.number, "reason": locked.reason},
    )  # fmt: skip
    return locked
