"""The documents that the vendor writes for its partners, and the numbers they bear."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models import Statement
from commissions.models.visibility import pay_visible_to
from common.money import AmountField
from invoices.document import Kind
from invoices.models.identities import PartnerIdentity, VendorIdentity
from invoices.models.mandates import Mandate
from partners.models import Partner

PREFIXES = {Kind.INVOICE: "SB", Kind.CREDIT_NOTE: "SC"}


def reference(statement: Statement) -> str:
    """How documents name a statement: “ST-2026-10-000042”."""
    return f"ST-{statement.starts_on:%Y-%m}-{statement.pk:06d}"


class DocumentKind(models.TextChoices):
    INVOICE = Kind.INVOICE.value, _("Self-billed invoice")
    CREDIT_NOTE = Kind.CREDIT_NOTE.value, _("Self-billed credit note")


class Series(models.Model):
    """The numbers of one partner's documents of one kind and year: 1, 2, 3... without a gap.

    A series of its own for each partner, because the documents are the partner's: its books must show every number of
    them (CGI ann. II art. 242 nonies A, I, 7°). The row is the lock under which a number is taken.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+", verbose_name=_("partner"))
    kind = models.CharField(_("kind"), max_length=3, choices=DocumentKind)
    year = models.PositiveSmallIntegerField(_("year"))
    last = models.PositiveIntegerField(_("last number"), default=0)
    last_on = models.DateField(_("of"), null=True, blank=True, help_text=_("The day of the last document."))

    class Meta:
        verbose_name = _("series of numbers")
        verbose_name_plural = _("series of numbers")
        ordering = ["-year", "partner", "-kind"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "kind", "year"], name="invoices_one_series_per_partner_and_year")
        ]

    def __str__(self) -> str:
        return self.number(self.last)

    def number(self, place: int) -> str:
        """As it stands on the document: “SB-000042-2026-0007”."""
        return f"{PREFIXES[Kind(self.kind)]}-{self.partner_id:06d}-{self.year}-{place:04d}"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, user: User) -> Self:
        return pay_visible_to(self, user)


class Invoice(models.Model):
    """A document that the vendor wrote in the partner's name for one statement. Never changed, never deleted.

    A statement has one invoice at most, and one credit note: of all that the invoice named, where the statement was
    cancelled or carried over after it; or alone, where the statement comes to less than nothing. Amounts are the document's: a credit note's are positive, `kind` says that they are given back.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="invoices", verbose_name=_("partner"))
    statement = models.ForeignKey(
        Statement, on_delete=models.PROTECT, related_name="invoices", verbose_name=_("statement")
    )
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="invoices")
    place = models.PositiveIntegerField(_("place in its series"))
    number = models.CharField(_("number"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=3, choices=DocumentKind)
    issued_on = models.DateField(_("issued on"))
    due_on = models.DateField(_("due on"))
    currency = models.CharField(_("currency"), max_length=3)
    net = AmountField(_("without tax"))
    tax = AmountField(_("tax"))
    gross = AmountField(_("with tax"))
    tax_category = models.CharField(_("VAT category"), max_length=2)
    tax_rate = models.DecimalField(_("VAT rate"), max_digits=7, decimal_places=6)
    tax_mention = models.CharField(_("tax mention"), max_length=40)
    language = models.CharField(_("language"), max_length=5)
    seller = models.ForeignKey(PartnerIdentity, on_delete=models.PROTECT, related_name="+", verbose_name=_("supplier"))
    buyer = models.ForeignKey(VendorIdentity, on_delete=models.PROTECT, related_name="+", verbose_name=_("customer"))
    mandate = models.ForeignKey(
        Mandate, on_delete=models.PROTECT, related_name="+", verbose_name=_("self-billing mandate")
    )
    validated_against = models.JSONField(_("checked against"))
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveIntegerField(_("size in bytes"))
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    made_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by"))  # fmt: skip

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("self-billed invoice")
        verbose_name_plural = _("self-billed invoices")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "place"], name="invoices_each_number_of_a_series_once"),
            models.UniqueConstraint(fields=["statement", "kind"], name="invoices_one_document_of_a_kind_per_statement"),
            models.CheckConstraint(condition=Q(place__gte=1), name="invoices_numbers_count_from_one"),
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="invoices_an_invoice_adds_up"),
            models.CheckConstraint(condition=Q(net__gte=0), name="invoices_amounts_are_positive"),
        ]
        indexes = [
            models.Index(fields=["partner", "-issued_on"], name="invoices_invoice_by_partner"),
            models.Index(fields=["issued_on", "id"], name="invoices_invoice_by_day"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def file_name(self) -> str:
        return f"{self.number}.pdf"


class InvoiceFile(models.Model):
    """The stored bytes of a document, as they were made.

    In the database rather than on a disk, so that number, row and bytes are written together or not at all, and a
    trigger can refuse every change. `Invoice.sha256` is theirs.
    """

    invoice = models.OneToOneField(Invoice, primary_key=True, on_delete=models.PROTECT, related_name="file")
    pdf = models.BinaryField()

    class Meta:
        verbose_name = _("file of an invoice")
        verbose_name_plural = _("files of invoices")

    def __str__(self) -> str:
        return str(self.invoice_id)


class Waiting(models.Model):
    """A statement whose document could not be made yet, and why. The night tries again; making it deletes the row."""

    class Reason(models.TextChoices):
        IDENTITY = "identity", _("The partner’s legal details are missing.")
        VENDOR = "vendor", _("The vendor’s own legal details are missing.")
        RATE = "rate", _("There is no VAT rate for the partner’s country.")
        PARTNER_VAT_NUMBER = "partner-vat-number", _("The partner’s VAT number is missing.")
        VENDOR_VAT_NUMBER = "vendor-vat-number", _("The vendor’s VAT number is missing.")
        EXEMPTION_MENTION = "exemption-mention", _("The mention of the partner’s exemption is missing.")
        TAX_DIFFERS = "tax-differs", _("The statement was approved with another tax than the document would bear.")
        CURRENCY = "currency", _("The currency has more decimals than an electronic invoice may write.")
        PRINTING = "printing", _("This machine lacks what makes PDF files.")
        INVALID = "invalid", _("The document does not pass its checks.")

    statement = models.OneToOneField(
        Statement,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="invoice_waiting",
        verbose_name=_("statement"),
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    detail = models.TextField(_("detail"), blank=True)
    since = models.DateTimeField(_("since"), auto_now_add=True)
    tried_at = models.DateTimeField(_("tried"))

    class Meta:
        verbose_name = _("invoice that waits")
        verbose_name_plural = _("invoices that wait")
        ordering = ["since"]

    def __str__(self) -> str:
        return f"{self.statement_id}: {self.reason}"
