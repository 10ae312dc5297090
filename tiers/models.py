"""Programs as data: editions of rules, who is enrolled, what each night measured, and the tiers held."""

from datetime import date
from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.texts import TextsField
from partners.models import Partner

CODE = RegexValidator(r"^[a-z][a-z0-9-]*$", _("Small letters, digits and hyphens, starting with a letter."))


class ProgramQuerySet(models.QuerySet["Program"]):
    def public(self) -> Self:
        return self.filter(is_public=True)


class Program(models.Model):
    """One ladder that partners enrol in."""

    slug = models.SlugField(_("address"), max_length=60, unique=True, validators=[CODE])
    name = TextsField(_("name"))
    promise = TextsField(_("promise"), default=dict, blank=True, help_text=_("The headline of its public page."))
    description = TextsField(_("description"), default=dict, blank=True)
    currency = models.CharField(_("currency"), max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    is_public = models.BooleanField(_("public"), default=True)

    objects = ProgramQuerySet.as_manager()

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.name)


class EditionQuerySet(models.QuerySet["Edition"]):
    def published(self) -> Self:
        return self.filter(state=Edition.State.PUBLISHED)

    def in_force_on(self, day: date) -> Self:
        """Newest first: the first one is the edition in force."""
        return self.published().filter(starts_on__lte=day).order_by("-starts_on")


class Edition(models.Model):
    """One effective-dated version of a program's rules. In force until the next published one starts.

    A published edition is never edited: services refuse, and a trigger holds it in the database.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    class Review(models.TextChoices):
        NIGHTLY = "nightly", _("every night")
        MONTHLY = "monthly", _("every month")
        QUARTERLY = "quarterly", _("every quarter")
        YEARLY = "yearly", _("every year")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="editions")
    name = models.CharField(_("name"), max_length=80)
    starts_on = models.DateField(_("starts on"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    review = models.CharField(
        _("review"),
        max_length=10,
        choices=Review,
        default=Review.NIGHTLY,
        help_text=_("When a tier may be lost. A higher tier is given on the night it is earned."),
    )

    objects = EditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        ordering = ["program", "-starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "starts_on"],
                condition=Q(state="published"),
                name="tiers_one_published_edition_per_program_and_day",
            ),
            models.UniqueConstraint(fields=["program", "name"], name="tiers_edition_name_unique_in_program"),
        ]

    def __str__(self) -> str:
        return f"{self.program} {self.name}"


class Tier(models.Model):
    """A rank in an edition. The lowest rank is the entry tier: enrolling gives it, no rule is needed to hold it."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="tiers")
    code = models.CharField(
        _("code"), max_length=40, validators=[CODE], help_text=_("The same from edition to edition.")
    )
    rank = models.PositiveSmallIntegerField(_("rank"), help_text=_("1 is the entry tier."))
    name = TextsField(_("name"))
    summary = TextsField(_("summary"), default=dict, blank=True)
    color = models.CharField(
        _("colour"), max_length=7, default="#4f7394", validators=[RegexValidator(r"^#[0-9a-f]{6}$")]
    )

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["edition", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "rank"], name="tiers_rank_unique_in_edition"),
            models.UniqueConstraint(fields=["edition", "code"], name="tiers_code_unique_in_edition"),
            models.CheckConstraint(condition=Q(rank__gte=1), name="tiers_rank_starts_at_one"),
        ]

    def __str__(self) -> str:
        return str(self.name)


class Measure(models.Model):
    """A figure about an enrollment: dataset + aggregate + filters + window, or one measure over another (a ratio).

    `filters` is a list of {"field", "is", "value"}, of which `all` or `any` may be grouped; `window` says which days count
    (tiers.windows). docs/program-file.md describes both.
    """

    class Aggregate(models.TextChoices):
        SUM = "sum", _("Sum")
        COUNT = "count", _("Count")
        DISTINCT = "distinct", _("Distinct count")
        MIN = "min", _("Smallest")
        MAX = "max", _("Largest")
        RATIO = "ratio", _("Ratio of two measures")

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="measures")
    key = models.CharField(_("key"), max_length=60, validators=[CODE])
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = TextsField(_("name"))
    aggregate = models.CharField(_("aggregate"), max_length=10, choices=Aggregate)
    dataset = models.CharField(_("dataset"), max_length=40, blank=True)
    field = models.CharField(_("field"), max_length=40, blank=True)
    filters = models.JSONField(_("filters"), default=list, blank=True)
    window = models.JSONField(_("window"), default=dict, blank=True)
    numerator = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("numerator")
    )
    denominator = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("denominator")
    )

    class Meta:
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        ordering = ["edition", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "key"], name="tiers_measure_key_unique_in_edition"),
            models.CheckConstraint(
                condition=Q(aggregate="ratio", numerator__isnull=False, denominator__isnull=False, dataset="")
                | ~Q(aggregate="ratio") & Q(numerator__isnull=True, denominator__isnull=True) & ~Q(dataset=""),
                name="tiers_measure_is_a_ratio_or_reads_a_dataset",
            ),
        ]

    def __str__(self) -> str:
        return str(self.name)


class Rule(models.Model):
    """A node of a tier's rule tree: all, any or at least N of its children, or a requirement (a leaf)."""

    class Purpose(models.TextChoices):
        EARN = "earn", _("To reach the tier")
        KEEP = "keep", _("To keep the tier")

    class Kind(models.TextChoices):
        ALL = "all", _("All of")
        ANY = "any", _("One of")
        AT_LEAST = "at_least", _("At least N of")
        REQUIREMENT = "requirement", _("Requirement")

    class Comparison(models.TextChoices):
        AT_LEAST = "gte", _("at least")
        MORE_THAN = "gt", _("more than")
        AT_MOST = "lte", _("at most")
        LESS_THAN = "lt", _("less than")

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="rules")
    purpose = models.CharField(_("purpose"), max_length=4, choices=Purpose, default=Purpose.EARN)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    at_least = models.PositiveSmallIntegerField(_("how many"), null=True, blank=True)
    measure = models.ForeignKey(Measure, null=True, blank=True, on_delete=models.RESTRICT, related_name="requirements")
    comparison = models.CharField(_("comparison"), max_length=3, choices=Comparison, blank=True)
    threshold = models.DecimalField(_("threshold"), max_digits=18, decimal_places=4, null=True, blank=True)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["tier", "purpose", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tier", "purpose"],
                condition=Q(parent__isnull=True),
                name="tiers_one_rule_tree_per_tier_and_purpose",
            ),
            models.CheckConstraint(
                condition=Q(kind="requirement", measure__isnull=False, threshold__isnull=False, at_least__isnull=True)
                & ~Q(comparison="")
                | Q(kind="at_least", at_least__gte=1, measure__isnull=True, threshold__isnull=True, comparison="")
                | Q(
                    kind__in=["all", "any"],
                    at_least__isnull=True,
                    measure__isnull=True,
                    threshold__isnull=True,
                    comparison="",
                ),
                name="tiers_rule_is_a_group_or_a_requirement",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_purpose_display()})"


class Benefit(models.Model):
    """What a tier may give. `code` is the entitlement that features ask about: "lead-sharing" opens lead sharing."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="benefits")
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = TextsField(_("name"))
    description = TextsField(_("description"), default=dict, blank=True)

    class Meta:
        verbose_name = _("benefit")
        verbose_name_plural = _("benefits")
        ordering = ["program", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["program", "code"], name="tiers_benefit_code_unique_in_program")]

    def __str__(self) -> str:
        return str(self.name)


class TierBenefit(models.Model):
    """A tier gives a benefit, with its terms in words where they differ ("up to 3,000 a year")."""

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="tier_benefits")
    benefit = models.ForeignKey(Benefit, on_delete=models.PROTECT, related_name="tier_benefits")
    terms = TextsField(_("terms"), default=dict, blank=True)

    class Meta:
        verbose_name = _("benefit of a tier")
        verbose_name_plural = _("benefits of a tier")
        ordering = ["tier", "benefit__position"]
        constraints = [models.UniqueConstraint(fields=["tier", "benefit"], name="tiers_benefit_once_per_tier")]

    def __str__(self) -> str:
        return f"{self.tier}: {self.benefit}"


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(partner__in=Partner.objects.visible_to(user))

    def in_force_on(self, day: date) -> Self:
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


class Enrollment(models.Model):
    """A partner in a program, from `starts_on` (its anniversary) up to, not including, `ends_on`."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="enrollments")
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="enrollments")
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrollment")
        verbose_name_plural = _("enrollments")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "program"],
                condition=Q(ends_on__isnull=True),
                name="tiers_one_open_enrollment_per_partner_and_program",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="tiers_enrollment_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["program", "id"], name="tiers_enrollment_by_program")]

    def __str__(self) -> str:
        return f"{self.partner} · {self.program}"


class Run(models.Model):
    """One night of one program. Its work is cut into chunks; any number of workers may share it and any may die."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="runs")
    day = models.DateField(_("day"))
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="+")
    is_review = models.BooleanField(_("review"), help_text=_("Whether tiers could be lost on this night."))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    step = models.CharField(_("step"), max_length=20, blank=True)
    options = models.JSONField(_("options"), default=dict)
    totals = models.JSONField(_("totals"), default=dict)
    carried = models.JSONField(default=dict, help_text=_("Totals of earlier passes over the same day."))
    error = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("night")
        verbose_name_plural = _("nights")
        ordering = ["-day", "-id"]
        constraints = [models.UniqueConstraint(fields=["program", "day"], name="tiers_one_run_per_program_and_day")]

    def __str__(self) -> str:
        return f"{self.program} {self.day}"


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
    """The work table of a run: what one measure came to for one enrollment. Absent means zero.

    `value` is the database's integer: a count, or an amount in ten-thousandths (common.money). Emptied when the run ends: its
    rows name nothing that the database would have to check.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    enrollment = models.ForeignKey(
        Enrollment, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    measure = models.ForeignKey(
        Measure, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    value = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["run", "enrollment"], name="tiers_measured_by_enrollment")]

    def __str__(self) -> str:
        return f"{self.measure_id} of {self.enrollment_id}: {self.value}"


class Evaluation(models.Model):
    """What one enrollment measured and earned on one day. Stored when it differs from the last one stored.

    `measured` holds the figure of each base measure by key, as text, in the measure's unit (ten-thousandths for amounts),
    keys sorted: with the edition's rules, which never change, it explains the whole decision again (tiers.selectors).
    """

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="evaluations")
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    evaluated_on = models.DateField(_("evaluated on"))
    earned = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="+", verbose_name=_("earned"))
    measured = models.JSONField(_("measured"))

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        ordering = ["enrollment", "-evaluated_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment", "evaluated_on"], name="tiers_one_evaluation_per_enrollment_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.enrollment} {self.evaluated_on}: {self.earned}"


class PlacementQuerySet(models.QuerySet["Placement"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))

    def current(self) -> Self:
        return self.filter(ends_on__isnull=True)

    def in_force_on(self, day: date) -> Self:
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


class Placement(models.Model):
    """An enrollment holds a tier from `starts_on` up to, not including, `ends_on`."""

    class Reason(models.TextChoices):
        JOINED = "joined", _("Joined the program")
        EARNED = "earned", _("Earned by results")
        LOST = "lost", _("Results below what keeps the tier above")
        GRANTED = "granted", _("Granted by staff")

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="placements")
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="placements")
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True, help_text=_("Empty while in force."))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    evaluation = models.ForeignKey(Evaluation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = PlacementQuerySet.as_manager()

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = ["enrollment", "-starts_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment"], condition=Q(ends_on__isnull=True), name="tiers_one_open_placement_per_enrollment"
            ),
            models.UniqueConstraint(fields=["enrollment", "starts_on"], name="tiers_one_placement_starts_on_a_day"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="tiers_placement_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["tier"], condition=Q(ends_on__isnull=True), name="tiers_current_by_tier")]

    def __str__(self) -> str:
        return f"{self.enrollment}: {self.tier} from {self.starts_on}"


class Attestation(models.Model):
    """A fact that a person vouches for (a business plan agreed, an audit passed), in force up to, not including, `ends_on`."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="attestations")
    kind = models.CharField(
        _("kind"), max_length=40, validators=[CODE], help_text=_("As measures name it: business-plan.")
    )
    title = models.CharField(_("title"), max_length=200)
    document = models.FileField(_("document"), upload_to="attestations/%Y/", blank=True)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    is_made_up = models.BooleanField(_("made up"), default=False, help_text=_("Sample data, not a real fact."))

    class Meta:
        verbose_name = _("attestation")
        verbose_name_plural = _("attestations")
        ordering = ["-starts_on", "-id"]
        indexes = [models.Index(fields=["enrollment", "kind"], name="tiers_attestation_by_kind")]

    def __str__(self) -> str:
        return self.title
