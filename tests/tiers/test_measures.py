"""Measures: which facts count on a day and which do not and why, ranks, what is refused."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from leads.models import Deal, Sale
from partners.models import Member
from tests.factories import make_certificate, make_location, make_member, make_sale
from tests.tiers.measuring import DAY, YEAR, dollars, enrolled, make_measure, make_run, measured
from tiers import datasets, fact_table
from tiers.datasets import Field
from tiers.errors import MeasureError
from tiers.measures import check_measure, facts, measure_everyone, rank_everyone, threshold_in_unit, unit_of
from tiers.models import Bound, Edition, Enrollment, Evaluation, Measure, Measured

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition() -> Edition:
    return dollars()


def days_that_count(made: Measure, days: list[date], on: date = DAY, enrolled_on: date | None = None) -> list[date]:
    one = enrolled(made.edition, starts_on=enrolled_on or date(2016, 1, 1))
    for day in days:
        make_sale(one.partner, sold_on=day)
    return sorted(facts(made, made.edition.program, on, enrolled_on).values_list("sold_on", flat=True))


# --- Windows --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "on", "first", "last"),
    [
        (YEAR, date(2020, 6, 1), date(2019, 6, 1), date(2020, 5, 31)),
        ({"last": 3, "unit": "months"}, date(2020, 5, 31), date(2020, 2, 29), date(2020, 5, 30)),
        ({"last": 1, "unit": "months"}, date(2021, 3, 31), date(2021, 2, 28), date(2021, 3, 30)),
        (YEAR, date(2020, 2, 29), date(2019, 2, 28), date(2020, 2, 28)),
        ({"last": 30, "unit": "days"}, date(2020, 3, 1), date(2020, 1, 31), date(2020, 2, 29)),
        ({"last": 1, "unit": "days"}, date(2020, 1, 1), date(2019, 12, 31), date(2019, 12, 31)),
        ({**YEAR, "ago": {"months": 12}}, date(2020, 6, 1), date(2018, 6, 1), date(2019, 5, 31)),
    ],
)
def test_a_window_holds_its_first_day_and_not_the_day_itself(
    edition: Edition, window: dict[str, Any], on: date, first: date, last: date
) -> None:
    around = sorted({first - timedelta(days=1), first, last, last + timedelta(days=1)})
    assert days_that_count(make_measure(edition, window=window), around, on) == sorted({first, last})


def test_a_lifetime_has_no_first_day(edition: Edition) -> None:
    days = [date(1990, 1, 1), date(2020, 5, 31), date(2020, 6, 1)]
    assert days_that_count(make_measure(edition, window={"kind": "lifetime"}), days) == days[:2]


@pytest.mark.parametrize(
    ("window", "figures"),
    [
        ({"kind": "since_enrollment"}, (111, 110)),
        ({"kind": "partner_year"}, (110, 110)),
        ({"kind": "partner_year", "full": True}, (1, 110)),
        ({**YEAR, "newcomers": True}, (111, 110)),
        ({"kind": "lifetime", "newcomers": True}, (111, 110)),
        ({"kind": "last_full", "unit": "month", "count": 12, "newcomers": True}, (111, 110)),
    ],
)
def test_windows_that_depend_on_the_enrollment_are_each_ones_own(
    edition: Edition, window: dict[str, Any], figures: tuple[int, ...]
) -> None:
    """Sales of 1, 10, 100 and on the day itself 1,000. Who enrolled on a leap day has its year from 29 February on; who enrols
    today has nothing."""
    enrollments = [enrolled(edition, starts_on=day) for day in (date(2016, 2, 29), date(2020, 3, 15), DAY)]
    for one in enrollments:
        for day, amount in zip(
            (date(2020, 2, 28), date(2020, 3, 15), date(2020, 5, 31), DAY), (1, 10, 100, 1000), strict=True
        ):
            make_sale(one.partner, sold_on=day, amount=Decimal(amount))
    found = measured(make_measure(edition, window=window))
    assert found == {one.pk: figure * 10_000 for one, figure in zip(enrollments, figures, strict=False)}
    assert not Bound.objects.exists()


@pytest.mark.parametrize(
    "definition",
    [
        {"aggregate": "average"}, {"aggregate": "median"}, {"aggregate": "min"}, {"aggregate": "count", "field": None},
        {"aggregate": "distinct", "field": "order_number"}, {"by": "kind"},
        {"caps": {"field": "kind", "values": {"new": 5}}}, {"weights": {"field": "kind", "values": {"new": "1.5"}}},
    ],
)  # fmt: skip
def test_each_aggregate_is_the_same_by_enrollment_where_the_windows_are(edition: Edition, definition: Any) -> None:
    one = enrolled(edition, starts_on=date(2019, 6, 1))
    for amount in (1, 10, 100, 1000):
        make_sale(one.partner, sold_on=date(2020, 5, 31), amount=Decimal(amount))
    fixed = measured(make_measure(edition, "fixed", **definition))
    assert fixed
    own = make_measure(edition, "own", window={"kind": "since_enrollment"}, **definition)
    assert measured(own) == fixed


def test_a_stock_stands_on_the_day_or_on_another(edition: Edition) -> None:
    one = enrolled(edition)
    make_member(one.partner, joined_on=date(2019, 1, 1), left_on=date(2020, 3, 2))
    make_member(one.partner, joined_on=date(2020, 6, 1))
    make_member(one.partner, joined_on=date(2020, 6, 2))
    people: dict[str, Any] = {"dataset": "members", "aggregate": "count", "field": None}
    for window, figure in (
        ({"kind": "today"}, 1),
        ({"kind": "on", "day": "2020-03-01"}, 1),
        ({"kind": "on", "day": "2020-03-02"}, None),
        ({"kind": "on", "day": "2020-06-02"}, 2),
    ):
        made = make_measure(edition, f"m{window.get('day', '')}", **people, window=window)
        check_measure(made, edition)
        assert measured(made) == ({one.pk: figure} if figure else {})


def test_facts_may_be_dated_by_another_day(edition: Edition, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deals by the day they were closed, which some have not; certificates, a stock, by the day of their award."""
    deals, certificates = datasets.get("deals"), datasets.get("certificates")
    closed = {**deals.fields, "closed_on": Field("closed_on", "Closed on", "day")}
    monkeypatch.setitem(datasets._registered, "deals", replace(deals, fields=closed, days=("closed_on",)))
    monkeypatch.setitem(datasets._registered, "certificates", replace(certificates, days=("awarded_on",)))
    one = enrolled(edition)
    for day in (date(2019, 5, 31), date(2019, 6, 1), date(2020, 5, 31), DAY, None):
        Deal.objects.create(
            partner=one.partner, title="T", customer_name="C", amount=Decimal(5), currency="USD", expected_on=DAY,
            status="won" if day else "approved", closed_on=day,
        )  # fmt: skip
    won = make_measure(edition, "won", dataset="deals", aggregate="count", field=None, dated_by="closed_on")
    check_measure(won, edition)
    assert measured(won) == {one.pk: 2}
    person = make_member(one.partner, joined_on=date(2019, 1, 1))
    for day in (date(2020, 2, 29), date(2020, 3, 1), date(2020, 5, 31), DAY):
        make_certificate(person, awarded_on=day)
    new = make_measure(
        edition, "new", dataset="certificates", aggregate="count", field=None, dated_by="awarded_on",
        window={"last": 3, "unit": "months"},
    )  # fmt: skip
    check_measure(new, edition)
    assert measured(new) == {one.pk: 2}


# --- The work table -------------------------------------------------------------------------------


def test_measuring_again_replaces(edition: Edition) -> None:
    one = enrolled(edition)
    make_sale(one.partner, sold_on=date(2020, 1, 1), amount=Decimal(5))
    made = make_measure(edition, window={"kind": "since_enrollment"})
    run = make_run(edition)
    for _pass in range(2):
        assert measure_everyone(made, run) == 1
    assert list(Measured.objects.values_list("enrollment", "value", "over")) == [(one.pk, 50_000, 1)]
    Sale.objects.all().delete()
    assert measure_everyone(made, run) == 0
    assert not Measured.objects.exists()


@pytest.mark.parametrize("window", [YEAR, {"kind": "partner_year"}])
def test_statements_do_not_grow_with_enrollments(edition: Edition, window: dict[str, Any]) -> None:
    made, run = make_measure(edition, window=window), make_run(edition)
    taken = []
    for _pass in range(2):
        for number in range(10):
            make_sale(
                enrolled(edition, starts_on=DAY - timedelta(days=100 + number)).partner, sold_on=date(2020, 5, 31)
            )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            measure_everyone(made, run)
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 7
    assert Measured.objects.count() == 20


# --- Ranks ----------------------------------------------------------------------------------------


def ranks(edition: Edition, **definition: Any) -> list[Fraction]:
    """The places of five partners by 10, 100, 10, nothing and -1; the second and third are in Spain, the last nowhere."""
    sums = make_measure(edition, "sums")
    places = Measure.objects.create(
        edition=edition, key="places", name={"en": "Places"}, definition={"rank": "sums", **definition}
    )
    enrollments = [enrolled(edition) for _number in range(5)]
    for one, amount in zip(enrollments, (10, 100, 10, 0, -1), strict=True):
        if amount:
            kind = "new" if amount > 0 else "refund"
            make_sale(one.partner, sold_on=date(2020, 1, 1), amount=Decimal(amount), kind=kind)
    for one, country in zip(enrollments, ("FR", "ES", "ES", "FR"), strict=False):
        make_location(one.partner, country=country)
        make_location(one.partner, country="IT", is_main=False)
    Enrollment.objects.filter(pk=enrolled(edition).pk).update(ends_on=DAY)
    check_measure(places, edition)
    run = make_run(edition)
    measure_everyone(sums, run)
    for _pass in range(2):
        assert rank_everyone(places, sums, run) == 5
    rows = Measured.objects.filter(measure=places).order_by("enrollment").values_list("enrollment", "value", "over")
    assert [enrollment for enrollment, _value, _over in rows] == [one.pk for one in enrollments]
    return [Fraction(value, over) for _enrollment, value, over in rows]


def test_a_rank_is_a_place_among_all_and_equals_share_the_better_one(edition: Edition) -> None:
    assert ranks(edition, within="program", **{"as": "position"}) == [2, 1, 2, 4, 5]


def test_a_share_is_the_place_over_how_many_there_are(edition: Edition) -> None:
    assert ranks(edition, within="program", **{"as": "share"}) == [Fraction(n, 5) for n in (2, 1, 2, 4, 5)]


def test_a_rank_may_be_within_the_country_of_the_main_location(edition: Edition) -> None:
    assert ranks(edition, within="country", **{"as": "share"}) == [Fraction(1, 2), Fraction(1, 2), 1, 1, 1]


def test_equal_fractions_share_a_place(edition: Edition) -> None:
    sums = make_measure(edition, "sums")
    places = make_measure(edition, "places")
    places.definition = {"rank": "sums", "within": "program", "as": "position"}
    run = make_run(edition)
    figures = (
        (1, 3),
        (2, 6),
        (10**15, 3 * 10**15),
        (1, 4),
        (7, 2),
        (10, 3),
        (-1, 3),
        (9 * 10**18, 1),
        (9 * 10**18 + 1, 1),
    )
    for value, over in figures:
        Measured.objects.create(run=run, enrollment=enrolled(edition), measure=sums, value=value, over=over)
    rank_everyone(places, sums, run)
    found = Measured.objects.filter(measure=places).order_by("enrollment").values_list("value", flat=True)
    assert list(found) == [5, 5, 5, 8, 3, 4, 9, 2, 1]


# --- What counted and what did not ----------------------------------------------------------------


def test_each_fact_counts_or_says_why_not(edition: Edition) -> None:
    one, other = enrolled(edition), enrolled(edition)
    made = make_measure(edition, filters=[
        {"field": "kind", "is": "not", "value": "renewal"},
        {"any": [{"field": "quantity", "is": "at_least", "value": 2}, {"field": "amount", "is": "more_than", "value": "50"}]},
    ])  # fmt: skip
    rows = (
        (date(2019, 5, 31), "1", "new", 5, "USD", "Outside the days that count: 1 Jun 2019 – 31 May 2020"),
        (date(2019, 6, 1), "2", "new", 5, "USD", None),
        (date(2020, 1, 1), "3", "renewal", 5, "USD", "Counts only with Kind: not Renewal"),
        (date(2020, 1, 2), "4", "renewal", 1, "EUR", "Counts only with Kind: not Renewal"),
        (date(2020, 1, 3), "50", "new", 1, "USD", "Counts only with Quantity: at least 2 or Net amount: more than $50.00"),
        (date(2020, 1, 4), "50.01", "new", 1, "USD", None),
        (date(2020, 1, 5), "7", "new", 2, "EUR", "Its currency is not in the exchange table"),
    )  # fmt: skip
    for day, amount, kind, quantity, currency, _why in rows:
        make_sale(one.partner, sold_on=day, amount=Decimal(amount), kind=kind, quantity=quantity, currency=currency)
    make_sale(other.partner, sold_on=date(2020, 1, 1), amount=Decimal(10**6))
    counted, left = fact_table.counted(made, one, DAY), fact_table.left_out(made, one, DAY)
    with CaptureQueriesContext(connection) as queries:
        kept = [[cell.text for cell in counted.cells(row)] for row in counted.rows]
        out = [[cell.text for cell in left.cells(row)] for row in left.rows]
    assert len(queries) == 2
    assert [cells[:2] for cells in kept] == [["4 Jan 2020", "$50.01"], ["1 Jun 2019", "$2.00"]]
    assert [cells[-1] for cells in reversed(out)] == [why for *_row, why in rows if why]
    assert [label for label, _number in left.columns][-1] == "Why not"
    evaluation = Evaluation(measured={"m": "520100"})
    assert counted.figure(evaluation) == "$52.01"


def test_the_facts_of_one_member_and_those_of_none(edition: Edition) -> None:
    one = enrolled(edition)
    made = make_measure(edition, by="customer_name", aggregate="average")
    for customer, amount in (("Ann", 1), ("Ann", 10), ("Bob", 100), ("", 1000)):
        make_sale(one.partner, sold_on=date(2020, 1, 1), amount=Decimal(amount), customer_name=customer)
    table = fact_table.counted(made, one, DAY, member="Ann")
    assert sorted(row["fact_0"] for row in table.rows) == [1, 10]
    assert table.figure(Evaluation(measured={"m": {"Ann": "55000", "Bob": "1000000"}})) == "$5.50"
    assert fact_table.counted(made, one, DAY).rows.count() == 3
    left = fact_table.left_out(made, one, DAY)
    assert [left.cells(row)[-1].text for row in left.rows] == ["Without Customer"]


def test_a_window_of_the_enrollment_is_that_of_the_partner_shown(edition: Edition) -> None:
    one = enrolled(edition, starts_on=date(2020, 3, 15))
    for day in (date(2020, 3, 14), date(2020, 3, 15)):
        make_sale(one.partner, sold_on=day)
    made = make_measure(edition, window={"kind": "since_enrollment"})
    assert [row["fact_day"] for row in fact_table.counted(made, one, DAY).rows] == [date(2020, 3, 15)]
    left = fact_table.left_out(made, one, DAY)
    assert [row["fact_day"] for row in left.rows] == [date(2020, 3, 14)]


def test_a_stock_without_filters_leaves_nothing_out(edition: Edition) -> None:
    one = enrolled(edition)
    make_member(one.partner, joined_on=date(2019, 1, 1), job=Member.Job.SALES)
    people = make_measure(edition, dataset="members", aggregate="count", field=None, window={"kind": "today"})
    assert fact_table.counted(people, one, DAY).rows.count() == 1
    assert fact_table.left_out(people, one, DAY).rows.count() == 0


def test_filters_in_words(edition: Edition) -> None:
    one = enrolled(edition)
    person = make_member(one.partner, joined_on=date(2019, 1, 1), job=Member.Job.MARKETING)
    make_certificate(person, awarded_on=date(2019, 1, 1))
    filters: list[dict[str, Any]] = [
        {
            "none": [
                {"field": "job", "is": "in", "value": ["marketing", "finance"]},
                {"field": "expires_on", "is": "empty"},
            ]
        },
        {"field": "awarded_on", "is": "within", "window": {"kind": "last_full", "unit": "month"}},
    ]
    said = []
    for number, one_filter in enumerate(filters):
        made = make_measure(
            edition, f"m{number}", dataset="certificates", aggregate="count", field=None, window={"kind": "today"},
            filters=[one_filter],
        )  # fmt: skip
        table = fact_table.left_out(made, one, DAY)
        said += [table.cells(row)[-1].text for row in table.rows]
    assert said == [
        "Counts only with not (Job: Marketing or Finance or Expires on: empty)",
        "Counts only with Awarded on: 1 May 2020 – 31 May 2020",
    ]
    with translation.override("fr"):
        assert fact_table.left_out(made, one, DAY).columns[-1][0] == "Pourquoi pas"


# --- Units and refusals ---------------------------------------------------------------------------

AMOUNT = {"aggregate": "sum", "dataset": "sales", "field": "amount"}
COUNT = {"aggregate": "count", "dataset": "sales"}
SOME: dict[str, Any] = {
    "amount": AMOUNT,
    "count": COUNT,
    "mean": {**AMOUNT, "aggregate": "average"},
    "pieces": {"aggregate": "sum", "dataset": "sales", "field": "quantity"},
    "declared": {"aggregate": "max", "dataset": "scores", "field": "value", "window": {"kind": "today"}},
    "pieces-each": {"aggregate": "average", "dataset": "sales", "field": "quantity"},
    "share": {"ratio": ["count", "pieces"]},
}


@pytest.mark.parametrize(
    ("definition", "unit"),
    [
        *((SOME[key], unit) for key, unit in (
            ("amount", "amount"), ("mean", "amount"), ("count", "count"), ("pieces", "count"), ("pieces-each", "number"),
            ("share", "ratio"),
        )),
        ({**COUNT, "aggregate": "distinct", "field": "amount"}, "count"),
        ({"ratio": ["amount", "count"]}, "amount"),
        ({"ratio": ["amount", "mean"]}, "ratio"),
        ({"ratio": ["count", "declared"]}, "ratio"),
        ({"ratio": ["pieces-each", "declared"]}, "ratio"),
        ({"ratio": ["declared", "count"]}, "decimal"),
        ({"growth": ["amount", "mean"]}, "ratio"),
        ({"total": ["amount", "mean"]}, "amount"),
        ({"total": ["count", "pieces"]}, "count"),
        ({"largest": ["count", "pieces-each"]}, "number"),
        ({"score": "amount", "bands": [{"from": 10, "gives": 5}]}, "count"),
        ({"score": "amount", "bands": [{"from": 10, "gives": "5.5"}]}, "number"),
        ({"score": "amount", "full_at": 10, "gives": 100}, "number"),
        ({"rank": "amount", "within": "program", "as": "position"}, "count"),
        ({"rank": "amount", "within": "program", "as": "share"}, "share"),
        ({"tenure": "joined", "unit": "days"}, "count"),
    ],
)  # fmt: skip
def test_the_unit_of_each(definition: dict[str, Any], unit: str) -> None:
    assert unit_of(definition, SOME) == unit


def test_thresholds_are_compared_in_the_unit() -> None:
    assert threshold_in_unit("amount", "50000.5") == 500_005_000
    assert threshold_in_unit("decimal", 1) == 10_000
    assert threshold_in_unit("ratio", Decimal("0.8")) == Fraction(4, 5)
    assert threshold_in_unit("count", 3) == 3


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"dataset": "nothing"}, r"^dataset: there is no “nothing”; there are: .*sales"),
        ({"field": "colour"}, r"^field: .*it has: amount, category"),
        ({"field": None}, "^field: “sum” needs a field"),
        ({"aggregate": "product"}, "^aggregate: there is no “product”"),
        ({"aggregate": "count"}, "^field: a count takes no field"),
        ({"field": "kind"}, "^field: “kind” cannot be added up"),
        ({"aggregate": "max", "field": "kind"}, "cannot be added up or compared"),
        ({"window": {"kind": "today"}}, "^window: “sales” has a day for each fact"),
        ({"window": {"last": 0, "unit": "months"}}, "^window: there is no window"),
        ({"window": None}, "^window: “sales” has a day"),
        ({"dataset": "members", "aggregate": "count", "field": None}, "^window: “members” is what stands on a day"),
        ({"dated_by": "sold_on"}, "^dated_by: facts of “sales” are not dated by “sold_on”"),
        ({"aggregate": "monthly_average"}, "^window: a monthly average takes whole months"),
        ({"by": "amount"}, "^by: “amount” is an amount"),
        ({"by": "colour"}, "^by: "),
        ({"weights": {"field": "amount", "values": {"5": 1}}}, "^weights.field: “amount” has no values to name"),
        ({"weights": {"field": "colour", "values": {"red": 1}}}, "^weights.field: "),
        ({"weights": {"field": "kind", "values": {"old": 1}}}, "^weights.values: “old” is no value"),
        ({"weights": {"field": "kind", "values": {"new": "much"}}}, "^weights.values.new: “much” is no number"),
        ({"weights": {"field": "kind", "values": {}}, "aggregate": "average"}, "^weights: these stand with sum"),
        ({"caps": {"field": "kind", "values": {"new": 1}}, "aggregate": "max"}, "^caps: these stand with sum, count, distinct"),
        ({"caps": {"field": "kind", "values": {"new": "1.5"}}, "aggregate": "count", "field": None}, "^caps.values.new: "),
        ({"caps": {"field": "kind", "others": "many"}}, "^caps.others: “many” is no number"),
        ({"caps": {"field": "quantity", "values": {"1.5": 1}}}, "^caps.values: “1.5” is no whole number"),
        ({"having": {"aggregate": "count", "at_least": 2}}, "^having: these stand with distinct"),
        *(({"aggregate": "distinct", "field": "kind", "having": having}, said) for having, said in (
            ({"aggregate": "count", "field": "kind", "at_least": 2}, "^having: it counts"),
            ({"aggregate": "sum", "at_least": 2}, "^having: it counts"),
            ({"aggregate": "sum", "field": "kind", "at_least": 2}, "^having.field: “kind” cannot be added up"),
            ({"aggregate": "count", "at_least": 0}, "^having.at_least: “0” is no number above 0"),
        )),
        *(({"filters": [{"field": "kind", "value": "new"}, condition]}, rf"^filters\[1\]{said}") for condition, said in (
            ({"field": "kind", "is": "like", "value": "new"}, ": a filter cannot compare with “like”"),
            ({"field": "kind", "value": "old"}, ": “old” is no value that field “kind” can have"),
            ({"field": "kind", "is": "at_least", "value": "new"}, ": “kind” cannot be compared with “at_least”"),
            ({"field": "category", "value": ""}, ": “” is no value"),
            ({"field": "colour", "value": "red"}, ": .*it has: amount"),
            ({"field": "quantity", "value": "many"}, ": “many” is no value"),
            ({"field": "quantity", "value": True}, ": “True” is no value"),
            ({"field": "quantity", "value": [1]}, ": “in” and “not_in” compare with a list"),
            ({"field": "quantity", "is": "in", "value": []}, ": “in” and “not_in” compare with a list"),
            ({"field": "quantity", "is": "not_in", "value": 1}, ": “in” and “not_in” compare with a list"),
            ({"any": [{"all": [{"field": "quantity", "value": "many"}]}]}, r"\.any\[0\]\.all\[0\]: “many” is no value"),
            ({"none": []}, r"\.none: a group holds one filter"),
            ({"field": "kind", "is": "within", "window": YEAR}, ": “within” takes a day field"),
        )),
    ],
)  # fmt: skip
def test_a_measure_that_cannot_be_read_says_where_and_why(edition: Edition, over: dict[str, Any], said: str) -> None:
    with pytest.raises(MeasureError, match=said):
        check_measure(make_measure(edition, **over), edition)


@pytest.mark.parametrize("window", [{"kind": "partner_year"}, {"kind": "today"}, {"kind": "sometimes"}])
def test_a_filters_window_is_the_same_for_everyone(edition: Edition, window: dict[str, Any]) -> None:
    filters = [{"field": "awarded_on", "is": "within", "window": window}]
    made = make_measure(
        edition, dataset="certificates", aggregate="count", field=None, window={"kind": "today"}, filters=filters
    )
    with pytest.raises(MeasureError, match="same for every enrollment"):
        check_measure(made, edition)


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({}, "a measure needs one of: aggregate, ratio"),
        ({"ratio": ["count", "orders"]}, "there is no measure “orders”"),
        ({"ratio": ["count", "amount"]}, "count cannot be divided by amount"),
        ({"total": ["count", "amount"]}, "not of one kind: count, amount"),
        ({"difference": ["share", "count"]}, "not of one kind: ratio, count"),
        ({"growth": ["amount", "count"]}, "not of one kind"),
        ({"rank": "share", "within": "program", "as": "position"}, "^rank: a rank is among figures of facts"),
        ({"rank": "split", "within": "program", "as": "position"}, "^rank: a rank is among figures of facts"),
        ({"score": "count", "full_at": 0, "gives": 1}, "^full_at: “0” is no number above 0"),
        (
            {"score": "count", "bands": [{"from": 1, "gives": 1}, {"from": "1.0", "gives": 2}]},
            "^bands: each band starts",
        ),
        ({"total": ["count", "circle"]}, "in a circle: circle → circle"),
    ],
)
def test_a_measure_of_measures_that_does_not_fit_says_why(
    edition: Edition, definition: dict[str, Any], said: str
) -> None:
    for key, one in {**SOME, "split": {**AMOUNT, "by": "kind"}, "circle": {"total": ["circle", "count"]}}.items():
        Measure.objects.create(edition=edition, key=key, name={"en": key}, definition=one)
    with pytest.raises(MeasureError, match=said):
        check_measure(definition, edition)


@pytest.mark.parametrize(
    "row", [{"amount": "0", "is": "1"}, {"amount": "1", "is": "-1"}, {"amount": "1"}, {"amount": "x", "is": "1"}]
)
def test_an_exchange_table_has_rates_above_0(edition: Edition, row: dict[str, Any]) -> None:
    edition.exchange = {"EUR": row}
    with pytest.raises(MeasureError, match=r"^exchange\.EUR: "):
        check_measure(make_measure(edition), edition)
