"""What partners earn: effective-dated plans, the append-only ledger, and monthly statements."""

from datetime import date
from typing import Self, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.money import AmountField
from common.texts import TextsField
from leads.models import CURRENCY, Sale
from partners.models import Member, Partner
from partners.roles import Right, roles_that_may
from tiers.models import CODE, Program, Run, Tier


class PlanQuerySet(models.QuerySet["Plan"]):
    def published(self) -> Self:
        return self.filter(state=Plan.State.PUBLISHED)

    def in_force_on(self, day: date) -> Self:
        """Newest first: the first one is the plan in force."""
        return (
            self.published()
            .filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)
            .order_by("-starts_on", "-version")
        )


class Plan(models.Model):
    """How a program pays, from `starts_on` until a later published plan starts or `ends_on` comes.

    Once published it is never edited (a trigger holds it). A correction is a later version that starts on the same day
    and takes its place; the next night posts the differences.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="plans")
    name = TextsField(_("name"))
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("commission plan")
        verbose_name_plural = _("commission plans")
        ordering = ["program", "-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["program", "version"], name="commissions_plan_version_unique_in_program"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="commissions_plan_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Rule(models.Model):
    """Within a plan: the part of each sale's net amount that a partner earns who held the tier on the day of the sale."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="rules")
    tier_code = models.CharField(_("tier"), max_length=40, validators=[CODE])
    rate = models.DecimalField(
        _("rate"),
        max_digits=7,
        decimal_places=6,
        help_text=_("A fraction: 0.15 is 15%."),
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )

    class Meta:
        verbose_name = _("commission rule")
        verbose_name_plural = _("commission rules")
        ordering = ["plan", "id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "tier_code"], name="commissions_one_rule_per_plan_and_tier"),
            models.CheckConstraint(condition=Q(rate__gte=0, rate__lte=1), name="commissions_rate_is_a_fraction"),
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {self.tier_code} {self.rate}"


Pay = TypeVar("Pay", bound=models.QuerySet)


def _pay_visible_to(rows: Pay, user: User) -> Pay:
    """Staff see every partner's pay; a member its own partner's, where its role sees pay."""
    if user.is_active and user.is_staff:
        return rows
    readers = Member.objects.signing_in_as(user).filter(role__in=roles_that_may(Right.SEE_PAY))
    return rows.filter(partner__in=readers.values("partner_id"))


class EarningQuerySet(models.QuerySet["Earning"]):
    def visible_to(self, user: User) -> Self:
        return _pay_visible_to(self, user)


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


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, user: User) -> Self:
        return _pay_visible_to(self, user)


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
