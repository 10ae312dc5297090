"""Statements: a partner's ledger lines of a month in one currency, from draft to paid."""

from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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

    def issued(self) -> Self:
        """What the partner was given to read, whatever became of it."""
        return self.exclude(state=Statement.State.DRAFT)

    def over(self) -> Self:
        """What nothing will be paid by: what it came to goes on."""
        return self.filter(state__in=(Statement.State.CARRIED, Statement.State.CANCELLED))


class Statement(models.Model):
    """A partner's earnings of one month in one currency. A draft follows the ledger; from its review on nothing of it changes.

    total = opening + amount + released - held + tax. `amount` is the sum of its lines, held ones too. What a carried or a
    cancelled one came to, without tax, is in the `opening` of the one it is `carried_to`. States move by `lifecycle.MOVES`
    alone; `tax` and `held` are filled when it is approved. Triggers hold all of this.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_REVIEW = "in_review", _("In review")
        APPROVED = "approved", pgettext_lazy("statement", "Approved")
        SCHEDULED = "scheduled", _("Payment scheduled")
        PAID = "paid", _("Paid")
        BLOCKED = "blocked", _("Blocked")
        FAILED = "failed", _("Payment failed")
        CANCELLED = "cancelled", _("Cancelled")
        CARRIED = "carried", _("Carried over")

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="statements")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("up to, not including"))
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    opening = AmountField(_("opening balance"), default=0, help_text=_("Carried over from statements before."))
    amount = AmountField(_("amount"), default=0, help_text=_("The sum of its lines."))
    released = AmountField(_("released"), default=0, help_text=_("Lines held on earlier statements, answered since."))
    held = AmountField(_("held"), default=0, help_text=_("Lines questioned and not answered when it was approved."))
    tax = AmountField(_("tax"), default=0)
    total = AmountField(_("total"), default=0)
    tax_rate = models.DecimalField(_("tax rate"), max_digits=7, decimal_places=6, default=0)
    tax_mention = models.CharField(_("tax mention"), max_length=40, blank=True, default="")
    drafted_by = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    issued_at = models.DateTimeField(_("issued at"), null=True, blank=True)
    review_ends_on = models.DateField(
        _("review ends on"),
        null=True,
        blank=True,
        help_text=_("The first day on which lines can no longer be questioned."),
    )
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    approved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("approved by"),
        help_text=_("Empty where the end of the review approved it."),
    )  # fmt: skip
    paid_on = models.DateField(_("paid on"), null=True, blank=True)
    payment_reference = models.CharField(_("payment reference"), max_length=140, blank=True, default="")
    reason = models.CharField(
        _("reason"),
        max_length=500,
        blank=True,
        default="",
        help_text=_("Why it is blocked, failed, cancelled or carried."),
    )
    carried_to = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="carried_from",
        verbose_name=_("carried to"),
    )

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
            models.CheckConstraint(
                condition=Q(total=F("opening") + F("amount") + F("released") - F("held") + F("tax")),
                name="commissions_statement_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state="paid", paid_on__isnull=False) | ~Q(state="paid"),
                name="commissions_paid_statement_has_its_day",
            ),
            models.CheckConstraint(
                condition=Q(carried_to__isnull=True) | Q(state__in=["carried", "cancelled"]),
                name="commissions_only_what_is_over_is_carried",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "review_ends_on"], name="commissions_statement_by_state"),
            models.Index(
                fields=["partner"],
                condition=Q(state__in=["carried", "cancelled"], carried_to__isnull=True),
                name="commissions_statement_loose",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner} {self.starts_on:%Y-%m} {self.currency}"

    @property
    def net(self) -> Decimal:
        """What it comes to without tax."""
        return self.total - self.tax


class StatementLineQuerySet(models.QuerySet["StatementLine"]):
    def in_order(self) -> Self:
        """As a statement is read: by day and order, each sale's lines together."""
        return self.order_by("earning__earned_on", "earning__sale__order_number", "earning__sale_id", "earning_id")

    def with_terms(self) -> Self:
        """With what a line shows, in the same query."""
        return self.select_related(
            "earning__sale__product",
            "earning__sale__deal",
            "earning__terms__tier",
            "earning__terms__plan",
            "earning__posting",
        )


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
