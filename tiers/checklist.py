"""A checked rule as rows that portal and admin show: the same rows, figures and words everywhere."""

from dataclasses import dataclass
from datetime import date

from common.days import Period
from tiers import rules, wording
from tiers.explaining import Case, Reading
from tiers.models import Measure


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement (it has a `figure`), a plain line (a condition), or a group with its rows.

    `share` and `target` are places on the bar, from 0 to 1.
    """

    says: str
    met: bool
    is_group: bool = False
    figure: str = ""
    target_figure: str = ""
    gap: str = ""
    parts: str = ""
    window: Period | None = None
    share: float = 0.0
    target: float | None = None
    measures: tuple[Measure, ...] = ()
    met_count: int = 0
    note: str = ""
    rows: tuple["Row", ...] = ()

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people read a window."""
        return date.fromordinal(self.window.ends_on.toordinal() - 1) if self.window else None


def rows(checked: rules.Checked | None, case: Case | None) -> tuple[Row, ...]:
    """The rows of a tree. A tree that is one "all of" group is its rows: the heading says it already."""
    if checked is None or case is None:
        return ()
    if isinstance(checked.node, rules.Group) and checked.node.kind == "all":
        return tuple(row(child, case) for child in checked.children)
    return (row(checked, case),)


def row(checked: rules.Checked, case: Case, facts: rules.Facts | None = None) -> Row:
    """One node in words and figures of the reader's language; `facts` of one member inside a for-each."""
    node = checked.node
    if isinstance(node, rules.Requirement):
        return requirement_row(checked, case, facts)
    says = wording.says(node, case.lexicon)
    if isinstance(node, rules.ForEach):
        below = tuple(
            _member(member, row(child, case, case.facts.of(member)))
            for member, child in zip(checked.members, checked.children, strict=True)
        )
    else:
        below = tuple(row(child, case, facts) for child in checked.children)
    return Row(
        says=says, met=checked.met, is_group=not isinstance(node, rules.Condition | rules.Meets),
        met_count=sum(child.met for child in checked.children), note=_note(checked), rows=below,
    )  # fmt: skip


def _member(member: str, below: Row) -> Row:
    return Row(says=member, met=below.met, is_group=True, met_count=int(below.met), rows=(below,))


def _note(checked: rules.Checked) -> str:
    if isinstance(checked.node, rules.Span) and checked.since is not None:
        return wording.since(checked.since)
    return ""


def requirement_row(checked: rules.Checked, case: Case, facts: rules.Facts | None = None) -> Row:
    """One requirement in words and figures of the reader's language."""
    node, lexicon = checked.node, case.lexicon
    if not isinstance(node, rules.Requirement) or checked.threshold is None:
        raise TypeError("not a requirement")
    reading, figure = case.reading(node.measure, facts), checked.figure or 0
    share, target = rules.progress(node.comparison, figure, checked.threshold), None
    if reading.unit in ("ratio", "share"):
        share, target = max(0.0, min(1.0, float(figure))), max(0.0, min(1.0, float(checked.threshold)))
    return Row(
        says=wording.requirement(node, lexicon, checked.threshold),
        met=checked.met,
        figure=wording.figure(node.measure, figure, lexicon),
        target_figure=wording.figure(node.measure, checked.threshold, lexicon),
        gap="" if checked.met else wording.gap(checked, lexicon, reading.parts),
        parts=wording.parts(node.measure, reading.parts, lexicon),
        window=reading.window,
        share=share,
        target=target,
        measures=_facts_behind(reading, case),
    )


def _facts_behind(reading: Reading, case: Case) -> tuple[Measure, ...]:
    return tuple(case.lexicon.measures[key] for key in reading.reads)
