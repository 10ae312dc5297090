"""How a program pays: effective-dated plans, their rules as one document each (docs/plan-file.md)."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.texts import TextsField
from leads.models import CURRENCY
from partners.models import Partner
from tiers.models import Program


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

    `definition` is the plan in the very form of a program file: currency, days on hold, rules. Once published it is never
    edited (a trigger holds it). A correction is a later version that starts on the same day and takes its place; the next
    night posts the differences.
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
    definition = models.JSONField(_("rules"), default=dict)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("author"),
    )  # fmt: skip
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("commission plan")
        verbose_name_plural = _("commission plans")
        ordering = ["program", "-starts_on", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["program", "version"], name="commissions_plan_version_unique_in_program"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="commissions_plan_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class PayoutCurrency(models.Model):
    """What a partner is paid in for facts from `starts_on` on, where that is not the plan's currency. Appended."""

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="payout_currencies", verbose_name=_("partner")
    )
    currency = models.CharField(_("currency"), max_length=3, validators=[CURRENCY])
    starts_on = models.DateField(_("starts on"))

    class Meta:
        verbose_name = _("payout currency")
        verbose_name_plural = _("payout currencies")
        ordering = ["partner", "-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "starts_on"], name="commissions_one_payout_currency_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.partner}: {self.currency} ({self.starts_on})"
