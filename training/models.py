from datetime import date
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.texts import TextsField
from partners.models import Member


class Certification(models.Model):
    """What a person can be certified in."""

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[RegexValidator(r"^[a-z][a-z0-9-]*$")])
    name = TextsField(_("name"))
    valid_months = models.PositiveSmallIntegerField(
        _("valid for, in months"), null=True, blank=True, help_text=_("Empty: without end.")
    )

    class Meta:
        verbose_name = _("certification")
        verbose_name_plural = _("certifications")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.name)


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def valid_on(self, day: date) -> Self:
        return self.filter(Q(expires_on__isnull=True) | Q(expires_on__gt=day), awarded_on__lte=day)

    def visible_to(self, user: User) -> Self:
        return self.filter(member__in=Member.objects.visible_to(user))


class Certificate(models.Model):
    """A member holds a certification from `awarded_on` up to, not including, `expires_on`.

    One that expires on a day is therefore no longer valid on that day.
    """

    external_id = models.CharField(_("external id"), max_length=64, unique=True)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="certificates")
    certification = models.ForeignKey(Certification, on_delete=models.PROTECT, related_name="certificates")
    awarded_on = models.DateField(_("awarded on"))
    expires_on = models.DateField(_("expires on"), null=True, blank=True, help_text=_("The first day without it."))
    is_made_up = models.BooleanField(_("made up"), default=False, help_text=_("Sample data, not a real certificate."))

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ["-awarded_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(expires_on__gt=F("awarded_on")),
                name="training_certificate_expires_after_its_award",
            )
        ]
        indexes = [models.Index(fields=["member", "expires_on"], name="training_certificate_by_member")]

    def __str__(self) -> str:
        return f"{self.member}: {self.certification}"
