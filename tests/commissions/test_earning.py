"""What the night posts, with exact values."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commissions import earning, statements
from commissions.models import Earning
from leads.models import Sale
from tests.commissions.facts import holding, move, paying_program, posted, publish, run_night, sell, tier
from tests.factories import make_enrollment, make_partner, make_placement
from tiers.models import Enrollment, Run

pytestmark = pytest.mark.django_db
D = Decimal
MARCH = date(2026, 3, 1)
NIGHT = date(2026, 4, 2)


@pytest.mark.parametrize(
    ("rate", "amount", "currency", "due"),
    [
        ("0.10", "100.00", "USD", "10.0000"),
        ("0.05", "0.50", "USD", "0.0200"),  # 0.025 is half-way: to the even cent below
        ("0.05", "0.70", "USD", "0.0400"),  # 0.035 is half-way: to the even cent above
        ("0.05", "0.10", "EUR", None),  # 0.005 is half-way to zero, which is even
        ("0.05", "0.1002", "EUR", "0.0100"),  # 0.00501
        ("0.05", "-0.70", "USD", "-0.0400"),
        ("0.15", "1230", "JPY", "184.0000"),  # 184.5: to the even yen below
        ("0.15", "1250", "JPY", "188.0000"),  # 187.5: to the even yen above
        ("0.10", "1.005", "TND", "0.1000"),  # 0.1005: to the even millime below
        ("0.10", "1.015", "TND", "0.1020"),  # 0.1015: to the even millime above
        ("0.333333", "1000000.00", "USD", "333333.0000"),
        ("0", "100.00", "USD", None),
        ("0.10", "0", "USD", None),
    ],
)
def test_a_sale_earns_the_rate_of_its_net_amount_rounded_half_to_even(
    rate: str, amount: str, currency: str, due: str | None
) -> None:
    program = paying_program({"level-1": D(rate)})
    sale = sell(holding(program), amount, MARCH, currency=currency)
    run_night(program, NIGHT)
    assert posted(sale) == ([(1, "accrual", due, currency)] if due else [])


def test_a_line_keeps_every_term_it_was_computed_with() -> None:
    program = paying_program()
    partner = holding(program, "level-2")
    sale = sell(partner, "1234.56", MARCH)
    run = run_night(program, NIGHT)
    line = Earning.objects.with_terms().get()
    assert (line.partner, line.program, line.sale, line.posting.run, line.earned_on) == (
        partner,
        program,
        sale,
        run,
        MARCH,
    )
    assert line.tier is not None
    assert line.plan is not None
    assert (line.tier.code, line.plan.version, line.rate) == ("level-2", 1, D("0.1"))
    assert (line.base, line.before, line.amount) == (D("1234.56"), D(0), D("123.46"))


def test_each_sale_is_paid_by_the_tier_held_on_its_own_day() -> None:
    program = paying_program()
    partner = holding(program, "level-1")
    move(partner, program, "level-3", date(2026, 3, 15))
    days = [sell(partner, "100.00", date(2026, 3, day)) for day in (14, 15, 16)]
    run_night(program, NIGHT)
    assert [posted(sale)[0][2] for sale in days] == ["5.0000", "15.0000", "15.0000"]


def test_the_day_of_the_night_itself_is_left_to_the_next_night() -> None:
    program = paying_program()
    sale = sell(holding(program), "100.00", NIGHT)
    run_night(program, NIGHT)
    assert posted(sale) == []
    run_night(program, date(2026, 4, 3))
    assert posted(sale) == [(1, "accrual", "5.0000", "USD")]


def test_a_second_night_posts_nothing() -> None:
    program = paying_program()
    sell(holding(program), "100.00", MARCH)
    assert run_night(program, NIGHT).totals["posted"] == 1
    assert run_night(program, NIGHT).totals["posted"] == 1  # a total of the day's passes: none more
    assert run_night(program, date(2026, 4, 3)).totals["posted"] == 0
    assert Earning.objects.count() == 1


def test_a_refund_takes_back_exactly_what_the_same_sale_gave() -> None:
    program = paying_program({"level-1": D("0.0333")})
    partner = holding(program)
    sell(partner, "99.99", MARCH)
    sell(partner, "-99.99", date(2026, 3, 20))
    run_night(program, NIGHT)
    assert sum(Earning.objects.values_list("amount", flat=True)) == 0
    assert Earning.objects.count() == 2


def test_a_corrected_amount_posts_the_difference() -> None:
    program = paying_program()
    sale = sell(holding(program), "100.00", MARCH)
    run_night(program, NIGHT)
    Sale.objects.update(amount=D("80.00"))
    run_night(program, date(2026, 4, 3))
    Sale.objects.update(amount=D(0))
    run_night(program, date(2026, 4, 4))
    assert posted(sale) == [
        (1, "accrual", "5.0000", "USD"),
        (2, "adjustment", "-1.0000", "USD"),
        (3, "reversal", "-4.0000", "USD"),
    ]


def test_a_corrected_plan_posts_the_difference_and_leaves_other_days_alone() -> None:
    program = paying_program()
    partner = holding(program)
    early, late = sell(partner, "100.00", MARCH), sell(partner, "100.00", date(2026, 3, 20))
    run_night(program, NIGHT)
    publish(program, {"level-1": D("0.06")}, starts_on=date(2026, 3, 15))
    run_night(program, date(2026, 4, 3))
    assert posted(early) == [(1, "accrual", "5.0000", "USD")]
    assert posted(late) == [(1, "accrual", "5.0000", "USD"), (2, "adjustment", "1.0000", "USD")]


def test_another_currency_reverses_the_old_one_and_pays_the_new_one() -> None:
    program = paying_program()
    sale = sell(holding(program), "100.00", MARCH)
    run_night(program, NIGHT)
    Sale.objects.update(currency="EUR")
    run_night(program, date(2026, 4, 3))
    assert posted(sale) == [
        (1, "accrual", "5.0000", "USD"),
        (2, "adjustment", "5.0000", "EUR"),
        (3, "reversal", "-5.0000", "USD"),
    ]


@pytest.mark.parametrize(("one", "other"), [("USD", "EUR"), ("EUR", "USD")])
def test_a_currency_that_comes_back_counts_on_from_the_last_line(one: str, other: str) -> None:
    program = paying_program()
    sale = sell(holding(program), "100.00", MARCH, currency=one)
    for number, currency in enumerate((one, other, one), start=2):
        Sale.objects.update(currency=currency)
        run_night(program, date(2026, 4, number))
    assert posted(sale)[3:] == [(4, "adjustment", "5.0000", one), (5, "reversal", "-5.0000", other)]


@pytest.mark.parametrize("chunk_size", [1, 2000])
def test_a_sale_that_goes_to_another_partner_is_reversed_there_and_paid_here(chunk_size: int) -> None:
    program = paying_program()
    first, second = holding(program, "level-1"), holding(program, "level-2")
    sale = sell(first, "100.00", MARCH)
    run_night(program, NIGHT, chunk_size)
    Sale.objects.update(partner=second)
    run_night(program, date(2026, 4, 3), chunk_size)
    assert posted(sale) == [
        (1, "accrual", "5.0000", "USD"),
        (2, "reversal", "-5.0000", "USD"),
        (1, "accrual", "10.0000", "USD"),
    ]


def test_a_sale_that_goes_to_a_partner_outside_the_program_is_reversed() -> None:
    program = paying_program()
    sale = sell(holding(program), "100.00", MARCH)
    run_night(program, NIGHT)
    Sale.objects.update(partner=make_partner())
    run_night(program, date(2026, 4, 3))
    assert posted(sale) == [(1, "accrual", "5.0000", "USD"), (2, "reversal", "-5.0000", "USD")]


def test_a_sale_that_moves_to_a_later_day_is_reversed_and_paid_again_from_that_day() -> None:
    program = paying_program()
    sale = sell(holding(program), "100.00", MARCH)
    run_night(program, NIGHT)
    Sale.objects.update(sold_on=date(2026, 5, 10))
    run_night(program, date(2026, 4, 3))
    run_night(program, date(2026, 5, 10))
    reversed_on = Earning.objects.get(number=2).earned_on
    assert (len(posted(sale)), reversed_on) == (2, MARCH)
    run_night(program, date(2026, 5, 11))
    assert posted(sale) == [
        (1, "accrual", "5.0000", "USD"),
        (2, "reversal", "-5.0000", "USD"),
        (3, "adjustment", "5.0000", "USD"),
    ]


def test_a_night_for_an_earlier_day_leaves_what_later_nights_posted() -> None:
    program = paying_program()
    sale = sell(holding(program), "100.00", MARCH)
    run_night(program, NIGHT)
    assert run_night(program, date(2026, 2, 1)).totals["posted"] == 0
    assert posted(sale) == [(1, "accrual", "5.0000", "USD")]


def test_an_enrollment_that_ended_is_paid_up_to_its_last_day() -> None:
    program = paying_program()
    partner = holding(program)
    Enrollment.objects.filter(partner=partner).update(ends_on=date(2026, 3, 10))
    last, after = sell(partner, "100.00", date(2026, 3, 9)), sell(partner, "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    assert (posted(last), posted(after)) == ([(1, "accrual", "5.0000", "USD")], [])


def test_an_end_entered_late_reverses_what_was_paid_after_it() -> None:
    program = paying_program()
    partner = holding(program)
    sale = sell(partner, "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    Enrollment.objects.filter(partner=partner).update(ends_on=date(2026, 3, 10))
    run_night(program, date(2026, 4, 3))
    assert posted(sale) == [(1, "accrual", "5.0000", "USD"), (2, "reversal", "-5.0000", "USD")]


def test_an_enrollment_moved_to_the_future_is_still_looked_at() -> None:
    program = paying_program()
    partner = holding(program)
    sale = sell(partner, "100.00", MARCH)
    run_night(program, NIGHT)
    Enrollment.objects.filter(partner=partner).update(starts_on=date(2026, 6, 1))
    Sale.objects.update(amount=D(0))
    run_night(program, date(2026, 4, 3))
    assert posted(sale) == [(1, "accrual", "5.0000", "USD"), (2, "reversal", "-5.0000", "USD")]


def test_two_programs_pay_the_same_sale_each_by_its_own_plan() -> None:
    one, other = paying_program(), paying_program({"level-1": D("0.01")})
    partner = holding(one)
    make_placement(make_enrollment(partner, other), tier(other, "level-1"), reason="granted")
    sale = sell(partner, "100.00", MARCH)
    run_night(one, NIGHT)
    run_night(other, NIGHT)
    held = {line.program_id: line.amount for line in Earning.objects.filter(sale=sale)}
    assert held == {one.pk: D(5), other.pk: D(1)}


@pytest.mark.parametrize("step", [earning.post, statements.draft])
def test_a_chunk_costs_the_same_queries_for_5_partners_and_for_20(step: object) -> None:
    assert queries(step, 5) == queries(step, 20)  # SQLite takes so many values in one statement


def queries(step: object, partners: int) -> int:
    program = paying_program()
    held = [holding(program) for _number in range(partners)]
    for partner in held:
        sell(partner, "100.00", MARCH)
        sell(partner, "100.00", MARCH, currency="EUR")
    run = Run.objects.create(program=program, day=NIGHT, edition=program.editions.get())
    bounds = (held[0].pk, held[-1].pk)
    if step is statements.draft:
        earning.post(run, bounds)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        counts = step(run, bounds)  # type: ignore[operator]
    assert sum(counts.values()) == (2 if step is earning.post else 4) * partners
    return len(captured)
