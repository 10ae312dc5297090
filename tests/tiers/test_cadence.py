"""Reviews: on which days tiers may be given and lost."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.days import Period, add_months
from tiers import cadence

ENROLLED = date(2024, 2, 29)
NEVER: dict[str, Any] = {"every": "never"}


def every(unit: str, **over: Any) -> dict[str, Any]:
    return {"every": unit, **over}


@pytest.mark.parametrize(
    ("asked", "day", "last", "following"),
    [
        (every("day"), "2026-05-15", "2026-05-15", "2026-05-16"),
        # 2026-05-15 is a Friday.
        (every("week"), "2026-05-15", "2026-05-11", "2026-05-18"),
        (every("week", on=1), "2026-05-18", "2026-05-18", "2026-05-25"),
        (every("week", on=5), "2026-05-15", "2026-05-15", "2026-05-22"),
        (every("week", on=6), "2026-05-15", "2026-05-09", "2026-05-16"),
        (every("week", on=7), "2026-01-02", "2025-12-28", "2026-01-04"),
        (every("month"), "2026-05-15", "2026-05-01", "2026-06-01"),
        (every("month", on=20), "2026-05-15", "2026-04-20", "2026-05-20"),
        (every("month", on=20), "2026-05-20", "2026-05-20", "2026-06-20"),
        (every("month", on=20), "2026-01-19", "2025-12-20", "2026-01-20"),
        # A month without that day is reviewed on its last.
        (every("month", on=31), "2026-04-29", "2026-03-31", "2026-04-30"),
        (every("month", on=31), "2026-04-30", "2026-04-30", "2026-05-31"),
        (every("month", on=31), "2026-03-01", "2026-02-28", "2026-03-31"),
        (every("month", on=31), "2028-02-29", "2028-02-29", "2028-03-31"),
        (every("month", on=29), "2026-02-28", "2026-02-28", "2026-03-29"),
        (every("quarter"), "2026-05-15", "2026-04-01", "2026-07-01"),
        (every("quarter"), "2026-12-31", "2026-10-01", "2027-01-01"),
        (every("quarter", starts_month=2), "2026-01-15", "2025-11-01", "2026-02-01"),
        (every("quarter", starts_month=2), "2026-05-15", "2026-05-01", "2026-08-01"),
        (every("half_year"), "2026-05-15", "2026-01-01", "2026-07-01"),
        (every("half_year", starts_month=2), "2026-01-31", "2025-08-01", "2026-02-01"),
        (every("half_year", starts_month=2), "2026-08-01", "2026-08-01", "2027-02-01"),
        (every("year"), "2026-05-15", "2026-01-01", "2027-01-01"),
        (every("year", starts_month=4), "2026-03-31", "2025-04-01", "2026-04-01"),
        (every("year", on="03-01"), "2026-02-28", "2025-03-01", "2026-03-01"),
        (every("year", on="03-01"), "2026-03-01", "2026-03-01", "2027-03-01"),
        (every("year", on="02-29"), "2026-02-28", "2026-02-28", "2027-02-28"),
        (every("year", on="02-29"), "2028-02-28", "2027-02-28", "2028-02-29"),
        (every("year", on="02-29"), "2028-02-29", "2028-02-29", "2029-02-28"),
        (every("year", on="12-31"), "2026-12-30", "2025-12-31", "2026-12-31"),
        # Enrolled on 29 February 2024.
        (every("anniversary"), "2024-02-29", None, "2025-02-28"),
        (every("anniversary"), "2025-02-27", None, "2025-02-28"),
        (every("anniversary"), "2025-02-28", "2025-02-28", "2026-02-28"),
        (every("anniversary"), "2028-02-28", "2027-02-28", "2028-02-29"),
        (every("anniversary"), "2028-02-29", "2028-02-29", "2029-02-28"),
        (every("anniversary"), "2023-06-01", None, "2025-02-28"),
        (NEVER, "2026-05-15", None, None),
    ],
)
def test_the_review_before_and_the_one_after(
    asked: dict[str, Any], day: str, last: str | None, following: str | None
) -> None:
    on = date.fromisoformat(day)
    found = cadence.last_review(asked, on, ENROLLED), cadence.next_review(asked, on, ENROLLED)
    assert [one and one.isoformat() for one in found] == [last, following]


@pytest.mark.parametrize("asked", [{}, every("fortnight"), every("hour")])
def test_no_known_form_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="every|{}"):
        cadence.last_review(asked, ENROLLED, ENROLLED)


@pytest.mark.parametrize(
    ("asked", "day", "previous", "due"),
    [
        (every("quarter"), "2026-07-01", "2026-06-30", True),
        (every("quarter"), "2026-07-02", "2026-07-01", False),
        # The night of 1 July did not run: the next one that does holds its review, once.
        (every("quarter"), "2026-07-03", "2026-06-30", True),
        (every("quarter"), "2026-07-04", "2026-07-03", False),
        (every("quarter"), "2026-07-01", "2026-03-31", True),
        # The first night of all.
        (every("quarter"), "2026-07-04", None, True),
        (every("day"), "2026-07-04", "2026-07-03", True),
        (every("week"), "2026-05-16", "2026-05-10", True),
        (every("week"), "2026-05-16", "2026-05-11", False),
        (every("anniversary"), "2025-02-28", "2025-02-27", True),
        (every("anniversary"), "2025-03-01", "2025-02-28", False),
        (every("anniversary"), "2024-12-01", "2024-11-30", False),
        (every("anniversary"), "2024-12-01", None, False),
        (NEVER, "2026-07-01", "2020-01-01", False),
        (NEVER, "2026-07-01", None, False),
    ],
)
def test_a_review_is_due_once(asked: dict[str, Any], day: str, previous: str | None, due: bool) -> None:
    before = date.fromisoformat(previous) if previous else None
    assert cadence.is_due(asked, date.fromisoformat(day), before, ENROLLED) is due


def p(starts_on: str, ends_on: str) -> Period:
    return Period(date.fromisoformat(starts_on), date.fromisoformat(ends_on))


@pytest.mark.parametrize(
    ("protected", "day", "previous", "since"),
    [
        ([], "2026-06-01", "2026-05-31", "2026-05-31"),
        ([p("2026-03-15", "2026-06-01")], "2026-05-31", "2026-05-30", "2026-05-30"),  # still in force
        ([p("2026-03-15", "2026-06-01")], "2026-06-01", "2026-05-31", "2026-03-14"),
        ([p("2026-03-15", "2026-06-01")], "2026-06-04", "2026-05-31", "2026-03-14"),  # its first night did not run
        ([p("2026-03-15", "2026-06-01")], "2026-06-02", "2026-06-01", "2026-06-01"),
        # Touching and overlapping times are one; a gap between them parts them.
        ([p("2026-01-10", "2026-03-15"), p("2026-03-15", "2026-06-01")], "2026-06-01", "2026-05-31", "2026-01-09"),
        ([p("2026-01-10", "2026-04-15"), p("2026-03-15", "2026-06-01")], "2026-06-01", "2026-05-31", "2026-01-09"),
        ([p("2026-01-10", "2026-03-14"), p("2026-03-15", "2026-06-01")], "2026-06-01", "2026-05-31", "2026-03-14"),
        ([p("2026-03-15", "2026-06-01")], "2026-06-01", None, None),
    ],
)  # fmt: skip
def test_reviews_of_a_protected_time_are_held_after_it(
    protected: list[Period], day: str, previous: str | None, since: str | None
) -> None:
    before = date.fromisoformat(previous) if previous else None
    found = cadence.before_protection(before, date.fromisoformat(day), protected)
    assert (found and found.isoformat()) == since


@pytest.mark.parametrize(
    ("holds", "day", "until"),
    [
        ({}, "2026-05-15", None),
        ({"months": 13}, "2026-01-31", "2027-02-28"),
        ({"until": "03-01"}, "2026-02-28", "2026-03-01"),
        ({"until": "03-01"}, "2026-03-01", "2027-03-01"),
        ({"until": "02-29"}, "2026-03-01", "2027-02-28"),
    ],
)
def test_how_long_a_tier_is_held(holds: dict[str, Any], day: str, until: str | None) -> None:
    found = cadence.held_until(holds, date.fromisoformat(day))
    assert (found and found.isoformat()) == until


cadences = st.one_of(
    st.just(every("day")),
    st.builds(lambda on: every("week", on=on), st.integers(1, 7)),
    st.builds(lambda on: every("month", on=on), st.integers(1, 31)),
    st.builds(lambda unit, month: every(unit, starts_month=month), st.sampled_from(["quarter", "half_year", "year"]), st.integers(1, 12)),
    st.builds(lambda day: every("year", on=f"{day:%m-%d}"), st.dates(date(2024, 1, 1), date(2024, 12, 31))),
    st.just(every("anniversary")),
)  # fmt: skip


@given(cadences, st.dates(date(2024, 3, 1), date(2032, 12, 31)), st.dates(date(2020, 1, 1), date(2023, 1, 1)))
def test_the_next_review_of_a_day_is_the_last_one_of_that_day_and_none_lies_between(
    asked: dict[str, Any], day: date, enrolled_on: date
) -> None:
    following = cadence.next_review(asked, day, enrolled_on)
    assert following is not None
    assert following > day
    assert cadence.last_review(asked, following, enrolled_on) == following
    assert cadence.last_review(asked, following - timedelta(days=1), enrolled_on) == cadence.last_review(
        asked, day, enrolled_on
    )
    assert following <= add_months(day, 13)
