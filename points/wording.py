"""A row of the points table in sentences, as partners read it, in the language of the reader."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.templatetags import show
from points import rules
from points.rules import Terms
from tiers import datasets
from tiers.measure_words import filter_in_words
from tiers.wording import Sentence


def sentence(row: Mapping[str, Any], currency: str) -> Sentence:
    """What brings how many; below it what changes that, its limits, how long the points count, and its days.

    Raises KeyError, MeasureError or ValueError for a row that is not whole yet.
    """
    terms = rules.terms(row)
    return Sentence(_brings(terms, currency), tuple(Sentence(said) for said in _beside(row, terms)))


def points_in_words(units: int) -> str:
    """Ten-thousandths of a point: "300 points"."""
    number = Decimal(units).scaleb(-4)
    return ngettext("%(count)s point", "%(count)s points", ceil(abs(number))) % {"count": show.exact(number)}


def _brings(terms: Terms, currency: str) -> str:
    points = points_in_words(terms.points)
    if terms.form == "tenure":
        return _("%(points)s for each day enrolled") % {"points": points}
    dataset = datasets.get(terms.dataset)
    facts = str(dataset.label)
    if terms.filters:
        facts = _("%(facts)s where %(filters)s") % {"facts": facts, "filters": _filters(terms.filters, dataset)}
    if terms.form == "fact":
        return _("%(facts)s: %(points)s each time") % {"facts": facts, "points": points}
    field = datasets.field_of(dataset, terms.field)
    words = {"facts": facts, "points": points, "field": field.label}
    if terms.form == "distinct":
        return _("%(facts)s: %(points)s for each different “%(field)s”") % words
    per = Decimal(terms.per).scaleb(-4)
    words["per"] = show.money_short(per, currency) if field.unit == "amount" else show.exact(per)
    return _("%(facts)s: %(points)s for each whole %(per)s of “%(field)s”") % words


def _filters(filters: Any, dataset: datasets.Dataset) -> str:
    return _(" and ").join(filter_in_words(one, dataset) for one in filters)


def _beside(row: Mapping[str, Any], terms: Terms) -> Iterator[str]:
    for number, (when, times, points) in enumerate(terms.multiplied):
        words = {
            "points": points_in_words(points), "times": show.exact(times),
            "filters": _filters(when, datasets.get(terms.dataset)),
        }  # fmt: skip
        said = _("otherwise %(points)s where %(filters)s (times %(times)s)")
        yield (said if number else _("%(points)s where %(filters)s (times %(times)s)")) % words
    if (most := terms.occurrences) is not None:
        said = ngettext("At most %(count)s time", "At most %(count)s times", most)
        if terms.form == "tenure":
            said = ngettext("At most %(count)s day", "At most %(count)s days", most)
        yield said % {"count": show.quantity(most)}
    if terms.most is not None:
        yield _("At most %(points)s in all") % {"points": points_in_words(terms.most)}
    yield _expiry(terms)
    yield _days(date.fromisoformat(row["starts_on"]), row.get("ends_on"))
    if not row.get("claims", True):
        yield _("It is granted by itself: no claims are taken for it")


def _expiry(terms: Terms) -> str:
    if terms.with_fact:
        return _("The points count while it stands")
    if terms.months:
        said = ngettext("The points count for %(count)s month", "The points count for %(count)s months", terms.months)
        return said % {"count": terms.months}
    if terms.days:
        said = ngettext("The points count for %(count)s day", "The points count for %(count)s days", terms.days)
        return said % {"count": terms.days}
    return _("The points do not expire")


def _days(starts_on: date, ends_on: str | None) -> str:
    if not ends_on:
        return _("From %(first)s on") % {"first": show.day(starts_on)}
    last = date.fromisoformat(ends_on) - timedelta(days=1)
    return _("From %(first)s to %(last)s") % {"first": show.day(starts_on), "last": show.day(last)}
