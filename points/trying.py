"""What a row of the points table would grant one partner, by the very statement of the night, with nothing written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from django.utils import timezone

from common.days import add_months
from common.texts import Texts
from points import expected, granting, selectors, tenure
from points.documents import Document, row_asked
from points.expected import Difference
from points.models import PointEntry, PointRule
from tiers import datasets
from tiers.models import Enrollment, Run

FACTS_SHOWN = 10
UNKNOWN = 0  # the key of a row that has no line in the ledger
Days = Literal["own", "year"]


@dataclass(frozen=True, slots=True)
class Trial:
    """`points` are granted in all, `live` of them on the day; `lines` are the first of `count` facts, explained.

    `first` and `day` are the days whose facts count: from `first` up to, not including, `day`.
    """

    points: Decimal
    live: Decimal
    count: int
    lines: list[selectors.Line]
    first: date
    day: date

    @property
    def last_day(self) -> date:
        return self.day - timedelta(days=1)


def trial(*, enrollment: Enrollment, row: Document, day: date, days: Days = "own") -> Trial:
    """What the night of `day` would have posted under the row by then, had it stood in the table from its first day on.

    `days` "year" tries it as if it had held the last twelve months, for a row that is yet to start. What other rows of
    its code granted of a stock stays theirs. A fixed number of queries, none of which writes; Python holds the facts of
    one partner.
    """
    asked = row_asked(row)
    starts_on, ends_on = asked.starts_on, asked.ends_on
    if days == "year":
        starts_on, ends_on = add_months(day, -12), None
    rule = PointRule(
        pk=UNKNOWN, program=enrollment.program, code=asked.code, name=Texts(asked.name), category=asked.category,
        starts_on=starts_on, ends_on=ends_on, terms=asked.terms,
    )  # fmt: skip
    last = min(day, ends_on or day)
    if starts_on >= last:
        return Trial(Decimal(0), Decimal(0), 0, [], starts_on, last)
    points = live = Decimal(0)
    count, first = 0, []
    for one in _differences(rule, enrollment, day, asked.starts_on):
        points, count = points + one.points, count + 1
        if one.granted_on < day and (one.expires_on is None or one.expires_on > day):
            live += one.points
        if count <= FACTS_SHOWN:
            first.append(_entry(rule, enrollment, one))
    return Trial(points, live, count, selectors.explained(first, day), starts_on, last)


def _differences(rule: PointRule, enrollment: Enrollment, day: date, kept_from: date) -> Iterator[Difference]:
    run = Run(program=enrollment.program, day=day)
    bounds = (enrollment.pk, enrollment.pk)
    terms = rule.read()
    if terms.form == "tenure":
        return tenure.differences(rule, terms, run, bounds)
    others = PointRule.objects.filter(program=enrollment.program, code=rule.code).exclude(starts_on=kept_from)
    dataset = datasets.get(terms.dataset)
    row = expected.Row(rule, terms, dataset, run, tuple(others.order_by("pk").values_list("pk", flat=True)))
    return expected.differences(row, bounds)


def _entry(rule: PointRule, enrollment: Enrollment, one: Difference) -> PointEntry:
    """The line as the night would post it, not kept."""
    terms = rule.read()
    return PointEntry(
        enrollment=enrollment, rule=rule, kind=PointEntry.Kind.GRANT, category=rule.category, source=rule.code,
        dataset=terms.dataset or tenure.KEY, fact=one.fact, units=one.units, points=one.points,
        granted_on=one.granted_on, expires_on=one.expires_on, explanation=granting.explanation(rule, one),
        created_at=timezone.now(),
    )  # fmt: skip
