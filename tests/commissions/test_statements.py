"""Monthly statements: what goes on which, and that an issued one stands."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from commissions.errors import StatementIssuedError
from commissions.models import Earning, Statement, StatementLine
from commissions.services import issue_statement
from common.periods import program_today
from journal.models import Entry
from leads.models import Sale
from partners.models import Partner
from tests.commissions.facts import holding, paying_program, run_night, sell, tier
from tests.factories import make_enrollment, make_placement, make_portal_user, make_staff
from tiers.models import Program

pytestmark = pytest.mark.django_db
D = Decimal
NIGHT = date(2026, 4, 2)


@pytest.fixture
def program() -> Program:
    return paying_program({"level-1": D("0.1")})


@pytest.fixture
def partner(program: Program) -> Partner:
    return holding(program)


def drafted() -> list[tuple[str, str, str, str, int]]:
    return [
        (f"{one.starts_on:%Y-%m}", one.currency, one.state, f"{one.amount:f}", one.lines.count())
        for one in Statement.objects.order_by("starts_on", "currency")
    ]


def test_each_month_that_is_over_has_a_statement_in_each_currency(partner: Partner, program: Program) -> None:
    for amount, day in [("10", (2026, 2, 28)), ("100", (2026, 3, 1)), ("1000", (2026, 3, 31)), ("10000", (2026, 4, 1))]:
        sell(partner, amount, date(*day))
    sell(partner, "100000", date(2026, 3, 15), currency="EUR")
    run_night(program, NIGHT)
    expected = [
        ("2026-02", "USD", "draft", "1.0000", 1),
        ("2026-03", "EUR", "draft", "10000.0000", 1),
        ("2026-03", "USD", "draft", "110.0000", 2),
    ]
    assert drafted() == expected
    run_night(program, date(2026, 4, 3))
    assert drafted() == expected
    assert [(one.starts_on, one.ends_on) for one in Statement.objects.filter(currency="EUR")] == [
        (date(2026, 3, 1), date(2026, 4, 1))
    ]


def test_a_draft_follows_the_ledger(partner: Partner, program: Program) -> None:
    sell(partner, "100", date(2026, 3, 1))
    run_night(program, NIGHT)
    Sale.objects.update(amount=D(150))
    run_night(program, date(2026, 4, 3))
    assert drafted() == [("2026-03", "USD", "draft", "15.0000", 2)]


def test_a_correction_after_issue_goes_to_the_next_open_month_that_is_over(partner: Partner, program: Program) -> None:
    sell(partner, "100", date(2026, 2, 1))
    sell(partner, "100", date(2026, 3, 1))
    run_night(program, NIGHT)
    for statement in Statement.objects.all():
        issue_statement(statement=statement)
    issued = drafted()
    Sale.objects.filter(sold_on=date(2026, 2, 1)).update(amount=D(150))
    run_night(program, date(2026, 4, 30))
    assert drafted() == issued  # April is still running: the line waits
    assert Earning.objects.filter(statement_line__isnull=True).count() == 1
    run_night(program, date(2026, 5, 1))
    assert drafted() == [*issued, ("2026-04", "USD", "draft", "5.0000", 1)]


def test_a_late_sale_of_an_open_month_joins_its_draft(partner: Partner, program: Program) -> None:
    sell(partner, "100", date(2026, 3, 1))
    run_night(program, NIGHT)
    sell(partner, "50", date(2026, 3, 20))
    run_night(program, date(2026, 6, 1))
    assert drafted() == [("2026-03", "USD", "draft", "15.0000", 2)]


def test_two_programs_share_a_partners_statement(partner: Partner, program: Program) -> None:
    other = paying_program({"level-1": D("0.01")})
    sell(partner, "100", date(2026, 3, 1))
    run_night(program, NIGHT)
    make_placement(make_enrollment(partner, other), tier(other, "level-1"), reason="granted")
    run_night(other, NIGHT)
    assert drafted() == [("2026-03", "USD", "draft", "11.0000", 2)]


def test_issuing_closes_and_is_written_down_once(partner: Partner, program: Program) -> None:
    sell(partner, "100", date(2026, 3, 1))
    run_night(program, NIGHT)
    staff, seen = make_staff(), Statement.objects.get()
    first = issue_statement(statement=seen, actor=staff)
    assert issue_statement(statement=seen, actor=make_staff()) == first
    assert drafted() == [("2026-03", "USD", "in_review", "10.0000", 1)]
    (entry,) = Entry.objects.filter(verb="commissions.statement.issued")
    assert (entry.actor, entry.partner_id) == (staff, partner.pk)
    assert entry.after == {
        "amount": "10.0000",
        "currency": "USD",
        "month": "2026-03-01",
        "review_ends_on": f"{program_today() + timedelta(days=10)}",
    }


def test_a_draft_that_changed_meanwhile_is_not_issued(partner: Partner, program: Program) -> None:
    sell(partner, "100", date(2026, 3, 1))
    run_night(program, NIGHT)
    seen = Statement.objects.get()
    sell(partner, "100", date(2026, 3, 2))
    run_night(program, date(2026, 4, 3))
    with pytest.raises(StatementIssuedError, match="20.00"):
        issue_statement(statement=seen)
    assert drafted() == [("2026-03", "USD", "draft", "20.0000", 2)]
    assert not Entry.objects.filter(verb="commissions.statement.issued").exists()


CHANGES: dict[str, Callable[[Statement], object]] = {
    "its amount": lambda one: Statement.objects.filter(pk=one.pk).update(amount=D(1)),
    "back to a draft": lambda one: Statement.objects.filter(pk=one.pk).update(state="draft"),
    "all of it": lambda one: one.delete(),
    "a line less": lambda one: one.lines.all().delete(),
    "a line moved away": lambda one: one.lines.update(statement=Statement.objects.exclude(pk=one.pk).get()),
    "a line more": lambda one: StatementLine.objects.create(
        statement=one, earning=Earning.objects.filter(statement_line__isnull=True)[0]
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_database_refuses_to_change_an_issued_statement(
    change: Callable[[Statement], object], partner: Partner, program: Program
) -> None:
    for day in (date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)):
        sell(partner, "100", day)
    run_night(program, NIGHT)
    issued = issue_statement(statement=Statement.objects.get(starts_on=date(2026, 3, 1)))
    with pytest.raises(IntegrityError, match="issued statement"), transaction.atomic():
        change(issued)
    assert drafted()[1] == ("2026-03", "USD", "in_review", "10.0000", 1)


def test_who_may_see_pay_is_mailed_in_its_language_when_it_is_committed(
    partner: Partner, program: Program, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    settings.VENDOR_NAME, settings.SITE_URL = "Vélomax", "https://partners.example"
    people = {role: make_portal_user(partner, role=role) for role in ("owner", "finance", "sales", "technical")}
    gone = make_portal_user(partner, role="finance", left_on=date(2026, 2, 1))
    people["finance"].language = "fr"
    people["finance"].save()
    make_portal_user(holding(program))
    sell(partner, "1234.50", date(2026, 3, 1))
    run_night(program, NIGHT)
    with django_capture_on_commit_callbacks(execute=True):
        statement = issue_statement(statement=Statement.objects.get())
        assert mail.outbox == []
    with django_capture_on_commit_callbacks(execute=True):
        issue_statement(statement=statement)
    sent = {message.to[0]: message for message in mail.outbox}
    assert sorted(sent) == sorted([people["owner"].email, people["finance"].email])
    assert gone.email not in sent
    owner = sent[people["owner"].email]
    assert owner.subject == "Your commission statement of March 2026 from Vélomax"
    assert "It comes to $123.45." in " ".join(str(owner.body).split())
    assert f"https://partners.example/portal/statements/{statement.pk}/" in str(owner.body)
    french = str(sent[people["finance"].email].body).replace("\u202f", " ").replace("\xa0", " ")
    assert "123,45 $US" in french
    assert "mars 2026" in french
