"""When tiers are reviewed, and how long they are held: the days of an edition's `life`. Pure. docs/program-file.md has the forms.

A day that a month does not have is the month's last: reviews of the 31st are held on 30 April, those of 29 February on
the 28th of most years.
"""

import calendar
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from common.days import Period, add_months
from tiers.windows import start_of

SPANS = {"quarter": 3, "half_year": 6, "year": 12}
# The fewest days between two reviews.
SHORTEST = {"week": 7, "month": 28, "quarter": 90, "half_year": 181, "year": 365, "anniversary": 365}
DAILY: Mapping[str, Any] = {"every": "day"}


def last_review(cadence: Mapping[str, Any], day: date, anniversary_of: date) -> date | None:
    """The review day on or before `day`. None where there is none: never, or before the first anniversary.

    `anniversary_of` is the day the enrollment starts. Raises ValueError for no known form.
    """
    every = cadence.get("every")
    if every == "never":
        return None
    if every == "day":
        return day
    if every == "week":
        return day - timedelta(days=(day.isoweekday() - cadence.get("on", 1)) % 7)
    if every == "anniversary":
        years = _years(day, anniversary_of)
        return add_months(anniversary_of, 12 * years) if years >= 1 else None
    this = _of_period(cadence, day)
    return this if this <= day else _of_period(cadence, add_months(day.replace(day=1), -_months(cadence)))


def next_review(cadence: Mapping[str, Any], day: date, anniversary_of: date) -> date | None:
    """The first review day after `day`. None for never."""
    every = cadence.get("every")
    if every == "never":
        return None
    if every == "day":
        return day + timedelta(days=1)
    if every == "anniversary":
        return next_anniversary(day, anniversary_of)
    last = last_review(cadence, day, anniversary_of)
    assert last is not None  # noqa: S101  # the calendar's cadences have no first review
    if every == "week":
        return last + timedelta(days=7)
    return _of_period(cadence, add_months(last.replace(day=1), _months(cadence)))


def is_due(cadence: Mapping[str, Any], day: date, previous: date | None, anniversary_of: date) -> bool:
    """Whether the night of `day` holds a review: its own, or one since `previous`, the last day whose night is done.

    Without a night before it, any review day there has been is made up for.
    """
    last = last_review(cadence, day, anniversary_of)
    return last is not None and (previous is None or last > previous)


def before_protection(previous: date | None, day: date, protected: Iterable[Period]) -> date | None:
    """`previous`, or an earlier day from which reviews are made up for on the night of `day`.

    A review in a protected time (an excuse, an extension) is held by the first night after it. Times that touch or
    overlap count as one.
    """
    if previous is None:
        return None
    since = previous
    for period in sorted(protected, key=lambda one: one.ends_on, reverse=True):
        starts_on = period.starts_on
        if starts_on is not None and period.ends_on <= day and period.ends_on > since:
            since = min(since, starts_on - timedelta(days=1))
    return since


def next_anniversary(day: date, anniversary_of: date) -> date:
    """The first anniversary after `day`."""
    return add_months(anniversary_of, 12 * (max(_years(day, anniversary_of), 0) + 1))


def held_until(holds: Mapping[str, Any], day: date) -> date | None:
    """Up to which day a tier given on `day` is held at least; None where nothing holds it."""
    if "months" in holds:
        return add_months(day, holds["months"])
    if "until" in holds:
        return next_review({"every": "year", "on": holds["until"]}, day, day)
    return None


def _years(day: date, since: date) -> int:
    """Whole years from `since` to `day`; negative before it."""
    years = day.year - since.year
    return years if add_months(since, 12 * years) <= day else years - 1


def _months(cadence: Mapping[str, Any]) -> int:
    return 1 if cadence["every"] == "month" else SPANS[cadence["every"]]


def _of_period(cadence: Mapping[str, Any], day: date) -> date:
    """The review day of the month, quarter, half-year or year that holds `day`."""
    every, on = cadence.get("every"), cadence.get("on")
    if every == "month":
        return _on(day.year, day.month, 1 if on is None else on)
    if every == "year" and on is not None:
        month, number = (int(part) for part in on.split("-"))
        return _on(day.year, month, number)
    if every in SPANS:
        return start_of(day, SPANS[every], cadence.get("starts_month", 1))
    raise ValueError(cadence)


def _on(year: int, month: int, number: int) -> date:
    return date(year, month, min(number, calendar.monthrange(year, month)[1]))
