"""Days and windows as docs/program-file.md says them; the first half of the oracle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass(frozen=True)
class Partner:
    """One enrollment: who, since when, and the tier it was placed in last, with the day of that."""

    key: str
    enrolled_on: date
    joined_on: date
    country: str = ""
    tier: str = ""
    tier_since: date | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)


class Days(NamedTuple):
    """From `start` (None: from ever) up to, not including, `end`."""

    start: date | None
    end: date

    def hold(self, day: date | None) -> bool:
        return day is not None and (self.start is None or day >= self.start) and day < self.end


def months_after(day: date, months: int) -> date:
    """The same day so many months on; the month's last one where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in range(day.day, 0, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError(day)


def before(day: date, span: Mapping[str, int]) -> date:
    if "days" in span:
        return day - timedelta(days=span["days"])
    return months_after(day, -span["months"])


def rolling(day: date, last: int, unit: str) -> date:
    return before(day, {unit: last})


def unit_start(day: date, unit: str, starts_month: int) -> date:
    """The first day of the unit that `day` is in, units being counted from the first of a month of the year."""
    back = (day.month - starts_month) % MONTHS[unit]
    return months_after(day.replace(day=1), -back)


def seen_from(window: Mapping[str, Any], day: date) -> date:
    """The day whose window it is, after the embargo and so long ago."""
    day -= timedelta(days=window.get("embargo_days", 0))
    return before(day, window["ago"]) if "ago" in window else day


def _last(window: Mapping[str, Any], day: date, partner: Partner) -> Days:
    return Days(rolling(day, window["last"], window["unit"]), day)


def _to_date(window: Mapping[str, Any], day: date, partner: Partner) -> Days:
    return Days(unit_start(day - timedelta(days=1), window["unit"], window.get("starts_month", 1)), day)


def _last_full(window: Mapping[str, Any], day: date, partner: Partner) -> Days:
    end = unit_start(day, window["unit"], window.get("starts_month", 1))
    return Days(months_after(end, -MONTHS[window["unit"]] * window.get("count", 1)), end)


def _lifetime(window: Mapping[str, Any], day: date, partner: Partner) -> Days:
    return Days(None, day)


def _since_enrollment(window: Mapping[str, Any], day: date, partner: Partner) -> Days:
    return Days(partner.enrolled_on, day)


def _partner_year(window: Mapping[str, Any], day: date, partner: Partner) -> Days:
    anniversaries = [months_after(partner.enrolled_on, 12 * year) for year in range(200)]
    if window.get("full"):
        past = [one for one in anniversaries if one <= day]
        return Days(past[-2], past[-1]) if len(past) > 1 else Days(partner.enrolled_on, min(anniversaries[1], day))
    return Days(max((one for one in anniversaries if one < day), default=partner.enrolled_on), day)


def _between(window: Mapping[str, Any], day: date, partner: Partner) -> Days:
    return Days(date.fromisoformat(window["from"]), min(date.fromisoformat(window["to"]), day))


WINDOWS = {
    "last": _last,
    "to_date": _to_date,
    "last_full": _last_full,
    "lifetime": _lifetime,
    "since_enrollment": _since_enrollment,
    "partner_year": _partner_year,
    "between": _between,
}


def window_days(window: Mapping[str, Any], day: date, partner: Partner) -> Days:
    """The days that count. May be none: the start is then on or after the end."""
    days = WINDOWS[window.get("kind", "last")](window, seen_from(window, day), partner)
    if not window.get("newcomers"):
        return days
    first = partner.enrolled_on
    if window.get("kind") == "last_full":
        first = first.replace(day=1)
    return Days(max(first, days.start or first), days.end)


def stock_day(window: Mapping[str, Any], day: date) -> date:
    return date.fromisoformat(window["day"]) if window["kind"] == "on" else seen_from(window, day)


def whole_months(days: Days) -> int:
    assert days.start is not None
    months = (days.end.year - days.start.year) * 12 + days.end.month - days.start.month
    return max(months, 0)


def in_force(fact: Mapping[str, Any], starts: str, ends: str, day: date) -> bool:
    return (not fact.get(starts) or fact[starts] <= day) and (not fact.get(ends) or fact[ends] > day)
