"""Programs as data: editions of rules, their tiers, distinctions and measures, and what tiers give."""

from datetime import date
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.money import AmountField
from common.texts import TextsField

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
    source = models.JSONField(_("sources"), default=list, blank=True)
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

    A published edition is never edited: services refuse, and a trigger holds it in the database. `life` says when tiers
    are given and lost, `exchange` what other currencies count for; docs/program-file.md describes each. `published_as` is
    another with each publication: what is derived from the edition may be kept by it.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="editions")
    name = models.CharField(_("name"), max_length=80)
    starts_on = models.DateField(_("starts on"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    notes = TextsField(_("notes"), default=dict, blank=True, help_text=_("What the rules leave open, for staff."))
    life = models.JSONField(_("life of a tier"), default=dict, blank=True)
    country_groups = models.JSONField(_("country groups"), default=dict, blank=True)
    exchange = models.JSONField(_("exchange table"), default=dict, blank=True)
    published_as = models.UUIDField(_("published as"), null=True, editable=False)

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
            models.CheckConstraint(
                condition=~Q(state="draft") | Q(published_as__isnull=True), name="tiers_a_draft_is_published_as_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.program} {self.name}"


class Tier(models.Model):
    """A rank in an edition. The lowest rank is the entry tier: enrolling gives it, no rule is needed to hold it.

    `earn` and `keep` are rules as docs/program-file.md describes them, parsed by tiers.parsing; empty where there is none.
    """

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
    confirm = models.BooleanField(
        _("to be confirmed"), default=False, help_text=_("Who qualifies holds it when staff confirm.")
    )
    granted_only = models.BooleanField(
        _("by invitation"), default=False, help_text=_("Nobody earns it; staff grant it.")
    )
    life = models.JSONField(
        _("reviews of its own"),
        default=dict,
        blank=True,
        help_text=_("“promotion” and “demotion”, where it is given or lost on other nights than the edition’s tiers."),
    )
    holds = models.JSONField(_("held at least"), default=dict, blank=True)
    earn = models.JSONField(_("rule to reach it"), default=dict, blank=True)
    keep = models.JSONField(_("rule to keep it"), default=dict, blank=True)

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


class Distinction(models.Model):
    """An award beside the ladder, held together with any tier: a specialisation, a champion's badge."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="distinctions")
    code = models.CharField(
        _("code"), max_length=40, validators=[CODE], help_text=_("The same from edition to edition.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = TextsField(_("name"))
    summary = TextsField(_("summary"), default=dict, blank=True)
    color = models.CharField(
        _("colour"), max_length=7, default="#4f7394", validators=[RegexValidator(r"^#[0-9a-f]{6}$")]
    )
    holds = models.JSONField(_("held at least"), default=dict, blank=True)
    earn = models.JSONField(_("rule to reach it"), default=dict, blank=True)
    keep = models.JSONField(_("rule to keep it"), default=dict, blank=True)

    class Meta:
        verbose_name = _("distinction")
        verbose_name_plural = _("distinctions")
        ordering = ["edition", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "code"], name="tiers_distinction_code_unique_in_edition")
        ]

    def __str__(self) -> str:
        return str(self.name)


class Measure(models.Model):
    """A figure about an enrollment: dataset, aggregate, filters and window, or one made of other measures.

    `definition` is what a program file says of it beside key and name (docs/program-file.md).
    """

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="measures")
    key = models.CharField(_("key"), max_length=60, validators=[CODE])
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = TextsField(_("name"))
    definition = models.JSONField(_("definition"), default=dict)

    class Meta:
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        ordering = ["edition", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "key"], name="tiers_measure_key_unique_in_edition"),
        ]

    def __str__(self) -> str:
        return str(self.name)


class Benefit(models.Model):
    """What a tier may give. `code` is the entitlement that features ask about: "lead-sharing" opens lead sharing."""

    class Kind(models.TextChoices):
        ACCESS = "access", _("Access")
        SUPPORT = "support", _("Support")
        QUANTITY = "quantity", _("So many")
        MONEY = "money", _("Money")

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="benefits")
    code = models.CharField(_("code"), max_length=40, validators=[CODE])
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.ACCESS)
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
    """A tier gives a benefit, with its terms in words where they differ ("up to 3,000 a year"), and how much of it.

    `quantity` is per calendar `per`, or once while the tier is held; None: without limit. Money is in the program's currency.
    """

    class Per(models.TextChoices):
        YEAR = "year", _("a year")
        HALF_YEAR = "half_year", _("a half-year")
        QUARTER = "quarter", _("a quarter")
        MONTH = "month", _("a month")

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="tier_benefits")
    benefit = models.ForeignKey(Benefit, on_delete=models.PROTECT, related_name="tier_benefits")
    terms = TextsField(_("terms"), default=dict, blank=True)
    quantity = AmountField(_("how much"), null=True, blank=True)
    per = models.CharField(_("per"), max_length=10, choices=Per, blank=True)

    class Meta:
        verbose_name = _("benefit of a tier")
        verbose_name_plural = _("benefits of a tier")
        ordering = ["tier", "benefit__position"]
        constraints = [models.UniqueConstraint(fields=["tier", "benefit"], name="tiers_benefit_once_per_tier")]

    def __str__(self) -> str:
        return f"{self.tier}: {self.benefit}"
