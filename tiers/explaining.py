"""A decision explained: each requirement with its figure, threshold, window and gap, from what an evaluation stored.

An evaluation and its edition hold all that the decision read, so the explanation can be made again at any time, and is the
same to the byte: on either database, in any chunking, in any order of insertion. No id of a row is in it.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from common.days import Period
from tiers import definitions as defined
from tiers import evaluating, parsing, rules, windows
from tiers.lexicon import Lexicon, read
from tiers.models import Enrollment, Evaluation, Measure


@dataclass(frozen=True, slots=True)
class Reading:
    """What a requirement's figure was read from: measure, window, and for a measure of two others their figures."""

    measure: Measure
    unit: str
    window: Period | None
    parts: tuple[rules.Figure, ...]
    reads: tuple[str, ...]  # keys of the measures of facts behind it


@dataclass(slots=True)
class Case:
    """One enrollment's facts on a day beside the edition they are judged by: what explanations and pages are made from."""

    lexicon: Lexicon
    book: rules.Rulebook
    facts: rules.Facts
    enrolled_on: date

    def reading(self, key: str, facts: rules.Facts | None = None) -> Reading:
        """How the figure of a measure came about; `facts` of one member inside a for-each."""
        seen, definitions = facts or self.facts, self.lexicon.definitions
        definition = definitions[key]
        return Reading(
            measure=self.lexicon.measures[key],
            unit=self.lexicon.units[key],
            window=window_of(key, self.lexicon, self.facts.day, self.enrolled_on),
            parts=tuple(seen.figures.get(part, 0) for part in defined.parts_of(definition)),
            reads=defined.reads(key, definitions),
        )


def window_of(key: str, lexicon: Lexicon, day: date, enrolled_on: date) -> Period | None:
    """The days that a measure counts, those of its first part where it is made of others; None for what stands on a day."""
    first = next(iter(defined.reads(key, lexicon.definitions)), None)
    window = lexicon.definitions[first].get("window") if first else None
    return windows.period(window, day, enrolled_on) if window else None


def case_of(evaluation: Evaluation) -> Case:
    """The case that an evaluation holds, on its own day. A few queries for the edition, one more where rules look back."""
    return case_for(read(evaluation.edition), evaluation.enrollment, evaluation, on=evaluation.evaluated_on)


def case_for(lexicon: Lexicon, enrollment: Enrollment, evaluation: Evaluation | None, *, on: date) -> Case:
    """What `evaluation` measured, judged by the edition of `lexicon` as of `on`; without one, nothing was measured."""
    book = lexicon.rulebook()
    whole = evaluating.Book.of(lexicon, book)
    stored = evaluation.measured if evaluation else {}
    traits = evaluation.traits if evaluation else {}
    judged = evaluating.judge(
        whole,
        evaluating.from_stored({key: value for key, value in stored.items() if key in whole.keys.values()}),
        {name: tuple(values) for name, values in traits.items()},
        evaluating.history_of(whole, [enrollment.pk], on).get(enrollment.pk, {}),
        on,
    )
    return Case(lexicon, book, judged.facts, enrollment.starts_on)


# --- As data --------------------------------------------------------------------------------------


def explanation(evaluation: Evaluation) -> dict[str, Any]:
    """The whole decision as data, on the day of the evaluation."""
    return explained(case_of(evaluation))


def explained(case: Case) -> dict[str, Any]:
    """A case as data: traits, every measure, every tier's and distinction's rule with what came of it.

    Amounts and other figures are exact texts in their own unit: "50000", "0.8", "1/3".
    """
    lexicon, facts = case.lexicon, case.facts
    return {
        "program": lexicon.edition.program.slug,
        "edition": lexicon.edition.name,
        "day": facts.day.isoformat(),
        "earned": next(level.code for level in reversed(case.book.levels) if rules.earns(level, facts)),
        "traits": {name: list(values) for name, values in sorted(facts.traits.items())},
        "measures": {key: _measure(case, key) for key in sorted(lexicon.measures)},
        "tiers": [_holder(case, level) for level in case.book.levels],
        "distinctions": [_holder(case, badge) for badge in case.book.badges],
    }


def as_text(said: dict[str, Any]) -> str:
    """The explanation as canonical JSON: the same bytes for the same decision."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plain(figure: rules.Figure, unit: str) -> str:
    """A figure in its own unit as exact text: ten-thousandths of an amount become the amount."""
    exact = Fraction(figure) / parsing.SCALES.get(unit, 1)
    if exact.denominator == 1:
        return str(exact.numerator)
    places = next((n for n in range(1, 9) if 10**n % exact.denominator == 0), None)
    if places is None:
        return f"{exact.numerator}/{exact.denominator}"
    return str(Decimal(exact.numerator * 10**places // exact.denominator).scaleb(-places))


def _measure(case: Case, key: str) -> dict[str, Any]:
    unit, window = case.lexicon.units[key], window_of(key, case.lexicon, case.facts.day, case.enrolled_on)
    said: dict[str, Any] = {"unit": unit}
    if key in case.lexicon.split:
        said["members"] = {name: plain(one, unit) for name, one in sorted(case.facts.split.get(key, {}).items())}
    else:
        said["figure"] = plain(case.facts.figures.get(key, 0), unit)
    if window is not None:
        said["from"] = window.starts_on.isoformat() if window.starts_on else None
        said["to"] = window.ends_on.isoformat()
    return said


def _holder(case: Case, one: rules.Level | rules.Badge) -> dict[str, Any]:
    said: dict[str, Any] = {
        "code": one.code, "earned": rules.earns(one, case.facts), "kept": rules.keeps(one, case.facts)
    }  # fmt: skip
    for purpose, root in (("earn", one.earn), ("keep", one.keep)):
        if root is not None:
            said[purpose] = explain_node(rules.check(root, case.facts), case)
    return said


def explain_node(checked: rules.Checked, case: Case) -> dict[str, Any]:
    """A rule with what came of it, as data; its parts below it."""
    node = checked.node
    said: dict[str, Any] = {"path": node.path, "met": checked.met, **_said_of(node)}
    if isinstance(node, rules.Requirement) and checked.threshold is not None:
        unit, figure = case.lexicon.units[node.measure], checked.figure or 0
        said |= {
            "figure": plain(figure, unit),
            "threshold": plain(checked.threshold, unit),
            "missing": plain(rules.gap(node.comparison, figure, checked.threshold), unit) if not checked.met else "0",
        }
        if checked.case is not None:
            said["case"] = checked.case
    if isinstance(node, rules.Condition):
        said["has"] = list(case.facts.traits.get(node.trait, ()))
    if isinstance(node, rules.Span):
        said["since"] = checked.since.isoformat() if checked.since else None
    if isinstance(node, rules.ForEach):
        said["members"] = {
            member: explain_node(child, case) for member, child in zip(checked.members, checked.children, strict=True)
        }
    elif checked.children:
        said["rules"] = [explain_node(child, case) for child in checked.children]
    return said


def _said_of(node: rules.Node) -> dict[str, Any]:
    if isinstance(node, rules.Requirement):
        return {"kind": "requirement", "measure": node.measure, "is": node.comparison}
    if isinstance(node, rules.Condition):
        return {"kind": "condition", "trait": node.trait, "is": node.comparison, "values": list(node.values)}
    if isinstance(node, rules.Meets):
        return {"kind": "meets", "code": node.code}
    if isinstance(node, rules.ForEach):
        return {"kind": "for_each", "at_least": node.at_least}
    if isinstance(node, rules.Span):
        return {"kind": node.kind, "last": node.last, "unit": node.unit, "more": node.more}
    said: dict[str, Any] = {"kind": node.kind, "needed": node.needed}
    if node.including is not None:
        said["including"] = {"at_least": node.including[0], "of": list(node.including[1])}
    return said


# --- What would help ------------------------------------------------------------------------------


def helping(checked: rules.Checked | None) -> list[rules.Checked]:
    """Requirements not met that their group still needs: nothing below a rule that is met already."""
    if checked is None or checked.met:
        return []
    if isinstance(checked.node, rules.Requirement):
        return [checked]
    if isinstance(checked.node, rules.Group) and checked.node.kind == "none":
        return []
    return [one for child in checked.children for one in helping(child)]


def lacking(checked: rules.Checked | None) -> int:
    """The least number of further requirements that would meet the tree."""
    if checked is None or checked.met:
        return 0
    node = checked.node
    if isinstance(node, rules.Group) and node.kind == "none":
        return sum(child.met for child in checked.children)
    if not checked.children:
        return 1
    open_ones = sorted(lacking(child) for child in checked.children if not child.met)
    if isinstance(node, rules.Group):
        needed = node.needed
    elif isinstance(node, rules.ForEach) and node.at_least is not None:
        needed = node.at_least
    else:
        needed = len(checked.children)
    met = len(checked.children) - len(open_ones)
    return max(sum(open_ones[: max(needed - met, 0)]), 1)


def requirements(checked: rules.Checked | None) -> list[rules.Checked]:
    """Every requirement of a tree, in order."""
    if checked is None:
        return []
    if isinstance(checked.node, rules.Requirement):
        return [checked]
    return [one for child in checked.children for one in requirements(child)]
