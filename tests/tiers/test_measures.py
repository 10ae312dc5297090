"""Measures: which facts count on a day, and what they come to."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import Product, Sale
from partners.models import Partner
from tests.factories import make_edition, make_enrollment, make_partner, make_program, make_sale
from tiers.errors import MeasureError
from tiers.measures import check_measure, facts, grouped, measure_everyone, unit_of
from tiers.models import Edition, Measure, Measured, Program, Run

pytestmark = pytest.mark.django_db
DAY = date(2020, 6, 1)
YEAR = {"last": 12, "unit": "months"}


@pytest.fixture
def edition() -> Edition:
    return make_edition(make_program())


def measure(edition: Edition, **over: Any) -> Measure:
    fields = {
        "key": "m", "name": {"en": "M"}, "aggregate": "sum", "dataset": "sales", "field": "amount", "window": YEAR, **over
    }  # fmt: skip
    return Measure(edition=edition, **fields)


def days_that_count(made: Measure, days: list[date], on: date = DAY) -> list[date]:
    partner = make_partner()
    for day in days:
        make_sale(partner, sold_on=day)
    return sorted(facts(made, made.edition.program, on).values_list("sold_on", flat=True))


@pytest.mark.parametrize(
    ("window", "on", "first", "last"),
    [
        (YEAR, date(2020, 6, 1), date(2019, 6, 1), date(2020, 5, 31)),
        ({"last": 3, "unit": "months"}, date(2020, 5, 31), date(2020, 2, 29), date(2020, 5, 30)),
        ({"last": 1, "unit": "months"}, date(2021, 3, 31), date(2021, 2, 28), date(2021, 3, 30)),
        (YEAR, date(2020, 2, 29), date(2019, 2, 28), date(2020, 2, 28)),
        ({"last": 30, "unit": "days"}, date(2020, 3, 1), date(2020, 1, 31), date(2020, 2, 29)),
        ({"last": 1, "unit": "days"}, date(2020, 1, 1), date(2019, 12, 31), date(2019, 12, 31)),
    ],
)
def test_a_window_holds_its_first_day_and_not_the_day_itself(
    edition: Edition, window: dict[str, Any], on: date, first: date, last: date
) -> None:
    around = sorted({first - timedelta(days=1), first, last, last + timedelta(days=1)})
    assert days_that_count(measure(edition, window=window), around, on) == sorted({first, last})


def test_a_lifetime_has_no_first_day(edition: Edition) -> None:
    days = [date(1990, 1, 1), date(2020, 5, 31), date(2020, 6, 1)]
    assert days_that_count(measure(edition, window={"kind": "lifetime"}), days) == days[:2]


def test_amounts_in_another_currency_do_not_count_and_orders_do(edition: Edition) -> None:
    partner = make_partner()
    make_sale(partner, sold_on=date(2020, 1, 1), amount=Decimal("10.10"), currency="USD")
    make_sale(partner, sold_on=date(2020, 1, 1), amount=Decimal("99"), currency="EUR")
    assert figures(measure(edition)) == {partner.pk: 101_000}
    assert figures(measure(edition, aggregate="distinct", field="order_number")) == {partner.pk: 2}


def test_the_smallest_and_the_largest(edition: Edition) -> None:
    first, second = make_partner(), make_partner()
    for owner, amount, quantity in ((first, "10.10", 3), (first, "4", 1), (second, "7", 2)):
        make_sale(owner, sold_on=date(2020, 1, 1), amount=Decimal(amount), quantity=quantity)
    assert figures(measure(edition, aggregate="max")) == {first.pk: 101_000, second.pk: 70_000}
    assert figures(measure(edition, aggregate="min")) == {first.pk: 40_000, second.pk: 70_000}
    assert figures(measure(edition, aggregate="min", field="quantity")) == {first.pk: 1, second.pk: 2}
    assert unit_of(measure(edition, aggregate="max")) == "amount"
    assert unit_of(measure(edition, aggregate="max", field="quantity")) == "count"


def figures(made: Measure) -> dict[int, int]:
    rows = grouped(made, made.edition.program, DAY)
    return {
        row["measured_partner"]: int(row["measured_figure"] * (10_000 if made.field == "amount" else 1)) for row in rows
    }


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"field": "quantity", "is": "equal", "value": 2}, {2}),
        ({"field": "quantity", "value": 2}, {2}),
        ({"field": "quantity", "is": "not", "value": 2}, {1, 3}),
        ({"field": "quantity", "is": "in", "value": [1, 3]}, {1, 3}),
        ({"field": "quantity", "is": "not_in", "value": [1, 3]}, {2}),
        ({"field": "quantity", "is": "at_least", "value": 2}, {2, 3}),
        ({"field": "quantity", "is": "more_than", "value": 2}, {3}),
        ({"field": "quantity", "is": "at_most", "value": 2}, {1, 2}),
        ({"field": "quantity", "is": "less_than", "value": 2}, {1}),
        ({"field": "amount", "is": "at_least", "value": "20.5"}, {3}),
        ({"field": "category", "is": "equal", "value": "bikes"}, {1}),
        ({"any": [{"field": "quantity", "value": 3}, {"field": "category", "value": "bikes"}]}, {1, 3}),
        (
            {
                "any": [
                    {"field": "quantity", "value": 3},
                    {
                        "all": [
                            {"field": "quantity", "is": "at_least", "value": 2},
                            {"field": "amount", "is": "less_than", "value": "20.5"},
                        ]
                    },
                ]
            },
            {2, 3},
        ),
    ],
)
def test_each_filter(edition: Edition, condition: dict[str, Any], kept: set[int]) -> None:
    bikes = Product.objects.create(external_id="B", name={"en": "Bike"}, category_code="bikes")
    for number, amount in ((1, "20.4"), (2, "20.4999"), (3, "20.5")):
        make_sale(
            make_partner(), quantity=number, sold_on=date(2020, 1, 1), amount=Decimal(amount),
            product=bikes if number == 1 else None,
        )  # fmt: skip
    made = measure(edition, filters=[condition])
    check_measure(made)
    assert set(facts(made, edition.program, DAY).values_list("quantity", flat=True)) == kept


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"dataset": "nothing"}, "there are: attestations, certificates, deals, leads, members, sales"),
        ({"field": "colour"}, "it has: amount, category"),
        ({"field": "kind"}, "cannot be added up"),
        ({"window": {"kind": "today"}}, "does not fit"),
        ({"window": {"last": 0, "unit": "months"}}, "does not fit"),
        ({"dataset": "members", "aggregate": "count", "window": YEAR}, "does not fit"),
        ({"filters": [{"field": "kind", "is": "like", "value": "new"}]}, "cannot compare with “like”"),
        ({"filters": [{"field": "kind", "value": "old"}]}, "no value that field “kind” can have"),
        ({"filters": [{"field": "quantity", "value": "many"}]}, "no value"),
        ({"filters": [{"field": "quantity", "value": True}]}, "no value"),
        ({"filters": [{"any": [{"all": [{"field": "quantity", "value": "many"}]}]}]}, "no value"),
        ({"aggregate": "max", "field": "kind"}, "cannot be added up or compared"),
    ],
)
def test_a_measure_that_cannot_be_read_says_why(edition: Edition, over: dict[str, Any], said: str) -> None:
    with pytest.raises(MeasureError, match=said):
        check_measure(measure(edition, **over))


def test_measuring_again_replaces(edition: Edition) -> None:
    made = measure(edition)
    made.save()
    program: Program = edition.program
    partner = make_partner()
    enrollment = make_enrollment(partner, program)
    make_sale(partner, sold_on=date(2020, 1, 1), amount=Decimal(5))
    run = Run.objects.create(program=program, day=DAY, edition=edition, is_review=True)
    for _pass in range(2):
        assert measure_everyone(made, program=program, day=DAY, run_id=run.pk) == 1
    assert list(Measured.objects.values_list("enrollment", "value")) == [(enrollment.pk, 50_000)]


FACT = st.tuples(
    st.integers(0, 2),  # partner
    st.dates(date(2019, 5, 25), date(2020, 6, 5)),
    st.integers(0, 10**6),  # cents
    st.sampled_from(["A", "B", "C"]),  # order
    st.sampled_from(["USD", "EUR"]),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FACT, max_size=25), st.integers(1, 14))
def test_sql_agrees_with_a_plain_count(edition: Edition, rows: list[Any], months: int) -> None:
    Sale.objects.all().delete()
    partners: list[Partner] = [make_partner() for _number in range(3)]
    for owner, day, cents, order, currency in rows:
        make_sale(
            partners[owner], sold_on=day, amount=Decimal(cents) / 100, order_number=order, currency=currency
        )  # fmt: skip
    window = {"last": months, "unit": "months"}
    year, month = divmod(2020 * 12 + 5 - months, 12)
    first = date(year, month + 1, 1)
    sums: dict[int, int] = defaultdict(int)
    orders: dict[int, set[str]] = defaultdict(set)
    for owner, day, cents, order, currency in rows:
        if first <= day < DAY:
            orders[partners[owner].pk].add(order)
            if currency == "USD":
                sums[partners[owner].pk] += cents * 100
    assert figures(measure(edition, window=window)) == sums
    distinct = measure(edition, aggregate="distinct", field="order_number", window=window)
    assert figures(distinct) == {pk: len(found) for pk, found in orders.items()}
