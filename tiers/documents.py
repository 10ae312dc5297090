"""Editions as documents: what a program file says of them, in the order it says it."""

from typing import Any

from django.db.models import Prefetch

from tiers import definitions as defined
from tiers.models import Distinction, Edition, Measure, Tier, TierBenefit

Document = dict[str, Any]
# The order of keys in an exported file. Names that a program gives (of countries, products) follow the alphabet.
ORDER = [
    "format",
    "slug",
    "unbroken",
    "any_day",
    "for_each",
    "key",
    "code",
    "kind",
    "name",
    "promise",
    "description",
    "summary",
    "color",
    "confirm",
    "granted_only",
    "source",
    "aggregate",
    "dataset",
    "currency",
    "public",
    "benefits",
    "editions",
    "starts_on",
    "state",
    "notes",
    "life",
    "country_groups",
    "exchange",
    "ratio",
    "growth",
    "difference",
    "total",
    "largest",
    "smallest",
    "score",
    "rank",
    "tenure",
    "minimum_base",
    "bands",
    "full_at",
    "gives",
    "within",
    "as",
    "measure",
    "partner",
    "field",
    "amount",
    "is",
    "filters",
    "dated_by",
    "window",
    "by",
    "weights",
    "caps",
    "having",
    "when",
    "value",
    "values",
    "others",
    "cases",
    "promotion",
    "demotion",
    "up_by",
    "down_by",
    "grace",
    "every",
    "last",
    "unit",
    "count",
    "starts_month",
    "full",
    "from",
    "to",
    "day",
    "embargo_days",
    "ago",
    "more",
    "newcomers",
    "deadlines",
    "existing",
    "on",
    "tier",
    "months",
    "then",
    "warn_days",
    "at",
    "until",
    "meets",
    "all",
    "any",
    "none",
    "at_least",
    "of",
    "including",
    "rule",
    "holds",
    "terms",
    "quantity",
    "per",
    "earn",
    "keep",
    "measures",
    "tiers",
    "distinctions",
]
_PLACES = {key: place for place, key in enumerate(ORDER)}


def without_empty(document: Document) -> Document:
    return {key: value for key, value in document.items() if value not in (None, "", [], {}, False) or key == "public"}


def edition(one: Edition) -> Document:
    """An edition as the file has it. Four queries."""
    given = TierBenefit.objects.select_related("benefit").order_by("benefit__position", "id")
    tiers = one.tiers.order_by("rank").prefetch_related(Prefetch("tier_benefits", given))
    measures = one.measures.order_by("position", "id")
    distinctions = one.distinctions.order_by("position", "id")
    return without_empty(
        {
            "name": one.name,
            "starts_on": one.starts_on.isoformat(),
            "state": one.state,
            "notes": dict(one.notes),
            "life": in_order(one.life),
            "country_groups": in_order(one.country_groups),
            "exchange": in_order(one.exchange),
            "measures": [{"key": each.key, "name": dict(each.name), **in_order(each.definition)} for each in measures],
            "tiers": [_dump_tier(tier) for tier in tiers],
            "distinctions": [_dump_badge(each, {}) for each in distinctions],
        }
    )


def _dump_tier(tier: Tier) -> Document:
    given = [
        without_empty(
            {
                "code": each.benefit.code,
                "terms": dict(each.terms),
                "quantity": None if each.quantity is None else format(each.quantity.normalize(), "f"),
                "per": each.per,
            }
        )
        for each in tier.tier_benefits.all()
    ]
    flags = {"confirm": tier.confirm, "granted_only": tier.granted_only, **in_order(tier.life)}
    return _dump_badge(tier, flags, given)


def _dump_badge(one: Tier | Distinction, flags: Document, benefits: list[Document] | None = None) -> Document:
    return without_empty(
        {
            "code": one.code,
            "name": dict(one.name),
            "summary": dict(one.summary),
            "color": one.color,
            **flags,
            "holds": in_order(one.holds),
            "benefits": benefits,
            "earn": in_order(one.earn),
            "keep": in_order(one.keep),
        }
    )


def in_order(value: Any) -> Any:
    """PostgreSQL keeps the keys of JSON in an order of its own; a file has them in that of ORDER, at every depth."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (_PLACES.get(key, len(_PLACES)), key))
        return {key: in_order(value[key]) for key in keys}
    return [in_order(inner) for inner in value] if isinstance(value, list) else value


def asked_about(measure: Measure) -> str:
    """The name of what asks about a measure: another measure, or the tier or distinction of a rule. Empty where nothing does."""
    for other in Measure.objects.filter(edition=measure.edition_id).exclude(pk=measure.pk):
        if measure.key in (*defined.parts_of(other.definition), other.definition.get("rank")):
            return str(other.name)
    for model in (Tier, Distinction):
        for one in model.objects.filter(edition=measure.edition_id):
            if measure.key in set(_keys(one.earn)) | set(_keys(one.keep)):
                return str(one.name)
    return ""


def _keys(rule: Any) -> list[str]:
    """The measures that a rule names, at any depth."""
    if isinstance(rule, list):
        return [key for one in rule for key in _keys(one)]
    if not isinstance(rule, dict):
        return []
    own = [rule["measure"]] if isinstance(rule.get("measure"), str) else []
    return own + [key for inner in rule.values() for key in _keys(inner)]
