"""Who is enrolled, what each night measured, the tiers and awards held, and what people decided about them."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.money import AmountField
from common.texts import Texts
from partners.models import Partner
from tiers.models.program import CODE, Benefit, Edition, Program, Tier
from tiers.models.runs import Run


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


class Evaluation(models.Model):
    """What one enrollment measured and earned on one day. Stored when it differs from the last one stored.

    `measured` holds the figure of each measure of facts by key, as text, in the measure's unit (ten-thousandths for amounts;
    "7/2" where it is no whole number), of a split one a mapping of members; `traits` what conditions read of the partner;
    `verdicts` what came of each rule that looks back (by its key) and of each distinction. Keys sorted: with the edition's
    rules, which never change, they explain the whole decision again (tiers.explaining).
    """

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="evaluations")
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    evaluated_on = models.DateField(_("evaluated on"))
    earned = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="+", verbose_name=_("earned"))
    measured = models.JSONField(_("measured"))
    traits = models.JSONField(_("traits"), default=dict)
    verdicts = models.JSONField(_("verdicts"), default=dict)

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
        MATCHED = "matched", _("Granted as a status match")
        ENDED = "ended", _("A grant came to its end")

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="placements")
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="placements")
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True, help_text=_("Empty while in force."))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    holds_until = models.DateField(
        _("held until"), null=True, blank=True, help_text=_("Not lost before this day; the end of a grant.")
    )
    note = models.TextField(_("note"), blank=True, help_text=_("Why it was granted."))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
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

    def is_in_force_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or self.ends_on > day)


class AttestationQuerySet(models.QuerySet["Attestation"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))


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

    objects = AttestationQuerySet.as_manager()

    class Meta:
        verbose_name = _("attestation")
        verbose_name_plural = _("attestations")
        ordering = ["-starts_on", "-id"]
        indexes = [models.Index(fields=["enrollment", "kind"], name="tiers_attestation_by_kind")]

    def __str__(self) -> str:
        return self.title


class AwardQuerySet(models.QuerySet["Award"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(partner__in=Partner.objects.visible_to(user))

    def in_force_on(self, day: date) -> Self:
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


class Award(models.Model):
    """A distinction a partner holds from `starts_on` up to, not including, `ends_on`: earned by a night, granted, or held
    elsewhere and imported (a specialisation, a tier in another vendor's or country's program)."""

    class Origin(models.TextChoices):
        EARNED = "earned", _("Earned by results")
        GRANTED = "granted", _("Granted by staff")
        IMPORTED = "imported", _("Held elsewhere")

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="awards")
    enrollment = models.ForeignKey(
        Enrollment, null=True, blank=True, on_delete=models.PROTECT, related_name="awards",
        help_text=_("The enrollment that earned it."),
    )  # fmt: skip
    external_id = models.CharField(
        _("external id"), max_length=64, null=True, blank=True, unique=True
    )  # many have none
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    grade = models.CharField(_("grade"), max_length=40, blank=True)
    scope = models.CharField(
        _("scope"), max_length=40, blank=True, help_text=_("A country or region, where it is held for one.")
    )
    issuer = models.CharField(_("issuer"), max_length=80, blank=True)
    origin = models.CharField(_("origin"), max_length=10, choices=Origin)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    holds_until = models.DateField(_("held until"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_made_up = models.BooleanField(_("made up"), default=False, help_text=_("Sample data, not a real fact."))

    objects = AwardQuerySet.as_manager()

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment", "code"],
                condition=Q(origin="earned", ends_on__isnull=True),
                name="tiers_one_open_earned_award_per_enrollment_and_code",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="tiers_award_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["partner", "code"], name="tiers_award_by_partner")]

    def __str__(self) -> str:
        return f"{self.partner}: {self.code}"


def tier_of(row: "Grace | Proposal") -> str:
    """The name of the row's tier where the query brought it as `tier_name` (texts by language), else its code."""
    names = getattr(row, "tier_name", None)
    return str(Texts(names)) if names else row.tier_code


class Grace(models.Model):
    """Below its tier at a review, an enrollment keeps it from `starts_on`; the first review at or after `ends_on` takes it.

    `gaps` is what was missing on the day it began, as shown to the partner. Closed when the tier is kept again or lost.
    """

    class Outcome(models.TextChoices):
        KEPT = "kept", _("Kept again")
        LOST = "lost", _("Lost")
        LIFTED = "lifted", _("Lifted by staff")

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="graces")
    tier_code = models.CharField(_("tier"), max_length=40)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    gaps = models.JSONField(_("what was missing"), default=list)
    warned_on = models.DateField(_("last warned on"), null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)

    class Meta:
        verbose_name = _("grace")
        verbose_name_plural = _("graces")
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment"], condition=Q(closed_on__isnull=True), name="tiers_one_open_grace_per_enrollment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment}: {tier_of(self)}, {self.starts_on} – {self.ends_on}"


class Proposal(models.Model):
    """An enrollment qualified for a tier that staff confirm. Open until decided, or withdrawn when it no longer qualifies."""

    class State(models.TextChoices):
        OPEN = "open", _("Waiting")
        CONFIRMED = "confirmed", _("Confirmed")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("No longer qualified")

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="proposals")
    tier_code = models.CharField(_("tier"), max_length=40)
    evaluation = models.ForeignKey(Evaluation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    proposed_on = models.DateField(_("proposed on"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        ordering = ["state", "proposed_on", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment"], condition=Q(state="open"), name="tiers_one_open_proposal_per_enrollment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment}: {tier_of(self)}"


class Relief(models.Model):
    """A time in which tiers are not lost: an enrollment's excused period, or an extension for a whole program."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="reliefs")
    enrollment = models.ForeignKey(
        Enrollment, null=True, blank=True, on_delete=models.CASCADE, related_name="reliefs",
        help_text=_("Empty: everyone in the program."),
    )  # fmt: skip
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    reason = models.TextField(_("reason"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("relief")
        verbose_name_plural = _("reliefs")
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="tiers_relief_ends_after_it_starts")
        ]

    def __str__(self) -> str:
        return f"{self.enrollment or self.program}: {self.starts_on} – {self.ends_on}"


class BenefitUseQuerySet(models.QuerySet["BenefitUse"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))


class BenefitUse(models.Model):
    """A partner used so much of a benefit on a day. A negative one takes another back, whole, on that one's day.

    Appended by tiers.services.use_benefit and take_back_use, never changed.
    """

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="benefit_uses")
    benefit = models.ForeignKey(Benefit, on_delete=models.PROTECT, related_name="uses")
    used_on = models.DateField(_("used on"))
    quantity = AmountField(_("how much"))
    takes_back = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="taken_back_by",
        verbose_name=_("takes back"),
    )  # fmt: skip
    note = models.CharField(_("note"), max_length=200, blank=True)
    external_id = models.CharField(
        _("external id"), max_length=64, null=True, blank=True, unique=True
    )  # many have none
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = BenefitUseQuerySet.as_manager()

    class Meta:
        verbose_name = _("use of a benefit")
        verbose_name_plural = _("uses of benefits")
        ordering = ["-used_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(takes_back__isnull=True, quantity__gt=0) | Q(takes_back__isnull=False, quantity__lt=0),
                name="tiers_benefit_use_is_above_zero_or_takes_one_back",
            )
        ]
        indexes = [models.Index(fields=["enrollment", "benefit", "used_on"], name="tiers_benefit_use_by_day")]

    def __str__(self) -> str:
        return f"{self.enrollment}: {self.benefit} {self.quantity}"
