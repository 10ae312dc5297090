"""What people are shown of their pay."""

from datetime import date
from decimal import Decimal

import pytest

from commissions.models import Earning, Statement
from commissions.selectors import (
    Balance,
    balance,
    explanation,
    monthly,
    outcomes,
    rates_in_force,
    why_nothing,
)
from commissions.services import issue_statement
from leads.models import Sale
from tests.commissions.facts import holding, move, paying_program, publish, run_night, sell
from tests.factories import make_partner
from tiers.models import Enrollment

pytestmark = pytest.mark.django_db
D = Decimal
MARCH = date(2026, 3, 1)
NIGHT = date(2026, 4, 2)


def test_balance_counts_the_month_the_year_and_what_is_not_issued_in_each_currency() -> None:
    program = paying_program({"level-1": D("0.1")})
    partner = holding(program)
    for amount, day in [("10", (2025, 4, 30)), ("100", (2025, 5, 1)), ("1000", (2026, 3, 31)), ("10000", (2026, 4, 1))]:
        sell(partner, amount, date(*day))
    sell(partner, "100000", date(2026, 4, 1), currency="EUR")
    sell(holding(program), "1000000", date(2026, 4, 1))
    run_night(program, NIGHT)
    issue_statement(statement=Statement.objects.get(partner=partner, starts_on=MARCH))
    assert balance(partner=partner, on=NIGHT) == [
        Balance("EUR", this_month=D(10000), not_issued=D(10000), last_12_months=D(10000)),
        Balance("USD", this_month=D(1000), not_issued=D(1011), last_12_months=D(1110)),
    ]
    assert balance(partner=make_partner(), on=NIGHT) == []


def test_monthly_gives_every_month_zeros_included() -> None:
    program = paying_program({"level-1": D("0.1")})
    partner = holding(program)
    for amount, day in [
        ("10", (2025, 12, 31)),
        ("100", (2026, 1, 1)),
        ("1000", (2026, 1, 31)),
        ("10000", (2026, 4, 1)),
    ]:
        sell(partner, amount, date(*day))
    run_night(program, NIGHT)
    (series,) = monthly(partner=partner, months=4, on=NIGHT)
    assert [(one.month.month, one.amount) for one in series.months] == [(1, 110), (2, 0), (3, 0), (4, 1000)]
    assert (series.currency, series.total) == ("USD", D(1110))
    assert monthly(partner=partner, months=3, on=date(2027, 4, 1)) == []


def test_rates_in_force_are_the_plans_of_that_day() -> None:
    program = paying_program({"level-1": D("0.05")})
    later = publish(program, {"level-2": D("0.2")}, starts_on=NIGHT)
    assert rates_in_force(program, MARCH).by_tier == {"level-1": D("0.05")}
    found = rates_in_force(program, NIGHT)
    assert (found.plan, found.by_tier) == (later, {"level-2": D("0.2")})
    assert rates_in_force(program, date(2024, 1, 1)).plan is None


def test_an_explanation_holds_every_term() -> None:
    program = paying_program({"level-1": D("0.05"), "level-2": D("0.0333")})
    partner = holding(program)
    held = move(partner, program, "level-2", date(2026, 2, 1))
    sale = sell(partner, "99.99", MARCH)
    run = run_night(program, NIGHT)
    found = explanation(Earning.objects.get())
    assert (found.sale, found.placement, found.run, found.program) == (sale, held, run, program)
    assert (found.base, found.rate, found.exact, found.unit) == (D("99.99"), D("0.0333"), D("3.329667"), D("0.01"))
    assert (found.before, found.amount, found.due, found.is_rounded) == (D(0), D("3.33"), D("3.33"), True)
    assert found.plan is not None
    assert found.tier is not None
    assert (found.plan.version, found.tier.code, found.statement) == (1, "level-2", Statement.objects.get())
    assert (found.changes, found.why_zero) == ((), "")
    assert [(line.due, line.is_this) for line in found.lines] == [(D("3.33"), True)]


def test_an_explanation_says_what_changed_since_the_line_before() -> None:
    program = paying_program({"level-1": D("0.05"), "level-2": D("0.10")})
    partner = holding(program)
    move(partner, program, "level-2", date(2026, 3, 15))
    sell(partner, "100.00", MARCH)
    run_night(program, NIGHT)
    Sale.objects.update(amount=D(200), sold_on=date(2026, 3, 16))
    plan = publish(program, {"level-1": D("0.05"), "level-2": D("0.11")})
    run_night(program, date(2026, 4, 3))
    second = explanation(Earning.objects.get(number=2))
    assert (second.before, second.amount, second.due) == (D(5), D(17), D(22))
    assert [line.due for line in second.lines] == [D(5), D(22)]
    changes = {change.term: (change.before, change.after) for change in second.changes}
    assert set(changes) == {"base", "day", "tier", "plan", "rate"}
    assert changes["base"] == (D(100), D(200))
    assert changes["plan"][1] == plan
    assert explanation(Earning.objects.get(number=1)).changes == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"partner": None}, "other_partner"),
        ({"currency": "EUR"}, "other_currency"),
        ({"sold_on": date(2026, 6, 1)}, "other_day"),
        ({"amount": D(0)}, "zero_base"),
        ({"amount": D("0.01")}, "rounds_to_zero"),
        ({"sold_on": date(2024, 6, 1)}, "no_plan"),
        ({"sold_on": date(2026, 3, 20)}, "no_rate"),
        ({"sold_on": date(2026, 3, 25)}, "zero_rate"),
        ({"sold_on": date(2026, 3, 30)}, "no_tier"),
    ],
)
def test_a_reversal_says_why_nothing_is_due(change: dict[str, object], code: str) -> None:
    program = paying_program({"level-1": D("0.05"), "level-3": D(0)})
    partner = holding(program)
    move(partner, program, "level-2", date(2026, 3, 20))
    move(partner, program, "level-3", date(2026, 3, 25))
    Enrollment.objects.update(ends_on=date(2026, 3, 28))
    sell(partner, "100.00", MARCH)
    run_night(program, NIGHT)
    Sale.objects.update(**(change if "partner" not in change else {"partner": make_partner()}))
    run_night(program, date(2026, 4, 3))
    found = explanation(Earning.objects.get(kind=Earning.Kind.REVERSAL))
    assert (found.why_zero, found.due) == (code, 0)
    assert found.reason
    assert found.counts_elsewhere == code.startswith("other_")


def test_a_sale_that_earned_nothing_says_why() -> None:
    program = paying_program({"level-1": D("0.05"), "level-3": D(0)})
    partner = holding(program)
    move(partner, program, "level-2", date(2026, 3, 20))
    move(partner, program, "level-3", date(2026, 3, 25))
    Enrollment.objects.update(ends_on=date(2026, 3, 28))
    sales = {
        None: sell(partner, "100.00", MARCH),
        "no_plan": sell(partner, "100.00", date(2024, 6, 1)),
        "no_rate": sell(partner, "100.00", date(2026, 3, 20)),
        "zero_rate": sell(partner, "100.00", date(2026, 3, 25)),
        "no_tier": sell(partner, "100.00", date(2026, 3, 28)),
        "zero_base": sell(partner, "0", MARCH),
        "rounds_to_zero": sell(partner, "0.10", MARCH),
        "not_yet": sell(partner, "100.00", NIGHT),
    }
    run_night(program, NIGHT)
    sales["next_night"] = sell(partner, "100.00", MARCH)
    for code, sale in sales.items():
        found = why_nothing(sale=sale, program=program)
        assert (found.code if found else None) == code
        assert found is None or found.sentence
    listed = outcomes(list(sales.values()), partner=partner)
    assert [one.nothing.code if one.nothing else None for one in listed] == list(sales)
    assert [one.amount for one in listed] == [D(5), *[D(0)] * 8]
    assert listed[0].earning_id == Earning.objects.get().pk
    elsewhere = why_nothing(sale=sell(make_partner(), "1", MARCH), program=program)
    assert elsewhere is not None
    assert elsewhere.code == "no_tier"


def test_reads_cost_the_same_queries_whatever_the_data(django_assert_num_queries: object) -> None:
    program = paying_program()
    partner = holding(program)
    sale = sell(partner, "100.00", MARCH)
    run_night(program, NIGHT)
    line = Earning.objects.get()

    def reads(sales: list[Sale]) -> None:
        with django_assert_num_queries(1):  # type: ignore[operator]
            balance(partner=partner, on=NIGHT)
        with django_assert_num_queries(1):  # type: ignore[operator]
            monthly(partner=partner, months=12, on=NIGHT)
        with django_assert_num_queries(4):  # type: ignore[operator]
            explanation(line)
        with django_assert_num_queries(6):  # type: ignore[operator]
            outcomes(sales, partner=partner)

    reads([sale])
    more = [sell(partner, "100.00", MARCH, currency=currency) for currency in ("USD", "EUR", "JPY") * 5]
    for number, amount in enumerate(("90.00", "80.00", "70.00"), start=3):
        Sale.objects.filter(pk=sale.pk).update(amount=D(amount))
        publish(program, {"level-1": D(number) / 100})
        run_night(program, date(2026, 4, number))
    reads([sale, *more])
