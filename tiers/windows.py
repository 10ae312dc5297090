"""Which days count: a measure's window on a day. Pure. docs/program-file.md describes the forms.

A night counts what is known up to the day before it, so “to date” means the year (half-year, quarter, month) of the last
day that counts: on the first day of a year it is the whole year before, not nothing.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from common.days import Period, add_months

Window = dict[str, Any]
MONTHS: dict[str, int] = {"year": 12, "half_year": 6, "quarter": 3, "month": 1}
STOCKS = ("today", "on")
MODIFIERS = {"embargo_days", "ago", "newcomers"}
# The keys that each kind may have beside `kind` and the modifiers; with those it must have.
KEYS: dict[str, tuple[set[str], set[str]]] = {
    "rolling": ({"last", "unit"}, {"last", "unit"}),
    "to_date": ({"unit", "starts_month"}, {"unit"}),
    "last_full": ({"unit", "starts_month", "count"}, {"unit"}),
    "lifetime": (set(), set()),
    "since_enrollment": (set(), set()),
    "partner_year": ({"full"}, set()),
    "between": ({"from", "to"}, {"from", "to"}),
    "today": (set(), set()),
    "on": ({"day"}, {"day"}),
}


def period(window: Window, day: date, enrolled_on: date | None = None) -> Period | None:
    """The days that count on `day` for who is enrolled since `enrolled_on`; None for a stock (see `stock_day`).

    A period in which nothing counts (all of it before the enrollment, say) ends on the day it starts. Raises ValueError for
    no known form, and for a window that depends on the enrollment where `enrolled_on` is not given.
    """
    kind = _kind(window)
    if kind in STOCKS:
        stock_day(window, day)
        return None
    try:
        found = FORMS[kind](window, _counted_day(window, day), enrolled_on)
    except OverflowError:
        raise ValueError(window) from None
    if window.get("newcomers", False):
        found = _not_before(found, _known(enrolled_on, window), by_month=kind == "last_full")
    return found


def stock_day(window: Window, day: date) -> date:
    """The day as of which a stock is read. Raises ValueError for a window that is none of a stock."""
    kind = _kind(window)
    if kind not in STOCKS or set(window) & MODIFIERS:
        raise ValueError(window)
    return _day(window, "day") if kind == "on" else day


def is_stock(window: Window) -> bool:
    return _kind(window) in STOCKS


def depends_on_enrollment(window: Window) -> bool:
    """Whether the days that count differ from one enrollment to another."""
    return _kind(window) in ("since_enrollment", "partner_year") or bool(window.get("newcomers", False))


def days_back(window: Window, day: date) -> int:
    """How far back facts count on `day` at the most: 0 for a stock, and for a window that is none."""
    if depends_on_enrollment(window):
        return (day - date.min).days
    try:
        found = period(window, day)
    except ValueError:
        return 0
    return (day - (found.starts_on or date.min)).days if found else 0


def months_in(period: Period) -> int:
    """How many calendar months a period holds. Raises ValueError where it does not hold whole ones."""
    first, last = period.starts_on, period.ends_on
    if first is None or first.day != 1 or last.day != 1:
        raise ValueError(period)
    return (last.year - first.year) * 12 + last.month - first.month


def start_of(day: date, months: int, first_month: int) -> date:
    """The first day of the span of `months` that holds `day`, where years start on the 1st of `first_month`."""
    since = (day.month - first_month) % 12 % months
    return add_months(day.replace(day=1), -since)


# --- The forms ------------------------------------------------------------------------------------


def _rolling(window: Window, end: date, enrolled_on: date | None) -> Period:
    last, unit = window["last"], window["unit"]
    if not _whole(last) or unit not in ("months", "days"):
        raise ValueError(window)
    return Period(add_months(end, -last) if unit == "months" else end - timedelta(days=last), end)


def _to_date(window: Window, end: date, enrolled_on: date | None) -> Period:
    months, first_month = _calendar(window)
    return Period(start_of(end - timedelta(days=1), months, first_month), end)


def _last_full(window: Window, end: date, enrolled_on: date | None) -> Period:
    months, first_month = _calendar(window)
    count = window.get("count", 1)
    if not _whole(count):
        raise ValueError(window)
    last_end = start_of(end, months, first_month)
    return Period(add_months(last_end, -months * count), last_end)


def _lifetime(window: Window, end: date, enrolled_on: date | None) -> Period:
    return Period(None, end)


def _since_enrollment(window: Window, end: date, enrolled_on: date | None) -> Period:
    return Period(min(_known(enrolled_on, window), end), end)


def _partner_year(window: Window, end: date, enrolled_on: date | None) -> Period:
    """Anniversaries are counted from the day itself: of 29 February it is the 28th in common years, the 29th in leap years."""
    enrolled = _known(enrolled_on, window)
    full = window.get("full", False)
    if not isinstance(full, bool):
        raise ValueError(window)
    years = end.year - enrolled.year
    if full:
        passed = years if add_months(enrolled, 12 * years) <= end else years - 1
        first = max(passed - 1, 0)
        start = add_months(enrolled, 12 * first)
        return _within(start, add_months(enrolled, 12 * (first + 1)), end)
    passed = years if add_months(enrolled, 12 * years) < end else years - 1
    return _within(add_months(enrolled, 12 * max(passed, 0)), end, end)


def _between(window: Window, end: date, enrolled_on: date | None) -> Period:
    first, last = _day(window, "from"), _day(window, "to")
    if first >= last:
        raise ValueError(window)
    return _within(first, last, end)


FORMS: dict[str, Callable[[Window, date, date | None], Period]] = {
    "rolling": _rolling,
    "to_date": _to_date,
    "last_full": _last_full,
    "lifetime": _lifetime,
    "since_enrollment": _since_enrollment,
    "partner_year": _partner_year,
    "between": _between,
}


# --- Their parts ----------------------------------------------------------------------------------


def _kind(window: Window) -> str:
    kind = window.get("kind", "rolling" if "last" in window else "today")
    if not isinstance(kind, str) or kind not in KEYS or (kind == "rolling" and "kind" in window):
        raise ValueError(window)
    may, must = KEYS[kind]
    names = set(window) - MODIFIERS - {"kind"}
    if not must <= names <= may or not isinstance(window.get("newcomers", False), bool):
        raise ValueError(window)
    return kind


def _counted_day(window: Window, day: date) -> date:
    """The day whose window counts: that long before, where an embargo or “ago” says so."""
    embargo, ago = window.get("embargo_days", 0), window.get("ago", {"days": 0})
    if not _whole(embargo, least=0) or not isinstance(ago, dict) or len(ago) != 1:
        raise ValueError(window)
    ((unit, length),) = ago.items()
    if not _whole(length, least=0) or unit not in ("months", "days"):
        raise ValueError(window)
    end = day - timedelta(days=embargo)
    return add_months(end, -length) if unit == "months" else end - timedelta(days=length)


def _not_before(period: Period, enrolled_on: date, *, by_month: bool) -> Period:
    first = enrolled_on.replace(day=1) if by_month else enrolled_on
    start = first if period.starts_on is None else max(period.starts_on, first)
    return Period(min(start, period.ends_on), period.ends_on)


def _within(first: date, last: date, end: date) -> Period:
    """From `first` to `last`, and nothing at or after `end`."""
    last = min(last, end)
    return Period(min(first, last), last)


def _calendar(window: Window) -> tuple[int, int]:
    months, first_month = MONTHS.get(str(window["unit"])), window.get("starts_month", 1)
    if months is None or not _whole(first_month) or first_month > 12:
        raise ValueError(window)
    return months, first_month


def _known(enrolled_on: date | None, window: Window) -> date:
    if enrolled_on is None:
        raise ValueError(window)
    return enrolled_on


def _day(window: Window, key: str) -> date:
    if not isinstance(window[key], str):
        raise ValueError(window)  # a fault of the document
    return date.fromisoformat(window[key])


def _whole(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
