"""Who stands on an invoice, as the law names it. A change is a new row from a day on; nothing is overwritten."""

from datetime import date
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models.visibility import pay_visible_to
from common.texts import TextsField
from invoices.rules import Status
from partners.models import Partner

COUNTRY = RegexValidator(r"^[A-Z]{2}$", _("Two capital letters (ISO 3166)."))


class Identity(models.Model):
    """The legal details that an invoice names, from `starts_on` on, until the next one."""

    name = models.CharField(_("legal name"), max_length=200)
    street = models.CharField(_("street"), max_length=200)
    street2 = models.CharField(_("street, second line"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20)
    city = models.CharField(_("city"), max_length=120)
    country = models.CharField(_("country"), max_length=2, validators=[COUNTRY])
    registration_number = models.CharField(
        _("registration number"), max_length=40, blank=True,
        help_text=_("In the register of companies. In France the SIREN, nine digits."),
    )  # fmt: skip
    establishment_number = models.CharField(
        _("SIRET"),
        max_length=14,
        blank=True,
        help_text=_("France only: fourteen digits, the first nine are the SIREN."),
    )
    vat_number = models.CharField(
        _("VAT number"), max_length=20, blank=True, help_text=_("With its country’s letters, as FR40303265045.")
    )
    legal_line = models.CharField(
        _("legal line"), max_length=300, blank=True,
        help_text=_("Legal form, capital and register, as the law asks on invoices: “SARL au capital de 10 000 € – RCS Lyon 552 008 443”."),
    )  # fmt: skip
    starts_on = models.DateField(_("from"))
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    recorded_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by"))  # fmt: skip

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class PartnerIdentityQuerySet(models.QuerySet["PartnerIdentity"]):
    def visible_to(self, user: User) -> Self:
        return pay_visible_to(self, user)

    def in_force_on(self, day: date) -> Self:
        """Accepted ones that started, oldest first: the last of each partner is the one in force."""
        accepted = self.filter(state=PartnerIdentity.State.ACCEPTED, starts_on__lte=day)
        return accepted.order_by("partner_id", "starts_on", "id")


class PartnerIdentity(Identity):
    """A partner's identity. Where a setting says so, staff look at it before it counts."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("Submitted")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")

    class TaxStatus(models.TextChoices):
        NORMAL = Status.NORMAL.value, _("Charges VAT")
        SMALL = Status.SMALL.value, _("Small enterprise, exempt from VAT")
        EXEMPT = Status.EXEMPT.value, _("Exempt for what it does")

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="invoice_identities", verbose_name=_("partner")
    )
    tax_status = models.CharField(_("VAT status"), max_length=10, choices=TaxStatus, default=TaxStatus.NORMAL)
    exemption = models.CharField(
        _("mention of the exemption"), max_length=200, blank=True,
        help_text=_("As the law asks on invoices, with its article; only where what you do is exempt."),
    )  # fmt: skip
    exemption_code = models.CharField(
        _("code of the exemption"), max_length=30, blank=True,
        validators=[RegexValidator(r"^VATEX-[A-Z0-9-]+$", _("A code of the VATEX list, as VATEX-EU-135-1."))],
        help_text=_("From the VATEX list of EN 16931, where you know it."),
    )  # fmt: skip
    language = models.CharField(_("language of invoices"), max_length=5, default="en")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACCEPTED)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by"))  # fmt: skip
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects = PartnerIdentityQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal details of a partner")
        verbose_name_plural = _("legal details of partners")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(tax_status="exempt") | ~Q(exemption=""), name="invoices_an_exemption_has_its_mention"
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(reason=""), name="invoices_a_refused_identity_says_why"
            ),
            models.UniqueConstraint(
                fields=["partner"], condition=Q(state="submitted"), name="invoices_one_identity_waits_at_most"
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "state", "starts_on"], name="invoices_identity_by_partner"),
            models.Index(fields=["state", "recorded_at"], name="invoices_identity_by_state"),
        ]


class VendorIdentity(Identity):
    """The vendor's own identity: the customer on every document."""

    mentions = TextsField(
        _("mentions"), default=dict, blank=True, help_text=_("What else stands at the end of every document.")
    )

    class Meta:
        verbose_name = _("legal details of the vendor")
        verbose_name_plural = _("legal details of the vendor")
        ordering = ["-starts_on", "-id"]
