"""Points for days enrolled, compared with the ledger by enrollment.

Without an expiry an enrollment has one running count under the key `tenure`: each night posts the days since the last.
With one, each day is a line of its own that expires by itself, and days that are over already are not posted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Max, Min, QuerySet, Sum

from common.money import from_units
from points.expected import Difference
from points.models import PointEntry, PointRule
from points.rules import Terms
from tiers.models import Enrollment, Run

KEY = "tenure"
DAY = timedelta(days=1)
Lines = QuerySet[PointEntry]


@dataclass(frozen=True, slots=True)
class Span:
    """The days of an enrollment that bring points: `count` from `first` on."""

    first: date
    count: int

    def brings(self, terms: Terms, count: int) -> Decimal:
        """What the first `count` days bring."""
        points = count * terms.points
        return from_units(points if terms.most is None else min(points, terms.most))

    def of_day(self, terms: Terms, day: date) -> Decimal:
        at = (day - self.first).days
        return self.brings(terms, at + 1) - self.brings(terms, at) if 0 <= at < self.count else Decimal(0)


def enrollments(run: Run) -> Iterator[int]:
    """Everyone who was enrolled before the night: each of them has a new day."""
    known = Enrollment.objects.filter(program=run.program, starts_on__lt=run.day).order_by("pk")
    yield from known.values_list("pk", flat=True).iterator(chunk_size=5000)


def differences(rule: PointRule, terms: Terms, run: Run, bounds: tuple[int, int]) -> Iterator[Difference]:
    """Those of a range of enrollments: two queries, and one more for each enrollment whose days were corrected."""
    found = Enrollment.objects.filter(program=run.program, pk__range=bounds, starts_on__lt=run.day).order_by("pk")
    spans = {
        pk: _span(rule, terms, run.day, starts_on, ends_on)
        for pk, starts_on, ends_on in found.values_list("pk", "starts_on", "ends_on")
    }
    lines = PointEntry.objects.filter(
        rule=rule, enrollment__gte=bounds[0], enrollment__lte=bounds[1], kind__in=PointEntry.OF_FACTS, granted_on__lt=run.day
    ).order_by()  # fmt: skip
    yield from (_day_by_day if terms.months or terms.days else _running)(terms, run.day, spans, lines)


def _span(rule: PointRule, terms: Terms, day: date, starts_on: date, ends_on: date | None) -> Span:
    first = max(starts_on, rule.starts_on)
    last = min(day, ends_on or day, rule.ends_on or day)
    count = max((last - first).days, 0)
    return Span(first, count if terms.occurrences is None else min(count, terms.occurrences))


def _running(terms: Terms, day: date, spans: dict[int, Span], lines: Lines) -> Iterator[Difference]:
    rows = lines.values_list("enrollment").annotate(Sum("units"), Sum("points"), Max("number"))
    stands = {pk: (units, points, number) for pk, units, points, number in rows}
    for pk, span in spans.items():
        units, points, number = stands.get(pk, (0, Decimal(0), 0))
        due = span.brings(terms, span.count)
        if due != points:
            yield Difference(
                pk, KEY, day - DAY, None, due - points, span.count - units, due, from_units(span.count * terms.points),
                from_units(terms.points), number,
            )  # fmt: skip


def _day_by_day(terms: Terms, day: date, spans: dict[int, Span], lines: Lines) -> Iterator[Difference]:
    live = lines.filter(expires_on__gt=day)
    rows = live.values_list("enrollment").annotate(
        Count("pk"), Count("fact", distinct=True), Min("granted_on"), Max("granted_on"), Sum("points")
    )
    known = {pk: (count, days, first, last, points) for pk, count, days, first, last, points in rows}
    earliest = terms.earliest_live(day) or date.min
    for pk, span in spans.items():
        start = max((earliest - span.first).days, 0)
        stands: dict[str, tuple[Decimal, int]] = {}
        if pk in known:
            count, days, first, last, points = known[pk]
            posted = (last - span.first).days + 1  # days of the span, were all up to the last posted and no other
            due = span.brings(terms, posted) - span.brings(terms, start)
            if first == span.first + DAY * start and posted <= span.count and count == days == posted - start and points == due:  # fmt: skip
                start = posted
            else:
                own = live.filter(enrollment=pk).values_list("fact").annotate(Sum("points"), Max("number"))
                stands = {fact: (points, number) for fact, points, number in own}
        wanted = {(span.first + DAY * at).isoformat() for at in range(start, span.count)}
        for fact in sorted({*wanted, *stands}):
            points, number = stands.get(fact, (Decimal(0), 0))
            on = date.fromisoformat(fact)
            due = span.of_day(terms, on)
            if due != points:
                each = from_units(terms.points) if due else None
                units = (1 if due else 0) - (1 if points else 0)
                yield Difference(pk, fact, on, terms.expires_on(on), due - points, units, due, from_units(terms.points), each, number)  # fmt: skip
