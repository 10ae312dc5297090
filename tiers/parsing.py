"""Rules and definitions as documents, read into values: docs/program-file.md describes the documents.

Their shape is checked by the JSON Schema before (tiers.schema); here is checked that they make sense together. What is
wrong is a RuleError or MeasureError that says where, as a path from the document's root: "all[2].rule".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from tiers.errors import RuleError
from tiers.rules import (
    Badge,
    Case,
    Condition,
    Figure,
    ForEach,
    Group,
    Level,
    Meets,
    Node,
    Requirement,
    Rulebook,
    Span,
    walk,
)

Document = dict[str, Any]
GROUPS = ("all", "any", "none")
SPANS = ("unbroken", "any_day")
DAYS = ("enrolled_on", "joined_on")
RANGES = ("at_least", "more_than", "at_most", "less_than")
SCALES = {"amount": 10_000, "decimal": 10_000}
# A share that is asked to be more than ten times the whole is a percentage written as one.
MOST_OF_A_SHARE = 10


@dataclass(frozen=True, slots=True)
class Known:
    """What rules of an edition may name: measures by key with their units, those that are split, codes, country groups."""

    units: Mapping[str, str] = field(default_factory=dict)
    split: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    country_groups: frozenset[str] = frozenset()


def rule(document: Document, known: Known, where: str) -> Node:
    """The rule of a document. Raises RuleError for what it names and does not exist, and for what cannot be meant."""
    return _Reader(known).node(document, where)


def rulebook(levels: list[tuple[int, Document]], badges: list[Document], known: Known, *, where: str = "") -> Rulebook:
    """Tiers (each with its id, lowest first) and distinctions, as rules see them. Raises RuleError as `rule`, and for
    rules that ask about each other in a circle or two spans of one key that are not the same."""

    def tree(one: Document, purpose: str, at: str) -> Node | None:
        return rule(one[purpose], known, f"{at}.{purpose}") if one.get(purpose) else None

    book = Rulebook(
        tuple(
            Level(
                tier_id=pk, rank=rank, code=one["code"], earn=tree(one, "earn", at), keep=tree(one, "keep", at),
                confirm=one.get("confirm", False), granted_only=one.get("granted_only", False), holds=one.get("holds", {}),
                life=life_of_tier(one),
            )
            for rank, (pk, one) in enumerate(levels, start=1)
            if (at := f"{where}tiers[{rank - 1}]")
        ),
        tuple(
            Badge(one["code"], tree(one, "earn", at), tree(one, "keep", at), one.get("holds", {}))
            for number, one in enumerate(badges)
            if (at := f"{where}distinctions[{number}]")
        ),
    )  # fmt: skip
    _check_circles(book)
    _check_spans(book)
    return book


def life_of_tier(document: Document) -> Document:
    """The reviews that a tier has of its own."""
    return {key: document[key] for key in ("promotion", "demotion") if key in document}


def threshold(value: Any, unit: str, where: str) -> Figure:
    """A value as rules compare it: in ten-thousandths for amounts and decimals, plain otherwise."""
    exact = Fraction(str(value))
    if unit == "count" and exact.denominator != 1:
        raise RuleError(_("%(where)s: a count is a whole number, not %(value)s.") % {"where": where, "value": value})
    if unit in ("ratio", "share") and abs(exact) > MOST_OF_A_SHARE:
        raise RuleError(
            _("%(where)s: a share is a fraction of one: 0.8 for 80%%, not %(value)s.")
            % {"where": where, "value": value}
        )
    scaled = exact * SCALES.get(unit, 1)
    return int(scaled) if scaled.denominator == 1 else scaled


class _Reader:
    """Reads one rule; inside a for-each, split measures may be asked about."""

    def __init__(self, known: Known, *, in_each: bool = False) -> None:
        self.known, self.in_each = known, in_each

    def node(self, document: Document, where: str) -> Node:
        if "measure" in document:
            return self._requirement(document, where)
        if "partner" in document:
            return self._condition(document, where)
        if "meets" in document:
            return self._meets(document, where)
        if "for_each" in document:
            return self._for_each(document, where)
        for kind in SPANS:
            if kind in document:
                return self._span(kind, document, where)
        return self._group(document, where)

    def _requirement(self, document: Document, where: str) -> Requirement:
        unit = self._unit(document["measure"], where)
        if document["measure"] in self.known.split and not self.in_each:
            raise RuleError(
                _("%(where)s: measure “%(key)s” is split: only a for-each rule can ask about it.")
                % {"where": where, "key": document["measure"]}
            )
        cases = []
        for number, case in enumerate(document.get("cases", [])):
            at = f"{where}.cases[{number}]"
            when = self.node(case["when"], f"{at}.when")
            if any(isinstance(one, Requirement | Meets | ForEach | Span) for one in walk(when)):
                raise RuleError(_("%(where)s: a case depends on what the partner is, nothing else.") % {"where": at})
            cases.append(Case(when, threshold(case["value"], unit, f"{at}.value")))
        return Requirement(
            where,
            document["measure"],
            document["is"],
            threshold(document["value"], unit, f"{where}.value"),
            tuple(cases),
        )

    def _unit(self, key: str, where: str) -> str:
        if key not in self.known.units:
            raise RuleError(
                _("%(where)s: there is no measure “%(key)s” in this edition.") % {"where": where, "key": key}
            )
        return self.known.units[key]

    def _condition(self, document: Document, where: str) -> Condition:
        trait, comparison, value = document["partner"], document.get("is", "equal"), document["value"]
        values = tuple(value) if isinstance(value, list) else (value,)
        if (comparison in RANGES) != (trait in DAYS) or comparison in RANGES and len(values) != 1:
            raise RuleError(
                _("%(where)s: “%(trait)s” cannot be compared with “%(is)s”: days with one day, from or before; others by equality.")
                % {"where": where, "trait": trait, "is": comparison}
            )  # fmt: skip
        known = {"country_group": self.known.country_groups, "tier": self.known.codes}.get(trait)
        if known is not None and (missing := set(values) - known):
            raise RuleError(
                _("%(where)s: this edition knows no “%(value)s”; it knows: %(known)s.")
                % {"where": where, "value": ", ".join(sorted(missing)), "known": ", ".join(sorted(known)) or "–"}
            )
        return Condition(where, trait, comparison, values)

    def _meets(self, document: Document, where: str) -> Meets:
        if document["meets"] not in self.known.codes:
            raise RuleError(
                _("%(where)s: there is no tier or distinction “%(code)s” in this edition.")
                % {"where": where, "code": document["meets"]}
            )
        return Meets(where, document["meets"])

    def _for_each(self, document: Document, where: str) -> ForEach:
        if self.in_each:
            raise RuleError(_("%(where)s: a for-each rule cannot stand inside another one.") % {"where": where})
        inner, asked = _Reader(self.known, in_each=True), document["for_each"]
        of = None
        if "measure" in asked:
            if asked["measure"] not in self.known.split:
                raise RuleError(
                    _("%(where)s: measure “%(key)s” is not split: it has no members.")
                    % {"where": f"{where}.for_each", "key": asked["measure"]}
                )
            of = inner._requirement(asked, f"{where}.for_each")
        return ForEach(
            where, inner.node(document["rule"], f"{where}.rule"), tuple(asked.get("members", ())), of,
            document.get("at_least"),
        )  # fmt: skip

    def _span(self, kind: Any, document: Document, where: str) -> Span:
        if self.in_each:
            raise RuleError(_("%(where)s: a rule over time cannot stand inside a for-each.") % {"where": where})
        span = document[kind]
        inner = self.node(document["rule"], f"{where}.rule")
        if any(isinstance(one, Span) for one in walk(inner)):
            raise RuleError(_("%(where)s: a rule over time cannot hold another one.") % {"where": where})
        return Span(where, kind, span["last"], span["unit"], span.get("more", False), document["key"], inner)

    def _group(self, document: Document, where: str) -> Group:
        name = "of" if "at_least" in document else next(kind for kind in GROUPS if kind in document)
        children = tuple(self.node(child, f"{where}.{name}[{number}]") for number, child in enumerate(document[name]))
        if name != "of":
            return Group(where, name, children)  # type: ignore[arg-type]
        including = None
        if "including" in document:
            asked = document["including"]
            including = (asked["at_least"], tuple(asked["of"]))
            if max(including[1]) >= len(children) or including[0] > len(set(including[1])):
                raise RuleError(
                    _("%(where)s: asks for more rules, or others, than the group holds.")
                    % {"where": f"{where}.including"}
                )
        if document["at_least"] > len(children):
            raise RuleError(
                _("%(where)s: at least %(needed)s are asked of %(count)s rules.")
                % {"where": where, "needed": document["at_least"], "count": len(children)}
            )
        return Group(where, "at_least", children, document["at_least"], including)


# --- What rules ask of each other -----------------------------------------------------------------


def _check_circles(book: Rulebook) -> None:
    asks = {
        code: [one.code for one in walk(root) if isinstance(one, Meets)] for code, root in book.earn_rules().items()
    }
    if circle := find_circle(asks):
        raise RuleError(_("These ask about each other in a circle: %(codes)s.") % {"codes": " → ".join(circle)})


def find_circle(asks: Mapping[str, list[str]]) -> list[str]:
    """A circle in who asks about whom, its first name again at its end; empty where there is none."""
    done: set[str] = set()

    def follow(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        done.add(name)
        return next((circle for other in asks.get(name, []) if (circle := follow(other, [*path, name]))), [])

    return next((circle for name in asks if (circle := follow(name, []))), [])


def _check_spans(book: Rulebook) -> None:
    seen: dict[str, tuple[Any, str]] = {}
    for node in book.nodes():
        if isinstance(node, Span):
            same = seen.setdefault(node.key, (_without_paths(node.rule), node.path))
            if same[0] != _without_paths(node.rule):
                raise RuleError(
                    _("%(where)s: “%(key)s” names another rule at %(other)s; give this one a key of its own.")
                    % {"where": node.path, "key": node.key, "other": same[1]}
                )


def _without_paths(node: Any) -> Any:
    if isinstance(node, tuple):
        return tuple(_without_paths(one) for one in node)
    if isinstance(node, Node | Case):
        return (type(node), *(_without_paths(getattr(node, name)) for name in node.__slots__ if name != "path"))
    return node


def spans(book: Rulebook) -> dict[str, Node]:
    """The rules whose verdicts are stored night by night, by key."""
    return {node.key: node.rule for node in book.nodes() if isinstance(node, Span)}


def traits_read(book: Rulebook) -> frozenset[str]:
    """The traits that any condition reads."""
    return frozenset(node.trait for node in book.nodes() if isinstance(node, Condition))


# --- What can never be true -----------------------------------------------------------------------


Bounds = tuple[Figure | None, Figure | None]  # the least and the most a figure can be


def impossible(node: Node, bounds: Mapping[str, Bounds]) -> str | None:
    """The path of a rule below `node` that no figures can meet and without which `node` cannot be met; None where it may be.

    Sound, not complete: what it names is impossible. Requirements with cases are taken to be possible.
    """
    if isinstance(node, Requirement):
        return None if node.cases or _fits([node], bounds) else node.path
    if isinstance(node, Span):
        return impossible(node.rule, bounds)
    if isinstance(node, ForEach):
        needs = node.at_least is not None or node.members
        return impossible(node.rule, bounds) if needs else None
    if isinstance(node, Group):
        return _impossible_group(node, bounds)
    return None


def _impossible_group(node: Group, bounds: Mapping[str, Bounds]) -> str | None:
    if node.kind == "none":
        return None
    stuck = [path for child in node.children if (path := impossible(child, bounds))]
    if node.kind == "all":
        if stuck:
            return stuck[0]
        together: dict[str, list[Requirement]] = {}
        for one in _required(node):
            together.setdefault(one.measure, []).append(one)
        return next((same[-1].path for same in together.values() if not _fits(same, bounds)), None)
    return stuck[0] if len(node.children) - len(stuck) < node.needed else None


def _required(node: Node) -> Iterator[Requirement]:
    """The requirements that must all be met with an "all" group."""
    if isinstance(node, Requirement) and not node.cases:
        yield node
    elif isinstance(node, Group) and node.kind == "all":
        for child in node.children:
            yield from _required(child)


def _fits(asked: list[Requirement], bounds: Mapping[str, Bounds]) -> bool:
    """Whether one figure may meet them all."""
    least, most = bounds.get(asked[0].measure, (None, None))
    open_below = open_above = False
    for one in asked:
        strict = one.comparison in ("more_than", "less_than")
        if one.comparison in ("at_least", "more_than", "equal") and (least is None or one.threshold >= least):
            open_below = strict or (open_below and one.threshold == least)
            least = one.threshold
        if one.comparison in ("at_most", "less_than", "equal") and (most is None or one.threshold <= most):
            open_above = strict or (open_above and one.threshold == most)
            most = one.threshold
    if least is None or most is None or least < most:
        return True
    return least == most and not (open_below or open_above)
