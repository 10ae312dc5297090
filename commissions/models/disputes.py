"""What partners question: a line of the ledger, with a clock; and the lines that a statement was approved without."""

from decimal import Decimal
from pathlib import PurePath
from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models.ledger import Earning
from commissions.models.statements import Statement, StatementLine
from commissions.models.visibility import pay_visible_to
from common.money import AmountField
from partners.models import Partner


def document_path(message: "DisputeMessage", name: str) -> str:
    """Where a message's document is kept: a name nobody guesses, with the ending of its kind."""
    return f"disputes/{message.dispute_id}/{uuid4().hex}{PurePath(name).suffix.lower()}"


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def visible_to(self, user: User) -> Self:
        return pay_visible_to(self, user)

    def open(self) -> Self:
        return self.filter(state=Dispute.State.OPEN)


class Dispute(models.Model):
    """A partner questions a line. Staff accept it (wholly or in part: an adjustment follows) or refuse it, and say why; or the
    partner withdraws it. Once answered it never changes (a trigger holds it). One line has one open dispute at most.

    `expected` is what the partner says the line should be; `amount` what was granted: the adjustment's, signed.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Waiting for an answer")
        ACCEPTED = "accepted", _("Accepted")
        PARTLY = "partly", _("Accepted in part")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Category(models.TextChoices):
        AMOUNT = "amount", _("The net amount is wrong")
        RATE = "rate", _("The rate or the tier is wrong")
        MISSING = "missing", _("Something is missing")
        NOT_OURS = "not_ours", _("This sale is not ours")
        REVERSAL = "reversal", _("It was taken back wrongly")
        OTHER = "other", _("Something else")

    earning = models.ForeignKey(Earning, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("line"))
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("partner"))
    category = models.CharField(_("what is wrong"), max_length=10, choices=Category)
    expected = AmountField(_("expected amount"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened"))
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("opened by"))
    due_on = models.DateField(_("answer due on"), help_text=_("The last day on which staff should answer."))
    escalated_on = models.DateField(_("overdue since"), null=True, blank=True)
    amount = AmountField(_("granted"), null=True, blank=True)
    answer = models.TextField(_("answer"), max_length=4000, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("answered by")
    )
    adjustment = models.OneToOneField(
        Earning,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="granted_by",
        verbose_name=_("adjustment"),
    )

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["earning"], condition=Q(state="open"), name="commissions_one_open_dispute_per_line"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["accepted", "partly"], amount__isnull=False)
                | Q(state__in=["open", "refused", "withdrawn"], amount__isnull=True),
                name="commissions_an_accepted_dispute_grants",
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="commissions_a_dispute_grants_something"),
        ]
        indexes = [
            models.Index(fields=["state", "due_on"], name="commissions_dispute_by_state"),
            models.Index(fields=["partner", "-id"], name="commissions_dispute_of_partner"),
        ]

    def __str__(self) -> str:
        return f"{self.get_category_display()} · {self.opened_at:%Y-%m-%d}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def asked(self) -> Decimal | None:
        """The difference that the partner asks for."""
        return None if self.expected is None else self.expected - self.earning.amount


class DisputeMessage(models.Model):
    """What the partner or staff wrote about a dispute. Appended, never changed."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("author"))
    by_staff = models.BooleanField(_("by staff"), default=False)
    text = models.TextField(_("text"), max_length=4000)
    document = models.FileField(_("document"), upload_to=document_path, blank=True)
    document_name = models.CharField(_("name of the document"), max_length=200, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("message about a dispute")
        verbose_name_plural = _("messages about a dispute")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]


class HoldQuerySet(models.QuerySet["Hold"]):
    def loose(self) -> Self:
        """Answered, and on no later statement yet."""
        return self.exclude(dispute__state=Dispute.State.OPEN).filter(released_to__isnull=True)


class Hold(models.Model):
    """A line that its statement was approved without, because it was questioned. It stays on that statement, whose `held`
    counts it; once the dispute is answered, the `released` of a later one does. Never undone, released once (triggers).
    """

    line = models.OneToOneField(StatementLine, on_delete=models.PROTECT, related_name="hold")
    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="hold")
    released_to = models.ForeignKey(
        Statement,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="releases",
        verbose_name=_("released to"),
    )

    objects = HoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("held line")
        verbose_name_plural = _("held lines")

    def __str__(self) -> str:
        return str(self.line)
