"""The night's step `points`: what each row of the table should have brought, compared with the ledger; differences are posted.

The ledger is the only record: a second night finds nothing to post.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from heapq import merge
from itertools import groupby
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common import bulk
from points import expected, tenure
from points.expected import Difference, Row
from points.models import PointEntry, PointRule
from tiers import datasets, steps
from tiers.models import Enrollment, Run

COLUMNS = ("enrollment", "rule", "kind", "category", "source", "dataset", "fact", "number", "units", "points",
           "granted_on", "expires_on", "reason", "run", "explanation", "created_at")  # fmt: skip


def cut(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    """Ranges of the enrollments that have anything to post, `chunk_size` in each: where nothing changed, none."""
    sources = [expected.enrollments(row) if isinstance(row, Row) else tenure.enrollments(run) for row in rows_of(run)]
    ids = (pk for pk, _same in groupby(merge(*sources)))
    return steps.ranges(ids, chunk_size)


def post(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Post the differences of a range of enrollments. A fixed number of queries for each row of the table.

    Facts of `run.day` and later are left for later nights, and so is what later nights posted.
    """
    in_range = Enrollment.objects.filter(program=run.program, pk__range=bounds).order_by("pk")
    list(in_range.select_for_update(no_key=True).values_list("pk", flat=True))
    now, posted = timezone.now(), 0
    for row in rows_of(run):
        if isinstance(row, Row):
            rule, dataset, found = row.rule, row.dataset.key, expected.differences(row, bounds)
        else:
            rule, dataset, found = row, tenure.KEY, tenure.differences(row, row.read(), run, bounds)
        # Read whole before it is written: the statement reads the ledger.
        posted += bulk.insert(PointEntry, COLUMNS, list(_lines(run, rule, dataset, found, now)))
    return {"points_posted": posted}


def rows_of(run: Run) -> Iterator[Row | PointRule]:
    """The rows of the program that started before the night, as they are worked: by code and day.

    What stands in a stock, and how long an enrollment has lasted, is told by the latest night alone: an earlier one that is
    run again leaves them.
    """
    rules = list(
        PointRule.objects.filter(program=run.program, starts_on__lt=run.day)
        .select_related("program")
        .order_by("code", "starts_on")
    )
    is_latest = not Run.objects.filter(program=run.program, day__gt=run.day).exists()
    for rule in rules:
        terms = rule.read()
        if terms.form == "tenure":
            if is_latest or terms.months or terms.days:
                yield rule
            continue
        others = tuple(one.pk for one in rules if one.code == rule.code and one.pk != rule.pk)
        row = Row(rule, terms, datasets.get(terms.dataset), run, others)
        if not row.is_stock or (is_latest and (row.grants or terms.with_fact)):
            yield row


def _lines(
    run: Run, rule: PointRule, dataset: str, found: Iterable[Difference], now: datetime
) -> Iterator[tuple[Any, ...]]:
    added: Counter[tuple[int, str]] = Counter()
    for one in found:
        added[one.enrollment_id, one.fact] += 1
        number = one.lines + added[one.enrollment_id, one.fact]
        kind = PointEntry.Kind.GRANT if number == 1 and one.points == one.due else PointEntry.Kind.DIFFERENCE
        yield (
            one.enrollment_id, rule.pk, kind.value, rule.category, rule.code, dataset, one.fact, number, one.units,
            one.points, one.granted_on, one.expires_on, "", run.pk, explanation(rule, one), now,
        )  # fmt: skip


def explanation(rule: PointRule, one: Difference) -> dict[str, str | int]:
    """Why so many: what each brings, what multiplied it, what it comes to and what stood, and the limit that cut it."""
    told: dict[str, str | int] = {"stood": _plain(one.due - one.points), "due": _plain(one.due)}
    if one.each is not None:
        terms = rule.read()
        told |= {"each": _plain(Decimal(terms.points).scaleb(-4)), "times": _times(terms, one.each)}
        told["brings"] = _plain(one.brings)
        if one.brings != one.due:
            told["limit"] = "points" if terms.most is not None else "occurrences"
    return told


def _times(terms: Any, each: Decimal) -> str:
    units = int(each.scaleb(4))
    if units == terms.points:
        return "1"
    return next(_plain(times) for _when, times, points in terms.multiplied if points == units)


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


def register() -> None:
    steps.register(steps.Step("points", _("Grant points"), 5, cut, post, ("points_posted",)))
