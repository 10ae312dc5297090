"""The worked examples of docs/points.md, through the night."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from leads.models import Product, Sale
from points import granting
from points.models import PointEntry, PointRule
from tests.factories import make_certificate, make_member, make_sale
from tests.points.facts import enrolled, lines, live, pointed_program, row, rule, run_night, set_rows
from tiers import night
from tiers.models import Attestation, Enrollment

pytestmark = pytest.mark.django_db
D = Decimal
JAN_15, NIGHT = date(2026, 1, 15), date(2026, 2, 1)
UPGRADED = row(
    multipliers=[{"when": [{"field": "category", "value": "collaborator"}], "times": "0.5"}], expires={"months": 12}
)


def sell(enrollment: Enrollment, on: date = JAN_15, amount: str = "100", **over: Any) -> Sale:
    kind = Sale.Kind.REFUND if D(amount) < 0 else Sale.Kind.NEW
    return make_sale(enrollment.partner, **{"sold_on": on, "amount": D(amount), "kind": kind, **over})


def product(category: str) -> Product:
    return Product.objects.create(external_id=f"P-{category}", name={"en": category}, category_code=category)


def attest(enrollment: Enrollment, kind: str = "site", **over: Any) -> Attestation:
    return Attestation.objects.create(
        **{"enrollment": enrollment, "kind": kind, "title": kind, "starts_on": date(2026, 1, 10), **over}
    )


def test_the_first_multiplier_that_matches_halves() -> None:
    program = pointed_program(row(multipliers=[
        {"when": [{"field": "category", "value": "collaborator"}], "times": "0.5"},
        {"when": [{"field": "kind", "value": "new"}], "times": "2"},
    ]))  # fmt: skip
    owner = enrolled(program)
    sell(owner, product=product("collaborator"))
    sell(owner, kind="renewal")
    sell(owner)
    run_night(program, NIGHT)
    assert [points for _kind, points, *_days in lines(owner)] == ["150", "300", "600"]
    told = PointEntry.objects.order_by("pk")[0].explanation
    assert told == {"stood": "0", "due": "150", "each": "300", "times": "0.5", "brings": "150"}


def test_three_hundred_for_the_lead_one_hundred_for_the_collaborator() -> None:
    program = pointed_program(row(points="300", multipliers=[
        {"when": [{"field": "category", "value": "lead"}], "times": "1"},
    ], filters=[{"field": "category", "value": "lead"}]), row("helped", points="100", filters=[
        {"field": "category", "value": "collaborator"}]))  # fmt: skip
    owner = enrolled(program)
    sell(owner, product=product("lead"))
    sell(owner, product=product("collaborator"))
    run_night(program, NIGHT)
    assert live(owner, NIGHT) == D(400)


def test_points_count_the_day_after_and_twelve_months() -> None:
    program = pointed_program(UPGRADED)
    owner = enrolled(program)
    sell(owner)
    run_night(program, NIGHT)
    assert lines(owner) == [("grant", "300", "2026-01-15", "2027-01-15")]
    shown = [live(owner, day) for day in (JAN_15, date(2026, 1, 16), date(2027, 1, 14), date(2027, 1, 15))]
    assert shown == [0, 300, 300, 0]


def test_a_row_holds_its_first_day_and_not_its_end() -> None:
    program = pointed_program(row(starts_on="2026-01-10", ends_on="2026-01-20"))
    owner = enrolled(program)
    for day in (9, 10, 19, 20):
        sell(owner, on=date(2026, 1, day))
    run_night(program, NIGHT)
    assert [granted for _kind, _points, granted, _expires in lines(owner)] == ["2026-01-10", "2026-01-19"]


def test_facts_of_the_night_and_later_wait() -> None:
    program = pointed_program(row())
    owner = enrolled(program)
    sell(owner, on=date(2026, 1, 31))
    sell(owner, on=NIGHT)
    run_night(program, NIGHT)
    assert len(lines(owner)) == 1
    run_night(program, date(2026, 2, 2))
    assert len(lines(owner)) == 2


def test_one_occurrence_goes_to_the_earliest_fact() -> None:
    program = pointed_program(row(at_most={"occurrences": 1}))
    owner, other = enrolled(program), enrolled(program)
    late, _other = sell(owner, on=date(2026, 1, 20)), sell(other, on=date(2026, 1, 21))
    run_night(program, NIGHT)
    assert (live(owner, NIGHT), live(other, NIGHT)) == (300, 300)
    sell(owner, on=date(2026, 1, 5))
    run_night(program, NIGHT)
    assert lines(owner) == [
        ("grant", "300", "2026-01-20", None),
        ("grant", "300", "2026-01-05", None),
        ("difference", "-300", "2026-01-20", None),
    ]
    assert PointEntry.objects.get(points=-300).fact == str(late.pk)


def test_a_limit_of_points_cuts_the_last_grant() -> None:
    program = pointed_program(row(at_most={"points": "700"}))
    owner = enrolled(program)
    for day in (1, 2, 3, 4):
        sell(owner, on=date(2026, 1, day))
    run_night(program, NIGHT)
    assert [points for _kind, points, *_days in lines(owner)] == ["300", "300", "100"]
    assert PointEntry.objects.get(points=100).explanation["limit"] == "points"


def test_a_changed_value_is_another_row_and_what_was_granted_stays() -> None:
    program = pointed_program(row(ends_on="2026-02-01"), row(starts_on="2026-02-01", points="450"))
    owner = enrolled(program)
    sell(owner)
    sell(owner, on=NIGHT)
    run_night(program, date(2026, 2, 2))
    assert lines(owner) == [("grant", "300", "2026-01-15", None), ("grant", "450", "2026-02-01", None)]


def test_each_2000_of_an_amount_is_a_point_whole_slices_only() -> None:
    program = pointed_program(row("revenue", each={"amount_of": "amount", "per": "2000"}, points="1"))
    owner = enrolled(program)
    for amount in ("1999.99", "2000", "9999", "-4000.01"):
        sell(owner, amount=amount)
    sell(owner, amount="8000", currency="EUR")
    run_night(program, NIGHT)
    assert [points for _kind, points, *_days in lines(owner)] == ["1", "4", "-2"]
    assert live(owner, NIGHT) == 3


def test_a_limit_is_of_the_sum_whatever_was_taken_back() -> None:
    program = pointed_program(
        row("revenue", each={"amount_of": "amount", "per": "1000"}, points="10", at_most={"points": 50})
    )
    owner = enrolled(program)
    for day, amount in ((1, "4000"), (2, "3000"), (3, "-1000"), (4, "-2000"), (5, "1000")):
        sell(owner, on=date(2026, 1, day), amount=amount)
    run_night(program, NIGHT)
    assert [points for _kind, points, *_days in lines(owner)] == ["40", "10", "-10", "10"]
    assert live(owner, NIGHT) == 50


def test_a_refund_that_corrects_the_sale_posts_the_difference_on_its_day() -> None:
    program = pointed_program(
        row("revenue", each={"amount_of": "amount", "per": "2000"}, points="1", expires={"days": 31})
    )
    owner = enrolled(program)
    sale = sell(owner, amount="9000")
    run_night(program, NIGHT)
    Sale.objects.filter(pk=sale.pk).update(amount=D(5000))
    run_night(program, date(2026, 2, 2))
    assert lines(owner) == [
        ("grant", "4", "2026-01-15", "2026-02-15"),
        ("difference", "-2", "2026-01-15", "2026-02-15"),
    ]
    assert PointEntry.objects.latest("pk").explanation == {
        "stood": "4", "due": "2", "each": "1", "times": "1", "brings": "2"
    }  # fmt: skip
    assert (live(owner, date(2026, 2, 2)), live(owner, date(2026, 2, 15))) == (2, 0)


def test_a_fact_that_is_gone_takes_its_points_back() -> None:
    program = pointed_program(row())
    owner = enrolled(program)
    sale = sell(owner)
    run_night(program, NIGHT)
    sale.delete()
    run_night(program, date(2026, 2, 2))
    assert lines(owner) == [("grant", "300", "2026-01-15", None), ("difference", "-300", "2026-01-15", None)]
    assert PointEntry.objects.latest("pk").explanation == {"stood": "300", "due": "0"}


def test_a_fact_goes_to_the_enrollment_of_its_day() -> None:
    program = pointed_program(row())
    before = enrolled(program)
    Enrollment.objects.filter(pk=before.pk).update(ends_on=date(2026, 1, 10))
    again = Enrollment.objects.create(partner=before.partner, program=program, starts_on=date(2026, 1, 20))
    for day in (9, 10, 19, 20):
        sell(before, on=date(2026, 1, day))
    run_night(program, NIGHT)
    assert [granted for *_rest, granted, _expires in lines(before)] == ["2026-01-09"]
    assert [granted for *_rest, granted, _expires in lines(again)] == ["2026-01-20"]


def test_each_value_brings_once() -> None:
    program = pointed_program(row(each={"distinct": "customer_name"}))
    owner = enrolled(program)
    for day, name in ((3, "Lyon"), (2, "Lyon"), (4, "Nantes"), (5, "")):
        sell(owner, on=date(2026, 1, day), customer_name=name)
    run_night(program, NIGHT)
    assert [(one.fact, one.granted_on.day) for one in PointEntry.objects.order_by("fact")] == [
        ("Lyon", 2),
        ("Nantes", 4),
    ]


def test_points_with_a_standing_fact_end_with_it() -> None:
    program = pointed_program(row("certified", dataset="certificates", points="50", expires="with_fact"))
    owner = enrolled(program)
    member = make_member(owner.partner)
    gone = make_certificate(member, expires_on=date(2026, 3, 1))
    ends = make_certificate(member, expires_on=date(2026, 3, 1))
    stays = make_certificate(member)
    run_night(program, NIGHT)
    assert lines(owner) == [
        ("grant", "50", "2026-01-31", "2026-03-01"), ("grant", "50", "2026-01-31", "2026-03-01"),
        ("grant", "50", "2026-01-31", None),
    ]  # fmt: skip
    gone.delete()
    run_night(program, date(2026, 2, 2))
    assert (live(owner, NIGHT), live(owner, date(2026, 2, 2)), live(owner, date(2026, 3, 1))) == (150, 100, 50)
    type(ends).objects.filter(pk=ends.pk).update(expires_on=date(2026, 4, 1))
    type(stays).objects.filter(pk=stays.pk).update(expires_on=date(2026, 3, 15))
    run_night(program, date(2026, 2, 10))
    days = [date(2026, 2, 10), date(2026, 3, 1), date(2026, 3, 14), date(2026, 3, 15), date(2026, 4, 1)]
    assert [live(owner, day) for day in days] == [100, 100, 100, 50, 0]


def test_a_standing_fact_keeps_the_row_that_granted_it() -> None:
    stock = {"code": "certified", "dataset": "attestations", "expires": "with_fact"}
    program = pointed_program(
        row(**stock, points="50", ends_on="2026-02-01"), row(**stock, points="80", starts_on="2026-02-01")
    )
    owner = enrolled(program)
    first = attest(owner)
    run_night(program, NIGHT)
    assert live(owner, NIGHT) == 50
    attest(owner, starts_on=date(2026, 2, 1))
    run_night(program, date(2026, 2, 2))
    assert live(owner, date(2026, 2, 2)) == 130
    Attestation.objects.filter(pk=first.pk).update(ends_on=date(2026, 2, 3))
    run_night(program, date(2026, 2, 3))
    assert live(owner, date(2026, 2, 3)) == 80


def test_a_stock_without_end_grants_each_fact_once_and_leaves_it() -> None:
    program = pointed_program(row("plan", dataset="attestations", expires={"days": 31}, at_most={"occurrences": 2}))
    owner = enrolled(program)
    first = attest(owner)
    run_night(program, NIGHT)
    first.delete()
    for _number in range(2):
        attest(owner)
    run_night(program, date(2026, 2, 2))
    run_night(program, date(2026, 4, 2))
    assert lines(owner) == [("grant", "300", "2026-01-31", "2026-03-03"), ("grant", "300", "2026-02-01", "2026-03-04")]


def test_each_day_enrolled_brings_a_point() -> None:
    program = pointed_program(row("tenure", dataset=None, each={"day_of": "tenure"}, points="1"))
    owner, later = enrolled(program), enrolled(program, starts_on=date(2026, 1, 30))
    run_night(program, NIGHT)
    assert (live(owner, NIGHT), live(later, NIGHT)) == (31, 2)
    run_night(program, date(2026, 2, 4))
    assert (live(owner, date(2026, 2, 4)), live(later, date(2026, 2, 4))) == (34, 5)
    Enrollment.objects.filter(pk=later.pk).update(ends_on=date(2026, 2, 2))
    run_night(program, date(2026, 2, 5))
    assert live(later, date(2026, 2, 5)) == 3


def test_days_of_tenure_expire_one_by_one() -> None:
    program = pointed_program(
        row("tenure", dataset=None, each={"day_of": "tenure"}, points="2", expires={"days": 10}, at_most={"points": 45})
    )
    owner = enrolled(program, starts_on=date(2026, 1, 5))
    run_night(program, date(2026, 1, 8))
    assert live(owner, date(2026, 1, 8)) == 6
    run_night(program, date(2026, 1, 25))
    assert live(owner, date(2026, 1, 25)) == 18  # the nine days from the 16th on
    run_night(program, date(2026, 1, 29))
    assert live(owner, date(2026, 1, 29)) == 15  # from the 20th to the 27th: 22 days bring 44, the 23rd the last point
    Enrollment.objects.filter(pk=owner.pk).update(starts_on=date(2026, 1, 25))
    run_night(program, date(2026, 1, 30))
    assert live(owner, date(2026, 1, 30)) == 10


def test_the_exchange_table_of_the_first_day_counts_other_currencies() -> None:
    revenue = row("revenue", each={"amount_of": "amount", "per": "2000"}, points="1")
    program = pointed_program(revenue, edition={"exchange": {"EUR": {"amount": "88", "is": "100"}}})
    owner = enrolled(program)
    sell(owner, amount="1760", currency="EUR")
    sell(owner, amount="1759.99", currency="EUR")
    sell(owner, amount="9999", currency="GBP")
    run_night(program, NIGHT)
    assert live(owner, NIGHT) == 1


def test_a_second_night_posts_nothing_and_an_earlier_one_leaves_what_stands() -> None:
    rows = (row(), row("plan", dataset="attestations", expires="with_fact"),
            row("tenure", dataset=None, each={"day_of": "tenure"}, points="1"))  # fmt: skip
    program = pointed_program(*rows)
    owner = enrolled(program)
    sell(owner)
    gone = attest(owner)
    first = run_night(program, NIGHT)
    assert first.totals["points_posted"] == 3
    gone.delete()
    run_night(program, date(2026, 2, 5))
    before = lines(owner)
    for day in (date(2026, 2, 5), NIGHT):
        again = run_night(program, day)
        assert (lines(owner), again.totals["points_posted"]) == (before, PointEntry.objects.filter(run=again).count())


def test_where_nothing_differs_no_chunk_is_cut() -> None:
    program = pointed_program(row())
    sell(enrolled(program))
    run = run_night(program, NIGHT)
    assert list(granting.cut(run, 10)) == []


def test_lines_and_granted_values_are_frozen() -> None:
    program = pointed_program(row())
    sell(enrolled(program))
    run_night(program, NIGHT)
    entries = PointEntry.objects.all()
    for change in (
        lambda: entries.update(points=1), lambda: entries.delete(),
        lambda: PointRule.objects.update(terms={}), lambda: PointRule.objects.update(category="other"),
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    PointRule.objects.update(ends_on=date(2026, 6, 1))


def test_a_row_that_granted_is_never_rewritten() -> None:
    program = pointed_program(row())
    sell(enrolled(program))
    run_night(program, NIGHT)
    assert set_rows(program, row(points="400")) == [
        "points[0]: The row “studio-site” from 2026-01-01 has granted points up to 2026-01-15, and its values stay as they were. "
        "Give it an end after that day, and describe what changes in another row that starts there."
    ]
    assert set_rows(program, row(ends_on="2026-01-15")) == [
        "points[0].ends_on: The row “studio-site” from 2026-01-01 has granted points on 2026-01-15: it cannot end before 2026-01-16."
    ]
    assert set_rows(program) == [
        "points: The row “studio-site” from 2026-01-01 has granted points, so it stays: give it an end instead."
    ]
    renamed = row(ends_on="2026-03-01", name={"en": "Another name"})
    assert set_rows(program, renamed, row(starts_on="2026-03-01", points="400")) == []
    assert [str(one) for one in PointRule.objects.order_by("starts_on")] == ["Another name", "Studio-site"]
    assert rule(program).terms["points"] == "400"


def test_a_night_costs_the_same_queries_for_little_and_for_much() -> None:
    rows = (row(), row("plan", dataset="attestations", expires="with_fact", at_most={"points": 500}),
            row("tenure", dataset=None, each={"day_of": "tenure"}, points="1", expires={"days": 10}))  # fmt: skip
    counts = []
    for number in (2, 40):
        program = pointed_program(*rows)
        for _each in range(number):
            owner = enrolled(program)
            sell(owner)
            attest(owner)
        run = night.start(program=program, day=NIGHT)
        with CaptureQueriesContext(connection) as captured:
            (bounds,) = granting.cut(run, 100)
            posted = granting.post(run, bounds)
        assert posted == {"points_posted": number * (2 + 10 - 1)}
        counts.append(len(captured))
    assert counts[0] == counts[1]
