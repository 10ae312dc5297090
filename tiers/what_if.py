"""What if: an enrollment's facts with some figures changed, judged by the very rules. And the estimate of a candidate who has none yet.

Nothing is stored. Figures are changed where facts are measured; shares, scores and all that is made of them follow.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tiers import definitions as defined
from tiers import evaluating, explaining, parsing, rules
from tiers.explaining import Case
from tiers.lexicon import Lexicon
from tiers.models import Enrollment, Measure

STEPS_OF_A_SLIDER = 40
NICE = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Lever:
    """A figure that can be moved: what it is now, and by how much it can be moved down and up, in its own unit (amounts in
    the program's currency), in steps of `step`."""

    measure: Measure
    unit: str
    now: Fraction
    least: Fraction
    most: Fraction
    step: Fraction

    @property
    def key(self) -> str:
        return self.measure.key


def levers(case: Case) -> list[Lever]:
    """One for each measure of facts that a tier's rules read, in the edition's order. Ranks and split figures are left out:
    others' results and members decide them."""
    lexicon = case.lexicon
    asked = _thresholds(case)
    found = []
    for key in lexicon.measures:
        definition = lexicon.definitions[key]
        if key not in asked or "aggregate" not in definition or key in lexicon.split:
            continue
        unit = lexicon.units[key]
        now = _natural(case.facts.figures.get(key, 0), unit)
        most = max((*asked[key], now)) * Fraction(6, 5) - now
        step = _step(most, whole=unit == "count" or definition["aggregate"] in defined.COUNTS)
        found.append(Lever(lexicon.measures[key], unit, now, -now if now > 0 else Fraction(0), _up(most, step), step))
    return found


def _thresholds(case: Case) -> dict[str, list[Fraction]]:
    """For each measure of facts, the figures of it that rules ask for: its own, or what a part of a share would have to be."""
    lexicon, asked = case.lexicon, dict[str, list[Fraction]]()
    for node in case.book.nodes():
        if not isinstance(node, rules.Requirement):
            continue
        unit = lexicon.units[node.measure]
        definition = lexicon.definitions[node.measure]
        for value in (node.threshold, *(one.threshold for one in node.cases)):
            for key in defined.reads(node.measure, lexicon.definitions):
                same = unit == lexicon.units[key] and "ratio" not in definition
                asked.setdefault(key, []).append(_natural(value, unit) if same else Fraction(5))
    return asked


def _natural(figure: rules.Figure, unit: str) -> Fraction:
    return Fraction(figure) / parsing.SCALES.get(unit, 1)


def _step(most: Fraction, *, whole: bool) -> Fraction:
    """1, 2 or 5 times a power of ten, so that a slider has about STEPS_OF_A_SLIDER of them; at least 1 of what is counted."""
    rough = max(most / STEPS_OF_A_SLIDER, Fraction(1, 100))
    power = Fraction(10) ** (len(str(int(rough))) - 1 if rough >= 1 else -2)
    step = next((power * nice for nice in NICE if power * nice >= rough), power * 10)
    return max(step, Fraction(1)) if whole else step


def _up(value: Fraction, step: Fraction) -> Fraction:
    """The multiple of the step at or above the value."""
    return step * -(-value // step)


def moved(case: Case, changes: Mapping[str, Decimal]) -> Case:
    """The case with figures of facts changed by so much (in their own unit); none falls below nothing that cannot."""
    lexicon, book = case.lexicon, evaluating.Book.of(case.lexicon, case.book)
    measured: dict[str, Any] = {
        key: case.facts.figures.get(key, 0) for key in book.keys.values() if key not in book.split
    }
    measured |= {key: dict(case.facts.split.get(key, {})) for key in book.split}
    for key, change in changes.items():
        figure = Fraction(measured[key]) + Fraction(change) * parsing.SCALES.get(lexicon.units[key], 1)
        least = defined.bounds(key, lexicon.definitions, lexicon.units)[0]
        measured[key] = evaluating.exact(figure if least is None else max(figure, Fraction(least)))
    judged = evaluating.judge(book, measured, case.facts.traits, case.facts.history, case.facts.day)
    return Case(lexicon, case.book, judged.facts, case.enrolled_on)


def would_hold(case: Case, held: rules.Level | None) -> rules.Level:
    """The tier that a review would come to at which tiers may be given and lost."""
    earned = rules.highest_earned(case.book, case.facts)
    if held is None or earned.rank >= held.rank:
        return earned
    return next(one for one in reversed(case.book.levels) if one.rank <= held.rank and rules.keeps(one, case.facts))


# --- A candidate ----------------------------------------------------------------------------------


def of_a_candidate(lexicon: Lexicon, figures: Mapping[str, Decimal], traits: Mapping[str, str], on: date) -> Case:
    """The case of someone who would enrol on `on` with these figures (in their own unit; absent is nothing) and traits."""
    blank = explaining.case_for(lexicon, Enrollment(starts_on=on), None, on=on)
    country = traits.get("country", "")
    known = {
        **{name: (value,) for name, value in traits.items() if value},
        "country_group": tuple(
            sorted(name for name, codes in lexicon.edition.country_groups.items() if country in codes)
        ),
        "enrolled_on": (on.isoformat(),),
        "joined_on": (on.isoformat(),),
    }
    case = Case(lexicon, blank.book, rules.Facts(on, {}, {}, known, {}, blank.book.earn_rules()), on)
    return moved(case, figures)


def questions(lexicon: Lexicon, book: rules.Rulebook) -> list[Measure]:
    """The measures that a candidate is asked about: those of facts that some tier's rule reads."""
    read: Iterable[str] = (
        key
        for node in book.nodes()
        if isinstance(node, rules.Requirement)
        for key in defined.reads(node.measure, lexicon.definitions)
    )
    asked = set(read)
    return [
        measure
        for key, measure in lexicon.measures.items()
        if key in asked and key not in lexicon.split and "aggregate" in lexicon.definitions[key]
    ]


TOLD_BY_THE_DAY = ("tier", "enrolled_on", "joined_on")  # a candidate holds nothing yet and enrols on the day


def traits_asked(book: rules.Rulebook) -> list[str]:
    """The traits that a candidate is asked about, by name: those that some rule reads. A country tells its groups."""
    read = {node.trait for node in book.nodes() if isinstance(node, rules.Condition)} - {*TOLD_BY_THE_DAY}
    return sorted({"country" if name == "country_group" else name for name in read})


# --- Money ----------------------------------------------------------------------------------------

Pays = Callable[[Enrollment, Iterable[str], date], Mapping[str, Decimal] | None]
_pays: list[Pays] = []


def register_pay(pays: Pays) -> None:
    """Offer what an enrollment would be paid in a year at each of some tiers, by code, in the program's currency; None
    without a plan."""
    _pays.append(pays)


def yearly_pay(enrollment: Enrollment, codes: Iterable[str], on: date) -> dict[str, Decimal]:
    """What the last twelve months would have paid at each tier, by code; empty where no plan says."""
    wanted = list(codes)
    found = (pays(enrollment, wanted, on) for pays in _pays)
    return {code: amount for one in found if one is not None for code, amount in one.items()}
