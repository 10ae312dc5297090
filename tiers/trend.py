"""How figures moved: what stored evaluations measured, month by month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from common.days import add_months
from tiers import definitions as defined
from tiers import evaluating, figures, rules
from tiers.explaining import Case
from tiers.models import Enrollment, Evaluation

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """The figure of the last evaluation that stood in a month; None before the first one."""

    month: date
    figure: rules.Figure | None


def by_month(case: Case, enrollment: Enrollment, keys: list[str], on: date) -> dict[str, list[Point]]:
    """For each measure its figures of the last twelve months, the running one last. One query.

    Evaluations are stored where they differ, so one stands until the next. What an earlier edition did not measure is None.
    """
    starts = [add_months(on.replace(day=1), back - MONTHS + 1) for back in range(MONTHS)]
    stored = list(
        Evaluation.objects.filter(enrollment=enrollment, evaluated_on__lte=on)
        .order_by("evaluated_on")
        .values_list("evaluated_on", "measured", "traits")
    )
    points: dict[str, list[Point]] = {key: [] for key in keys}
    for start in starts:
        end = min(add_months(start, 1), date.fromordinal(on.toordinal() + 1))
        standing = next(((day, *rest) for day, *rest in reversed(stored) if day < end), None)
        complete = _figures(case, standing[1], standing[2], end) if standing else {}
        for key in keys:
            known = standing is not None and all(
                part in standing[1] for part in defined.reads(key, case.lexicon.definitions)
            )
            points[key].append(Point(start, complete.get(key, 0) if known else None))
    return points


def _figures(
    case: Case, measured: Mapping[str, Any], traits: Mapping[str, Any], day: date
) -> Mapping[str, rules.Figure]:
    definitions, split = case.lexicon.definitions, case.lexicon.split
    read = evaluating.from_stored({key: value for key, value in measured.items() if key in definitions})
    base = {key: value for key, value in read.items() if key not in split}
    by_member = {key: value for key, value in read.items() if key in split and isinstance(value, dict)}
    texts = {name: tuple(values) for name, values in traits.items()}
    complete, _split = figures.complete(definitions, base, by_member, texts, day, case.lexicon.units)
    return complete
