"""Each program as a table: facts that meet a tier exactly at its thresholds, then one amount moved just below or above.

For each row of a table a partner is made, all of a table's partners in one program. The last night must put each where the
table says, and explain each requirement of the tier under test with exactly the figure that the table works out from the
amounts in plain Python.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.commissions.facts import run_night
from tests.programs.facts import Scene, months_before, save
from tiers import explaining, lexicon, program_file, rules
from tiers.models import Evaluation, Placement, Program

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "programs"
Amounts = Mapping[str, Any]
# What is asked of a measure: at least so much, or another comparison with so much. Of the measure for a member: "member:measure".
Asked = Mapping[str, Any]
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Edge:
    """One requirement: what moves it just below its threshold, and just above. `to` where the partner then falls elsewhere."""

    measure: str
    below: Amounts
    above: Amounts | None
    to: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A tier, the amounts that meet it exactly, what it asks, and the tier below it that such amounts still reach."""

    tier: str
    at: Amounts
    asked: Asked
    edges: tuple[Edge, ...]
    below: str
    partner: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`write` makes the facts of some amounts, as seen by the last of `nights`; `figures` works out what they measure."""

    file: str
    nights: tuple[date, ...]
    write: Callable[[Scene, Amounts, date], None]
    figures: Callable[[Amounts], Figures]
    steps: tuple[Step, ...]
    enrolled_on: date | None = None
    note: str = ""

    def __str__(self) -> str:
        return f"{self.file} {self.note or self.nights[-1].year}"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    step: Step
    amounts: Amounts
    holds: str


def cases(table: Table) -> Iterator[Case]:
    for step in table.steps:
        tier = f"{step.tier}{step.note}"
        yield Case(f"{tier}, exactly", step, step.at, step.tier)
        for edge in step.edges:
            place = f"{tier}, {edge.measure}"
            yield Case(f"{place} just below", step, {**step.at, **edge.below}, edge.to or step.below)
            if edge.above is not None:
                yield Case(f"{place} just above", step, {**step.at, **edge.above}, step.tier)


def imported(file: str) -> Program:
    return program_file.import_program(SAMPLES / f"{file}.json")


def judged(table: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    """What came of every case, and what the table says of it: the tier held, and each requirement."""
    program, night = imported(table.file), table.nights[-1]
    scenes = {}
    for case in cases(table):
        partner = {"enrolled_on": table.enrolled_on or months_before(night, 12), **case.step.partner}
        scene = scenes[case.name] = Scene(program, **partner)
        table.write(scene, case.amounts, night)
    save(list(scenes.values()))
    for one in table.nights:
        run_night(program, one)
    came, said = {}, {}
    for case in cases(table):
        scene = scenes[case.name]
        came[case.name] = (held(scene), explained(scene, case.step.tier, night))
        said[case.name] = (case.holds, expected(case.step.asked, table.figures(case.amounts)))
    return came, said


def held(scene: Scene) -> str:
    return str(Placement.objects.current().get(enrollment=scene.enrollment).tier.code)


# --- What the engine says -------------------------------------------------------------------------


def explained(scene: Scene, tier: str, night: date) -> dict[str, Any]:
    """Each requirement of the tier's earn rule, by measure: (comparison, figure, threshold, missing, met)."""
    evaluation = Evaluation.objects.filter(enrollment=scene.enrollment, evaluated_on__lte=night).latest("evaluated_on")
    case = explaining.case_for(lexicon.read(evaluation.edition), scene.enrollment, evaluation, on=night)
    level = case.book.level(tier)
    assert level is not None
    assert level.earn is not None
    return dict(_rows(explaining.explain_node(rules.check(level.earn, case.facts), case), ""))


def _rows(node: Any, member: str) -> Iterator[tuple[str, Any]]:
    if node["kind"] == "requirement":
        yield f"{member}{node['measure']}", tuple(node[key] for key in ("is", "figure", "threshold", "missing", "met"))
    elif node["kind"] == "meets":
        yield f"meets {node['code']}", node["met"]
    elif node["kind"] == "for_each":
        for name, child in node["members"].items():
            yield from _rows(child, f"{name}:")
    else:
        if node["kind"] in ("unbroken", "any_day"):
            yield node["kind"], (node["since"], node["met"])
        for child in node.get("rules", ()):
            yield from _rows(child, member)


# --- What the table says --------------------------------------------------------------------------


def expected(asked: Asked, figures: Figures) -> dict[str, Any]:
    """The same, worked out: of members for which there is no figure nothing is asked."""
    said: dict[str, Any] = {}
    for key, figure in figures.items():
        what = asked.get(key, asked.get(key.rpartition(":")[2]))
        if what is None:
            continue
        if isinstance(figure, bool | tuple):
            said[key] = figure
            continue
        comparison, threshold = what if isinstance(what, tuple) else ("at_least", what)
        said[key] = requirement(comparison, Fraction(figure), Fraction(threshold))
    return said


def requirement(comparison: str, figure: Fraction, threshold: Fraction) -> tuple[str, str, str, str, bool]:
    met, distance = {
        "at_least": (figure >= threshold, threshold - figure),
        "more_than": (figure > threshold, threshold - figure),
        "at_most": (figure <= threshold, figure - threshold),
    }[comparison]
    return comparison, as_text(figure), as_text(threshold), "0" if met else as_text(distance), met


def as_text(number: Fraction) -> str:
    """Exactly: decimals where they end, else as a fraction."""
    if number.denominator == 1:
        return str(number.numerator)
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{number.numerator}/{number.denominator}"
    return format((Decimal(number.numerator) / Decimal(number.denominator)).normalize(), "f")
