"""Which rate holds for two currencies on a day: exact, dated, the same both ways."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rates.rules import Found, Published, find, pair_problems, plain, series_by_pair, shortened, value_problem
from tests.rates.facts import FRIDAY, MONDAY, SATURDAY, TUESDAY

CODES = ("EUR", "GBP", "JPY", "USD")
_ids = count(1)


def published(base: str, quote: str, value: str | Decimal, on: date) -> Published:
    return Published(base, quote, Decimal(value), on, next(_ids))


def ask(rates: list[Published], one: str, other: str, on: date, max_age_days: int = 7) -> Found | None:
    return find(
        series_by_pair(rates, "EUR"), source="ecb", through="EUR", from_currency=one, to_currency=other, on=on,
        max_age_days=max_age_days,
    )  # fmt: skip


DOLLAR = published("EUR", "USD", "1.1172", FRIDAY)
POUND = published("EUR", "GBP", "0.8338", FRIDAY)


def test_a_published_rate_is_found_as_it_is() -> None:
    assert ask([DOLLAR], "EUR", "USD", FRIDAY) == Found(Fraction(11172, 10000), FRIDAY, "ecb", (DOLLAR,))


def test_the_other_way_round_is_its_exact_inverse() -> None:
    assert ask([DOLLAR], "USD", "EUR", FRIDAY) == Found(Fraction(10000, 11172), FRIDAY, "ecb", (DOLLAR,))


def test_two_currencies_are_crossed_through_the_base() -> None:
    found = ask([DOLLAR, POUND], "USD", "GBP", FRIDAY)
    assert found == Found(Fraction(8338, 11172), FRIDAY, "ecb", (DOLLAR, POUND))
    assert shortened(found.value) == Decimal("0.746330")


def test_a_weekend_takes_fridays() -> None:
    for day in (SATURDAY, SATURDAY + timedelta(days=1)):
        found = ask([DOLLAR], "EUR", "USD", day)
        assert found is not None
        assert found.on == FRIDAY


def test_a_rate_of_a_later_day_is_not_known_yet() -> None:
    assert ask([DOLLAR], "EUR", "USD", FRIDAY - timedelta(days=1)) is None


@pytest.mark.parametrize(("age", "is_found"), [(0, True), (6, True), (7, True), (8, False)])
def test_a_rate_is_as_old_as_is_allowed_and_not_a_day_older(age: int, is_found: bool) -> None:
    assert (ask([DOLLAR], "EUR", "USD", FRIDAY + timedelta(days=age)) is not None) == is_found
    assert (ask([DOLLAR, POUND], "USD", "GBP", FRIDAY + timedelta(days=age)) is not None) == is_found


def test_without_age_only_the_day_itself_will_do() -> None:
    assert ask([DOLLAR], "EUR", "USD", FRIDAY, 0) is not None
    assert ask([DOLLAR], "EUR", "USD", SATURDAY, 0) is None


def test_a_cross_is_of_the_older_day_and_needs_both() -> None:
    old = published("EUR", "GBP", "0.85", MONDAY)
    found = ask([DOLLAR, old], "USD", "GBP", FRIDAY)
    assert found is not None
    assert (found.on, found.parts) == (MONDAY, (DOLLAR, old))
    assert ask([DOLLAR, old], "USD", "GBP", MONDAY + timedelta(days=8)) is None
    assert ask([DOLLAR], "USD", "GBP", FRIDAY) is None


def test_a_pair_that_is_published_is_not_crossed() -> None:
    own = published("USD", "GBP", "0.75", TUESDAY)
    assert ask([DOLLAR, POUND, own], "USD", "GBP", FRIDAY) == Found(Fraction(3, 4), TUESDAY, "ecb", (own,))


def test_a_currency_into_itself_is_one_and_needs_no_rate() -> None:
    assert ask([], "USD", "USD", SATURDAY) == Found(Fraction(1), SATURDAY, "ecb", ())


def test_the_last_version_of_a_day_holds() -> None:
    corrected = published("EUR", "USD", "1.2", FRIDAY)
    assert ask([DOLLAR, corrected], "EUR", "USD", FRIDAY) == Found(Fraction(6, 5), FRIDAY, "ecb", (corrected,))


@pytest.mark.parametrize("turned", [False, True])
def test_quoted_both_ways_the_one_of_the_base_holds(turned: bool) -> None:
    other = published("USD", "EUR", "0.9", FRIDAY)
    rates = [other, DOLLAR] if turned else [DOLLAR, other]
    assert ask(rates, "USD", "EUR", FRIDAY).parts == (DOLLAR,)
    ab, ba = published("GBP", "USD", "1.3", FRIDAY), published("USD", "GBP", "0.7", FRIDAY)
    assert ask([ba, ab] if turned else [ab, ba], "USD", "GBP", FRIDAY).parts == (ab,)


values = st.integers(1, 10**12).map(lambda n: Decimal(n).scaleb(-6))
days = st.integers(0, 20).map(lambda n: MONDAY + timedelta(days=n))
pairs = st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)).filter(lambda pair: pair[0] != pair[1])
books = st.lists(st.builds(lambda pair, value, on: published(*pair, value, on), pairs, values, days), max_size=25)


@given(books, st.sampled_from(CODES), st.sampled_from(CODES), days, st.integers(0, 9))
def test_there_and_back_is_one(rates: list[Published], one: str, other: str, on: date, age: int) -> None:
    there, back = ask(rates, one, other, on, age), ask(rates, other, one, on, age)
    assert (there is None) == (back is None)
    if there is not None:
        assert there.value * back.value == 1
        assert there.on == back.on


@given(values, values, days)
def test_a_cross_is_the_quotient_of_its_two(first: Decimal, second: Decimal, on: date) -> None:
    rates = [published("EUR", "USD", first, on), published("EUR", "GBP", second, on)]
    assert ask(rates, "USD", "GBP", on).value == Fraction(second) / Fraction(first)


@given(books, st.sampled_from(CODES), st.sampled_from(CODES), days, st.integers(0, 9))
def test_what_is_found_agrees_with_a_plain_search(rates, one, other, on, age) -> None:  # type: ignore[no-untyped-def]
    """An oracle over lists: for every pair the newest day that is allowed; the last rate of a day in the order of its base."""

    def leg(a: str, b: str) -> Fraction | None:
        alike = [r for r in rates if {r.base, r.quote} == {a, b} and 0 <= (on - r.on).days <= age]
        if not alike:
            return None
        newest = max(r.on for r in alike)
        first = "EUR" if "EUR" in (a, b) else min(a, b)
        of_day = [r for r in alike if r.on == newest]
        chosen = ([r for r in of_day if r.base == first] or of_day)[-1]
        return Fraction(chosen.value) if chosen.base == a else 1 / Fraction(chosen.value)

    def expected() -> Fraction | None:
        if one == other:
            return Fraction(1)
        if (direct := leg(one, other)) is not None:
            return direct
        legs = leg(one, "EUR"), leg("EUR", other)
        return None if None in legs or "EUR" in (one, other) else legs[0] * legs[1]

    found = ask(rates, one, other, on, age)
    assert (found and found.value) == expected()


@given(books, st.sampled_from(CODES), st.sampled_from(CODES), days)
def test_what_is_kept_as_json_comes_back_whole(rates: list[Published], one: str, other: str, on: date) -> None:
    found = ask(rates, one, other, on)
    if found is not None:
        assert Found.from_json(found.as_json()) == found


def test_json_is_the_same_whatever_zeros_the_database_adds() -> None:
    rate = Published("EUR", "USD", Decimal("1.1172000000"), FRIDAY, 7)
    assert ask([rate], "EUR", "USD", SATURDAY).as_json() == {
        "source": "ecb", "on": "2026-10-30", "value": "2793/2500",
        "parts": [{"base": "EUR", "quote": "USD", "value": "1.1172", "on": "2026-10-30", "rate": 7}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1.1172", None), ("0.0000000001", None), ("9999999999", None), ("12345.1234567891", None), ("1E+3", None),
        ("0", "not_positive"), ("-1", "not_positive"), ("NaN", "not_positive"), ("Infinity", "not_positive"),
        ("10000000000", "too_large"), ("1E+9999", "too_large"), ("0.00000000001", "too_fine"), ("1E-9999", "too_fine"),
        ("123456.1234567891", "too_long"),
    ],
)  # fmt: skip
def test_what_may_be_a_rate(value: str, problem: str | None) -> None:
    assert value_problem(Decimal(value)) == problem


def test_what_may_be_a_pair() -> None:
    known = frozenset(CODES)
    assert pair_problems("EUR", "USD", known) == {}
    assert pair_problems("EUR", "EUR", known) == {"quote": "same_currency"}
    assert pair_problems("XXQ", "eur", known) == {"base": "unknown_currency", "quote": "unknown_currency"}


def test_digits_are_written_plainly() -> None:
    assert [plain(Decimal(one)) for one in ("1.50", "100", "1E+3", "0.0000000001")] == ["1.5", "100", "1000", "0.0000000001"]  # fmt: skip
    assert [str(shortened(Fraction(one))) for one in ("175.68", "20275.17", "1/3", "12345678")] == [
        "175.680", "20275.2", "0.333333", "12345678"]  # fmt: skip
