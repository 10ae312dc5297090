"""Which tier do figures earn? Pure functions over values; no database, no clock.

Figures are exact: whole numbers in the unit of their measure (counts, or ten-thousandths of the currency), or
fractions for ratios. 79.9% is less than 80%, always.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import ge, gt, le, lt
from typing import Literal

Figure = int | Fraction
COMPARE = {"gte": ge, "gt": gt, "lte": le, "lt": lt}


@dataclass(frozen=True, slots=True)
class Requirement:
    """A leaf: the figure of a measure compared with a threshold in the same unit."""

    rule_id: int
    measure: str
    comparison: Literal["gte", "gt", "lte", "lt"]
    threshold: Figure


@dataclass(frozen=True, slots=True)
class Group:
    """All, any, or at least `at_least` of its children. A group without children is met only when it asks for none."""

    rule_id: int
    kind: Literal["all", "any", "at_least"]
    children: tuple["Node", ...]
    at_least: int = 0

    @property
    def needed(self) -> int:
        return {"all": len(self.children), "any": 1, "at_least": self.at_least}[self.kind]


Node = Requirement | Group


@dataclass(frozen=True, slots=True)
class Level:
    """A tier as rules see it. Rank 1 is the entry tier, always earned; any other without an earn rule never is."""

    tier_id: int
    rank: int
    code: str
    earn: Node | None = None
    keep: Node | None = None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The levels of an edition, lowest first, and its ratios by key: (numerator's key, denominator's key)."""

    levels: tuple[Level, ...]
    ratios: Mapping[str, tuple[str, str]]

    def level(self, code: str) -> Level | None:
        return next((level for level in self.levels if level.code == code), None)


@dataclass(frozen=True, slots=True)
class Checked:
    """A node with what came of it. `done` is how many children are met; a leaf has its figure."""

    node: Node
    met: bool
    figure: Figure | None = None
    children: tuple["Checked", ...] = ()


def with_ratios(rulebook: Rulebook, figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """`figures` with each ratio added. A ratio over nothing is 0: nobody of nobody is certified."""
    complete = dict(figures)
    for key, (numerator, denominator) in rulebook.ratios.items():
        below = figures.get(denominator, 0)
        complete[key] = Fraction(figures.get(numerator, 0)) / below if below else 0
    return complete


def is_met(node: Node, figures: Mapping[str, Figure]) -> bool:
    if isinstance(node, Requirement):
        return bool(COMPARE[node.comparison](figures.get(node.measure, 0), node.threshold))
    met = (is_met(child, figures) for child in node.children)
    if node.kind == "all":
        return all(met)
    return any(met) if node.kind == "any" else sum(met) >= node.needed


def check(node: Node, figures: Mapping[str, Figure]) -> Checked:
    """The whole tree with what came of each node."""
    if isinstance(node, Requirement):
        return Checked(node, is_met(node, figures), figures.get(node.measure, 0))
    children = tuple(check(child, figures) for child in node.children)
    return Checked(node, sum(child.met for child in children) >= node.needed, children=children)


def earns(level: Level, figures: Mapping[str, Figure]) -> bool:
    if level.rank == 1:
        return True
    return level.earn is not None and is_met(level.earn, figures)


def keeps(level: Level, figures: Mapping[str, Figure]) -> bool:
    """Holding a tier takes its keep rule, or its earn rule: who would earn it today need not also keep it."""
    return earns(level, figures) or (level.keep is not None and is_met(level.keep, figures))


def highest_earned(rulebook: Rulebook, figures: Mapping[str, Figure]) -> Level:
    """The highest level whose own rule is met; levels below it need not be."""
    return next(level for level in reversed(rulebook.levels) if earns(level, figures))


def decide(
    rulebook: Rulebook, figures: Mapping[str, Figure], *, earned: Level, held: Level | None, is_review: bool
) -> Level:
    """The level to hold from now on; `earned` is the highest that the figures earn (`highest_earned`).

    Up at once to the highest earned. Down only at a review, and only to the highest level that is earned or, from the
    held one downwards, kept. `held` is None for a newcomer and for a tier the edition no longer has.
    """
    if held is None or earned.rank >= held.rank:
        return earned
    if not is_review:
        return held
    return next(level for level in reversed(rulebook.levels) if level.rank <= held.rank and keeps(level, figures))


def gap(requirement: Requirement, figure: Figure) -> Figure:
    """How far the figure is from meeting the requirement, 0 or more, in the measure's unit (strictness aside)."""
    distance = (
        requirement.threshold - figure if requirement.comparison in ("gte", "gt") else figure - requirement.threshold
    )
    return max(distance, 0)


def progress(requirement: Requirement, figure: Figure) -> float:
    """How much of the way is done, from 0 to 1, for bars."""
    if COMPARE[requirement.comparison](figure, requirement.threshold):
        return 1.0
    if requirement.comparison in ("lte", "lt") or requirement.threshold <= 0:
        return 0.0
    return max(0.0, min(1.0, float(Fraction(figure) / Fraction(requirement.threshold))))
