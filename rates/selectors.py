"""Reads of exchange rates."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from babel.numbers import list_currencies
from django.db.models import Q

from common.periods import program_today
from rates import rules
from rates.errors import SAYS
from rates.models import Rate, RateSource
from rates.rules import MAX_AGE_DAYS, Found, Pair, Published, Series
from rates.sources import BUILT_IN

__all__ = ["MAX_AGE_DAYS", "Found", "Published", "RateBook", "currencies", "newest", "problems"]

CURRENCIES: frozenset[str] = frozenset(list_currencies())  # those of the past too
RECENT_DAYS = 400
IDENTITY = ("source_id", "base", "quote", "on")
EVERY_DAY = (date.min, date.max)


class RateBook:
    """The rates of one source, read as they are asked for and kept: a book answers the same for as long as it lives.

    One query opens it; each pair whose rates it does not have yet costs one more, and brings all of its days. `load` reads
    many pairs of a range of days by one query instead. A book is for one task: it does not see what is imported later.
    """

    def __init__(self, source: str, *, max_age_days: int = MAX_AGE_DAYS) -> None:
        self.source, self.max_age_days = source, max_age_days
        self._through: str | None = None
        self._series: dict[Pair, Series] = {}
        self._read: dict[Pair, tuple[date, date]] = {}  # the first and the last day that were read
        self._found: dict[tuple[str, str, date], Found | None] = {}

    def find(self, from_currency: str, to_currency: str, on: date) -> Found | None:
        """The newest rate of `on` or before, at most `max_age_days` old: what one unit of the first is in the second.

        Published of the pair, either way round; else a cross through the source's base, of two rates that are each as
        young. None where there is none: a guess is never made. A currency into itself is 1.
        """
        key = (from_currency, to_currency, on)
        try:
            return self._found[key]
        except KeyError:
            found = self._found[key] = self._look_up(from_currency, to_currency, on)
            return found

    def load(self, currencies: Collection[str], first: date, last: date) -> None:
        """Read what `find` needs between any two of `currencies` on the days from `first` to `last`, both included: one
        query.
        """
        codes = sorted({*currencies, self.through})
        since = first - timedelta(days=self.max_age_days)
        rows = Rate.objects.filter(base__in=codes, quote__in=codes, on__gte=since, on__lte=last)
        pairs = {(one, other) for one in codes for other in codes if one < other}
        # What was read whole stays whole.
        self._keep(rows, {pair for pair in pairs if self._read.get(pair) != EVERY_DAY}, (first, last))

    @property
    def through(self) -> str:
        """The currency that crosses go through."""
        if self._through is None:
            held = RateSource.objects.filter(pk=self.source).values_list("base", flat=True).first()
            self._through = held or ""
        return self._through

    def _look_up(self, from_currency: str, to_currency: str, on: date) -> Found | None:
        if from_currency != to_currency:
            legs = ((from_currency, to_currency), (from_currency, self.through), (self.through, to_currency))
            pairs = {rules.pair_of(one, other) for one, other in legs if one != other}
            missing = {pair for pair in pairs if not self._has(pair, on)}
            if missing:
                which = Q()
                for one, other in missing:
                    which |= Q(base=one, quote=other) | Q(base=other, quote=one)
                self._keep(Rate.objects.filter(which), missing, EVERY_DAY)
        return rules.find(
            self._series, source=self.source, through=self.through, from_currency=from_currency,
            to_currency=to_currency, on=on, max_age_days=self.max_age_days,
        )  # fmt: skip

    def _has(self, pair: Pair, on: date) -> bool:
        first, last = self._read.get(pair, (date.max, date.min))
        return first <= on <= last

    def _keep(self, rows: Any, pairs: set[Pair], days: tuple[date, date]) -> None:
        read = rows.filter(source=self.source).order_by("on", "version")
        published = (Published(*row) for row in read.values_list("base", "quote", "value", "on", "pk"))
        series = rules.series_by_pair(published, self.through)
        for pair in pairs:
            self._read[pair] = days
            self._series[pair] = series.get(pair, Series([], []))


def newest(source: str) -> date | None:
    """The newest day, up to today, of which `source` has a rate."""
    held = Rate.objects.filter(source=source, on__lte=program_today()).order_by("-on")
    return held.values_list("on", flat=True).first()


def currencies(source: str | None = None) -> list[str]:
    """The currencies that were quoted lately: in the last 400 days of which there are rates. Two queries."""
    rates = Rate.objects.filter(source=source) if source else Rate.objects.all()
    last = rates.order_by("-on").values_list("on", flat=True).first()
    if last is None:
        return []
    pairs = rates.filter(on__gte=last - timedelta(days=RECENT_DAYS)).order_by().values_list("base", "quote").distinct()
    return sorted({code for pair in pairs for code in pair})


def problems(rows: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, list[Any]]]:
    """What is wrong with rates-to-be (`source_id`, `base`, `quote`, `on`, `value`), by place in the list, then by field.
    One query.
    """
    known = known_sources(row["source_id"] for row in rows)
    found: dict[int, dict[str, list[Any]]] = {}
    seen: set[tuple[Any, ...]] = set()
    for place, row in enumerate(rows):
        wrong: dict[str, Any] = dict(rules.pair_problems(row["base"], row["quote"], CURRENCIES))
        if problem := rules.value_problem(row["value"]):
            wrong["value"] = problem
        if row["source_id"] not in known:
            wrong["source"] = "unknown_source"
        own = tuple(row[name] for name in IDENTITY)
        if own in seen:
            wrong["on"] = "twice"
        seen.add(own)
        if wrong:
            found[place] = {name: [SAYS[code]] for name, code in wrong.items()}
    return found


def known_sources(codes: Iterable[str]) -> set[str]:
    """Those of `codes` that rates may come from."""
    asked = set(codes)
    return (asked & BUILT_IN.keys()) | set(RateSource.objects.filter(pk__in=asked).values_list("pk", flat=True))
