"""How a program pays: effective-dated plans and their rules."""

from datetime import date
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.texts import TextsField
from tiers.models import CODE, Program


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
