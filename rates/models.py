"""Dated exchange rates: appended, never changed. A correction is a new version."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from common.texts import TextsField
from rates.rules import DECIMALS, DIGITS

CURRENCY = RegexValidator(r"^[A-Z]{3}\Z", _("Three capital letters (ISO 4217)."))
CODE = RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", _("Small letters, digits and hyphens."))
STALE_DAYS = 5  # without a new rate for longer, staff are told


class RateSourceQuerySet(models.QuerySet["RateSource"]):
    def with_newest(self, day: date) -> Self:
        """Each with `newest_on`: the newest day, up to `day`, of which it has a rate."""
        rates = Rate.objects.filter(source=OuterRef("pk"), on__lte=day).order_by("-on")
        return self.annotate(newest_on=Subquery(rates.values("on")[:1]))

    def silent_on(self, day: date) -> Self:
        """Sources whose newest rate is older than `STALE_DAYS` on `day`. Those that never had one are not."""
        return self.with_newest(day).filter(newest_on__lt=day - timedelta(days=STALE_DAYS))


class RateSource(models.Model):
    """Who publishes rates. A cross of two currencies goes through its `base`."""

    code = models.CharField(
        _("code"),
        primary_key=True,
        max_length=40,
        validators=[CODE],
        help_text=_("As files and programs name it: ecb."),
    )
    name = TextsField(_("name"))
    base = models.CharField(
        _("base currency"), max_length=3, validators=[CURRENCY],
        help_text=_("Two currencies that it does not quote against each other are crossed through this one."),
    )  # fmt: skip

    objects = RateSourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("source of exchange rates")
        verbose_name_plural = _("sources of exchange rates")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.name) or self.code


class Rate(models.Model):
    """One unit of `base` is `value` units of `quote` on the day `on`, as `source` published it.

    A corrected rate is a new row with the next `version`; what used an earlier one keeps what it stored.
    """

    source = models.ForeignKey(
        RateSource, on_delete=models.PROTECT, related_name="rates", db_index=False, verbose_name=_("source")
    )
    base = models.CharField(_("one unit of"), max_length=3, validators=[CURRENCY])
    quote = models.CharField(_("quoted in"), max_length=3, validators=[CURRENCY])
    on = models.DateField(_("day"))
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    value = models.DecimalField(_("exchange rate"), max_digits=DIGITS, decimal_places=DECIMALS)
    imported_at = models.DateTimeField(_("imported"), auto_now_add=True)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("imported by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ["-on", "base", "quote", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "base", "quote", "on", "version"], name="rates_one_rate_per_pair_day_and_version"
            ),
            models.CheckConstraint(condition=Q(value__gt=Decimal(0)), name="rates_rate_is_above_zero"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="rates_rate_is_of_two_currencies"),
        ]
        indexes = [models.Index(fields=["source", "on"], name="rates_rate_by_day")]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.on}"
