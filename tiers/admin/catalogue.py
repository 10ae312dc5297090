"""What the editor of an edition may choose from, with labels in the reader's language, as the page's script reads it."""

import re
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.numbers import get_territory_currencies
from django.conf import settings
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from common.periods import program_today
from tiers import datasets
from tiers.admin.editor_texts import TEXTS
from tiers.life_words import CADENCES
from tiers.models import Edition, TierBenefit

COUNTRY = re.compile("[A-Z]{2}")
NO_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
Choices = list[tuple[str, Any]]

AGGREGATES: Choices = [
    ("count", _("how many")),
    ("sum", _("the sum")),
    ("distinct", _("how many different values")),
    ("average", _("the average")),
    ("median", _("the median")),
    ("min", _("the smallest")),
    ("max", _("the largest")),
    ("monthly_average", _("the average of a month")),
]
MEASURE_FORMS: Choices = [
    ("facts", _("a figure from facts")),
    ("ratio", _("one divided by another (a share)")),
    ("growth", _("growth of one against another")),
    ("difference", _("one minus another")),
    ("total", _("the sum of several")),
    ("largest", _("the largest of several")),
    ("smallest", _("the smallest of several")),
    ("score", _("points for one (a score)")),
    ("rank", _("the place among partners")),
    ("tenure", _("the time since a day")),
]
TENURES: Choices = [
    ("enrollment", _("the start of the enrollment")),
    ("tier", _("the start of the tier held")),
    ("joined", _("the day the partner joined")),
]
WINDOWS: Choices = [
    ("last", _("the last months or days")),
    ("to_date", _("from the start of the year, quarter… to the day")),
    ("last_full", _("the last full years, quarters, months")),
    ("partner_year", _("since the anniversary of the enrollment")),
    ("since_enrollment", _("since the start of the enrollment")),
    ("lifetime", _("everything up to the day")),
    ("between", _("between two fixed days")),
    ("today", _("what stands on the day")),
    ("on", _("what stood on a fixed day")),
]
CALENDAR_UNITS: Choices = [
    ("year", _("year")),
    ("half_year", _("half-year")),
    ("quarter", _("quarter")),
    ("month", _("month")),
]
RULE_COMPARISONS: Choices = [
    ("at_least", _("at least")),
    ("more_than", _("more than")),
    ("at_most", _("at most")),
    ("less_than", _("less than")),
    ("equal", _("exactly")),
]
DAY_COMPARISONS: Choices = [
    ("at_least", _("on or after")),
    ("more_than", _("after")),
    ("at_most", _("on or before")),
    ("less_than", _("before")),
]
EQUALITY: Choices = [("equal", _("is")), ("not", _("is not"))]
LISTED: Choices = [("in", _("is one of")), ("not_in", _("is none of"))]
EMPTINESS: Choices = [("empty", _("is empty")), ("not_empty", _("is not empty"))]
NUMBERS: Choices = [*RULE_COMPARISONS[:4], ("equal", _("exactly")), ("not", _("is not")), *LISTED, *EMPTINESS]
FILTER_OPERATORS = {
    "text": [*EQUALITY, *LISTED, *EMPTINESS],
    "yes_no": EQUALITY,
    "day": [
        ("within", _("lies in the window")), *DAY_COMPARISONS, ("equal", _("is the day")), ("not", _("is not")),
        *EMPTINESS,
    ],
    "amount": NUMBERS,
    "decimal": NUMBERS,
    "number": NUMBERS,
}  # fmt: skip
FILTER_GROUPS: Choices = [
    ("all", _("all of these hold")),
    ("any", _("one of these holds")),
    ("none", _("none of these holds")),
]
RULE_GROUPS: Choices = [
    ("all", _("All of these")),
    ("any", _("One of these")),
    ("none", _("None of these")),
    ("at_least", _("At least so many of these")),
]
RULE_WRAPS: Choices = [
    ("all", _("a group: all of these")),
    ("any", _("a group: one of these")),
    ("none", _("a group: none of these")),
    ("at_least", _("a group: at least so many")),
    ("for_each", _("a rule for each of a set")),
    ("unbroken", _("a rule over time: without a break")),
    ("any_day", _("a rule over time: on any day")),
]
TRAITS: Choices = [
    ("country", _("country")),
    ("country_group", _("group of countries")),
    ("tier", _("tier held")),
    ("enrolled_on", _("day of enrolling")),
    ("joined_on", _("day of joining")),
]
TRAIT_COMPARISONS: Choices = LISTED


def catalogue(edition: Edition) -> dict[str, Any]:
    """Everything the script needs beside the document. One query, for the program's benefits."""
    language = _language()
    return {
        **lists(edition.program.currency, TEXTS),
        "starts_on": edition.starts_on.isoformat(),
        "aggregates": pairs(AGGREGATES),
        "measure_forms": pairs(MEASURE_FORMS),
        "tenures": pairs(TENURES),
        "weekdays": [str(WEEKDAYS[number]) for number in range(7)],
        "cadences": pairs(list(CADENCES.items())),
        "rule_comparisons": pairs(RULE_COMPARISONS),
        "day_comparisons": pairs(DAY_COMPARISONS),
        "rule_groups": pairs(RULE_GROUPS),
        "rule_wraps": pairs(RULE_WRAPS),
        "traits": pairs(TRAITS),
        "trait_comparisons": pairs(TRAIT_COMPARISONS),
        "countries": countries(language),
        "currencies": currencies(language),
        "benefits": [
            {"code": one.code, "name": str(one.name) or one.code, "kind": one.kind}
            for one in edition.program.benefits.order_by("position", "id")
        ],
        "pers": pairs(TierBenefit.Per.choices),
    }


def lists(currency: str, texts: list[str]) -> dict[str, Any]:
    """What any editor of documents about facts needs: its texts, the site's languages, datasets, filters and windows."""
    return {
        "texts": {text: gettext(text) for text in texts},
        "language": _language(),
        "languages": pairs(settings.LANGUAGES),
        "currency": currency,
        "today": program_today().isoformat(),
        "datasets": [dataset(one) for one in datasets.every()],
        "windows": pairs(WINDOWS),
        "calendar_units": pairs(CALENDAR_UNITS),
        "months": [str(MONTHS[number]) for number in range(1, 13)],
        "filter_operators": {unit: pairs(operators) for unit, operators in FILTER_OPERATORS.items()},
        "filter_groups": pairs(FILTER_GROUPS),
    }


def _language() -> str:
    return (get_language() or settings.LANGUAGE_CODE).split("-")[0]


def pairs(choices: Any) -> list[list[str]]:
    return [[key, str(label)] for key, label in choices]


def dataset(one: datasets.Dataset) -> dict[str, Any]:
    return {
        "key": one.key,
        "label": str(one.label),
        "dated": one.dated is not None,
        "days": list(one.days),
        "attributes": one.extra is not None,
        "fields": [
            {
                "key": key, "label": str(field.label), "unit": field.unit,
                **({"choices": pairs(field.choices)} if field.choices else {}),
            }
            for key, field in one.fields.items()
        ],
    }  # fmt: skip


@lru_cache(maxsize=8)
def countries(language: str) -> list[list[str]]:
    names = Locale(language).territories
    codes = [str(code) for code in names if COUNTRY.fullmatch(str(code)) and code not in NO_COUNTRIES]
    return sorted(([code, str(names[code])] for code in codes), key=lambda pair: pair[1].casefold())


@lru_cache(maxsize=8)
def currencies(language: str) -> list[list[str]]:
    """Those that are legal tender somewhere today."""
    names = Locale(language).currencies
    codes = {code for country, _name in countries(language) for code in get_territory_currencies(country)}
    return [[code, f"{code} · {names.get(code, code)}"] for code in sorted(codes)]
