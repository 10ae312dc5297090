"""Measures made of measures: from what the facts came to, everything else an edition measures. Pure; exact.

Figures are in the unit of their measure (ten-thousandths of amounts and decimals, plain otherwise); docs/program-file.md says
what each form means. A measure of split ones is split: it has a figure for each of their members, with which those that
are not split stand for each member as they are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from common.days import add_months
from tiers.definitions import parts_of
from tiers.errors import MeasureError


class CircleError(MeasureError):
    """Measures are made of each other in a circle: `keys`, the first again at the end."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(" → ".join(keys))
        self.keys = keys


Figure = int | Fraction
Definition = Mapping[str, Any]
Definitions = Mapping[str, Definition]
SCALES = {"amount": 10_000, "decimal": 10_000}
STARTS = {"enrollment": "enrolled_on", "joined": "joined_on", "tier": "tier_since"}
MONTHS = {"months": 1, "years": 12}


def order(definitions: Definitions, of: Iterable[str] | None = None) -> list[str]:
    """The keys (those that `of` need, where given), each after those it is made of, otherwise as they stand. Raises CircleError,
    naming the circle. What is not there is left out."""
    done: dict[str, None] = {}
    for key in definitions if of is None else of:
        for found in _below(key, definitions, done, ()):
            done[found] = None
    return list(done)


def _below(key: str, definitions: Definitions, done: Mapping[str, None], path: tuple[str, ...]) -> Iterator[str]:
    if key in path:
        raise CircleError((*path[path.index(key) :], key))
    if key in done or key not in definitions:
        return
    ranked = definitions[key].get("rank")
    for part in (*parts_of(definitions[key]), *([ranked] if ranked else ())):
        yield from _below(part, definitions, done, (*path, key))
    yield key


def made_of_others(definitions: Definitions) -> tuple[str, ...]:
    """The keys of measures that are made (of measures, or of time), each after those it is made of. Raises CircleError."""
    return tuple(key for key in order(definitions) if "tenure" in definitions[key] or parts_of(definitions[key]))


def complete(
    definitions: Definitions,
    figures: Mapping[str, Figure],
    split: Mapping[str, Mapping[str, Figure]],
    traits: Mapping[str, tuple[str, ...]],
    day: date,
    units: Mapping[str, str],
    keys: Sequence[str] | None = None,
) -> tuple[dict[str, Figure], dict[str, dict[str, Figure]]]:
    """The figure of every measure, and of split ones by member, from those of facts and ranks (absent: 0). Of a split one,
    the first has the figure of a member without facts.

    `traits` are texts by name; tenures read the days `enrolled_on`, `joined_on` and `tier_since` (0 where there is none).
    `units` say in what the thresholds inside a definition are read. `keys` is what `made_of_others` gives, where it is known.
    """
    whole: dict[str, Figure] = dict(figures)
    by_member: dict[str, dict[str, Figure]] = {key: dict(members) for key, members in split.items()}
    for key in made_of_others(definitions) if keys is None else keys:
        definition = definitions[key]
        parts = parts_of(definition)
        of_units = [units[part] for part in parts]
        if "tenure" in definition:
            whole[key] = tenure(definition, traits, day)
        elif by_member and any(part in by_member for part in parts):
            members = dict.fromkeys(member for part in parts for member in by_member.get(part, {}))
            by_member[key] = {
                member: made(
                    definition,
                    [by_member.get(part, {}).get(member, whole.get(part, 0)) for part in parts],
                    of_units,
                )
                for member in members
            }
            # Of a member without facts: not always 0 where a part of it is not split.
            whole[key] = made(definition, [whole.get(part, 0) for part in parts], of_units)
        else:
            whole[key] = made(definition, [whole.get(part, 0) for part in parts], of_units)
    return whole, by_member


def made(definition: Definition, of: list[Figure], units: list[str]) -> Figure:
    """The figure of one measure of measures, from those of its parts and their units."""
    form = next(form for form in FORMS if form in definition)
    scale = SCALES.get(units[0], 1)
    if form == "ratio" and scale == 1:  # counts over a declared number: that is read as people write it
        of = [of[0] * SCALES.get(units[1], 1), of[1]]
    found = FORMS[form](definition, of, scale)
    return int(found) if found.denominator == 1 else found


def tenure(definition: Definition, traits: Mapping[str, tuple[str, ...]], day: date) -> int:
    """Whole days, months or years since the start; 0 before it."""
    texts = traits.get(STARTS[definition["tenure"]], ())
    if not texts:
        return 0
    start = date.fromisoformat(texts[0])
    if definition["unit"] == "days":
        return max((day - start).days, 0)
    months = (day.year - start.year) * 12 + day.month - start.month
    passed = months if add_months(start, months) <= day else months - 1
    return max(passed // MONTHS[definition["unit"]], 0)


# --- The forms ------------------------------------------------------------------------------------


def _ratio(definition: Definition, of: list[Figure], scale: int) -> Figure:
    return Fraction(of[0], of[1]) if of[1] else 0


def _growth(definition: Definition, of: list[Figure], scale: int) -> Figure:
    now, before = of
    base = Fraction(str(definition.get("minimum_base", 0))) * scale
    return Fraction(now - before) / before if before > 0 and before >= base else 0


def _score(definition: Definition, of: list[Figure], scale: int) -> Figure:
    if "bands" in definition:
        bands = sorted((_exact(band["from"]) * scale, _exact(band["gives"])) for band in definition["bands"])
        return next((gives for least, gives in reversed(bands) if of[0] >= least), 0)
    share = Fraction(of[0]) / (_exact(definition["full_at"]) * scale)
    return _exact(definition["gives"]) * min(max(share, Fraction(0)), Fraction(1))


FORMS: dict[str, Callable[[Definition, list[Figure], int], Figure]] = {
    "ratio": _ratio,
    "growth": _growth,
    "difference": lambda definition, of, scale: of[0] - of[1],
    "total": lambda definition, of, scale: sum(of),
    "largest": lambda definition, of, scale: max(of),
    "smallest": lambda definition, of, scale: min(of),
    "score": _score,
}


def _exact(value: Any) -> Fraction:
    return Fraction(str(value))
