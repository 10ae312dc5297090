"""Statements: a partner's ledger lines of a month in one currency."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models.ledger import Earning
from commissions.models.visibility import pay_visible_to
from common.money import AmountField
from leads.models import CURRENCY
from partners.models import Partner
from tiers.models import Run


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, user: User) -> Self:
        return pay_visible_to(self, user)


class Statement(models.Model):
    """A partner's earnings of one month in one currency. A draft follows the ledger; an issued one never changes."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ISSUED = "issued", _("Issued")

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="statements")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("up to, not including"))
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    amount = AmountField(_("amount"), default=0)
    drafted_by = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering = ["-starts_on", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "starts_on", "currency"], name="commissions_one_statement_per_month"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="commissions_statement_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} {self.starts_on:%Y-%m} {self.currency}"


class StatementLineQuerySet(models.QuerySet["StatementLine"]):
    def in_order(self) -> Self:
        """As a statement is read: by day and order, each sale's lines together."""
        return self.order_by("earning__earned_on", "earning__sale__order_number", "earning__sale_id", "earning_id")

    def with_terms(self) -> Self:
        """With what a line shows, in the same query."""
        return self.select_related("earning__sale__product", "earning__sale__deal", "earning__tier", "earning__plan")


class StatementLine(models.Model):
    """An earning stands on a statement: on one at most."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    earning = models.OneToOneField(Earning, on_delete=models.PROTECT, related_name="statement_line")

    objects = StatementLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement line")
        verbose_name_plural = _("statement lines")
        ordering = ["statement", "earning__earned_on", "earning_id"]

    def __str__(self) -> str:
        return f"{self.statement_id}: {self.earning_id}"
