"""Reads that span invoicing: who is who on a day, what is taxed how, which statements a document is due for."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from commissions.models import Statement
from invoices.models import (  # fmt: skip
    DocumentKind,
    Invoice,
    InvoiceSettings,
    Mandate,
    MandateText,
    PartnerIdentity,
    UploadedInvoice,
    VendorIdentity,
    Waiting,
)
from invoices.rules import Category, Mention, Missing, MissingForTaxError, Status, Taxed, Terms, tax_terms
from partners.models import Partner

State = Statement.State
TO_BILL = (State.APPROVED, State.SCHEDULED, State.PAID, State.FAILED)
UNDONE = (State.CANCELLED, State.CARRIED)

# --- Who is who -----------------------------------------------------------------------------------


def identities(partner_ids: Collection[int], on: date) -> dict[int, PartnerIdentity]:
    """The identity in force on the day of each partner that has one. One query."""
    found = PartnerIdentity.objects.in_force_on(on).filter(partner__in=partner_ids)
    return {one.partner_id: one for one in found}


def vendor_identity(on: date) -> VendorIdentity | None:
    """The vendor's identity in force on the day. One query."""
    return VendorIdentity.objects.filter(starts_on__lte=on).order_by("-starts_on", "-id").first()


def mandate_of(partner: Partner, on: date) -> Mandate | None:
    return Mandate.objects.in_force_on(on).filter(partner=partner).select_related("text", "accepted_by").first()


def mandate_text() -> MandateText | None:
    """The words that a partner accepts today."""
    return MandateText.objects.order_by("-version").first()


# --- Tax ------------------------------------------------------------------------------------------


def taxed(identity: PartnerIdentity | VendorIdentity) -> Taxed:
    if isinstance(identity, VendorIdentity):
        return Taxed(identity.country, identity.vat_number)
    return Taxed(
        identity.country, identity.vat_number, Status(identity.tax_status), identity.exemption, identity.exemption_code
    )


def terms_between(partner: PartnerIdentity, vendor: VendorIdentity, on: date) -> Terms | Missing:
    """The tax of the partner's commissions on the day, or what is missing to say."""
    try:
        return tax_terms(partner=taxed(partner), vendor=taxed(vendor), on=on)
    except MissingForTaxError as error:
        return error.missing


def terms_of(invoice: Invoice) -> Terms:
    """The terms that a document bears, with its supplier's own words."""
    return Terms(
        Category(invoice.tax_category), invoice.tax_rate, Mention(invoice.tax_mention), exemption=invoice.seller.exemption
    )  # fmt: skip


# --- Which statements ---------------------------------------------------------------------------------


def to_document(on: date) -> QuerySet[Statement]:
    """Statements whose document is due on the day and not made: an invoice under a mandate that stood when they were
    approved and stands still; or a credit note, where an invoiced one was cancelled or carried over.

    Where the partner sent its own invoice, none is due.
    """
    made = Invoice.objects.filter(statement=OuterRef("pk"))
    standing = Mandate.objects.in_force_on(on).filter(
        partner=OuterRef("partner"), accepted_at__lte=OuterRef("approved_at")
    )
    sent = UploadedInvoice.objects.filter(statement=OuterRef("pk")).exclude(state=UploadedInvoice.State.REFUSED)
    bill = Q(Exists(standing), ~Exists(made), ~Exists(sent), ~Q(total=0), state__in=TO_BILL)
    take_back = Q(
        Exists(made.filter(kind=DocumentKind.INVOICE)), ~Exists(made.filter(kind=DocumentKind.CREDIT_NOTE)),
        state__in=UNDONE,
    )  # fmt: skip
    return Statement.objects.filter(bill | take_back)


def to_send(partner: Partner) -> QuerySet[Statement]:
    """The partner's statements that it may send its own invoice for: approved, with no document and none on its way."""
    made = Invoice.objects.filter(statement=OuterRef("pk"))
    sent = UploadedInvoice.objects.filter(statement=OuterRef("pk")).exclude(state=UploadedInvoice.State.REFUSED)
    open_ones = Statement.objects.filter(~Exists(made), ~Exists(sent), partner=partner, state__in=TO_BILL, total__gt=0)
    return open_ones.order_by("-starts_on", "currency")


def held_from_payment(statement_ids: Collection[int]) -> dict[int, str]:
    """Of these statements, those whose payment waits for an invoice, and why; nothing where the settings ask for none.

    Four queries at most.
    """
    if not statement_ids or not InvoiceSettings.current().required_to_pay:
        return {}
    billed = set(
        Invoice.objects.filter(statement__in=statement_ids, kind=DocumentKind.INVOICE).values_list(
            "statement_id", flat=True
        )
    )
    sent = dict(
        UploadedInvoice.objects.filter(statement__in=statement_ids)
        .exclude(state=UploadedInvoice.State.REFUSED)
        .values_list("statement_id", "state")
    )
    waiting = {one.statement_id: one for one in Waiting.objects.filter(statement__in=statement_ids)}
    held = {}
    for pk in statement_ids:
        if pk in billed or sent.get(pk) == UploadedInvoice.State.ACCEPTED:
            continue
        if pk in sent:
            held[pk] = _("The partner’s invoice is not decided yet.")
        elif pk in waiting:
            held[pk] = waiting[pk].get_reason_display()
        else:
            held[pk] = _("There is no invoice yet.")
    return held


# --- What a partner reads -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A statement with the documents that bill it, and why there is none where there is none."""

    statement: Statement
    invoices: list[Invoice]
    sent: list[UploadedInvoice]
    waiting: Waiting | None
    is_covered: bool  # by the mandate: its document is written by the night

    @property
    def is_sent(self) -> bool:
        """Whether an invoice of the partner stands or waits."""
        return any(one.state != UploadedInvoice.State.REFUSED for one in self.sent)


def billed(partner: Partner) -> QuerySet[Statement]:
    """The partner's statements that have, or should have, a document: newest first."""
    had = Exists(Invoice.objects.filter(statement=OuterRef("pk")))
    own = Statement.objects.filter(Q(state__in=TO_BILL) & ~Q(total=0) | Q(had), partner=partner)
    return own.order_by("-starts_on", "currency")


def document_rows(statements: Iterable[Statement], mandate: Mandate | None) -> list[DocumentRow]:
    """Three queries."""
    asked = list(statements)
    keys = [one.pk for one in asked]
    invoices: dict[int, list[Invoice]] = defaultdict(list)
    for invoice in Invoice.objects.filter(statement__in=keys).order_by("pk"):
        invoices[invoice.statement_id].append(invoice)
    sent: dict[int, list[UploadedInvoice]] = defaultdict(list)
    for upload in UploadedInvoice.objects.filter(statement__in=keys).order_by("pk"):
        sent[upload.statement_id].append(upload)
    waiting = {one.statement_id: one for one in Waiting.objects.filter(statement__in=keys)}
    return [
        DocumentRow(
            one, invoices[one.pk], sent[one.pk], waiting.get(one.pk),
            mandate is not None and one.approved_at is not None and mandate.accepted_at <= one.approved_at,
        )
        for one in asked
    ]  # fmt: skip
