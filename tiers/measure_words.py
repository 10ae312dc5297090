"""What a measure is, in words of the reader's language: for staff who build it and for the page of a published edition."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.templatetags import show
from tiers import datasets, wording
from tiers.datasets import Dataset
from tiers.errors import MeasureError
from tiers.filtering import NUMBERS, number
from tiers.lexicon import Lexicon

Document = dict[str, Any]
FIGURES = {
    "sum": gettext_lazy("Sum of “%(field)s” (%(dataset)s)"),
    "average": gettext_lazy("Average of “%(field)s” (%(dataset)s)"),
    "median": gettext_lazy("Median of “%(field)s” (%(dataset)s)"),
    "min": gettext_lazy("Smallest “%(field)s” (%(dataset)s)"),
    "max": gettext_lazy("Largest “%(field)s” (%(dataset)s)"),
    "count": gettext_lazy("Number of facts (%(dataset)s)"),
    "distinct": gettext_lazy("How many different values of “%(field)s” (%(dataset)s)"),
    "monthly_average": gettext_lazy("Monthly average of “%(field)s” (%(dataset)s)"),
}
COMPARED = {
    "equal": gettext_lazy("%(field)s is %(value)s"),
    "not": gettext_lazy("%(field)s is not %(value)s"),
    "in": gettext_lazy("%(field)s is %(value)s"),
    "not_in": gettext_lazy("%(field)s is not %(value)s"),
    "at_least": gettext_lazy("%(field)s is at least %(value)s"),
    "more_than": gettext_lazy("%(field)s is more than %(value)s"),
    "at_most": gettext_lazy("%(field)s is at most %(value)s"),
    "less_than": gettext_lazy("%(field)s is less than %(value)s"),
    "empty": gettext_lazy("%(field)s is empty"),
    "not_empty": gettext_lazy("%(field)s is not empty"),
    "within": gettext_lazy("%(field)s lies %(value)s"),
}
OF_MEASURES: dict[str, Any] = {
    "ratio": gettext_lazy("%(first)s divided by %(second)s"),
    "growth": gettext_lazy("Growth of %(first)s against %(second)s"),
    "difference": gettext_lazy("%(first)s minus %(second)s"),
    "total": gettext_lazy("Sum of %(all)s"),
    "largest": gettext_lazy("The largest of %(all)s"),
    "smallest": gettext_lazy("The smallest of %(all)s"),
}


def describe(definition: Document, lexicon: Lexicon) -> str:
    """One sentence. Raises MeasureError for a dataset or field that does not exist."""
    if "aggregate" in definition:
        return _of_facts(definition)
    if "tenure" in definition:
        return _tenure(definition)
    if "rank" in definition:
        return _rank(definition, lexicon)
    if "score" in definition:
        return _score(definition, lexicon)
    return _of_measures(definition, lexicon)


def _name(key: str, lexicon: Lexicon) -> str:
    known = lexicon.measures.get(key)
    return _("“%(name)s”") % {"name": (str(known.name) if known is not None else "") or key}


def _of_measures(definition: Document, lexicon: Lexicon) -> str:
    form = next(form for form in OF_MEASURES if form in definition)
    names = [_name(key, lexicon) for key in definition[form]]
    first, second = (*names, "", "")[:2]
    said = OF_MEASURES[form] % {"first": first, "second": second, "all": ", ".join(names)}
    if "minimum_base" in definition:
        return _("%(sentence)s, where that is %(base)s or more") % {
            "sentence": said, "base": show.quantity(float(definition["minimum_base"]))
        }  # fmt: skip
    return str(said)


def _score(definition: Document, lexicon: Lexicon) -> str:
    name = _name(definition["score"], lexicon)
    if "full_at" in definition:
        return _("Points for %(measure)s, in proportion: %(gives)s at %(full)s") % {
            "measure": name, "gives": definition["gives"], "full": definition["full_at"]
        }  # fmt: skip
    bands = "; ".join(
        _("from %(from)s: %(gives)s") % {"from": band["from"], "gives": band["gives"]} for band in definition["bands"]
    )
    return _("Points for %(measure)s: %(bands)s") % {"measure": name, "bands": bands}


def _rank(definition: Document, lexicon: Lexicon) -> str:
    texts = {
        ("program", "position"): _("Place by %(measure)s among all partners of the program"),
        ("program", "share"): _("Place by %(measure)s among all partners of the program, as a share"),
        ("country", "position"): _("Place by %(measure)s among partners of the same country"),
        ("country", "share"): _("Place by %(measure)s among partners of the same country, as a share"),
    }
    return texts[definition["within"], definition["as"]] % {"measure": _name(definition["rank"], lexicon)}


def _tenure(definition: Document) -> str:
    units = {"days": _("Days"), "months": _("Months"), "years": _("Years")}
    since = {
        "enrollment": _("%(unit)s since enrolling"),
        "tier": _("%(unit)s in the tier held"),
        "joined": _("%(unit)s since joining"),
    }
    return since[definition["tenure"]] % {"unit": units[definition["unit"]]}


# --- Of facts -------------------------------------------------------------------------------------


def _of_facts(definition: Document) -> str:
    try:
        dataset = datasets.get(definition["dataset"])
    except KeyError:
        raise MeasureError(definition["dataset"]) from None
    said = FIGURES[definition["aggregate"]] % {
        "field": _field(dataset, definition.get("field", "")), "dataset": dataset.label
    }  # fmt: skip
    parts = [" ".join(part for part in (str(said), wording.days_of(definition["window"])) if part)]
    parts += [one for one in (_beside(definition["window"]), _further(definition, dataset)) if one]
    said = ", ".join(parts)
    if filters := definition.get("filters"):
        only = _(" and ").join(filter_in_words(one, dataset) for one in filters)
        return _("%(figure)s; only where %(filters)s") % {"figure": said, "filters": only}
    return said


def _field(dataset: Dataset, key: str) -> str:
    return str(datasets.field_of(dataset, key).label) if key else ""


def _beside(window: Document) -> str:
    said = []
    if days := window.get("embargo_days"):
        said.append(ngettext("without the last day", "without the last %(days)s days", days) % {"days": days})
    if ago := window.get("ago"):
        count = ago.get("months") or ago["days"]
        said.append(
            ngettext("%(count)s month earlier", "%(count)s months earlier", count) % {"count": count}
            if "months" in ago
            else ngettext("%(count)s day earlier", "%(count)s days earlier", count) % {"count": count}
        )
    if window.get("newcomers"):
        said.append(_("shorter for newcomers"))
    return ", ".join(said)


def _further(definition: Document, dataset: Dataset) -> str:
    texts: dict[str, Callable[[str], str]] = {
        "by": lambda field: _("for each “%(field)s”") % {"field": field},
        "weights": lambda field: _("weighted by “%(field)s”") % {"field": field},
        "caps": lambda field: _("capped by “%(field)s”") % {"field": field},
    }
    said = []
    for key, say in texts.items():
        if key in definition:
            named = definition[key] if key == "by" else definition[key]["field"]
            said.append(say(_field(dataset, named)))
    if "having" in definition:
        said.append(_("each with %(count)s facts or more") % {"count": definition["having"]["at_least"]})
    return ", ".join(said)


def filter_in_words(one: Document, dataset: Dataset) -> str:
    """Raises MeasureError for a field that does not exist."""
    for kind, joint in (("all", _(" and ")), ("any", _(" or ")), ("none", _(" or "))):
        if kind in one:
            inside = joint.join(filter_in_words(each, dataset) for each in one[kind])
            return _("not (%(filters)s)") % {"filters": inside} if kind == "none" else f"({inside})"
    operator = one.get("is", "equal")
    field = datasets.field_of(dataset, one["field"])
    value = wording.days_of(one["window"]) if operator == "within" else _value(field, one.get("value"))
    return str(COMPARED[operator] % {"field": field.label, "value": value})


def _value(field: datasets.Field, value: Any) -> str:
    if isinstance(value, list):
        return _(" or ").join(_value(field, one) for one in value)
    if field.unit == "yes_no":
        return _("yes") if value else _("no")
    if field.unit == "day" and isinstance(value, str) and value:
        return show.day(date.fromisoformat(value))
    if field.unit in NUMBERS and number(value) is not None:
        return show.exact(str(value))
    return str(dict(field.choices).get(value, value)) if field.choices else str(value)
