"""A month is closed as one: what is missing before, what is issued, who is told; and reminders of payment details."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse

from commissions import closing, payees, services
from commissions.closing import Check, Found, Row
from commissions.errors import MonthError
from commissions.models import Earning, Statement, StatementSettings
from commissions.services.statements import OpenMonth, open_month
from common.periods import month_of
from imports.models import Import
from journal.models import Entry
from tests.commissions.disputes_facts import issue_all, question
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_portal_user, make_staff
from tests.notifications.facts import deliver
from tiers.models import Program

pytestmark = pytest.mark.django_db
D = Decimal
MARCH = date(2026, 3, 1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-04-02T10:00:00+00:00", tick=False) as traveller:
        yield traveller


@pytest.fixture
def program() -> Program:
    return paying_program({"level-1": D("0.1")})


def sold(program: Program, partners: int = 2) -> None:
    for number in range(partners):
        partner = holding(program)
        make_portal_user(partner)
        sell(partner, f"{1000 + number * 10}", date(2026, 2, 10))
        sell(partner, "500", date(2026, 3, 10), currency="EUR")
        run_night(program, date(2026, 4, 2))


def missing(month: date = MARCH) -> dict[str, int]:
    return {one.check.code: one.found.count for one in closing.checklist(month_of(month)) if not one.is_met}


def test_closing_issues_the_month_and_what_is_left_of_those_before(program: Program) -> None:
    sold(program)
    seen = open_month(MARCH)
    assert seen == OpenMonth(MARCH, 4, (("EUR", D(100)), ("USD", D(201))))
    staff = make_staff()
    assert services.close_month(seen=seen, actor=staff) == 4
    assert set(Statement.objects.values_list("state", "review_ends_on")) == {("in_review", date(2026, 4, 12))}
    assert Entry.objects.filter(verb="commissions.statement.issued", actor=staff).count() == 4
    entry = Entry.objects.get(verb="commissions.month.closed")
    assert (entry.subject, entry.after) == (
        "commissions.month:2026-03", {"statements": 4, "EUR": "100.0000", "USD": "201.0000"},
    )  # fmt: skip
    assert services.close_month(seen=seen, actor=staff) == 0  # repeating does nothing
    assert Entry.objects.filter(verb__in=["commissions.month.closed", "commissions.statement.issued"]).count() == 5


def test_what_changed_since_it_was_seen_and_a_running_month_are_not_closed(program: Program) -> None:
    sold(program, 1)
    seen = open_month(MARCH)
    sold(program, 1)
    with pytest.raises(MonthError, match="changed"):
        services.close_month(seen=seen)
    with pytest.raises(MonthError, match="not over"):
        services.close_month(seen=open_month(date(2026, 4, 1)))
    assert set(Statement.objects.values_list("state", flat=True)) == {"draft"}


def test_closing_many_costs_the_same(program: Program, django_assert_max_num_queries: Any) -> None:
    sold(program, 6)
    with django_assert_max_num_queries(14):
        services.close_month(seen=open_month(MARCH))


def test_one_mail_that_fails_keeps_back_no_other(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    sold(program)
    send, tried = EmailBackend.send_messages, []

    def send_but_the_first(self: EmailBackend, messages: list[Any]) -> int:
        tried.extend(messages)
        if len(tried) == 1:
            raise ValueError("a broken mailbox")
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send_but_the_first)
    services.close_month(seen=open_month(MARCH))
    deliver()
    assert (len(tried), len(mail.outbox)) == (4, 3)
    assert Statement.objects.filter(state="in_review").count() == 4


def test_the_checklist_says_what_is_missing_and_where_it_is_mended(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payees, "_registered", [])
    assert missing() == {"nights": 1}
    sold(program, 1)
    assert missing() == {}
    owner = Earning.objects.earliest("pk").partner.members.get().user  # type: ignore[attr-defined]
    question(Earning.objects.earliest("pk"), owner)
    refused = Import.objects.create(kind="sales", file_name="march.csv", mapping={}, state="refused")
    assert missing() == {"imports": 1, "disputes": 1}
    (row,) = closing.refused_imports(month_of(MARCH)).rows
    assert row.url == reverse("admin:imports_import_change", args=[refused.pk])
    Import.objects.create(kind="sales", file_name="march-2.csv", mapping={}, state="done")
    assert missing() == {"disputes": 1}


def test_what_waits_for_an_exchange_rate_is_named(program: Program) -> None:
    services.publish_plan(
        program=program, name={"en": "Fixed"}, starts_on=date(2026, 1, 1),
        definition={"currency": "EUR", "rules": [{"code": "share", "name": {"en": "Share"}, "event": "sale", "pays": "share", "rate": "0.1"}]},
    )  # fmt: skip
    sale = sell(holding(program, name="Vélos Martin"), "1000", date(2026, 3, 10), currency="TND")
    run_night(program, date(2026, 4, 2))
    found = closing.without_rate(month_of(MARCH))
    assert (found.count, [row.says for row in found.rows]) == (1, [f"Vélos Martin · {sale}"])
    assert closing.without_rate(month_of(date(2026, 2, 1))).count == 0


def test_the_checklist_grows_from_above(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "_registered", dict(closing._registered))
    closing.register_check(Check("tax", "Tax terms", lambda month: Found(1, [Row(f"{month.starts_on}")])))
    closing.register_check(Check("unknown", "Nobody can tell", lambda month: None))
    assert missing() == {"nights": 1, "tax": 1}
    assert "unknown" not in {one.check.code for one in closing.checklist(month_of(MARCH))}


def test_staff_close_a_month_from_its_page(program: Program, client: Client) -> None:
    sold(program)
    client.force_login(make_staff())
    address = reverse("admin:commissions_statement_close_month") + "?month=2026-03"
    page = client.get(address)
    assert (page.context["open"].drafts, page.context["amounts"]) == (4, [("EUR", "€100.00"), ("USD", "$201.00")])
    forged = client.post(address, {"seen": "x"})
    assert "too old" in forged.context["error"]
    assert client.post(address, {"seen": page.context["seen"]}).status_code == 302
    assert "this month is closed" in client.get(address).content.decode()


def test_who_cannot_be_paid_is_reminded_at_most_every_so_many_days(
    program: Program, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payees, "_registered", [])
    sold(program)
    issue_all()
    first, second = Statement.objects.order_by("partner_id").values_list("partner_id", flat=True).distinct()
    run_night(program, date(2026, 4, 3))
    assert not Entry.objects.filter(verb="commissions.payee.missing").exists()  # nobody can tell
    payees.register(lambda partner_ids: {second})
    StatementSettings.objects.create(reminder_days=14)

    def reminded(day: date) -> list[int | None]:
        clock.move_to(f"{day}T03:00:00+00:00")
        run_night(program, day)
        return list(Entry.objects.filter(verb="commissions.payee.missing").values_list("partner_id", flat=True))

    assert missing() == {"payees": 1}
    assert reminded(date(2026, 4, 4)) == [first]
    assert reminded(date(2026, 4, 17)) == [first]
    assert reminded(date(2026, 4, 18)) == [first, first]
    monkeypatch.setattr(payees, "_registered", [lambda partner_ids: {first, second}])
    assert reminded(date(2026, 5, 20)) == [first, first]


def test_staff_set_how_statements_go_and_the_journal_says_it(client: Client) -> None:
    staff = make_staff()
    client.force_login(staff)
    asked = {"review_days": "15", "approval": "by_itself", "answer_days": "3", "close_days": "5", "reminder_days": "7"}
    add = reverse("admin:commissions_statementsettings_add")
    refused = client.post(add, {**asked, "minimums-name": ["euro"], "minimums-text": ["50"]})
    assert "is no minimum" in str(refused.context["adminform"].form.errors["minimums"])
    assert (
        client.post(add, {**asked, "minimums-name": ["eur", "JPY"], "minimums-text": ["49.50", "1000"]}).status_code
        == 302
    )
    kept = StatementSettings.current()
    assert kept.minimums == {"EUR": "49.50", "JPY": "1000"}
    assert (kept.minimum("EUR"), kept.minimum("JPY"), kept.minimum("TND")) == (D("49.50"), D(1000), D("0.001"))
    entry = Entry.objects.get(verb="commissions.statementsettings.created")
    assert (entry.actor, entry.after["review_days"]) == (staff, 15)
