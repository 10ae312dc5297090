"""What staff set about invoicing."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class InvoiceSettings(models.Model):
    """One row at most; without one, the defaults hold."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    reviews_identities = models.BooleanField(
        _("staff look at legal details first"), default=False,
        help_text=_("What a partner changes counts once staff accepted it; otherwise at once."),
    )  # fmt: skip
    required_to_pay = models.BooleanField(
        _("no payment without an invoice"), default=False,
        help_text=_("A statement waits until its document is made, or the partner’s own invoice is accepted."),
    )  # fmt: skip
    payment_days = models.PositiveSmallIntegerField(
        _("days to pay"), default=30, validators=[MaxValueValidator(60)],
        help_text=_("From the document’s day to the day it is due. France allows 60 at most."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("settings of invoicing")
        verbose_name_plural = _("settings of invoicing")
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="invoices_settings_are_one_row")]

    def __str__(self) -> str:
        return str(_("Settings of invoicing"))

    @classmethod
    def current(cls) -> "InvoiceSettings":
        """One query."""
        return cls.objects.first() or cls()
