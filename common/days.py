"""Days and periods, pure. Every interval is half-open: it holds its first day and not its last bound."""

import calendar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Period:
    """From `starts_on` up to, not including, `ends_on`. None as `starts_on` means since ever."""

    starts_on: date | None
    ends_on: date

    def __contains__(self, day: date) -> bool:
        return (self.starts_on is None or self.starts_on <= day) and day < self.ends_on


@lru_cache(maxsize=10_000)  # nights ask for the same few of everyone
def add_months(day: date, months: int) -> date:
    """The same day `months` later (earlier when negative), or the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_of(day: date) -> Period:
    start = day.replace(day=1)
    return Period(start, add_months(start, 1))


def trailing_months(day: date, months: int) -> Period:
    """The `months` before `day`, that day excluded: for 2020-06-01 and 12, from 2019-06-01 to 2020-05-31."""
    return Period(add_months(day, -months), day)
