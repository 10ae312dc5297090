"""Whether a measure can be measured: all that it names exists, and fits. Reads no facts.

What is wrong is a MeasureError that begins with its place in the definition: "filters[0].any[1]: ...".
"""

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from tiers import compiling, figures, windows
from tiers.datasets import Dataset
from tiers.definitions import parts_of
from tiers.errors import MeasureError
from tiers.filtering import NUMBERS, Rates, Reader, number, refused, typed
from tiers.models import Edition, Measure
from tiers.units import OF_NUMBERS, dataset_of, unit_of

Definition = Mapping[str, Any]
AGGREGATES = (*OF_NUMBERS, "count", "distinct")
FORMS = ("ratio", "growth", "difference", "total", "largest", "smallest", "score", "rank", "tenure")
CAPPED = ("sum", "count", "distinct")
ANY_DAY = date(2000, 1, 1)


def check_measure(measure: Measure | Definition, edition: Edition) -> None:
    """Raises MeasureError as `check_definition`, beside the other measures of a saved edition."""
    others = {one.key: one.definition for one in edition.measures.all()} if edition.pk else {}
    definition = measure.definition if isinstance(measure, Measure) else measure
    check_definition(definition, others, currency=edition.program.currency, exchange=edition.exchange)


def check_definition(
    definition: Definition, definitions: Mapping[str, Definition], *, currency: str, exchange: Mapping[str, Any]
) -> None:
    """Raises MeasureError for what does not exist or fit; `definitions` are all of the edition, by key."""
    rates = {currency: Fraction(1), **exchange_rates(exchange)}
    if "aggregate" in definition:
        _check_facts(definition, rates)
    elif any(form in definition for form in FORMS):
        _check_made(definition, definitions)
    else:
        raise MeasureError(_("a measure needs one of: %(forms)s.") % {"forms": ", ".join(("aggregate", *FORMS))})


def exchange_rates(exchange: Mapping[str, Mapping[str, Any]]) -> dict[str, Fraction]:
    """The exchange table as exact rates. Raises MeasureError for one that is not positive."""
    rates = {}
    for currency, row in exchange.items():
        amount, counts_as = number(row.get("amount")), number(row.get("is"))
        if not amount or not counts_as or amount < 0 or counts_as < 0:
            raise refused(
                f"exchange.{currency}", _("so much of it (amount) counts as so much (is): two numbers above 0.")
            )
        rates[currency] = counts_as / amount
    return rates


# --- Measures of facts ----------------------------------------------------------------------------


def _check_facts(definition: Definition, rates: Rates) -> None:
    aggregate, dataset = definition["aggregate"], dataset_of(definition)
    if aggregate not in AGGREGATES:
        raise refused(
            "aggregate",
            _("there is no “%(aggregate)s”; there are: %(known)s.")
            % {"aggregate": aggregate, "known": ", ".join(AGGREGATES)},
        )
    _check_window(definition, dataset)
    reader = Reader(dataset, ANY_DAY, rates)
    _check_field(definition, reader)
    for part, check in PARTS.items():
        if part in definition:
            check(definition, reader)
    compiling.plan(dict(definition), dataset, ANY_DAY, rates, None, 0)


def _check_window(definition: Definition, dataset: Dataset) -> None:
    window, dated_by = definition.get("window") or {}, definition.get("dated_by")
    try:
        stock = windows.is_stock(window)
        windows.period(window, ANY_DAY, ANY_DAY)
    except ValueError:
        raise refused("window", _("there is no window %(window)s.") % {"window": dict(window)}) from None
    if dated_by is not None and dated_by not in dataset.days:
        raise refused(
            "dated_by",
            _("facts of “%(dataset)s” are not dated by “%(field)s”; they can be by: %(known)s.")
            % {"dataset": dataset.key, "field": dated_by, "known": ", ".join(dataset.days) or "–"},
        )
    if stock != (dated_by is None and dataset.dated is None):
        raise refused(
            "window",
            _("“%(dataset)s” has a day for each fact: the window says which days count.") % {"dataset": dataset.key}
            if stock
            else _("“%(dataset)s” is what stands on a day: the window is “today” or “on”.") % {"dataset": dataset.key},
        )
    if definition["aggregate"] == "monthly_average" and window.get("kind") != "last_full":
        raise refused("window", _("a monthly average takes whole months: the window is “last_full”."))


def _check_field(definition: Definition, reader: Reader) -> None:
    aggregate, key = definition["aggregate"], definition.get("field")
    if aggregate == "count":
        if key:
            raise refused("field", _("a count takes no field; for different values of one there is “distinct”."))
        return
    if not key:
        raise refused("field", _("“%(aggregate)s” needs a field.") % {"aggregate": aggregate})
    if aggregate in OF_NUMBERS:
        _check_number(key, reader, "field")


def _check_number(key: str, reader: Reader, where: str) -> None:
    if reader.field(key, where).unit not in NUMBERS:
        raise refused(where, _("“%(field)s” cannot be added up or compared: it is not a number.") % {"field": key})


def _check_by(definition: Definition, reader: Reader) -> None:
    if reader.field(definition["by"], "by").unit in ("amount", "decimal"):
        raise refused("by", _("“%(field)s” is an amount: it cannot split a measure.") % {"field": definition["by"]})


def _check_weights(definition: Definition, reader: Reader) -> None:
    _check_fits(definition, "weights", ("sum",))
    _check_values(definition["weights"], "weights", reader, whole=False)


def _check_caps(definition: Definition, reader: Reader) -> None:
    _check_fits(definition, "caps", CAPPED)
    _check_values(definition["caps"], "caps", reader, whole=unit_of(definition, {}) == "count")


def _check_fits(definition: Definition, part: str, aggregates: tuple[str, ...]) -> None:
    if definition["aggregate"] not in aggregates:
        raise refused(
            part,
            _("these stand with %(aggregates)s, not with “%(aggregate)s”.")
            % {"aggregates": ", ".join(aggregates), "aggregate": definition["aggregate"]},
        )


def _check_values(part: Mapping[str, Any], where: str, reader: Reader, *, whole: bool) -> None:
    found = reader.field(str(part.get("field", "")), f"{where}.field")
    if found.unit not in ("text", "number"):
        raise refused(f"{where}.field", _("“%(field)s” has no values to name.") % {"field": part["field"]})
    for key in part.get("values", {}):
        value = typed(found, part["field"], key, f"{where}.values")
        if isinstance(value, Fraction) and value.denominator != 1:
            raise refused(f"{where}.values", _("“%(value)s” is no whole number.") % {"value": key})
    named = {f"{where}.values.{key}": value for key, value in part.get("values", {}).items()}
    others = {f"{where}.others": part["others"]} if "others" in part else {}
    for place, value in {**named, **others}.items():
        exact = number(value)
        if exact is None or (whole and exact.denominator != 1):
            raise refused(place, _("“%(value)s” is no number that fits here.") % {"value": value})


def _check_having(definition: Definition, reader: Reader) -> None:
    _check_fits(definition, "having", ("distinct",))
    having = definition["having"]
    aggregate, key, least = having.get("aggregate"), having.get("field"), number(having.get("at_least"))
    if aggregate not in CAPPED or (aggregate != "count") != bool(key):
        raise refused(
            "having", _("it counts the facts of a value, or the distinct values or the sum of a field of them.")
        )
    if least is None or least <= 0:
        raise refused("having.at_least", _("“%(value)s” is no number above 0.") % {"value": having.get("at_least")})
    if aggregate == "sum":
        _check_number(key, reader, "having.field")
    elif key:
        reader.field(key, "having.field")


PARTS: dict[str, Callable[[Definition, Reader], None]] = {
    "by": _check_by,
    "weights": _check_weights,
    "caps": _check_caps,
    "having": _check_having,
}


# --- Measures of measures -------------------------------------------------------------------------


def _check_made(definition: Definition, definitions: Mapping[str, Definition]) -> None:
    for part in (*parts_of(definition), *([definition["rank"]] if "rank" in definition else [])):
        if part not in definitions:
            raise MeasureError(_("there is no measure “%(key)s” in this edition.") % {"key": part})
    try:
        figures.order({**definitions, "": definition}, [""])
    except figures.CircleError as circle:
        raise MeasureError(
            _("these are made of each other in a circle: %(keys)s.") % {"keys": " → ".join(circle.keys)}
        ) from None
    if not all(_has_unit(definitions[part], definitions) for part in parts_of(definition)):
        return  # what is wrong there is said there
    unit_of(definition, definitions)
    if "rank" in definition:
        ranked = definitions[definition["rank"]]
        if "aggregate" not in ranked or "by" in ranked:
            raise refused("rank", _("a rank is among figures of facts that are not split."))
    full_at = number(definition.get("full_at", 1))
    if full_at is None or full_at <= 0:
        raise refused("full_at", _("“%(value)s” is no number above 0.") % {"value": definition["full_at"]})
    starts = [number(band.get("from")) for band in definition.get("bands", ())]
    if None in starts or len(set(starts)) != len(starts):
        raise refused("bands", _("each band starts from a number of its own."))


def _has_unit(definition: Definition, definitions: Mapping[str, Definition]) -> bool:
    try:
        unit_of(definition, definitions)
    except MeasureError:
        return False
    return True
