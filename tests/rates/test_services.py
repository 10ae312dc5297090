"""Rates are appended: a correction is a new version, and nobody changes or deletes a row."""

from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction

from journal.models import Entry
from rates.errors import RateError
from rates.models import Rate, RateSource
from rates.services import Taken, publish_rates, save_source
from tests.factories import make_staff
from tests.rates.facts import FRIDAY, MONDAY, make_rate, make_source, rate

pytestmark = pytest.mark.django_db


def test_new_rates_are_kept_with_who_brought_them() -> None:
    staff = make_staff()
    assert publish_rates(rates=[rate("USD"), rate("GBP", "0.8338")], actor=staff) == Taken(2, 0, 0)
    row = Rate.objects.get(quote="GBP")
    assert (row.source_id, row.base, row.on, row.version, row.value, row.imported_by) == (
        "ecb", "EUR", FRIDAY, 1, Decimal("0.8338"), staff)  # fmt: skip
    assert str(RateSource.objects.get().name) == "European Central Bank"


def test_repeating_appends_nothing() -> None:
    assert publish_rates(rates=[rate()], actor=None) == Taken(1, 0, 0)
    assert publish_rates(rates=[rate(value="1.2500")], actor=None) == Taken(0, 0, 1)
    assert Rate.objects.count() == Entry.objects.count() == 1


def test_a_corrected_rate_is_a_new_version_and_is_told() -> None:
    first = make_rate(value="1.25")
    assert publish_rates(rates=[rate(value="1.26"), rate("GBP", "0.8")], actor=None) == Taken(1, 1, 0)
    assert list(Rate.objects.filter(quote="USD").order_by("version").values_list("version", "value")) == [
        (1, Decimal("1.25")), (2, Decimal("1.26")),
    ]  # fmt: skip
    first.refresh_from_db()
    assert first.value == Decimal("1.25")
    assert list(Entry.objects.order_by("pk").values_list("verb", "subject", "before", "after")) == [
        ("rates.rate.added", "rates.rate:ecb EUR/USD 2026-10-30", {}, {"value": "1.25"}),
        ("rates.rate.corrected", "rates.rate:ecb EUR/USD 2026-10-30", {"value": "1.25"}, {"value": "1.26"}),
        ("rates.rate.added", "rates.rate:ecb EUR/GBP 2026-10-30", {}, {"value": "0.8"}),
    ]
    assert publish_rates(rates=[rate(value="1.25")], actor=None) == Taken(0, 1, 0)  # back again, as a third version


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"value": Decimal(0)}, "value"), ({"value": Decimal("-1.1")}, "value"), ({"quote": "XQQ"}, "quote"),
        ({"quote": "EUR"}, "quote"), ({"source_id": "nobody"}, "source"), ({"value": Decimal("0.00000000001")}, "value"),
    ],
)  # fmt: skip
def test_one_bad_rate_refuses_all(over: dict[str, object], field: str) -> None:
    with pytest.raises(RateError) as refused:
        publish_rates(rates=[rate("GBP"), {**rate(), **over}], actor=None)
    assert list(refused.value.problems) == [1]
    assert list(refused.value.problems[1]) == [field]
    assert not Rate.objects.exists()


def test_the_same_pair_twice_for_a_day_is_refused() -> None:
    with pytest.raises(RateError, match="stands here twice"):
        publish_rates(rates=[rate(), rate(value="1.3")], actor=None)


@pytest.mark.parametrize(
    "digits", ["0.0000000001", "9999999999", "12345.1234567891", "1234567890.12345", "0.000012345"]
)
def test_every_digit_comes_back(digits: str) -> None:
    make_rate(value=digits)
    assert Rate.objects.get().value == Decimal(digits)
    assert publish_rates(rates=[rate(value=digits)], actor=None).unchanged == 1


def test_the_database_refuses_to_change_delete_or_repeat_a_rate() -> None:
    row = make_rate()
    refused = [
        lambda: Rate.objects.update(value=2),
        lambda: Rate.objects.all().delete(),
        lambda: Rate.objects.create(source_id="ecb", base="EUR", quote="USD", on=FRIDAY, value=2),
        lambda: Rate.objects.create(source_id="ecb", base="EUR", quote="USD", on=MONDAY, value=0),
        lambda: Rate.objects.create(source_id="ecb", base="EUR", quote="USD", on=MONDAY, value=Decimal("-0.5")),
        lambda: Rate.objects.create(source_id="ecb", base="EUR", quote="EUR", on=MONDAY, value=1),
    ]
    for write in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            write()
    assert list(Rate.objects.all()) == [row]


def test_statements_do_not_grow_with_rates(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    make_rate("JPY", "170")
    for codes in (["USD"], ["GBP", "CHF", "CAD", "AUD", "SEK"]):
        with django_assert_num_queries(8):
            publish_rates(rates=[rate(code) for code in codes], actor=None)


def test_a_source_that_staff_name_is_told_once() -> None:
    save_source(source=RateSource(code="bank", name={"en": "Our bank"}, base="USD"), actor=make_staff())
    save_source(source=RateSource.objects.get(), actor=None)
    assert [entry.verb for entry in Entry.objects.all()] == ["rates.ratesource.created"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_corrections_at_once_make_one_version_each() -> None:
    make_source("bank")
    barrier = Barrier(6)
    failed: list[Exception] = []

    def correct(number: int) -> None:
        try:
            barrier.wait()
            publish_rates(rates=[rate(value=f"1.{number}", source="bank"), rate("GBP", source="bank")], actor=None)
        except Exception as error:  # noqa: BLE001  # told below
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=correct, args=[number]) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(Rate.objects.filter(quote="USD").values_list("version", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert Rate.objects.filter(quote="GBP").count() == 1
