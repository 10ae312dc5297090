"""Windows: which days count on a day."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.periods import Period
from tiers import windows


def to_date(unit: str, **over: Any) -> dict[str, Any]:
    return {"kind": "to_date", "unit": unit, **over}


def last_full(unit: str, **over: Any) -> dict[str, Any]:
    return {"kind": "last_full", "unit": unit, **over}


@pytest.mark.parametrize(
    ("window", "on", "first", "last"),
    [
        (to_date("year"), "2026-05-15", "2026-01-01", "2026-05-14"),
        (to_date("half_year"), "2026-05-15", "2026-01-01", "2026-05-14"),
        (to_date("half_year"), "2026-07-02", "2026-07-01", "2026-07-01"),
        (to_date("quarter"), "2026-05-15", "2026-04-01", "2026-05-14"),
        (to_date("month"), "2026-05-15", "2026-05-01", "2026-05-14"),
        # On the first day of a unit nothing of it is known: the whole unit before counts.
        (to_date("year"), "2026-01-01", "2025-01-01", "2025-12-31"),
        (to_date("quarter"), "2026-04-01", "2026-01-01", "2026-03-31"),
        (to_date("month"), "2024-03-01", "2024-02-01", "2024-02-29"),
        (to_date("month"), "2100-03-01", "2100-02-01", "2100-02-28"),
        # A fiscal year; its halves and quarters follow it.
        (to_date("year", starts_month=4), "2026-03-31", "2025-04-01", "2026-03-30"),
        (to_date("year", starts_month=4), "2026-04-02", "2026-04-01", "2026-04-01"),
        (to_date("half_year", starts_month=4), "2026-10-01", "2026-04-01", "2026-09-30"),
        (to_date("half_year", starts_month=4), "2026-10-02", "2026-10-01", "2026-10-01"),
        (to_date("quarter", starts_month=2), "2026-01-15", "2025-11-01", "2026-01-14"),
        (to_date("year", starts_month=12), "2026-11-30", "2025-12-01", "2026-11-29"),
        (last_full("year"), "2026-05-15", "2025-01-01", "2025-12-31"),
        (last_full("year"), "2026-01-01", "2025-01-01", "2025-12-31"),
        (last_full("year", count=2), "2026-05-15", "2024-01-01", "2025-12-31"),
        (last_full("half_year"), "2026-05-15", "2025-07-01", "2025-12-31"),
        (last_full("quarter"), "2026-05-15", "2026-01-01", "2026-03-31"),
        (last_full("quarter", count=4), "2026-05-15", "2025-04-01", "2026-03-31"),
        (last_full("month", count=3), "2024-03-31", "2023-12-01", "2024-02-29"),
        (last_full("year", starts_month=7), "2026-06-30", "2024-07-01", "2025-06-30"),
        # An embargo: the window of the day that long before.
        ({"last": 12, "unit": "months", "embargo_days": 30}, "2026-05-15", "2025-04-15", "2026-04-14"),
        (to_date("year", embargo_days=15), "2026-01-15", "2025-01-01", "2025-12-30"),
        (to_date("year", embargo_days=14), "2026-01-15", "2025-01-01", "2025-12-31"),
        (to_date("year", embargo_days=13), "2026-01-15", "2026-01-01", "2026-01-01"),
        ({"last": 1, "unit": "months", "embargo_days": 1}, "2024-03-30", "2024-02-29", "2024-03-28"),
    ],
)
def test_the_first_and_the_last_day_that_count(window: dict[str, Any], on: str, first: str, last: str) -> None:
    period = windows.period(window, date.fromisoformat(on))
    assert period == Period(date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))


def test_a_lifetime_and_today_have_no_first_day() -> None:
    day = date(2026, 5, 15)
    assert windows.period({"kind": "lifetime"}, day) == Period(None, day)
    assert windows.period({"kind": "lifetime", "embargo_days": 5}, day) == Period(None, date(2026, 5, 10))
    assert windows.period({"kind": "today"}, day) is None


@pytest.mark.parametrize(
    "window",
    [
        {"kind": "today", "embargo_days": 3},
        {"kind": "lifetime", "unit": "year"},
        {"kind": "to_date"},
        {"kind": "to_date", "unit": "week"},
        {"kind": "to_date", "unit": "year", "count": 2},
        {"kind": "to_date", "unit": "year", "starts_month": 13},
        {"kind": "last_full", "unit": "year", "count": 0},
        {"kind": "last_full", "unit": "year", "embargo_days": -1},
        {"kind": "sometimes"},
        {"last": 0, "unit": "months"},
        {"last": True, "unit": "months"},
        {"last": 3, "unit": "years"},
    ],
)
def test_what_is_no_window(window: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        windows.period(window, date(2026, 5, 15))


def between(first: str, last: str, **over: Any) -> dict[str, Any]:
    return {"kind": "between", "from": first, "to": last, **over}


YEAR_OF_THE_PARTNER = {"kind": "partner_year"}
FULL = {"kind": "partner_year", "full": True}
SINCE = {"kind": "since_enrollment"}


@pytest.mark.parametrize(
    ("window", "enrolled_on", "on", "first", "until"),
    [
        (SINCE, "2020-03-15", "2026-05-15", "2020-03-15", "2026-05-15"),
        (SINCE, "2026-05-15", "2026-05-15", "2026-05-15", "2026-05-15"),
        (SINCE, "2026-06-01", "2026-05-15", "2026-05-15", "2026-05-15"),
        ({**SINCE, "embargo_days": 30}, "2020-03-15", "2026-05-15", "2020-03-15", "2026-04-15"),
        (YEAR_OF_THE_PARTNER, "2020-03-15", "2026-05-15", "2026-03-15", "2026-05-15"),
        (YEAR_OF_THE_PARTNER, "2020-05-15", "2026-05-15", "2025-05-15", "2026-05-15"),
        (YEAR_OF_THE_PARTNER, "2020-05-14", "2026-05-15", "2026-05-14", "2026-05-15"),
        (YEAR_OF_THE_PARTNER, "2020-05-16", "2026-05-15", "2025-05-16", "2026-05-15"),
        (YEAR_OF_THE_PARTNER, "2026-05-01", "2026-05-15", "2026-05-01", "2026-05-15"),
        (YEAR_OF_THE_PARTNER, "2026-05-15", "2026-05-15", "2026-05-15", "2026-05-15"),
        ({**YEAR_OF_THE_PARTNER, "ago": {"months": 12}}, "2020-03-15", "2026-05-15", "2025-03-15", "2025-05-15"),
        ({**YEAR_OF_THE_PARTNER, "ago": {"months": 12}}, "2026-03-15", "2026-05-15", "2025-05-15", "2025-05-15"),
        # The anniversary of 29 February is the 28th in common years.
        (YEAR_OF_THE_PARTNER, "2024-02-29", "2025-02-28", "2024-02-29", "2025-02-28"),
        (YEAR_OF_THE_PARTNER, "2024-02-29", "2025-03-01", "2025-02-28", "2025-03-01"),
        (YEAR_OF_THE_PARTNER, "2024-02-29", "2028-02-29", "2027-02-28", "2028-02-29"),
        (YEAR_OF_THE_PARTNER, "2024-02-29", "2028-03-01", "2028-02-29", "2028-03-01"),
        (FULL, "2020-03-15", "2026-05-15", "2025-03-15", "2026-03-15"),
        (FULL, "2020-05-15", "2026-05-15", "2025-05-15", "2026-05-15"),
        (FULL, "2020-05-16", "2026-05-15", "2024-05-16", "2025-05-16"),
        (FULL, "2025-05-15", "2026-05-15", "2025-05-15", "2026-05-15"),
        (FULL, "2025-05-16", "2026-05-15", "2025-05-16", "2026-05-15"),
        (FULL, "2026-05-15", "2026-05-15", "2026-05-15", "2026-05-15"),
        (FULL, "2024-02-29", "2026-02-28", "2025-02-28", "2026-02-28"),
        # Newcomers: by the month for full units, by the day for others.
        (last_full("month", count=3, newcomers=True), "2026-01-31", "2026-05-15", "2026-02-01", "2026-05-01"),
        (last_full("month", count=3, newcomers=True), "2026-03-31", "2026-05-15", "2026-03-01", "2026-05-01"),
        (last_full("month", count=3, newcomers=True), "2026-04-30", "2026-05-15", "2026-04-01", "2026-05-01"),
        (last_full("month", count=3, newcomers=True), "2026-05-02", "2026-05-15", "2026-05-01", "2026-05-01"),
        (last_full("year", newcomers=True), "2025-11-20", "2026-05-15", "2025-11-01", "2026-01-01"),
        ({"last": 12, "unit": "months", "newcomers": True}, "2026-04-10", "2026-05-15", "2026-04-10", "2026-05-15"),
        ({"last": 12, "unit": "months", "newcomers": True}, "2020-04-10", "2026-05-15", "2025-05-15", "2026-05-15"),
        ({"kind": "lifetime", "newcomers": True}, "2020-04-10", "2026-05-15", "2020-04-10", "2026-05-15"),
    ],
)  # fmt: skip
def test_windows_that_depend_on_the_enrollment(
    window: dict[str, Any], enrolled_on: str, on: str, first: str, until: str
) -> None:
    assert windows.depends_on_enrollment(window)
    period = windows.period(window, date.fromisoformat(on), date.fromisoformat(enrolled_on))
    assert period == Period(date.fromisoformat(first), date.fromisoformat(until))
    with pytest.raises(ValueError, match=r"."):
        windows.period(window, date.fromisoformat(on))


@pytest.mark.parametrize(
    ("window", "on", "first", "until"),
    [
        (between("2026-01-01", "2026-07-01"), "2026-05-15", "2026-01-01", "2026-05-15"),
        (between("2026-01-01", "2026-07-01"), "2026-07-01", "2026-01-01", "2026-07-01"),
        (between("2026-01-01", "2026-07-01"), "2027-01-01", "2026-01-01", "2026-07-01"),
        (between("2026-01-01", "2026-07-01"), "2026-01-01", "2026-01-01", "2026-01-01"),
        (between("2026-01-01", "2026-07-01", embargo_days=30), "2026-05-15", "2026-01-01", "2026-04-15"),
        ({"last": 12, "unit": "months", "ago": {"months": 12}}, "2024-02-29", "2022-02-28", "2023-02-28"),
        ({"last": 1, "unit": "months", "ago": {"days": 30}}, "2026-05-15", "2026-03-15", "2026-04-15"),
        (to_date("year", ago={"months": 12}), "2026-05-15", "2025-01-01", "2025-05-15"),
        (to_date("year", ago={"months": 12}), "2026-01-01", "2024-01-01", "2025-01-01"),
        (to_date("year", ago={"months": 12}, embargo_days=30), "2026-05-15", "2025-01-01", "2025-04-15"),
        (last_full("quarter", ago={"months": 12}), "2026-05-15", "2025-01-01", "2025-04-01"),
    ],
)
def test_days_between_two_and_long_before(window: dict[str, Any], on: str, first: str, until: str) -> None:
    assert not windows.depends_on_enrollment(window)
    assert windows.period(window, date.fromisoformat(on)) == Period(
        date.fromisoformat(first), date.fromisoformat(until)
    )


def test_a_stock_is_read_on_the_day_or_on_another() -> None:
    day = date(2026, 5, 15)
    assert windows.stock_day({"kind": "today"}, day) == day
    assert windows.stock_day({}, day) == day
    assert windows.stock_day({"kind": "on", "day": "2026-03-01"}, day) == date(2026, 3, 1)
    assert windows.period({"kind": "on", "day": "2026-03-01"}, day) is None
    with pytest.raises(ValueError, match=r"."):
        windows.stock_day({"kind": "lifetime"}, day)


def test_months_are_whole_ones() -> None:
    assert windows.months_in(Period(date(2025, 11, 1), date(2026, 2, 1))) == 3
    assert windows.months_in(Period(date(2026, 5, 1), date(2026, 5, 1))) == 0
    for period in (Period(None, date(2026, 5, 1)), Period(date(2026, 4, 2), date(2026, 5, 1))):
        with pytest.raises(ValueError, match=r"."):
            windows.months_in(period)


@pytest.mark.parametrize(
    "window",
    [
        {"kind": "today", "embargo_days": 1},
        {"kind": "on"},
        {"kind": "on", "day": "soon"},
        {"kind": "on", "day": 20260301},
        {"kind": "on", "day": "2026-03-01", "ago": {"days": 1}},
        between("2026-01-01", "2026-01-01"),
        {"kind": "between", "from": "2026-01-01"},
        {"kind": "partner_year", "full": "yes"},
        {"kind": "since_enrollment", "unit": "months"},
        {"kind": "lifetime", "ago": {"years": 1}},
        {"kind": "lifetime", "ago": {"months": 1, "days": 1}},
        {"kind": "lifetime", "ago": 12},
        {"kind": "lifetime", "newcomers": "yes"},
        {"kind": "rolling"},
        {"kind": "rolling", "last": 12, "unit": "months"},
        {"last": 10**9, "unit": "days"},
        {"last": 10**5, "unit": "months"},
        {"kind": ["today"]},
    ],
)
def test_what_is_no_window_either(window: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        windows.period(window, date(2026, 5, 15), date(2020, 1, 1))


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)), st.integers(0, 20_000))
def test_partner_years_follow_each_other_without_a_gap(enrolled_on: date, days: int) -> None:
    """The year to date starts where a full one ended, and holds the day before, which is 366 days from its start at most."""
    day = enrolled_on + timedelta(days=days)
    running = windows.period(YEAR_OF_THE_PARTNER, day, enrolled_on)
    full = windows.period(FULL, day, enrolled_on)
    assert running is not None
    assert full is not None
    assert running.starts_on is not None
    assert full.starts_on is not None
    assert running.ends_on == day
    assert (day - running.starts_on).days <= 366
    assert (day - timedelta(days=1) in running) == (days > 0)
    if full.ends_on < day:
        assert running.starts_on == full.ends_on
    else:
        assert running == full


UNITS = st.sampled_from(sorted(windows.MONTHS))
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@given(DAYS, UNITS, st.integers(1, 12))
def test_full_units_follow_each_other_without_a_gap(day: date, unit: str, starts_month: int) -> None:
    """The last full unit ends where the one to date starts, unless the day is a unit's first."""
    full = windows.period(last_full(unit, starts_month=starts_month), day)
    running = windows.period(to_date(unit, starts_month=starts_month), day)
    assert full is not None
    assert running is not None
    assert full.starts_on is not None
    assert (full.starts_on.day, full.ends_on.day) == (1, 1)
    assert (full.starts_on.month - starts_month) % windows.MONTHS[unit] == 0
    months = (full.ends_on.year - full.starts_on.year) * 12 + full.ends_on.month - full.starts_on.month
    assert months == windows.MONTHS[unit]
    assert running == full if full.ends_on == day else running.starts_on == full.ends_on
    assert day - timedelta(days=1) in running
    assert day not in running
    twice = windows.period(last_full(unit, starts_month=starts_month, count=2), day)
    before = windows.period(last_full(unit, starts_month=starts_month), full.starts_on)
    assert before is not None
    assert twice == Period(before.starts_on, full.ends_on)


@pytest.mark.parametrize(
    ("window", "days"),
    [
        ({"last": 90, "unit": "days"}, 90),
        ({"last": 24, "unit": "months"}, 730),
        ({"last": 12, "unit": "months", "ago": {"months": 12}}, 730),
        ({"kind": "today"}, 0),
        ({"kind": "lifetime"}, (date(2026, 6, 1) - date.min).days),
        ({"kind": "since_enrollment"}, (date(2026, 6, 1) - date.min).days),
        ({"last": 3, "unit": "weeks"}, 0),  # there is none: the measure itself says so
    ],
)
def test_how_far_back_a_window_counts(window: dict[str, Any], days: int) -> None:
    assert windows.days_back(window, date(2026, 6, 1)) == days
