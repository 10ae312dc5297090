"""How figures moved: what stored evaluations measured, month by month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from common.days import add_months
from tiers import definitions as defined
from tiers import evaluating, figures, rules
from tiers.explaining import Case
from tiers.models import Evaluation

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """The figure of the last evaluation that stood in a month; None before the first one."""

    month: date
    figure: rules.Figure | None


def by_month(case: Case, evaluations: Iterable[Evaluation], keys: Sequence[str], on: date) -> dict[str, list[Point]]:
    """For each measure its figures of the last twelve months, the running one last. `evaluations` come newest first; the last
    one of each month is enough.

    Evaluations are stored where they differ, so one stands until the next. What an earlier edition did not measure is None.
    """
    stored = list(evaluations)
    needed = figures.order(case.lexicon.definitions, keys)
    points: dict[str, list[Point]] = {key: [] for key in keys}
    for start in (add_months(on.replace(day=1), back - MONTHS + 1) for back in range(MONTHS)):
        end = min(add_months(start, 1), date.fromordinal(on.toordinal() + 1))
        standing = next((one for one in stored if one.evaluated_on < end), None)
        complete = _figures(case, standing, needed, end) if standing else {}
        for key in keys:
            known = standing is not None and all(
                part in standing.measured for part in defined.reads(key, case.lexicon.definitions)
            )
            points[key].append(Point(start, complete.get(key, 0) if known else None))
    return points


def _figures(case: Case, evaluation: Evaluation, needed: Sequence[str], day: date) -> dict[str, rules.Figure]:
    """Those of the `needed` measures, each of which comes after those it is made of."""
    definitions, measured = case.lexicon.definitions, evaluation.measured
    read = evaluating.from_stored({key: measured[key] for key in needed if key in measured})
    base = {key: value for key, value in read.items() if not isinstance(value, dict)}
    by_member = {key: value for key, value in read.items() if isinstance(value, dict)}
    texts = {name: tuple(values) for name, values in evaluation.traits.items()}
    made = [key for key in needed if not defined.is_stored(definitions[key])]
    complete, _split = figures.complete(definitions, base, by_member, texts, day, case.lexicon.units, made)
    return complete
