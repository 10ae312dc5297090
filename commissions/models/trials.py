"""Dry runs of plans over the real history."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from commissions.models.plans import Plan
from common.money import AmountField
from partners.models import Partner


class PlanTrial(models.Model):
    """What a plan would pay for the facts from `starts_on` up to, not including, `day`, beside what stands in the ledger for them.
    Nothing is posted; it can be deleted.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="trials", verbose_name=_("plan"))
    definition = models.JSONField(_("rules"), help_text=_("The rules as they were when it started."))
    starts_on = models.DateField(_("facts from"))
    day = models.DateField(_("facts before"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    error = models.TextField(_("what went wrong"), blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("author")
    )
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("dry run of a plan")
        verbose_name_plural = _("dry runs of plans")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(day__gt=models.F("starts_on")), name="commissions_trial_has_days")
        ]

    def __str__(self) -> str:
        return f"{self.plan} ({self.starts_on} – {self.day})"


class TrialChunk(models.Model):
    """A range of partners of a dry run, done once: how many facts it saw, and why those that earn nothing do."""

    trial = models.ForeignKey(PlanTrial, on_delete=models.CASCADE, related_name="chunks")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    done_at = models.DateTimeField(null=True)
    facts = models.PositiveIntegerField(default=0)
    nothing = models.JSONField(default=dict)  # how many facts, by reason

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trial", "first"], name="commissions_trial_chunk_once")]

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class TrialRow(models.Model):
    """What facts of `owner` would earn `partner` in one currency, and what stands for them."""

    trial = models.ForeignKey(PlanTrial, on_delete=models.CASCADE, related_name="rows", db_index=False)
    owner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+", db_index=False)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    currency = models.CharField(_("currency"), max_length=3)
    would = AmountField(_("would earn"))
    stands = AmountField(_("stands"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "owner", "partner", "currency"], name="commissions_trial_row_once")
        ]

    def __str__(self) -> str:
        return f"{self.partner}: {self.would} {self.currency}"
