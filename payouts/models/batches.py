"""Batches: statements to be paid together, approved by two people, leaving as one file."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models import Statement
from common.money import AmountField
from leads.models import CURRENCY
from partners.models import Partner
from payouts import reasons
from payouts.models.accounts import PayeeAccount, PayerAccount, Rail, paid_to


class PayoutBatch(models.Model):
    """Payments that leave together: draft → approved by a second person → sent → settled, partly failed or failed.

    From approval on it never changes (a trigger holds it), and its file is what was made then. It may be cancelled until
    it is sent. `count` and `total` are those of its items.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        SENT = "sent", _("Sent to the bank")
        SETTLED = "settled", _("Settled")
        PARTLY_FAILED = "partly_failed", _("Partly failed")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    LEFT = (State.SENT, State.SETTLED, State.PARTLY_FAILED, State.FAILED)

    payer = models.ForeignKey(
        PayerAccount, on_delete=models.PROTECT, related_name="batches", verbose_name=_("paid from")
    )
    rail = models.CharField(_("how"), max_length=10, choices=Rail)
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    execute_on = models.DateField(_("to be executed on"))
    state = models.CharField(_("state"), max_length=14, choices=State, default=State.DRAFT)
    count = models.PositiveIntegerField(_("payments"))
    total = AmountField(_("total"))
    built_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("built by")
    )
    built_at = models.DateTimeField(_("built"))
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved"), null=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("sent by")
    )
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("payout batch")
        verbose_name_plural = _("payout batches")
        ordering = ["-id"]
        permissions = [
            ("approve_payoutbatch", _("Can approve a payout batch")),
            ("send_payoutbatch", _("Can send a payout batch to the bank and settle it")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "sent", "settled", "partly_failed", "failed"])
                | (Q(approved_by__isnull=False) & ~Q(approved_by=F("built_by"))),
                name="payouts_batch_approved_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "settled", "partly_failed", "failed"]) | Q(sent_at__isnull=False),
                name="payouts_batch_sent_at_an_instant",
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="payouts_batch_pays"),
        ]
        indexes = [models.Index(fields=["state", "built_at"], name="payouts_batch_by_state")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class PayoutItemQuerySet(models.QuerySet["PayoutItem"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(paid_to(user))

    def left(self) -> Self:
        """Those that were sent to the bank: what a partner sees of its payments."""
        return self.filter(batch__state__in=PayoutBatch.LEFT).exclude(state=PayoutItem.State.CANCELLED)


class PayoutItem(models.Model):
    """One payment of one statement in one batch. A statement has one that is open or paid at most (a constraint holds it).

    What it pays never changes (a trigger holds it); its state goes from open to paid, failed or cancelled, and from paid
    to returned where the money came back. `attempt` counts the payments of one statement.
    """

    class State(models.TextChoices):
        UNDER_WAY = "under_way", _("Under way")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Failed")
        RETURNED = "returned", _("Returned")
        CANCELLED = "cancelled", _("Cancelled")

    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="items")
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="payouts")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="payouts", db_index=False)
    account = models.ForeignKey(PayeeAccount, on_delete=models.PROTECT, related_name="payouts")
    attempt = models.PositiveSmallIntegerField(_("attempt"))
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    end_to_end_id = models.CharField(_("reference of the payment"), max_length=35, unique=True)
    remittance = models.CharField(_("what stands on the payment"), max_length=140)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UNDER_WAY)
    paid_on = models.DateField(_("paid on"), null=True)
    returned_on = models.DateField(_("returned on"), null=True)
    bank_reference = models.CharField(_("the bank’s reference"), max_length=70, blank=True)
    reason = models.CharField(_("reason"), max_length=35, blank=True)
    reason_text = models.CharField(_("what the bank wrote"), max_length=300, blank=True)

    objects = PayoutItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["batch", "id"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "attempt"], name="payouts_each_attempt_once"),
            models.UniqueConstraint(
                fields=["statement"], condition=Q(state__in=["under_way", "paid"]), name="payouts_statement_paid_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payouts_item_pays_something"),
            models.CheckConstraint(
                condition=~Q(state__in=["paid", "returned"]) | Q(paid_on__isnull=False), name="payouts_paid_on_a_day"
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="payouts_item_by_partner")]

    def __str__(self) -> str:
        return self.end_to_end_id

    @property
    def says(self) -> str:
        """Why it failed or came back, in the reader's words; nothing otherwise."""
        return reasons.said(self.reason, self.reason_text) if self.state in ("failed", "returned") else ""


class PayoutFile(models.Model):
    """The file of a batch, made once (a trigger keeps it): every download gives the same bytes. `sealed` holds account numbers."""

    batch = models.OneToOneField(PayoutBatch, on_delete=models.PROTECT, related_name="file")
    name = models.CharField(_("name"), max_length=100)
    sealed = models.BinaryField()
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveIntegerField(_("size"))
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("payment file")
        verbose_name_plural = _("payment files")

    def __str__(self) -> str:
        return self.name
