"""What a measure's definition is made of. Pure; docs/program-file.md describes the forms."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tiers.parsing import SCALES, Bounds
from tiers.rules import Figure

Definition = Mapping[str, Any]
Definitions = Mapping[str, Definition]
OF_TWO = ("ratio", "growth", "difference")
OF_MANY = ("total", "largest", "smallest")
TRAITS_OF_TENURE = {"enrollment": "enrolled_on", "joined": "joined_on", "tier": "tier_since"}
COUNTS = ("count", "distinct")


def is_stored(definition: Definition) -> bool:
    """Whether nights store its figure: a measure of facts, or a rank among others."""
    return "aggregate" in definition or "rank" in definition


def parts_of(definition: Definition) -> tuple[str, ...]:
    """The measures it is made of, by key."""
    for form in (*OF_TWO, *OF_MANY):
        if form in definition:
            return tuple(definition[form])
    return (definition["score"],) if "score" in definition else ()


def reads(key: str, definitions: Definitions) -> tuple[str, ...]:
    """The measures whose facts are behind a figure, each once, in order. Definitions have no circle (`figures.order`)."""
    definition = definitions.get(key, {})
    if "aggregate" in definition:
        return (key,)
    if "rank" in definition:
        return reads(definition["rank"], definitions)
    return tuple(dict.fromkeys(one for part in parts_of(definition) for one in reads(part, definitions)))


def is_split(key: str, definitions: Definitions) -> bool:
    """Whether it has a figure for each member: split itself, or made of one that is."""
    definition = definitions.get(key, {})
    return "by" in definition or any(is_split(part, definitions) for part in parts_of(definition))


def traits_read(definitions: Definitions) -> frozenset[str]:
    """The days that tenures count from, as traits."""
    return frozenset(TRAITS_OF_TENURE[one["tenure"]] for one in definitions.values() if "tenure" in one)


def bounds(key: str, definitions: Definitions, units: Mapping[str, str]) -> Bounds:
    """The least and the most a figure can be, in the unit that rules compare; None where nothing bounds it."""
    definition = definitions[key]
    if definition.get("aggregate") in COUNTS or "tenure" in definition:
        return 0, None
    if "rank" in definition:
        return (0, 1) if definition["as"] == "share" else (1, None)
    if "bands" in definition:
        gives = [_figure(band["gives"], units[key]) for band in definition["bands"]]
        return min(0, *gives), max(0, *gives)
    if "full_at" in definition:
        most = _figure(definition["gives"], units[key])
        return min(0, most), max(0, most)
    if "ratio" in definition:
        least = [bounds(part, definitions, units)[0] for part in definition["ratio"]]
        return (0 if all(one is not None and one >= 0 for one in least) else None), None
    return None, None


def _figure(value: Any, unit: str) -> Figure:
    return Fraction(str(value)) * SCALES.get(unit, 1)
