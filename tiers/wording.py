"""Rules in words, in the reader's language: the same sentences on the program page, in the portal and in the admin."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.money import from_units
from common.periods import Period
from common.templatetags import show
from tiers import measures, rules, selectors
from tiers.models import Edition, Measure, Tier
from tiers.selectors import ExplainedGroup, ExplainedRequirement


@dataclass(frozen=True, slots=True)
class Sentence:
    """A requirement (no children), or the heading of a group with what it holds."""

    says: str
    children: tuple["Sentence", ...] = ()
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class TierRules:
    """What a tier asks, in words: to reach it, and to keep it where that differs."""

    tier: Tier
    earn: Sentence | None
    keep: Sentence | None


def rules_in_words(edition: Edition) -> list[TierRules]:
    """Every tier of an edition, lowest first. A fixed number of queries."""
    book = selectors.rulebook(edition)
    by_key = {measure.key: measure for measure in edition.measures.select_related("numerator", "denominator")}
    tiers = {tier.pk: tier for tier in edition.tiers.all()}
    currency = edition.program.currency
    return [
        TierRules(
            tiers[level.tier_id], _sentence(level.earn, by_key, currency), _sentence(level.keep, by_key, currency)
        )
        for level in book.levels
    ]


def _sentence(node: rules.Node | None, by_key: dict[str, Measure], currency: str) -> Sentence | None:
    if node is None:
        return None
    if isinstance(node, rules.Requirement):
        return Sentence(says(by_key[node.measure], node, currency))
    children = (_sentence(child, by_key, currency) for child in node.children)
    return Sentence(
        heading(node.kind, node.needed, len(node.children)),
        tuple(child for child in children if child is not None),
        is_all=node.kind == "all",
    )


def says(measure: Measure, requirement: rules.Requirement, currency: str) -> str:
    """A requirement as a sentence: “Net sales: at least $50,000 over 12 months”."""
    texts = {
        "gte": _("%(measure)s: at least %(threshold)s"),
        "gt": _("%(measure)s: more than %(threshold)s"),
        "lte": _("%(measure)s: at most %(threshold)s"),
        "lt": _("%(measure)s: less than %(threshold)s"),
    }
    parts = {"measure": measure.name, "threshold": figure(measure, requirement.threshold, currency)}
    return " ".join(part for part in (texts[requirement.comparison] % parts, span(measure)) if part)


def requirement(explained: ExplainedRequirement, currency: str) -> str:
    return says(explained.measure, explained.requirement, currency)


def span(measure: Measure) -> str:
    """Which days a measure counts, where it counts days: “over 12 months”, “since the start of the quarter”."""
    window = (measure.numerator.window if measure.numerator is not None else measure.window) or {}
    embargo = window.get("embargo_days")
    said = _span(window)
    if not said or not embargo:
        return said
    left_out = ngettext("without the last day", "without the last %(days)s days", embargo) % {"days": embargo}
    return f"{said}, {left_out}"


def _span(window: dict[str, Any]) -> str:
    last, unit, kind = window.get("last"), str(window.get("unit")), window.get("kind")
    if isinstance(last, int):
        if unit == "days":
            return ngettext("over %(days)s day", "over %(days)s days", last) % {"days": last}
        return ngettext("over %(months)s month", "over %(months)s months", last) % {"months": last}
    if kind == "to_date":
        if unit == "year" and window.get("starts_month", 1) != 1:
            return _("since the start of the fiscal year")
        return {
            "year": _("since the start of the year"),
            "half_year": _("since the start of the half-year"),
            "quarter": _("since the start of the quarter"),
            "month": _("since the start of the month"),
        }[unit]
    if kind == "last_full":
        count = window.get("count", 1)
        texts = {
            "year": ngettext("in the last full year", "over the last %(count)s full years", count),
            "half_year": ngettext("in the last full half-year", "over the last %(count)s full half-years", count),
            "quarter": ngettext("in the last full quarter", "over the last %(count)s full quarters", count),
            "month": ngettext("in the last full month", "over the last %(count)s full months", count),
        }
        return texts[unit] % {"count": count}
    return ""


def window(period: Period | None) -> str:
    """The days that count, both ends included: “1 Jun 2019 – 31 May 2020”."""
    if period is None:
        return ""
    last = show.day_short(date.fromordinal(period.ends_on.toordinal() - 1))
    if period.starts_on is None:
        return _("up to %(day)s") % {"day": last}
    return f"{show.day_short(period.starts_on)} – {last}"


def figure(measure: Measure, value: rules.Figure, currency: str) -> str:
    """A figure of the measure, from the unit that rules compare: “$50,000”, “80%”, “3”."""
    unit = measures.unit_of(measure)
    if unit == "ratio":
        return show.percent(Fraction(value))
    if unit == "amount":
        amount = from_units(int(value))
        return (
            show.money_short(amount, currency) if amount == amount.to_integral_value() else show.money(amount, currency)
        )
    exact = Fraction(value)
    return show.quantity(int(exact)) if exact.denominator == 1 else show.quantity(float(exact))


def gap(explained: ExplainedRequirement, currency: str) -> str:
    """What is missing: “$30,000 to go”, “2 to go”. For a share, how many more of the same whole it takes."""
    if explained.met:
        return _("met")
    requirement = explained.requirement
    if explained.parts is not None and requirement.comparison in ("gte", "gt"):
        return _ratio_gap(explained, explained.parts, currency)
    missing = rules.gap(requirement, explained.figure)
    if requirement.comparison in ("lte", "lt"):
        return _("%(figure)s too many") % {"figure": figure(explained.measure, missing, currency)}
    if missing == 0:  # a strict comparison, just reached
        return _("a little more to go")
    return _("%(figure)s to go") % {"figure": figure(explained.measure, missing, currency)}


def _ratio_gap(explained: ExplainedRequirement, counted: tuple[int, int], currency: str) -> str:
    above, below = counted
    if below == 0:
        return _("nothing counted yet")
    needed = Fraction(explained.requirement.threshold) * below
    whole = int(needed) if needed.denominator == 1 and explained.requirement.comparison == "gte" else int(needed) + 1
    if whole > below:
        return _("out of reach as things are")
    measure = explained.measure.numerator or explained.measure
    return _("%(figure)s to go") % {"figure": figure(measure, max(whole - above, 0), currency)}


def parts(explained: ExplainedRequirement, currency: str) -> str:
    """The two sides of a ratio: “3 of 4”. Nothing for other measures."""
    numerator, denominator = explained.measure.numerator, explained.measure.denominator
    if explained.parts is None or numerator is None or denominator is None:
        return ""
    some, whole = explained.parts
    return _("%(some)s of %(all)s") % {
        "some": figure(numerator, some, currency), "all": figure(denominator, whole, currency)
    }  # fmt: skip


def heading(kind: str, needed: int, count: int) -> str:
    """The heading of a group: “All of these”, “One of these”, “At least 2 of these 3”."""
    if kind == "all":
        return _("All of these")
    if kind == "any":
        return _("One of these")
    return _("At least %(needed)s of these %(count)s") % {"needed": needed, "count": count}


def group(explained: ExplainedGroup) -> str:
    return heading(explained.kind, explained.needed, len(explained.children))
