from datetime import date
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.texts import TextsField

# Names that conditions of rules read without anybody giving them: no trait may take one.
BUILT_IN = frozenset({"country", "country_group", "tier", "enrolled_on", "joined_on"})


class PartnerQuerySet(models.QuerySet["Partner"]):
    def visible_to(self, user: User) -> Self:
        """Staff see every partner, a member its own, anyone else none."""
        if user.is_active and user.is_staff:
            return self
        return self.filter(pk__in=Member.objects.signing_in_as(user).values("partner_id"))

    def listed(self) -> Self:
        """What the public directory shows."""
        return self.filter(is_listed=True, status=Partner.Status.ACTIVE)


class Partner(models.Model):
    """A company in the program, never a person."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        LEFT = "left", _("Left")

    external_id = models.CharField(
        _("external id"), max_length=64, unique=True, help_text=_("Its key in the system it comes from.")
    )
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("address of its page"), max_length=220, unique=True)
    kind = models.CharField(_("kind of business"), max_length=100, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    is_listed = models.BooleanField(_("listed"), default=True, help_text=_("Shown in the public directory."))
    description = TextsField(_("description"), default=dict, blank=True)
    specialties = models.CharField(_("specialties"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    website = models.URLField(_("website"), blank=True)
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    opened_in = models.PositiveSmallIntegerField(_("opened in"), null=True, blank=True)
    traits = models.JSONField(
        _("traits"),
        default=dict,
        blank=True,
        help_text=_(
            "What conditions of rules ask about: segment, track, product lines. A text or a list of texts each."
        ),
    )
    joined_on = models.DateField(_("joined on"))
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PartnerQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["name", "id"], name="partners_by_name")]

    def __str__(self) -> str:
        return self.name


class Location(models.Model):
    """Where a partner is. Without coordinates it is listed as not placed, never dropped."""

    class Accuracy(models.TextChoices):
        EXACT = "exact", _("Exact address")
        POSTAL_CODE = "postal_code", _("Postal code")
        CITY = "city", _("City")
        UNKNOWN = "unknown", _("Not placed")

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="locations")
    is_main = models.BooleanField(_("main"), default=True)
    street = models.CharField(_("street"), max_length=200, blank=True)
    street2 = models.CharField(_("street, second line"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    region = models.CharField(_("region"), max_length=120, blank=True)
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters (ISO 3166)."))],
    )
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    accuracy = models.CharField(_("accuracy"), max_length=12, choices=Accuracy, default=Accuracy.UNKNOWN)

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        constraints = [
            models.UniqueConstraint(
                fields=["partner"], condition=Q(is_main=True), name="partners_one_main_location_per_partner"
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True, accuracy="unknown")
                | Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180)
                & ~Q(accuracy="unknown"),
                name="partners_location_is_placed_on_earth_or_unknown",
            ),
        ]
        indexes = [models.Index(fields=["latitude", "longitude"], name="partners_location_by_place")]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.street, self.postal_code, self.city, self.country) if part)


class MemberQuerySet(models.QuerySet["Member"]):
    def on(self, day: date) -> Self:
        """Members who belong to their partner on `day`."""
        return self.filter(Q(left_on__isnull=True) | Q(left_on__gt=day), joined_on__lte=day)

    def signing_in_as(self, user: User | AnonymousUser) -> Self:
        """The membership that lets `user` into the portal: a current one of an active partner."""
        if not (isinstance(user, User) and user.is_active):
            return self.none()
        return self.filter(user=user, left_on__isnull=True, partner__status=Partner.Status.ACTIVE)

    def visible_to(self, user: User) -> Self:
        return self.filter(partner__in=Partner.objects.visible_to(user))


class Member(models.Model):
    """A person of a partner, from `joined_on` up to, not including, `left_on`. May have a login."""

    class Job(models.TextChoices):
        SALES = "sales", _("Sales")
        TECHNICAL = "technical", _("Technical")
        MARKETING = "marketing", _("Marketing")
        FINANCE = "finance", _("Finance")
        MANAGEMENT = "management", _("Management")
        OTHER = "other", _("Other")

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        SALES = "sales", _("Sales")
        TECHNICAL = "technical", _("Technical")
        MARKETING = "marketing", _("Marketing")
        FINANCE = "finance", _("Finance")

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="members")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="membership",
        verbose_name=_("login"),
    )
    external_id = models.CharField(_("external id"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail address"), blank=True)
    job = models.CharField(_("job"), max_length=12, choices=Job)
    job_title = models.CharField(_("job title"), max_length=120, blank=True)
    role = models.CharField(
        _("portal role"),
        max_length=12,
        choices=Role,
        default=Role.SALES,
        help_text=_("What a login may do in the portal."),
    )
    joined_on = models.DateField(_("joined on"))
    left_on = models.DateField(_("left on"), null=True, blank=True, help_text=_("The first day without this person."))
    is_made_up = models.BooleanField(_("made up"), default=False, help_text=_("Sample data, not a real person."))

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("joined_on")),
                name="partners_member_leaves_after_joining",
            )
        ]
        indexes = [models.Index(fields=["partner", "job"], name="partners_member_by_job")]

    def __str__(self) -> str:
        return self.name


class SponsorshipQuerySet(models.QuerySet["Sponsorship"]):
    def on(self, day: date) -> Self:
        """Sponsorships that hold on `day`."""
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


class Sponsorship(models.Model):
    """Who brought a partner in, or supplies it, from `starts_on` up to, not including, `ends_on`.

    A partner has at most one sponsor on a day, and no chain of sponsors comes back to where it began.
    """

    partner = models.ForeignKey(
        Partner, on_delete=models.CASCADE, related_name="sponsorships", verbose_name=_("partner")
    )
    sponsor = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="sponsored", verbose_name=_("sponsor"))
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True, help_text=_("The first day without this sponsor."))

    objects = SponsorshipQuerySet.as_manager()

    class Meta:
        verbose_name = _("sponsorship")
        verbose_name_plural = _("sponsorships")
        ordering = ["partner", "-starts_on", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(partner=F("sponsor")), name="partners_nobody_sponsors_itself"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="partners_sponsorship_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["partner"], condition=Q(ends_on__isnull=True), name="partners_one_open_sponsorship"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sponsor} → {self.partner}"
