"""The mandate by which a partner lets the vendor write its invoices."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from commissions.models.visibility import pay_visible_to
from common.texts import TextsField
from partners.models import Partner


class MandateText(models.Model):
    """One version of the mandate's words, in every language. Never changed: other words are another version."""

    version = models.PositiveSmallIntegerField(_("version"), unique=True)
    text = TextsField(_("text"))
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    recorded_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by"))  # fmt: skip

    class Meta:
        verbose_name = _("text of the mandate")
        verbose_name_plural = _("texts of the mandate")
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"v{self.version}"


class MandateQuerySet(models.QuerySet["Mandate"]):
    def visible_to(self, user: User) -> Self:
        return pay_visible_to(self, user)

    def in_force_on(self, day: date) -> Self:
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


class Mandate(models.Model):
    """A partner's mandate, from `starts_on` up to, not including, `ends_on`: who accepted which words, in which language."""

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="invoice_mandates", verbose_name=_("partner")
    )
    text = models.ForeignKey(MandateText, on_delete=models.PROTECT, related_name="mandates", verbose_name=_("text"))
    language = models.CharField(_("language"), max_length=5)
    starts_on = models.DateField(_("from"))
    accepted_at = models.DateTimeField(_("accepted"))
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("accepted by"))
    ends_on = models.DateField(_("up to, not including"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("revoked by"))  # fmt: skip

    objects = MandateQuerySet.as_manager()

    class Meta:
        verbose_name = _("self-billing mandate")
        verbose_name_plural = _("self-billing mandates")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner"], condition=Q(ends_on__isnull=True), name="invoices_one_open_mandate_per_partner"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="invoices_mandate_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True, revoked_at__isnull=True)
                | Q(ends_on__isnull=False, revoked_at__isnull=False),
                name="invoices_a_mandate_that_ends_was_revoked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner}: {self.text}"
