"""Which tier do figures earn? Pure functions over values; no database, no clock.

Figures are exact: whole numbers in the unit of their measure (counts, or ten-thousandths of the currency), or
fractions. 79.9% is less than 80%, always. docs/program-file.md says what each rule means.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from operator import eq, ge, gt, le, lt
from typing import Any, Literal

from common.days import add_months

Figure = int | Fraction
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "at_least": ge, "more_than": gt, "at_most": le, "less_than": lt, "equal": eq,
}  # fmt: skip
Comparison = Literal["at_least", "more_than", "at_most", "less_than", "equal"]


@dataclass(frozen=True, slots=True)
class Case:
    """Another threshold for partners of whom `when` holds."""

    when: "Node"
    threshold: Figure


@dataclass(frozen=True, slots=True)
class Requirement:
    """The figure of a measure compared with a threshold in the same unit: that of the first case that holds, else its own."""

    path: str
    measure: str
    comparison: Comparison
    threshold: Figure
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What the partner is. `values` are texts; days in ISO form, which compare as they follow each other."""

    path: str
    trait: str
    comparison: Literal["equal", "not", "in", "not_in", "at_least", "more_than", "at_most", "less_than"]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meets:
    """The earn rule of another tier or distinction of the edition is met."""

    path: str
    code: str


@dataclass(frozen=True, slots=True)
class Group:
    """All, any, none, or at least `at_least` of its children; `including` asks for so many of some places among them."""

    path: str
    kind: Literal["all", "any", "none", "at_least"]
    children: tuple["Node", ...]
    at_least: int = 0
    including: tuple[int, tuple[int, ...]] | None = None

    @property
    def needed(self) -> int:
        return {"all": len(self.children), "any": 1, "none": 0, "at_least": self.at_least}[self.kind]


@dataclass(frozen=True, slots=True)
class ForEach:
    """A rule for each member of a set: those named, or those whose split figure meets `of`. `at_least` of them, or every one."""

    path: str
    rule: "Node"
    members: tuple[str, ...] = ()
    of: Requirement | None = None
    at_least: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A rule over time: met without a break for the span before tonight, or on any night of it. Its `key` names its verdicts."""

    path: str
    kind: Literal["unbroken", "any_day"]
    last: int
    unit: Literal["months", "days"]
    more: bool
    key: str
    rule: "Node"


Node = Requirement | Condition | Meets | Group | ForEach | Span


@dataclass(frozen=True, slots=True)
class Level:
    """A tier as rules see it. Rank 1 is the entry tier, always earned; any other without an earn rule never is."""

    tier_id: int
    rank: int
    code: str
    earn: Node | None = None
    keep: Node | None = None
    confirm: bool = False
    granted_only: bool = False
    holds: Mapping[str, Any] = field(default_factory=dict)
    life: Mapping[str, Any] = field(default_factory=dict)  # `promotion`, `demotion`: reviews of its own


@dataclass(frozen=True, slots=True)
class Badge:
    """A distinction as rules see it."""

    code: str
    earn: Node | None = None
    keep: Node | None = None
    holds: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The levels of an edition, lowest first, and its badges."""

    levels: tuple[Level, ...]
    badges: tuple[Badge, ...] = ()

    def level(self, code: str) -> Level | None:
        return next((level for level in self.levels if level.code == code), None)

    @property
    def holders(self) -> tuple["Level | Badge", ...]:
        """Levels, then badges."""
        return (*self.levels, *self.badges)

    def nodes(self) -> Iterator[Node]:
        """Every node of every rule."""
        for holder in self.holders:
            for root in (holder.earn, holder.keep):
                if root is not None:
                    yield from walk(root)

    def earn_rules(self) -> dict[str, Node]:
        return {holder.code: holder.earn for holder in self.holders if holder.earn is not None}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that rules read of one enrollment on one day.

    `split` has the figures of split measures by member, `figures` those of a member without facts. `traits` are texts by
    name. `history` has, by the key of a span, its rule's stored verdicts as (day from which it stands, verdict), oldest
    first, tonight's not among them. `rules` are the
    earn rules that others may ask about.
    """

    day: date
    figures: Mapping[str, Figure]
    split: Mapping[str, Mapping[str, Figure]] = field(default_factory=dict)
    traits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    history: Mapping[str, tuple[tuple[date, bool], ...]] = field(default_factory=dict)
    rules: Mapping[str, Node] = field(default_factory=dict)

    def of(self, member: str) -> "Facts":
        """The same, where split measures read the figure of one member."""
        own = {key: by.get(member, self.figures.get(key, 0)) for key, by in self.split.items()}
        return replace(self, figures={**self.figures, **own})


@dataclass(frozen=True, slots=True)
class Checked:
    """A node with what came of it.

    A requirement has its figure and the threshold that applied (`case` is its place among the cases, None for its own). A
    for-each has a child per member, named in `members`. A span has the day since which its rule is met without a break.
    """

    node: Node
    met: bool
    figure: Figure | None = None
    threshold: Figure | None = None
    case: int | None = None
    children: tuple["Checked", ...] = ()
    members: tuple[str, ...] = ()
    since: date | None = None


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, conditions of cases included."""
    yield node
    below: tuple[Node, ...] = ()
    if isinstance(node, Group):
        below = node.children
    elif isinstance(node, Requirement):
        below = tuple(case.when for case in node.cases)
    elif isinstance(node, ForEach):
        below = (node.rule,) if node.of is None else (node.of, node.rule)
    elif isinstance(node, Span):
        below = (node.rule,)
    for one in below:
        yield from walk(one)


# --- Verdicts -------------------------------------------------------------------------------------


def is_met(node: Node, facts: Facts) -> bool:
    return _VERDICTS[type(node)](node, facts)


def threshold_for(node: Requirement, facts: Facts) -> tuple[Figure, int | None]:
    """The threshold that applies, and which case gave it."""
    for place, case in enumerate(node.cases):
        if is_met(case.when, facts):
            return case.threshold, place
    return node.threshold, None


def _requirement(node: Requirement, facts: Facts) -> bool:
    threshold = threshold_for(node, facts)[0] if node.cases else node.threshold
    return COMPARE[node.comparison](facts.figures.get(node.measure, 0), threshold)


def _condition(node: Condition, facts: Facts) -> bool:
    has = facts.traits.get(node.trait, ())
    if node.comparison in ("equal", "in"):
        return any(value in node.values for value in has)
    if node.comparison in ("not", "not_in"):
        return not any(value in node.values for value in has)
    return any(COMPARE[node.comparison](value, node.values[0]) for value in has)


def _meets(node: Meets, facts: Facts) -> bool:
    asked = facts.rules.get(node.code)
    return asked is not None and is_met(asked, facts)


def _group(node: Group, facts: Facts) -> bool:
    if node.kind != "at_least":
        decisive = node.kind != "all"  # the verdict after which no other child matters
        for child in node.children:
            if _VERDICTS[type(child)](child, facts) is decisive:
                return node.kind == "any"
        return node.kind != "any"
    return enough(node, [is_met(child, facts) for child in node.children])


def enough(node: Group, verdicts: list[bool]) -> bool:
    """Whether the children's verdicts meet the group."""
    if node.kind == "none":
        return not any(verdicts)
    if node.including is not None:
        needed, places = node.including
        if sum(verdicts[place] for place in places) < needed:
            return False
    return sum(verdicts) >= node.needed


def members_of(node: ForEach, facts: Facts) -> tuple[str, ...]:
    """The set: in the order named, or by name."""
    if node.of is None:
        return node.members
    asked = node.of
    figures = facts.split.get(asked.measure, {})
    return tuple(member for member in sorted(figures) if is_met(asked, facts.of(member)))


def _for_each(node: ForEach, facts: Facts) -> bool:
    verdicts = [is_met(node.rule, facts.of(member)) for member in members_of(node, facts)]
    return all(verdicts) if node.at_least is None else sum(verdicts) >= node.at_least


def _span(node: Span, facts: Facts) -> bool:
    return _span_met(node, facts, tonight=is_met(node.rule, facts))


def _span_met(node: Span, facts: Facts, *, tonight: bool) -> bool:
    start = span_start(node, facts.day)
    past = facts.history.get(node.key, ())
    if node.kind == "unbroken":
        since = unbroken_since(past, facts.day, tonight=tonight)
        return since is not None and (since < start if node.more else since <= start)
    ends = (*(day for day, _met in past[1:]), facts.day)
    return tonight or any(met and end > start for (_day, met), end in zip(past, ends, strict=False))


def span_start(node: Span, day: date) -> date:
    """The first day of the span before `day`."""
    return add_months(day, -node.last) if node.unit == "months" else day - timedelta(days=node.last)


def unbroken_since(past: tuple[tuple[date, bool], ...], day: date, *, tonight: bool) -> date | None:
    """The day since which the verdict is true without a break; None when it is not true tonight."""
    if not tonight:
        return None
    since = day
    for stands_from, met in reversed(past):
        if not met:
            break
        since = stands_from
    return since


_VERDICTS: dict[type, Callable[[Any, Facts], bool]] = {
    Requirement: _requirement, Condition: _condition, Meets: _meets, Group: _group, ForEach: _for_each, Span: _span,
}  # fmt: skip


# --- Explained ------------------------------------------------------------------------------------


def check(node: Node, facts: Facts) -> Checked:
    """The whole tree with what came of each node."""
    if isinstance(node, Requirement):
        threshold, case = threshold_for(node, facts)
        figure = facts.figures.get(node.measure, 0)
        return Checked(node, COMPARE[node.comparison](figure, threshold), figure, threshold, case)
    if isinstance(node, Group):
        children = tuple(check(child, facts) for child in node.children)
        return Checked(node, enough(node, [child.met for child in children]), children=children)
    if isinstance(node, ForEach):
        members = members_of(node, facts)
        children = tuple(check(node.rule, facts.of(member)) for member in members)
        met = sum(child.met for child in children)
        needed = len(children) if node.at_least is None else node.at_least
        return Checked(node, met >= needed, children=children, members=members)
    if isinstance(node, Span):
        child = check(node.rule, facts)
        since = unbroken_since(facts.history.get(node.key, ()), facts.day, tonight=child.met)
        return Checked(node, _span_met(node, facts, tonight=child.met), children=(child,), since=since)
    return Checked(node, is_met(node, facts))


def earns(level: Level | Badge, facts: Facts) -> bool:
    if isinstance(level, Level) and level.rank == 1:
        return True
    return level.earn is not None and is_met(level.earn, facts)


def keeps(level: Level | Badge, facts: Facts) -> bool:
    """What earns a level keeps it; so does its keep rule."""
    return earns(level, facts) or (level.keep is not None and is_met(level.keep, facts))


def highest_earned(rulebook: Rulebook, facts: Facts) -> Level:
    """The highest level whose own rule is met; levels below it need not be."""
    return next(level for level in reversed(rulebook.levels) if earns(level, facts))


def gap(comparison: str, figure: Figure, threshold: Figure) -> Figure:
    """How far the figure is from meeting the comparison, 0 or more, in the measure's unit (strictness aside)."""
    distance: Figure = threshold - figure
    if comparison in ("at_most", "less_than") or (comparison == "equal" and distance < 0):
        distance = -distance
    return distance if distance > 0 else 0


def progress(comparison: str, figure: Figure, threshold: Figure) -> float:
    """How much of the way is done, from 0 to 1, for bars."""
    if COMPARE[comparison](figure, threshold):
        return 1.0
    if comparison in ("at_most", "less_than") or threshold <= 0:
        return 0.0
    return max(0.0, min(1.0, float(Fraction(figure) / Fraction(threshold))))
