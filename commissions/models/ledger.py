"""The append-only ledger of earnings."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models.plans import Plan
from commissions.models.visibility import pay_visible_to
from common.money import AmountField
from leads.models import CURRENCY, Sale
from partners.models import Partner
from tiers.models import Program, Run, Tier


class EarningQuerySet(models.QuerySet["Earning"]):
    def visible_to(self, user: User) -> Self:
        return pay_visible_to(self, user)


class Earning(models.Model):
    """One line of the ledger: the difference between what a sale should earn and what was posted for it before.

    Appended, never changed or deleted (a trigger holds it). `number` counts the lines of one sale, so two runs that
    both computed the same difference cannot both post it. A line explains itself: `base`, `rate`, `tier` and `plan`
    are the terms it was computed with; `before` is what stood posted for the sale, so before + amount is what is due now.
    """

    class Kind(models.TextChoices):
        ACCRUAL = "accrual", _("Commission")
        ADJUSTMENT = "adjustment", _("Adjustment")
        REVERSAL = "reversal", _("Reversal")

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="earnings", db_index=False)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_index=False)
    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="earnings", db_index=False)
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    earned_on = models.DateField(_("earned on"), help_text=_("The day of the sale."))
    posted_at = models.DateTimeField(_("posted"))
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+", db_index=False)
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    tier = models.ForeignKey(Tier, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    base = AmountField(_("base"))
    rate = models.DecimalField(_("rate"), max_digits=7, decimal_places=6)
    before = AmountField(_("posted before"))
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])

    objects = EarningQuerySet.as_manager()

    class Meta:
        verbose_name = _("earning")
        verbose_name_plural = _("earnings")
        ordering = ["-earned_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["sale", "program", "partner", "number"], name="commissions_each_line_of_a_sale_once"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="commissions_line_changes_something"),
            models.CheckConstraint(condition=Q(number__gte=1), name="commissions_lines_count_from_one"),
        ]
        indexes = [
            models.Index(fields=["partner", "earned_on"], name="commissions_earning_by_partner"),
            models.Index(fields=["run"], name="commissions_earning_by_run"),
        ]

    def __str__(self) -> str:
        return f"{self.sale_id}/{self.number}: {self.amount} {self.currency}"
