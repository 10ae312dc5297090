"""Figures by SQL: every aggregate, filter and multiple, exact on both databases."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models.functions import Trim
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import Product, Sale
from tests.factories import make_certificate, make_certification, make_member, make_partner, make_sale
from tests.tiers.measuring import DAY, dollars, enrolled, make_measure, measured
from tiers import datasets
from tiers.datasets import Field
from tiers.measures import check_measure, facts
from tiers.models import Edition, Enrollment

pytestmark = pytest.mark.django_db
SOLD = date(2020, 1, 1)
SCALE = 10_000


@pytest.fixture
def edition() -> Edition:
    return dollars()


def sell(enrollment: Enrollment, *amounts: str, **over: Any) -> list[Sale]:
    return [make_sale(enrollment.partner, **{"sold_on": SOLD, "amount": Decimal(one), **over}) for one in amounts]


def sold(category: str) -> Product:
    return Product.objects.get_or_create(
        external_id=category, defaults={"name": {"en": category}, "category_code": category}
    )[0]


# --- Aggregates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aggregate", "amounts", "figure"),
    [
        ("sum", ("1", "10", "100.5"), Fraction(1_115_000)),
        ("average", ("1", "10", "100"), Fraction(1_110_000, 3)),
        ("average", ("0.0001", "0.0002", "0.0002"), Fraction(5, 3)),
        ("min", ("100", "1", "10"), Fraction(10_000)),
        ("max", ("1", "100", "10"), Fraction(1_000_000)),
        ("median", ("7",), Fraction(70_000)),
        ("median", ("1", "100", "10"), Fraction(100_000)),
        ("median", ("1", "10", "100", "1000"), Fraction(550_000)),
        ("median", ("0.0001", "0.0002"), Fraction(3, 2)),
        ("median", ("5", "5", "5", "1000"), Fraction(50_000)),
    ],
)
def test_aggregates_of_amounts(edition: Edition, aggregate: str, amounts: tuple[str, ...], figure: Fraction) -> None:
    first, second = enrolled(edition), enrolled(edition)
    sell(first, *amounts)
    sell(second, "3")
    made = make_measure(edition, aggregate=aggregate)
    check_measure(made, edition)
    assert measured(made) == {first.pk: figure, second.pk: 30_000}


def test_aggregates_of_numbers(edition: Edition) -> None:
    one = enrolled(edition)
    for quantity in (1, 10, 100, 1000):
        sell(one, "1", quantity=quantity)
    expected = {"sum": 1111, "average": Fraction(1111, 4), "min": 1, "max": 1000, "median": 55}
    found = {
        aggregate: measured(make_measure(edition, aggregate, aggregate=aggregate, field="quantity"))[one.pk]
        for aggregate in expected
    }
    assert found == expected


def test_facts_and_different_values_are_counted(edition: Edition) -> None:
    first, second = enrolled(edition), enrolled(edition)
    sell(first, "1", "1", order_number="A")
    sell(first, "1", order_number="B", currency="EUR")
    sell(first, "1", order_number="")
    sell(second, "1", order_number="A")
    assert measured(make_measure(edition, "facts", aggregate="count", field=None)) == {first.pk: 4, second.pk: 1}
    orders = make_measure(edition, "orders", aggregate="distinct", field="order_number")
    assert measured(orders) == {first.pk: 2, second.pk: 1}


def test_nothing_is_written_of_nobody_and_of_a_figure_of_0(edition: Edition) -> None:
    _idle, cancelled, gone, later = (enrolled(edition) for _number in range(4))
    sell(cancelled, "5")
    sell(cancelled, "-5", kind="refund")
    for one in (gone, later):
        sell(one, "5")
    Enrollment.objects.filter(pk=gone.pk).update(ends_on=DAY)
    Enrollment.objects.filter(pk=later.pk).update(starts_on=DAY + timedelta(days=1))
    sell(enrolled(dollars()), "5")
    assert measured(make_measure(edition)) == {}


@pytest.mark.parametrize(("count", "figure"), [(1, 10_000), (3, Fraction(1_110_000, 3)), (12, Fraction(1_110_000, 12))])
def test_a_monthly_average_is_over_the_months_of_the_window(edition: Edition, count: int, figure: Fraction) -> None:
    one = enrolled(edition)
    for day, amount in ((date(2020, 5, 31), "1"), (date(2020, 3, 1), "110"), (date(2020, 6, 1), "1000")):
        sell(one, amount, sold_on=day)
    window = {"kind": "last_full", "unit": "month", "count": count}
    assert measured(make_measure(edition, aggregate="monthly_average", window=window)) == {one.pk: figure}


def test_a_monthly_average_of_a_newcomer_is_over_its_own_months(edition: Edition) -> None:
    """Of those enrolled in April the months April and May, of those enrolled in June none."""
    starts = (date(2016, 1, 1), date(2020, 3, 31), date(2020, 4, 1), date(2020, 4, 30), date(2020, 5, 15), DAY)
    all_ = [enrolled(edition, starts_on=day) for day in starts]
    for one in all_:
        for day, amount in ((date(2020, 3, 15), "100"), (date(2020, 4, 1), "10"), (date(2020, 5, 1), "1")):
            sell(one, amount, sold_on=day)
    window = {"kind": "last_full", "unit": "month", "count": 3, "newcomers": True}
    found = measured(make_measure(edition, aggregate="monthly_average", window=window))
    over_three, over_two = Fraction(1_110_000, 3), Fraction(110_000, 2)
    expected = dict(zip([one.pk for one in all_], (over_three, over_three, over_two, over_two, 10_000), strict=False))
    assert found == expected


# --- Splitting ------------------------------------------------------------------------------------


def test_a_split_measure_has_a_figure_for_each_value_and_none_for_the_empty_one(edition: Edition) -> None:
    first, second = enrolled(edition), enrolled(edition)
    sell(first, "1", "10", product=sold("bikes"))
    sell(first, "100", product=sold("helmets"))
    sell(first, "1000")
    sell(first, "5", product=sold("parts"))
    sell(first, "-5", product=sold("parts"), kind="refund")
    sell(second, "7", product=sold("bikes"))
    expected = {(first.pk, "bikes"): 110_000, (first.pk, "helmets"): 1_000_000, (first.pk, "parts"): 0}
    assert measured(make_measure(edition, by="category")) == {**expected, (second.pk, "bikes"): 70_000}
    by_month = make_measure(
        edition, "m2", by="category", aggregate="monthly_average", window={"kind": "last_full", "unit": "year"}
    )
    assert measured(by_month) == {}
    counted = make_measure(edition, "m3", by="category", aggregate="distinct", field="order_number")
    assert measured(counted) == {
        (first.pk, "bikes"): 2, (first.pk, "helmets"): 1, (first.pk, "parts"): 2, (second.pk, "bikes"): 1,
    }  # fmt: skip
    middle = make_measure(edition, "m4", by="category", aggregate="median")
    assert measured(middle)[first.pk, "bikes"] == 55_000


@pytest.mark.parametrize(
    ("by", "members"),
    [("certified", {"true": 1, "false": 2}), ("joined_on", {"2020-01-01": 1, "2020-02-01": 2}), ("job", {"sales": 3})],
)
def test_members_are_texts(edition: Edition, by: str, members: dict[str, int]) -> None:
    one = enrolled(edition)
    certified = make_member(one.partner, joined_on=date(2020, 1, 1))
    make_certificate(certified, awarded_on=date(2020, 1, 1))
    for _number in range(2):
        make_member(one.partner, joined_on=date(2020, 2, 1))
    made = make_measure(edition, dataset="members", aggregate="count", field=None, window={"kind": "today"}, by=by)
    check_measure(made, edition)
    assert measured(made) == {(one.pk, member): figure for member, figure in members.items()}


def test_a_number_is_a_member_by_its_digits(edition: Edition) -> None:
    one = enrolled(edition)
    sell(one, "5", quantity=3)
    assert measured(make_measure(edition, by="quantity")) == {(one.pk, "3"): 50_000}


# --- Weights, caps, having ------------------------------------------------------------------------


def test_weights_multiply_each_fact(edition: Edition) -> None:
    one = enrolled(edition)
    for category, amount in (("bikes", "10"), ("helmets", "100"), ("parts", "1000")):
        sell(one, amount, product=sold(category))
    sell(one, "0.01")
    weights = {"field": "category", "values": {"bikes": "1.5", "helmets": "0.3333"}, "others": "2"}
    figure = Fraction(15) + Fraction("33.33") + 2000 + Fraction("0.02")
    assert measured(make_measure(edition, weights=weights)) == {one.pk: figure * SCALE}
    plain = {"field": "category", "values": {"bikes": 0}}
    assert measured(make_measure(edition, "m2", weights=plain)) == {one.pk: Fraction("1100.01") * SCALE}
    numbers = make_measure(edition, "m3", field="quantity", weights={"field": "quantity", "values": {"1": "0.25"}})
    assert measured(numbers) == {one.pk: 1}


@pytest.mark.parametrize(
    ("caps", "figure"),
    [
        ({"values": {"bikes": 500}}, 500 + 40 + 3000),
        ({"values": {"bikes": 601, "helmets": 39}}, 600 + 39 + 3000),
        ({"values": {"bikes": "599.99"}, "others": 100}, Fraction("599.99") + 40 + 100),
        ({"others": 50}, 50 + 40 + 50),
        ({"values": {"bikes": 0}}, 3040),
    ],
)
def test_caps_hold_what_each_value_brings_in(edition: Edition, caps: dict[str, Any], figure: Any) -> None:
    one = enrolled(edition)
    for category, amounts in (("bikes", ("400", "200")), ("helmets", ("40",))):
        sell(one, *amounts, product=sold(category))
    sell(one, "3000")
    assert measured(make_measure(edition, caps={"field": "category", **caps})) == {one.pk: figure * SCALE}


def test_caps_of_counts_and_of_different_values(edition: Edition) -> None:
    one = enrolled(edition)
    sell(one, "1", "1", "1", product=sold("bikes"), order_number="A")
    sell(one, "1", "1", product=sold("bikes"), order_number="B")
    sell(one, "1", product=sold("parts"), order_number="A")
    caps = {"field": "category", "values": {"bikes": 2}}
    count = make_measure(edition, "count", aggregate="count", field=None, caps=caps)
    assert measured(count) == {one.pk: 3}
    orders: dict[str, Any] = {"aggregate": "distinct", "field": "order_number"}
    assert measured(make_measure(edition, "two", **orders, caps=caps)) == {one.pk: 3}
    assert measured(make_measure(edition, "one", **orders, caps={"field": "category", "others": 1})) == {one.pk: 2}
    having = {"aggregate": "count", "at_least": 3}
    assert measured(make_measure(edition, "both", **orders, caps=caps, having=having)) == {one.pk: 1}


def test_caps_weights_and_currencies_together(edition: Edition) -> None:
    """Each fact counts 1.5 times in its category and 0.88 for a euro; of bikes no more than 100 in dollars."""
    Edition.objects.filter(pk=edition.pk).update(exchange={"EUR": {"amount": "100", "is": "88"}})
    edition.refresh_from_db()
    one = enrolled(edition)
    sell(one, "50", "100", product=sold("bikes"), currency="EUR")
    sell(one, "10", product=sold("parts"), currency="EUR")
    sell(one, "10000", product=sold("parts"), currency="JPY")
    both = {
        "weights": {"field": "category", "values": {"bikes": "1.5"}},
        "caps": {"field": "category", "values": {"bikes": 100}},
    }
    assert measured(make_measure(edition, **both)) == {one.pk: Fraction("108.8") * SCALE}
    both["caps"]["values"] = {"bikes": 1000}
    assert measured(make_measure(edition, "m2", **both)) == {
        one.pk: (150 * Fraction("0.88") * Fraction("1.5") + Fraction("8.8")) * SCALE
    }


@pytest.mark.parametrize(
    ("having", "figure"),
    [
        ({"aggregate": "count", "at_least": 1}, 3),
        ({"aggregate": "count", "at_least": 2}, 2),
        ({"aggregate": "count", "at_least": "2.5"}, 1),
        ({"aggregate": "distinct", "field": "order_number", "at_least": 2}, 1),
        ({"aggregate": "sum", "field": "amount", "at_least": "20.01"}, 1),
        ({"aggregate": "sum", "field": "amount", "at_least": "20"}, 2),
        ({"aggregate": "sum", "field": "quantity", "at_least": 3}, 1),
    ],
)
def test_only_values_with_enough_facts_count(edition: Edition, having: dict[str, Any], figure: int) -> None:
    one = enrolled(edition)
    sell(one, "1", "19", customer_name="Ann", order_number="A")
    for order in ("A", "B", "B"):
        sell(one, "10", customer_name="Bob", order_number=order)
    sell(one, "1", customer_name="Cy", order_number="C")
    sell(one, "100", order_number="D")
    made = make_measure(edition, aggregate="distinct", field="customer_name", having=having)
    check_measure(made, edition)
    assert measured(made) == {one.pk: figure}


def test_people_who_hold_two_certificates_each(edition: Edition) -> None:
    one = enrolled(edition)
    first, second = make_certification(), make_certification()
    for kinds in ((first, second), (first, first), (first,)):
        person = make_member(one.partner, joined_on=SOLD)
        for kind in kinds:
            make_certificate(person, kind, awarded_on=SOLD)
    people: dict[str, Any] = {
        "dataset": "certificates", "aggregate": "distinct", "field": "member", "window": {"kind": "today"}
    }  # fmt: skip
    assert measured(make_measure(edition, "all", **people)) == {one.pk: 3}
    certificates = {"aggregate": "count", "at_least": 2}
    assert measured(make_measure(edition, "two", **people, having=certificates)) == {one.pk: 2}
    different = {"aggregate": "distinct", "field": "certification", "at_least": 2}
    assert measured(make_measure(edition, "both", **people, having=different)) == {one.pk: 1}


# --- Currencies -----------------------------------------------------------------------------------


@pytest.fixture
def exchanging(edition: Edition) -> Edition:
    """100 euros count as 110 dollars, 3 yen as 0.02."""
    exchange = {"EUR": {"amount": "100", "is": "110"}, "JPY": {"amount": 3, "is": "0.02"}}
    Edition.objects.filter(pk=edition.pk).update(exchange=exchange)
    edition.refresh_from_db()
    return edition


def test_amounts_in_another_currency_do_not_count_and_facts_do(edition: Edition) -> None:
    one = enrolled(edition)
    sell(one, "10.10")
    sell(one, "99", currency="EUR")
    assert measured(make_measure(edition)) == {one.pk: 101_000}
    assert measured(make_measure(edition, "m2", aggregate="count", field=None)) == {one.pk: 2}
    assert measured(make_measure(edition, "m3", field="quantity")) == {one.pk: 2}
    biggest = {"aggregate": "sum", "field": "amount", "at_least": 50}
    bought = make_measure(edition, "m4", aggregate="distinct", field="order_number", having=biggest)
    assert measured(bought) == {}


@pytest.mark.parametrize(
    ("aggregate", "figure"),
    [
        ("sum", 1 + 11 + Fraction(20, 3)),
        ("average", (1 + 11 + Fraction(20, 3)) / 3),
        ("min", 1),
        ("max", 11),
        ("median", Fraction(20, 3)),
    ],
)
def test_amounts_count_by_the_exchange_table(exchanging: Edition, aggregate: str, figure: Any) -> None:
    one = enrolled(exchanging)
    for amount, currency in (("1", "USD"), ("10", "EUR"), ("1000", "JPY"), ("10000", "GBP")):
        sell(one, amount, currency=currency)
    assert measured(make_measure(exchanging, aggregate=aggregate)) == {one.pk: figure * SCALE}


def test_values_reach_a_sum_by_the_exchange_table(exchanging: Edition) -> None:
    one = enrolled(exchanging)
    sell(one, "100", currency="EUR", customer_name="Ann")
    sell(one, "109.9999", customer_name="Bob")
    for least, figure in (("110", 1), ("109.9999", 2), ("110.0001", None)):
        having = {"aggregate": "sum", "field": "amount", "at_least": least}
        made = make_measure(exchanging, f"m{figure}", aggregate="distinct", field="customer_name", having=having)
        assert measured(made) == ({} if figure is None else {one.pk: figure})


@pytest.mark.parametrize(
    ("operator", "value", "kept"),
    [
        ("at_least", "110", {"110 USD", "100 EUR"}),
        ("more_than", "109.9999", {"110 USD", "100 EUR"}),
        ("more_than", "110", set()),
        ("at_most", "110", {"109.9999 USD", "110 USD", "100 EUR"}),
        ("less_than", "110", {"109.9999 USD"}),
        ("equal", "110", {"110 USD", "100 EUR"}),
        ("in", ["109.9999", 1], {"109.9999 USD"}),
        ("not", "110", {"109.9999 USD", "110 GBP"}),
        ("equal", "110.00001", set()),
        ("not", "110.00001", {"109.9999 USD", "110 USD", "100 EUR", "110 GBP"}),
    ],
)
def test_filters_compare_amounts_in_the_programs_currency(
    exchanging: Edition, operator: str, value: Any, kept: set[str]
) -> None:
    one = enrolled(exchanging)
    for text in ("109.9999 USD", "110 USD", "100 EUR", "110 GBP"):
        amount, currency = text.split()
        sell(one, amount, currency=currency, order_number=text)
    filters = [{"field": "amount", "is": operator, "value": value}]
    made = make_measure(exchanging, aggregate="count", field=None, filters=filters)
    check_measure(made, exchanging)
    assert set(facts(made, exchanging.program, DAY).values_list("order_number", flat=True)) == kept
    assert measured(made) == ({one.pk: len(kept)} if kept else {})


def test_big_amounts_stay_exact(edition: Edition) -> None:
    """Two sums near the largest that the database holds, times a rate of four decimals each: 64 bits would run over."""
    Edition.objects.filter(pk=edition.pk).update(exchange={"EUR": {"amount": "10000", "is": "10001"}})
    edition.refresh_from_db()
    one = enrolled(edition)
    sell(one, "300000000000000.0001")
    sell(one, "300000000000000", "0.0003", currency="EUR")
    rate = Fraction(10_001, 10_000)
    expected = (Fraction("300000000000000.0001") + Fraction("300000000000000.0003") * rate) * SCALE
    with pytest.raises(DatabaseError), transaction.atomic():  # value and over have 64 bits each
        measured(make_measure(edition))
    Sale.objects.filter(amount=Decimal("0.0003")).delete()
    Sale.objects.filter(amount=Decimal("300000000000000.0001")).update(amount=Decimal("300000000000000"))
    expected = 300_000_000_000_000 * (1 + rate) * SCALE
    assert expected.denominator == 1
    assert measured(make_measure(edition, "m2")) == {one.pk: expected}
    capped = make_measure(edition, "m3", caps={"field": "kind", "values": {"new": "600000000000000.0001"}})
    assert measured(capped) == {one.pk: 6_000_000_000_000_000_001}
    sell(one, "400000000000000")
    with pytest.raises(DatabaseError), transaction.atomic():
        measured(make_measure(edition, "m4"))


# --- Filters --------------------------------------------------------------------------------------


@pytest.fixture
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales with fields that may be empty: unit price, the day they were created, a text by expression."""
    sales = datasets.get("sales")
    fields = {
        **sales.fields,
        "unit_price": Field("unit_price", "Unit price", "decimal"),
        "deal_closed_on": Field("deal__closed_on", "Closed on", "day"),
    }
    wide = replace(sales, fields=fields, days=("deal_closed_on",))
    monkeypatch.setitem(datasets._registered, "sales", wide)


FILTERS: list[tuple[Any, str]] = [
    # number: 1, 2, 3
    ({"field": "quantity", "value": 2}, "b"),
    ({"field": "quantity", "is": "equal", "value": "2"}, "b"),
    ({"field": "quantity", "is": "not", "value": 2}, "ac"),
    ({"field": "quantity", "is": "in", "value": [1, 3]}, "ac"),
    ({"field": "quantity", "is": "not_in", "value": [1, 3]}, "b"),
    ({"field": "quantity", "is": "at_least", "value": 2}, "bc"),
    ({"field": "quantity", "is": "more_than", "value": 2}, "c"),
    ({"field": "quantity", "is": "at_most", "value": 2}, "ab"),
    ({"field": "quantity", "is": "less_than", "value": 2}, "a"),
    ({"field": "quantity", "is": "at_least", "value": "1.5"}, "bc"),
    ({"field": "quantity", "is": "less_than", "value": "1.5"}, "a"),
    ({"field": "quantity", "is": "equal", "value": "1.5"}, ""),
    ({"field": "quantity", "is": "not", "value": "1.5"}, "abc"),
    # amount: 20.4, 20.4999, 20.5
    ({"field": "amount", "is": "at_least", "value": "20.4999"}, "bc"),
    ({"field": "amount", "is": "more_than", "value": "20.4999"}, "c"),
    # decimal: 1.5, empty, 2
    ({"field": "unit_price", "is": "at_least", "value": "1.5"}, "ac"),
    ({"field": "unit_price", "is": "more_than", "value": "1.5"}, "c"),
    ({"field": "unit_price", "is": "less_than", "value": 100}, "ac"),
    ({"field": "unit_price", "value": 2}, "c"),
    ({"field": "unit_price", "is": "not", "value": 2}, "ab"),
    ({"field": "unit_price", "is": "not_in", "value": ["1.5", 2]}, "b"),
    ({"field": "unit_price", "is": "empty"}, "b"),
    ({"field": "unit_price", "is": "not_empty"}, "ac"),
    # text through another table: bikes, none, parts
    ({"field": "category", "value": "bikes"}, "a"),
    ({"field": "category", "is": "not", "value": "bikes"}, "bc"),
    ({"field": "category", "is": "in", "value": ["bikes", "parts"]}, "ac"),
    ({"field": "category", "is": "not_in", "value": ["bikes", "parts"]}, "b"),
    ({"field": "category", "is": "empty"}, "b"),
    ({"field": "category", "is": "not_empty"}, "ac"),
    # text that is never null: "", Bob, Cy
    ({"field": "customer_name", "is": "empty"}, "a"),
    ({"field": "customer_name", "is": "not_empty"}, "bc"),
    ({"field": "customer_name", "is": "not", "value": "Bob"}, "ac"),
    # groups
    ({"any": [{"field": "quantity", "value": 3}, {"field": "category", "value": "bikes"}]}, "ac"),
    ({"all": [{"field": "quantity", "value": 3}, {"field": "category", "value": "bikes"}]}, ""),
    ({"none": [{"field": "quantity", "value": 3}, {"field": "category", "value": "bikes"}]}, "b"),
    ({"none": [{"field": "unit_price", "is": "at_least", "value": 2}]}, "ab"),
    ({"none": [{"field": "category", "is": "not", "value": "bikes"}]}, "a"),
    ({"none": [{"field": "category", "is": "empty"}]}, "ac"),
    ({"none": [{"none": [{"field": "category", "value": "parts"}]}]}, "c"),
    (
        {
            "none": [
                {"all": [{"field": "quantity", "is": "at_least", "value": 2}, {"field": "unit_price", "is": "empty"}]},
                {
                    "any": [
                        {"field": "category", "value": "parts"},
                        {"field": "unit_price", "is": "more_than", "value": 9},
                    ]
                },
            ]
        },
        "a",
    ),
]


@pytest.mark.usefixtures("_wide")
@pytest.mark.parametrize(("condition", "kept"), FILTERS)
def test_each_filter_and_what_it_leaves_out(edition: Edition, condition: dict[str, Any], kept: str) -> None:
    """A filter and the same in a “none” share all facts between them, whatever is empty."""
    one = enrolled(edition)
    rows = (
        ("a", 1, "20.4", "1.5", "bikes", ""),
        ("b", 2, "20.4999", None, None, "Bob"),
        ("c", 3, "20.5", "2", "parts", "Cy"),
    )
    for order, quantity, amount, price, category, customer in rows:
        sell(
            one, amount, quantity=quantity, unit_price=price and Decimal(price), order_number=order,
            product=sold(category) if category else None, customer_name=customer,
        )  # fmt: skip
    for key, filters, left in (("m", [condition], set(kept)), ("n", [{"none": [condition]}], set("abc") - set(kept))):
        made = make_measure(edition, key, aggregate="count", field=None, filters=filters)
        check_measure(made, edition)
        assert set(facts(made, edition.program, DAY).values_list("order_number", flat=True)) == left
        assert measured(made) == ({one.pk: len(left)} if left else {})


def test_several_filters_all_hold(edition: Edition) -> None:
    one = enrolled(edition)
    sell(one, "1", "10", quantity=2)
    sell(one, "100")
    filters = [{"field": "quantity", "value": 2}, {"field": "amount", "is": "more_than", "value": 1}]
    assert measured(make_measure(edition, filters=filters)) == {one.pk: 100_000}


@pytest.mark.parametrize(("certified", "figure"), [(True, 1), (False, 2)])
def test_yes_and_no(edition: Edition, certified: bool, figure: int) -> None:
    one = enrolled(edition)
    people = [make_member(one.partner, joined_on=SOLD) for _number in range(3)]
    make_certificate(people[0], awarded_on=SOLD)
    over: dict[str, Any] = {"dataset": "members", "aggregate": "count", "field": None, "window": {"kind": "today"}}
    is_, is_not = (
        [{"field": "certified", "is": how, "value": value}]
        for how, value in (("equal", certified), ("not", not certified))
    )
    assert measured(make_measure(edition, "is", **over, filters=is_)) == {one.pk: figure}
    assert measured(make_measure(edition, "not", **over, filters=is_not)) == {one.pk: figure}


def test_a_day_within_a_window(edition: Edition) -> None:
    """Of certificates valid today, those awarded in the last full quarter; and the others, with those without end."""
    one = enrolled(edition)
    person = make_member(one.partner, joined_on=date(2019, 1, 1))
    for awarded in (date(2019, 12, 31), date(2020, 1, 1), date(2020, 3, 31), date(2020, 4, 1)):
        make_certificate(person, awarded_on=awarded, expires_on=None)
    make_certificate(person, awarded_on=date(2019, 1, 1), expires_on=date(2020, 6, 2))
    over: dict[str, Any] = {"dataset": "certificates", "aggregate": "count", "field": None, "window": {"kind": "today"}}
    quarter = {"field": "awarded_on", "is": "within", "window": {"kind": "last_full", "unit": "quarter"}}
    assert measured(make_measure(edition, "in", **over, filters=[quarter])) == {one.pk: 2}
    assert measured(make_measure(edition, "out", **over, filters=[{"none": [quarter]}])) == {one.pk: 3}
    soon = {"field": "expires_on", "is": "at_most", "value": "2020-06-02"}
    assert measured(make_measure(edition, "soon", **over, filters=[soon])) == {one.pk: 1}
    assert measured(make_measure(edition, "late", **over, filters=[{"none": [soon]}])) == {one.pk: 4}


def test_a_field_may_be_an_expression(edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those that a dataset makes from a name: `extra`."""
    sales = datasets.get("sales")
    texts = {"attr:order": Field(Trim("order_number"), "Order", "text")}
    monkeypatch.setitem(datasets._registered, "sales", replace(sales, extra=texts.get))
    one = enrolled(edition)
    sell(one, "1", "10", order_number="A")
    sell(one, "100", order_number="B")
    sell(one, "1000", order_number="")
    filters = [{"field": "attr:order", "is": "not", "value": "A"}]
    assert measured(make_measure(edition, filters=filters)) == {one.pk: 11_000_000}
    assert measured(make_measure(edition, "m2", by="attr:order")) == {(one.pk, "A"): 110_000, (one.pk, "B"): 1_000_000}
    distinct = make_measure(edition, "m3", aggregate="distinct", field="attr:order")
    assert measured(distinct) == {one.pk: 2}


# --- Against a plain count ------------------------------------------------------------------------

FACT = st.tuples(
    st.integers(0, 2),  # enrollment
    st.dates(date(2019, 5, 25), date(2020, 6, 5)),
    st.integers(0, 10**6),  # cents
    st.sampled_from(["A", "B", "C", ""]),  # order
    st.sampled_from(["USD", "EUR", "GBP"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FACT, max_size=25), st.integers(1, 14))
def test_sql_agrees_with_a_plain_count(exchanging: Edition, rows: list[Any], months: int) -> None:
    Sale.objects.all().delete()
    Enrollment.objects.all().delete()
    enrollments = [enrolled(exchanging) for _number in range(3)]
    window = {"last": months, "unit": "months"}
    year, month = divmod(2020 * 12 + 5 - months, 12)
    first = date(year, month + 1, 1)
    amounts: dict[int, list[Fraction]] = defaultdict(list)
    orders: dict[int, set[str]] = defaultdict(set)
    for owner, day, cents, order, currency in rows:
        one = enrollments[owner]
        make_sale(one.partner, sold_on=day, amount=Decimal(cents) / 100, order_number=order, currency=currency)
        if first <= day < DAY:
            if order:
                orders[one.pk].add(order)
            if currency != "GBP":
                amounts[one.pk].append(Fraction(cents, 100) * (Fraction("1.1") if currency == "EUR" else 1) * SCALE)
    expected = {
        "sum": sum, "max": max, "min": min, "average": lambda of: sum(of) / len(of),
        "median": lambda of: (sorted(of)[(len(of) - 1) // 2] + sorted(of)[len(of) // 2]) / 2,
    }  # fmt: skip
    for aggregate, by_hand in expected.items():
        made = make_measure(exchanging, f"{aggregate}-{make_partner().pk}", aggregate=aggregate, window=window)
        assert measured(made) == {pk: by_hand(of) for pk, of in amounts.items() if by_hand(of) != 0}
    distinct = make_measure(
        exchanging, f"d-{make_partner().pk}", aggregate="distinct", field="order_number", window=window
    )
    assert measured(distinct) == {pk: len(found) for pk, found in orders.items()}
