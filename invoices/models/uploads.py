"""Invoices that partners without a mandate write themselves."""

from pathlib import PurePath
from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models import Statement
from commissions.models.visibility import pay_visible_to
from common.money import AmountField
from partners.models import Partner


def document_path(upload: "UploadedInvoice", name: str) -> str:
    """Where it is kept: a name nobody guesses, with the ending of its kind."""
    return f"invoices/{upload.partner_id}/{uuid4().hex}{PurePath(name).suffix.lower()}"


class UploadedInvoiceQuerySet(models.QuerySet["UploadedInvoice"]):
    def visible_to(self, user: User) -> Self:
        return pay_visible_to(self, user)


class UploadedInvoice(models.Model):
    """A partner's own invoice for one statement, as it was sent; staff accept it, or refuse it with a reason."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("Submitted")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="uploaded_invoices", verbose_name=_("partner")
    )
    statement = models.ForeignKey(
        Statement, on_delete=models.PROTECT, related_name="uploaded_invoices", verbose_name=_("statement")
    )
    number = models.CharField(_("number"), max_length=40)
    issued_on = models.DateField(_("date of the invoice"))
    net = AmountField(_("without tax"))
    tax = AmountField(_("tax"))
    gross = AmountField(_("with tax"))
    currency = models.CharField(_("currency"), max_length=3)
    document = models.FileField(_("document"), upload_to=document_path)
    document_name = models.CharField(_("name of the document"), max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    profile = models.CharField(
        _("electronic invoice"), max_length=40, blank=True,
        help_text=_("The profile of the Factur-X that the PDF carries, whose totals agree; empty for a plain PDF."),
    )  # fmt: skip
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.SUBMITTED)
    sent_at = models.DateTimeField(_("sent"), auto_now_add=True)
    sent_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("sent by"))  # fmt: skip
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by"))  # fmt: skip
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects = UploadedInvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice sent by a partner")
        verbose_name_plural = _("invoices sent by partners")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "number"], condition=~Q(state="refused"), name="invoices_a_partner_numbers_each_once"
            ),
            models.UniqueConstraint(
                fields=["statement"], condition=~Q(state="refused"), name="invoices_one_sent_invoice_per_statement"
            ),
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="invoices_a_sent_invoice_adds_up"),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(reason=""), name="invoices_a_refused_invoice_says_why"
            ),
        ]
        indexes = [models.Index(fields=["state", "sent_at"], name="invoices_sent_by_state")]

    def __str__(self) -> str:
        return self.number
