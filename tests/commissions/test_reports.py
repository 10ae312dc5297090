"""What is owed, by currency and age; and the month's journal, balanced to the cent."""

import csv
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.db.models import F, Sum
from django.test.utils import CaptureQueriesContext

from commissions import accounting, lifecycle, services
from commissions.errors import AccountingError
from commissions.models import AccountCodes, Earning, Statement
from commissions.selectors.liability import liability
from common.money import AmountField
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_staff
from tiers.models import Program

TODAY = date(2025, 6, 15)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2025-06-15T12:00:00Z", tick=False):
        yield


@pytest.fixture
def program() -> Program:
    return paying_program()


def owed() -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        one.currency: {row.standing: tuple(f"{amount:.2f}" for amount in row.by_age) for row in one.rows}
        for one in liability(TODAY)
    }


def adds_up() -> None:
    """What is owed is the whole ledger less what was paid without tax, in each currency."""
    net = Sum(F("total") - F("tax"), output_field=AmountField())
    paid = dict(Statement.objects.filter(state="paid").order_by().values_list("currency").annotate(net=net))
    for one in liability(TODAY):
        ledger = Earning.objects.filter(currency=one.currency).aggregate(Sum("amount"))["amount__sum"]
        assert one.total == ledger - paid.get(one.currency, Decimal(0))


def test_what_is_on_no_statement_by_age_and_on_hold(program: Program) -> None:
    partner, other = holding(program), holding(program, "level-2")
    sell(partner, "1000.00", date(2025, 6, 14))
    sell(partner, "200.00", date(2025, 5, 10))
    sell(other, "100.00", date(2025, 6, 1), currency="EUR")
    run_night(program, TODAY)
    assert owed() == {
        "EUR": {"posted": ("10.00", "0.00", "0.00", "0.00")},
        "USD": {"posted": ("50.00", "0.00", "0.00", "0.00"), "draft": ("10.00", "0.00", "0.00", "0.00")},
    }
    adjustment = services.propose_adjustment(
        partner=partner, program=program, category="bonus", reason="Later", amount=Decimal(5), currency="USD",
        earned_on=date(2025, 7, 1), author=make_staff(),
    )  # fmt: skip
    services.decide_adjustment(adjustment=adjustment, approver=make_staff(), approve=True)
    (usd,) = [one for one in liability(TODAY) if one.currency == "USD"]
    assert [(row.standing, row.total, row.until) for row in usd.rows][0] == ("hold", Decimal(5), date(2025, 7, 1))
    adds_up()


def test_statements_on_their_way_and_what_is_paid(program: Program) -> None:
    partner = holding(program)
    for month in (1, 3, 5):
        sell(partner, "1000.00", date(2025, month, 10))
    run_night(program, TODAY)
    assert owed()["USD"] == {"draft": ("50.00", "0.00", "50.00", "50.00")}
    statements = list(Statement.objects.order_by("starts_on"))
    services.issue_statements(seen={one.pk: one.total for one in statements})
    assert owed()["USD"] == {"in_review": ("50.00", "0.00", "50.00", "50.00")}
    first = Statement.objects.get(pk=statements[0].pk)
    services.approve_statements(seen={first.pk: first.net})
    lifecycle.schedule([first.pk], actor=None)
    assert owed()["USD"]["scheduled"] == ("0.00", "0.00", "0.00", "50.00")
    lifecycle.mark_paid([first.pk], paid_on=TODAY, actor=None, reference="REF 1")
    assert owed()["USD"] == {"in_review": ("50.00", "0.00", "50.00", "0.00")}
    adds_up()


def test_what_is_carried_counts_once(program: Program) -> None:
    partner = holding(program)
    sell(partner, "-1000.00", date(2025, 1, 10))
    sell(partner, "3000.00", date(2025, 5, 10))
    run_night(program, TODAY)
    one = Statement.objects.order_by("starts_on")[0]
    services.issue_statements(seen={one.pk: one.total})
    services.approve_statements(seen={one.pk: one.net})
    adds_up()
    assert [entry.total for entry in liability(TODAY)] == [Decimal(100)]


def test_the_report_costs_the_same_however_much_there_is(program: Program) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            liability(TODAY)
        return len(asked)

    sell(holding(program), "100.00", date(2025, 5, 1))
    run_night(program, TODAY)
    few = queries()
    for number in range(5):
        sell(holding(program), "100.00", date(2025, 1 + number, 1), currency=["USD", "EUR"][number % 2])
    run_night(program, date(2025, 6, 16))
    assert queries() == few == 3


# --- The journal ----------------------------------------------------------------------------------


def entries(month: date) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(accounting.journal(month)).splitlines()))


@pytest.fixture
def posted(program: Program) -> Program:
    AccountCodes.objects.create(program=None, expense="622200", liability="408000")
    partner = holding(program, external_id="=P1")
    sell(partner, "1000.00", date(2025, 4, 10), external_id="S1")
    sell(partner, "-400.00", date(2025, 4, 11), external_id="S2")
    sell(partner, "1000.00", date(2025, 4, 12), external_id="S3", currency="JPY")
    with time_machine.travel("2025-05-02T02:00:00Z", tick=False):
        run_night(program, date(2025, 5, 2))
    sell(partner, "7.00", date(2025, 4, 13))
    run_night(program, TODAY)
    return program


def test_each_line_is_two_rows_that_balance(posted: Program) -> None:
    found = entries(date(2025, 5, 1))
    assert [(one["account"], one["fact"], one["debit"], one["credit"], one["currency"]) for one in found] == [
        ("622200", "S1", "50.00", "", "USD"), ("408000", "S1", "", "50.00", "USD"),
        ("622200", "S2", "", "20.00", "USD"), ("408000", "S2", "20.00", "", "USD"),
        ("622200", "S3", "50", "", "JPY"), ("408000", "S3", "", "50", "JPY"),
    ]  # fmt: skip
    assert {(one["posted_on"], one["partner"], one["event"]) for one in found} == {("2025-05-02", "'=P1", "sale")}
    for currency in ("USD", "JPY"):
        own = [one for one in found if one["currency"] == currency]
        assert sum(Decimal(one["debit"] or 0) for one in own) == sum(Decimal(one["credit"] or 0) for one in own)


def test_repeating_gives_the_same_bytes_whatever_is_posted_since(posted: Program) -> None:
    first = "".join(accounting.journal(date(2025, 5, 31)))
    sell(holding(posted), "100.00", date(2025, 4, 1))
    run_night(posted, date(2025, 6, 16))
    assert "".join(accounting.journal(date(2025, 5, 1))) == first


def test_a_program_may_have_accounts_of_its_own(posted: Program) -> None:
    AccountCodes.objects.create(program=posted, expense="622201", liability="408001")
    assert {one["account"] for one in entries(date(2025, 5, 1))} == {"622201", "408001"}


def test_a_month_that_is_not_over_and_missing_accounts_are_refused(posted: Program) -> None:
    with pytest.raises(AccountingError, match="not over"):
        accounting.journal(TODAY)
    AccountCodes.objects.all().delete()
    with pytest.raises(AccountingError, match="No accounts"):
        accounting.journal(date(2025, 5, 1))
