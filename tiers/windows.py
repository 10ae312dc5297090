"""Which days count: a measure's window on a day. Pure. docs/program-file.md describes the forms.

A night counts what is known up to the day before it, so “to date” means the year (half-year, quarter, month) of the last
day that counts: on the first day of a year it is the whole year before, not nothing.
"""

from datetime import date, timedelta
from typing import Any, Literal

from common.periods import Period, add_months, trailing_months

Unit = Literal["year", "half_year", "quarter", "month"]
MONTHS: dict[str, int] = {"year": 12, "half_year": 6, "quarter": 3, "month": 1}
ROLLING, CALENDAR = {"last", "unit"}, {"kind", "unit", "starts_month"}


def period(window: dict[str, Any], day: date) -> Period | None:
    """The days that count on `day`; None for “today” (a stock, read as it stands). Raises ValueError for no known form."""
    kind = window.get("kind", "rolling" if "last" in window else "today")
    names = set(window) - {"embargo_days"}
    if kind == "today" and not set(window) - {"kind"}:
        return None
    embargo = window.get("embargo_days", 0)
    if not _whole(embargo, least=0):
        raise ValueError(window)
    end = day - timedelta(days=embargo)
    if kind == "lifetime" and names == {"kind"}:
        return Period(None, end)
    if kind == "rolling" and names == ROLLING and _whole(window["last"]) and window["unit"] in ("months", "days"):
        last = window["last"]
        return trailing_months(end, last) if window["unit"] == "months" else Period(end - timedelta(days=last), end)
    months = MONTHS.get(str(window.get("unit")))
    first_month = window.get("starts_month", 1)
    if months is None or not _whole(first_month) or first_month > 12:
        raise ValueError(window)
    if kind == "to_date" and names <= CALENDAR:
        return Period(start_of(end - timedelta(days=1), months, first_month), end)
    count = window.get("count", 1)
    if kind == "last_full" and names <= {*CALENDAR, "count"} and _whole(count):
        last_end = start_of(end, months, first_month)
        return Period(add_months(last_end, -months * count), last_end)
    raise ValueError(window)


def start_of(day: date, months: int, first_month: int) -> date:
    """The first day of the span of `months` that holds `day`, where years start on the 1st of `first_month`."""
    since = (day.month - first_month) % 12 % months
    return add_months(day.replace(day=1), -since)


def _whole(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
