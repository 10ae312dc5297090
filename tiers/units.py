"""In what a measure's figure is read.

`amount`: ten-thousandths of the program's currency. `decimal`: ten-thousandths. `count`: whole. `number`: plain, may be a fraction
(an average of counts, a score). `ratio`, `share`: a fraction of one.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from tiers import datasets
from tiers.datasets import Dataset
from tiers.definitions import parts_of
from tiers.errors import MeasureError
from tiers.filtering import SCALES, number

Definition = Mapping[str, Any]
OF_NUMBERS = ("sum", "average", "median", "min", "max", "monthly_average")
MAY_BE_BROKEN = ("average", "median", "monthly_average")
# Units of which figures may be added, compared and divided by each other.
ALIKE = {"count": "number", "number": "number", "ratio": "ratio", "share": "ratio"}


def dataset_of(definition: Definition) -> Dataset:
    """Raises MeasureError, naming the datasets there are."""
    try:
        return datasets.get(str(definition.get("dataset", "")))
    except KeyError:
        known = ", ".join(dataset.key for dataset in datasets.every())
        raise MeasureError(
            _("dataset: there is no “%(dataset)s”; there are: %(known)s.")
            % {"dataset": definition.get("dataset", ""), "known": known}
        ) from None


def unit_of(definition: Definition, definitions: Mapping[str, Definition]) -> str:
    """The unit of a measure; `definitions` are those of the edition by key, without circles.

    Raises MeasureError for what does not exist, and where measures of different units would be mixed.
    """
    if "aggregate" in definition:
        return _of_facts(definition)
    if "rank" in definition:
        return "share" if definition["as"] == "share" else "count"
    if "tenure" in definition:
        return "count"
    if "score" in definition:
        gives = [number(band["gives"]) for band in definition.get("bands", ())] or [Fraction(1, 2)]
        return "count" if all(one is not None and one.denominator == 1 for one in gives) else "number"
    units = [_of_part(part, definitions) for part in parts_of(definition)]
    if "ratio" in definition:
        return _of_ratio(units)
    if len({ALIKE.get(unit, unit) for unit in units}) != 1:
        raise MeasureError(_("its parts are not of one kind: %(units)s.") % {"units": ", ".join(units)})
    if "growth" in definition:
        return "ratio"
    return units[0] if len(set(units)) == 1 else ALIKE[units[0]]


def scale_of(unit: str) -> int:
    """By how much a figure in this unit is larger than what people write."""
    return SCALES.get(unit, 1)


def threshold_in_unit(unit: str, threshold: Decimal | int | str) -> int | Fraction:
    """The threshold as rules compare it: in ten-thousandths for amounts and decimals, plain otherwise."""
    exact = Fraction(str(threshold)) * scale_of(unit)
    return int(exact) if exact.denominator == 1 else exact


def _of_facts(definition: Definition) -> str:
    aggregate = definition["aggregate"]
    if aggregate not in OF_NUMBERS:
        return "count"
    unit = datasets.field_of(dataset_of(definition), str(definition.get("field", ""))).unit
    if unit in SCALES:
        return unit
    return "number" if aggregate in MAY_BE_BROKEN or "weights" in definition else "count"


def _of_part(key: str, definitions: Mapping[str, Definition]) -> str:
    if key not in definitions:
        raise MeasureError(_("there is no measure “%(key)s” in this edition.") % {"key": key})
    return unit_of(definitions[key], definitions)


def _of_ratio(units: list[str]) -> str:
    """Of one kind: a share, as are counts over a declared number. Amounts over counts are amounts, an average for each."""
    above, below = (ALIKE.get(unit, unit) for unit in units)
    if above == below or (above == "number" and below == "decimal"):
        return "ratio"
    if above in SCALES and below == "number":
        return above
    raise MeasureError(_("%(above)s cannot be divided by %(below)s.") % {"above": units[0], "below": units[1]})
