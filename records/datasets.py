"""The facts this app offers to tier measures: records of any kind the vendor names, scores, and targets of plans."""

from datetime import date

from django.db.models import BooleanField, Case, Value, When
from django.utils.translation import gettext_lazy as _

from common.names import is_name
from records.models import PlanTarget, PlanTargetQuerySet, Record, RecordQuerySet, Score, ScoreQuerySet, stands_on
from tiers.datasets import Dataset, Field
from tiers.datasets import register as offer

ATTRIBUTE = "attr:"

RECORD = {
    "kind": Field("kind", _("Kind"), "text"),
    "name": Field("name", _("Name"), "text"),
    "amount": Field("amount", _("Amount"), "amount"),
    "currency": Field("currency", _("Currency"), "text"),
    "quantity": Field("quantity", _("Quantity"), "decimal"),
    "occurred_on": Field("occurred_on", _("Occurred on"), "day"),
    "starts_on": Field("starts_on", _("Stands from"), "day"),
    "ends_on": Field("ends_on", _("Ends on"), "day"),
    "is_live": Field("is_live", _("Stands on the day"), "yes_no"),
}
SCORE = {
    "kind": Field("kind", _("Kind"), "text"),
    "value": Field("value", _("Value"), "decimal"),
    "scope": Field("scope", _("Scope"), "text"),
    "scored_on": Field("scored_on", _("Scored on"), "day"),
}
TARGET = {
    "key": Field("key", _("What of"), "text"),
    "amount": Field("amount", _("Amount"), "amount"),
    "currency": Field("currency", _("Currency"), "text"),
    "quantity": Field("quantity", _("Quantity"), "decimal"),
    "starts_on": Field("starts_on", _("Starts on"), "day"),
    "ends_on": Field("ends_on", _("Ends on"), "day"),
}


def attribute(name: str) -> Field | None:
    """ "attr:product": the text that the vendor keeps under "product", NULL where a record has none."""
    own = name.removeprefix(ATTRIBUTE)
    if own == name or not is_name(own):
        return None
    return Field(f"attributes__{own}__AsText", own, "text")


def _records(day: date) -> RecordQuerySet:
    stands = Case(When(stands_on(day), then=Value(value=True)), default=Value(value=False), output_field=BooleanField())
    return Record.objects.annotate(is_live=stands)


def _live_records(day: date) -> RecordQuerySet:
    return _records(day).standing_on(day)


def _scores(day: date) -> ScoreQuerySet:
    return Score.objects.latest_on(day)


def _score_history(day: date) -> ScoreQuerySet:
    return Score.objects.all()


def _targets(day: date) -> PlanTargetQuerySet:
    return PlanTarget.objects.all()


def _current_targets(day: date) -> PlanTargetQuerySet:
    return PlanTarget.objects.holding_before(day)


def register() -> None:
    offer(
        Dataset(
            key="records", label=_("Records"), rows=_records, partner="partner_id", dated="occurred_on", fields=RECORD,
            days=("starts_on", "ends_on"), extra=attribute,
        )
    )  # fmt: skip
    offer(
        Dataset(
            key="live_records", label=_("Records that stand"), rows=_live_records, partner="partner_id", dated=None,
            fields=RECORD, extra=attribute,
        )
    )  # fmt: skip
    offer(Dataset(key="scores", label=_("Latest scores"), rows=_scores, partner="partner_id", dated=None, fields=SCORE))
    offer(
        Dataset(
            key="score_history", label=_("All scores"), rows=_score_history, partner="partner_id", dated="scored_on",
            fields=SCORE,
        )
    )  # fmt: skip
    offer(
        Dataset(
            key="plan_targets", label=_("Plan targets"), rows=_targets, partner="partner_id", dated="starts_on",
            fields=TARGET, days=("ends_on",),
        )
    )  # fmt: skip
    offer(
        Dataset(
            key="current_plan_targets", label=_("Plan targets of the period"), rows=_current_targets,
            partner="partner_id", dated=None, fields=TARGET,
        )
    )  # fmt: skip
