"""Points: the table of what brings them, the append-only ledger of what was granted, and claims with evidence."""

from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.money import AmountField
from common.texts import TextsField
from points import rules
from tiers.models import CODE, Enrollment, Program, Run


class PointRule(models.Model):
    """A row of a program's points table: what each fact brings from `starts_on` up to, not including, `ends_on`.

    `terms` is what a program file says of it beside its columns here (docs/program-file.md, Points), as it stands there.
    Once it granted something its values never change (a trigger holds it): it gets an end, and a row of the same code
    with other values starts there. Rows of one code never hold the same day.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="point_rules")
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = TextsField(_("name"))
    category = models.CharField(_("category"), max_length=40, validators=[CODE])
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True, help_text=_("The first day without it."))
    terms = models.JSONField(_("terms"))
    takes_claims = models.BooleanField(_("claims allowed"), default=True)

    class Meta:
        verbose_name = _("point rule")
        verbose_name_plural = _("point rules")
        ordering = ["program", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "code", "starts_on"], name="points_rule_starts_once_on_a_day"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="points_rule_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def read(self) -> rules.Terms:
        return rules.terms(self.terms)


class PointEntryQuerySet(models.QuerySet["PointEntry"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))

    def live_on(self, day: date) -> Self:
        """What counts on `day`: granted before it, and not expired."""
        return self.filter(Q(expires_on__isnull=True) | Q(expires_on__gt=day), granted_on__lt=day)

    def balance(self) -> Decimal:
        total: Decimal | None = self.order_by().aggregate(total=Sum("points"))["total"]
        return total or Decimal(0)


class PointEntry(models.Model):
    """One line of the ledger: points granted, or the difference to what was granted for the same fact before.

    Appended, never changed or deleted (a trigger holds it). It counts on the days after `granted_on` and before
    `expires_on`; a difference bears the days of what it corrects, so the live balance is that of the table on every day.
    `number` counts the lines of one fact under one rule, so two runs cannot both post the same one. `explanation` holds
    what it was computed with: each, times, brings, cap.
    """

    class Kind(models.TextChoices):
        GRANT = "grant", _("Granted")
        DIFFERENCE = "difference", _("Difference")
        ADJUSTMENT = "adjustment", _("Adjustment")
        CLAIM = "claim", _("Claim")

    OF_FACTS = (Kind.GRANT, Kind.DIFFERENCE)

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="point_entries", db_index=False)
    rule = models.ForeignKey(
        PointRule, null=True, blank=True, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    category = models.CharField(_("category"), max_length=40)
    source = models.CharField(_("source"), max_length=40, blank=True, help_text=_("The code of the rule."))
    dataset = models.CharField(_("dataset"), max_length=40, blank=True)
    fact = models.CharField(_("fact"), max_length=200, blank=True, help_text=_("Its key in the dataset."))
    number = models.PositiveIntegerField(_("number"), default=1)
    units = models.BigIntegerField(_("how many times"), default=0)
    points = AmountField(_("points"))
    granted_on = models.DateField(_("granted on"))
    expires_on = models.DateField(_("expires on"), null=True, blank=True, help_text=_("The first day without them."))
    reason = models.TextField(_("reason"), blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    explanation = models.JSONField(_("explanation"), default=dict)
    created_at = models.DateTimeField(_("posted"))

    objects = PointEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of points")
        verbose_name_plural = _("lines of points")
        ordering = ["-granted_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "enrollment", "fact", "number"],
                condition=Q(kind__in=["grant", "difference"]),
                name="points_each_line_of_a_fact_once",
            ),
            models.CheckConstraint(condition=~Q(points=0), name="points_line_changes_something"),
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(expires_on__gt=F("granted_on")),
                name="points_expire_after_they_are_granted",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["grant", "difference"]) | Q(rule__isnull=False),
                name="points_a_grant_has_its_rule",
            ),
            models.CheckConstraint(
                condition=~Q(kind="adjustment") | ~Q(reason=""), name="points_an_adjustment_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["enrollment", "granted_on"], name="points_entry_by_enrollment"),
            models.Index(fields=["run"], name="points_entry_by_run"),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment}: {self.points:+f}"


def document_path(claim: "Claim", name: str) -> str:
    """Where a claim's document is kept: a name nobody guesses, with the ending of its kind."""
    return f"claims/{claim.enrollment_id}/{uuid4().hex}{PurePath(name).suffix.lower()}"


class ClaimQuerySet(models.QuerySet["Claim"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))


class Claim(models.Model):
    """A partner asks for points, with evidence; staff grant them, fewer, or none, and say why."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        APPROVED = "approved", _("Approved")
        PARTLY = "partly", _("Approved in part")
        REFUSED = "refused", _("Refused")

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="claims")
    rule = models.ForeignKey(PointRule, null=True, blank=True, on_delete=models.PROTECT, related_name="claims")
    category = models.CharField(_("category"), max_length=40, validators=[CODE])
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(_("what was done"), max_length=4000, blank=True)
    document = models.FileField(_("document"), upload_to=document_path, blank=True)
    document_name = models.CharField(_("name of the document"), max_length=200, blank=True)
    asked = AmountField(_("points asked for"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(_("reason"), blank=True)
    entry = models.OneToOneField(PointEntry, null=True, blank=True, on_delete=models.PROTECT, related_name="claim")

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim of points")
        verbose_name_plural = _("claims of points")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(asked__gt=0), name="points_a_claim_asks_for_something"),
            models.CheckConstraint(
                condition=Q(state__in=["approved", "partly"], entry__isnull=False)
                | Q(state__in=["draft", "submitted", "refused"], entry__isnull=True),
                name="points_an_approved_claim_has_its_line",
            ),
        ]
        indexes = [models.Index(fields=["state", "submitted_at"], name="points_claim_by_state")]

    def __str__(self) -> str:
        return self.title
