"""A book reads little, answers fast, and says the same for as long as it lives."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from time import perf_counter
from typing import Any

import pytest

from rates.selectors import RateBook, currencies, newest
from tests.rates.facts import FRIDAY, MONDAY, SATURDAY, make_rate, make_source

pytestmark = pytest.mark.django_db


def test_the_rates_of_a_day_by_their_rows() -> None:
    dollar, pound = make_rate("USD", "1.1172"), make_rate("GBP", "0.8338")
    found = RateBook("ecb").find("USD", "GBP", SATURDAY)
    assert found is not None
    assert (found.value, found.on, found.source) == (Fraction(8338, 11172), FRIDAY, "ecb")
    assert [(one.rate_id, one.value) for one in found.parts] == [
        (dollar.pk, Decimal("1.1172")), (pound.pk, Decimal("0.8338")),
    ]  # fmt: skip


def test_a_corrected_rate_holds_and_the_earlier_book_keeps_what_it_read() -> None:
    make_rate("USD", "1.25")
    book = RateBook("ecb")
    assert book.find("EUR", "USD", FRIDAY).value == Fraction(5, 4)
    make_rate("USD", "1.5")
    assert book.find("EUR", "USD", FRIDAY).value == Fraction(5, 4)
    assert RateBook("ecb").find("EUR", "USD", FRIDAY).value == Fraction(3, 2)


def test_each_source_is_a_world_of_its_own() -> None:
    make_source("bank", base="USD")
    make_rate("EUR", "0.8", base="USD", source="bank")
    make_rate("GBP", "0.7", base="USD", source="bank")
    assert RateBook("ecb").find("USD", "EUR", FRIDAY) is None
    assert RateBook("nobody").find("USD", "EUR", FRIDAY) is None
    assert RateBook("bank").find("EUR", "GBP", FRIDAY).value == Fraction(7, 8)


def test_one_query_opens_a_book_and_one_reads_a_pair(django_assert_num_queries: Any) -> None:
    for back in range(5):
        make_rate("USD", "1.25", FRIDAY - timedelta(days=back))
        make_rate("GBP", "0.8", FRIDAY - timedelta(days=back))
    book = RateBook("ecb")
    with django_assert_num_queries(2):
        for back in range(4):
            assert book.find("USD", "GBP", FRIDAY - timedelta(days=back)).value == Fraction(16, 25)
        assert book.find("GBP", "USD", MONDAY) is not None
        assert book.find("EUR", "GBP", MONDAY) is not None
        assert book.find("USD", "USD", date(1990, 1, 1)).value == 1


def test_one_query_reads_many_pairs_of_a_range_of_days(django_assert_num_queries: Any) -> None:
    for code in ("USD", "GBP", "JPY"):
        make_rate(code, "2", MONDAY)
    book = RateBook("ecb")
    with django_assert_num_queries(2):
        book.load({"USD", "GBP", "JPY"}, MONDAY + timedelta(days=7), MONDAY + timedelta(days=9))
        assert book.find("USD", "JPY", MONDAY + timedelta(days=7)).on == MONDAY
        assert book.find("USD", "JPY", MONDAY + timedelta(days=8)) is None
    with django_assert_num_queries(1):  # outside of what was loaded, the pair is read whole
        assert book.find("USD", "JPY", MONDAY).on == MONDAY
        assert book.find("JPY", "USD", MONDAY + timedelta(days=3)).on == MONDAY
    with django_assert_num_queries(1):  # and stays so
        book.load({"USD", "GBP", "JPY"}, FRIDAY, FRIDAY)
        assert book.find("USD", "JPY", MONDAY).on == MONDAY


@pytest.mark.slow
def test_a_million_answers_take_about_a_second() -> None:
    make_rate("USD", "1.25")
    make_rate("GBP", "0.8")
    book = RateBook("ecb")
    asked = [
        ("USD", "GBP", SATURDAY),
        ("EUR", "USD", FRIDAY),
        ("USD", "CHF", FRIDAY),
        ("GBP", "EUR", SATURDAY),
    ] * 250_000
    best = 9.9
    for _attempt in range(3):
        started = perf_counter()
        for one, other, on in asked:
            book.find(one, other, on)
        best = min(best, perf_counter() - started)
    assert best < 3  # 0.3 s on a quiet machine


def test_the_newest_day_is_not_one_to_come() -> None:
    assert newest("ecb") is None
    make_rate(on=date(2020, 1, 2))
    make_rate(on=date(2999, 1, 2))
    assert newest("ecb") == date(2020, 1, 2)


def test_currencies_that_were_quoted_lately() -> None:
    make_rate("USD")
    make_rate("DEM", on=date(1998, 1, 2))
    assert currencies("ecb") == currencies() == ["EUR", "USD"]
    assert currencies("bank") == []
