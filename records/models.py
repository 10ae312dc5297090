"""What the vendor knows from elsewhere, of any kind it names: dated records, scores, targets of plans."""

from datetime import date, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.money import AmountField
from common.names import check_texts
from partners.models import Partner
from tiers.models import CODE

CURRENCY = RegexValidator(r"^[A-Z]{3}$", _("Three capital letters (ISO 4217)."))


class AttributesField(models.JSONField):
    """Texts by name. In a query, `attributes__NAME__AsText` is the text itself on every database, for filters, groups
    and counts; NULL where there is none.
    """


@AttributesField.register_lookup
class AsText(models.Transform):
    lookup_name = "AsText"  # capitals, which no name has: an attribute cannot hide it
    output_field = models.TextField()

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:  # type: ignore[override]
        key = self.lhs
        if not isinstance(key, KeyTransform):
            raise TypeError("AsText reads one attribute: attributes__NAME__AsText")
        return compiler.compile(KeyTextTransform(key.key_name, *key.source_expressions))


class OfPartners(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        return self.filter(partner__in=Partner.objects.visible_to(user))


class RecordQuerySet(OfPartners):
    def standing_on(self, day: date) -> Self:
        """Records that stand on `day`: from `starts_on`, or the day they occurred, up to, not including, `ends_on`."""
        return self.filter(stands_on(day))


def stands_on(day: date) -> Q:
    begun = Q(starts_on__lte=day) | Q(starts_on__isnull=True, occurred_on__lte=day)
    return begun & (Q(ends_on__isnull=True) | Q(ends_on__gt=day))


class Record(models.Model):
    """A fact about a partner that another system holds: an installation, a project, a course attended, a contract.

    It occurred on a day, and stands from `starts_on` (where empty, from that day) up to, not including, `ends_on`.
    """

    external_id = models.CharField(
        _("external id"), max_length=64, unique=True, help_text=_("Its key in the system it comes from.")
    )
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="records", db_index=False, verbose_name=_("partner")
    )
    kind = models.CharField(
        _("kind"), max_length=40, validators=[CODE], help_text=_("As measures name it: installation.")
    )
    name = models.CharField(_("name"), max_length=200, blank=True)
    occurred_on = models.DateField(_("occurred on"))
    starts_on = models.DateField(
        _("stands from"), null=True, blank=True, help_text=_("Empty: from the day it occurred.")
    )
    ends_on = models.DateField(
        _("ends on"), null=True, blank=True, help_text=_("The first day without it; empty: without end.")
    )
    amount = AmountField(_("amount"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, validators=[CURRENCY])
    quantity = AmountField(_("quantity"), null=True, blank=True)
    attributes = AttributesField(
        _("attributes"), default=dict, blank=True, validators=[check_texts],
        help_text=_("What else is known, each under a name: rules read it as attr:NAME."),
    )  # fmt: skip
    is_made_up = models.BooleanField(_("made up"), default=False, help_text=_("Sample data, not a real fact."))

    objects = RecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("record")
        verbose_name_plural = _("records")
        ordering = ["-occurred_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=Coalesce(F("starts_on"), F("occurred_on"))),
                name="records_record_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True, currency="") | Q(amount__isnull=False) & ~Q(currency=""),
                name="records_record_amount_has_its_currency",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "kind", "occurred_on"], name="records_record_by_partner"),
            models.Index(fields=["kind", "occurred_on"], name="records_record_by_kind"),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class ScoreQuerySet(OfPartners):
    def latest_on(self, day: date) -> Self:
        """Of each partner, kind and scope the newest one up to `day`, that day included."""
        newer = Score.objects.filter(
            partner=OuterRef("partner"), kind=OuterRef("kind"), scope=OuterRef("scope"),
            scored_on__gt=OuterRef("scored_on"), scored_on__lte=day,
        )  # fmt: skip
        return self.filter(~Exists(newer), scored_on__lte=day)


class Score(models.Model):
    """How a partner did in the eyes of another system: customer satisfaction, health, an audit's marks."""

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="scores", db_index=False, verbose_name=_("partner")
    )
    kind = models.CharField(
        _("kind"), max_length=40, validators=[CODE], help_text=_("As measures name it: satisfaction.")
    )
    scope = models.CharField(
        _("scope"), max_length=40, blank=True, help_text=_("A product line or country, where it is about one.")
    )
    value = AmountField(_("value"), help_text=_("Four decimals at most."))
    scored_on = models.DateField(_("scored on"))
    source = models.CharField(_("source"), max_length=80, blank=True, help_text=_("Who scored it."))
    is_made_up = models.BooleanField(_("made up"), default=False, help_text=_("Sample data, not a real fact."))

    objects = ScoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        ordering = ["-scored_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "kind", "scope", "scored_on"], name="records_one_score_per_kind_scope_and_day"
            )
        ]
        indexes = [models.Index(fields=["kind", "scored_on"], name="records_score_by_kind")]

    def __str__(self) -> str:
        return f"{self.partner}: {self.kind} {self.scored_on}"


class PlanTargetQuerySet(OfPartners):
    def holding_before(self, day: date) -> Self:
        """Targets whose period holds the day before `day`: what a night of `day` compares results with."""
        eve = day - timedelta(days=1)
        return self.filter(starts_on__lte=eve, ends_on__gt=eve)


class PlanTarget(models.Model):
    """What a partner and the vendor agreed to reach from `starts_on` up to, not including, `ends_on`."""

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="plan_targets", db_index=False, verbose_name=_("partner")
    )
    key = models.CharField(_("what of"), max_length=40, validators=[CODE], help_text=_("As measures name it: revenue."))
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), help_text=_("The first day after its period."))
    amount = AmountField(_("amount"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, validators=[CURRENCY])
    quantity = AmountField(_("quantity"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("author"),
    )  # fmt: skip
    is_made_up = models.BooleanField(_("made up"), default=False, help_text=_("Sample data, not a real fact."))

    objects = PlanTargetQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan target")
        verbose_name_plural = _("plan targets")
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "key", "starts_on"], name="records_one_target_per_key_and_first_day"
            ),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="records_target_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(amount__isnull=False, quantity__isnull=True) & ~Q(currency="")
                | Q(amount__isnull=True, quantity__isnull=False, currency=""),
                name="records_target_is_an_amount_or_a_quantity",
            ),
        ]
        indexes = [models.Index(fields=["key", "starts_on"], name="records_target_by_key")]

    def __str__(self) -> str:
        return f"{self.partner}: {self.key} {self.starts_on}"
