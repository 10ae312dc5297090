"""The night's own tables: its runs, their chunks, and the work tables that measures fill."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tiers.models.program import Edition, Program


class RunQuerySet(models.QuerySet["Run"]):
    def nights(self) -> Self:
        return self.filter(is_dry=False)


class DryRunManager(models.Manager["DryRun"]):
    def get_queryset(self) -> models.QuerySet["DryRun"]:
        return super().get_queryset().filter(is_dry=True)


class Run(models.Model):
    """One night of one program, or a dry run of an edition over its partners, which writes what would happen and nothing else.

    Its work is cut into chunks; any number of workers may share it and any may die.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="runs")
    day = models.DateField(_("day"))
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="+")
    is_dry = models.BooleanField(_("dry run"), default=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    previous_on = models.DateField(
        _("night before it"), null=True, help_text=_("The last day before it whose night is done.")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    step = models.CharField(_("step"), max_length=20, blank=True)
    options = models.JSONField(_("options"), default=dict)
    totals = models.JSONField(_("totals"), default=dict)
    carried = models.JSONField(default=dict, help_text=_("Totals of earlier passes over the same day."))
    error = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("night")
        verbose_name_plural = _("nights")
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "day"], condition=Q(is_dry=False), name="tiers_one_run_per_program_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.program} {self.day}"


class DryRun(Run):
    """The runs that are dry runs, as the admin shows them."""

    objects = DryRunManager()  # type: ignore[misc,assignment]  # fewer rows of the same table

    class Meta:
        proxy = True
        verbose_name = _("dry run")
        verbose_name_plural = _("dry runs")
        ordering = ["-id"]


class Outcome(models.Model):
    """What a dry run found for one enrollment: the tier it held on the day, the one the edition would give it, and which
    measures decide (those of the requirements that are missed, or for who rises the one that is met most narrowly).
    `proposed`: the tier above that staff would be asked to confirm.
    """

    class Change(models.IntegerChoices):
        DOWN = -1, _("down")
        STAYS = 0, _("stays")
        UP = 1, _("up")

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="outcomes")
    enrollment = models.ForeignKey("tiers.Enrollment", on_delete=models.CASCADE, related_name="+")
    held = models.CharField(_("holds"), max_length=40, blank=True)
    would = models.CharField(_("would hold"), max_length=40)
    proposed = models.CharField(_("to be confirmed"), max_length=40, blank=True)
    change = models.SmallIntegerField(_("change"), choices=Change)
    decided_by = models.JSONField(_("decided by"), default=list)

    class Meta:
        verbose_name = _("outcome of a dry run")
        verbose_name_plural = _("outcomes of a dry run")
        ordering = ["run", "-change", "enrollment"]
        constraints = [models.UniqueConstraint(fields=["run", "enrollment"], name="tiers_one_outcome_per_enrollment")]
        indexes = [models.Index(fields=["run", "change"], name="tiers_outcome_by_change")]

    def __str__(self) -> str:
        return f"{self.enrollment_id}: {self.held} → {self.would}"


class Chunk(models.Model):
    """A part of one step of a run: one transaction, safe to repeat. Done in the same transaction as its work,
    so a worker that dies leaves it waiting."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks")
    step = models.CharField(_("step"), max_length=20)
    number = models.PositiveIntegerField(_("number"))
    bounds = models.JSONField(_("bounds"), help_text=_("What the step works on, in the step's own terms."))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    counts = models.JSONField(_("counts"), default=dict)
    error = models.TextField(_("error"), blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        ordering = ["run", "id"]
        constraints = [models.UniqueConstraint(fields=["run", "step", "number"], name="tiers_chunk_once_per_step")]

    def __str__(self) -> str:
        return f"{self.run} {self.step} {self.number}"


class Measured(models.Model):
    """The work table of a run: what one measure came to for one enrollment, for one member of a split one. Absent means zero.

    The figure is `value` over `over`, in the measure's own unit (tiers.measures.scale_of): a count, or ten-thousandths of an
    amount. Emptied when the run ends: its rows name nothing that the database would have to check.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    enrollment = models.ForeignKey(
        "tiers.Enrollment", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    measure = models.ForeignKey(
        "tiers.Measure", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    member = models.CharField(max_length=200, blank=True)
    value = models.BigIntegerField()
    over = models.BigIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["run", "enrollment"], name="tiers_measured_by_enrollment")]

    def __str__(self) -> str:
        return f"{self.measure_id} of {self.enrollment_id}: {self.value}"


class Bound(models.Model):
    """The work table of windows that depend on the day of the enrollment: from when to when, for each such day of a program.

    `months` is how many months the window holds, for monthly averages.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    measure = models.ForeignKey(
        "tiers.Measure", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    enrolled_on = models.DateField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    months = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["run", "measure", "enrolled_on"], name="tiers_bound_by_day")]

    def __str__(self) -> str:
        return f"{self.measure_id} for {self.enrolled_on}: {self.starts_on} – {self.ends_on}"
