"""An explained rule tree as rows that portal and admin show: the same rows, figures and words everywhere."""

from dataclasses import dataclass
from datetime import date

from common.periods import Period
from tiers import measures, wording
from tiers.models import Measure
from tiers.selectors import Explained, ExplainedRequirement


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement, or a group with its rows. `share` and `target` are places on the bar, from 0 to 1."""

    is_group: bool
    says: str
    met: bool
    figure: str = ""
    target_figure: str = ""
    gap: str = ""
    parts: str = ""
    window: Period | None = None
    share: float = 0.0
    target: float | None = None
    measures: tuple[Measure, ...] = ()
    met_count: int = 0
    rows: tuple["Row", ...] = ()

    @property
    def last_day(self) -> date | None:
        """The last day that counts, as people read a window."""
        return date.fromordinal(self.window.ends_on.toordinal() - 1) if self.window else None


def rows(explained: Explained | None, currency: str) -> tuple[Row, ...]:
    """The rows of a tree. A tree that is one "all of" group is its rows: the heading says it already."""
    if explained is None:
        return ()
    if isinstance(explained, ExplainedRequirement):
        return (requirement_row(explained, currency),)
    if explained.kind == "all":
        return tuple(_row(child, currency) for child in explained.children)
    return (_row(explained, currency),)


def _row(explained: Explained, currency: str) -> Row:
    if isinstance(explained, ExplainedRequirement):
        return requirement_row(explained, currency)
    return Row(
        is_group=True,
        says=wording.group(explained),
        met=explained.met,
        met_count=explained.met_children,
        rows=tuple(_row(child, currency) for child in explained.children),
    )


def requirement_row(explained: ExplainedRequirement, currency: str) -> Row:
    """One requirement in words and figures of the reader's language."""
    measure, requirement = explained.measure, explained.requirement
    is_ratio = measures.unit_of(measure) == "ratio"
    share, target = explained.share, None
    if is_ratio:
        share, target = float(explained.figure), float(requirement.threshold)
    read = (measure,)
    if measure.numerator is not None and measure.denominator is not None:
        read = (measure.numerator, measure.denominator)  # type: ignore[assignment]
    return Row(
        is_group=False,
        says=wording.requirement(explained, currency),
        met=explained.met,
        figure=wording.figure(measure, explained.figure, currency),
        target_figure=wording.figure(measure, requirement.threshold, currency),
        gap="" if explained.met else wording.gap(explained, currency),
        parts=wording.parts(explained, currency),
        window=explained.window,
        share=share,
        target=target,
        measures=read,
    )
