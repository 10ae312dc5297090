"""Money in the admin: a ledger that nobody touches, statements issued with their consequences said."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commissions import services
from commissions.admin.statements import SAID
from commissions.errors import StatementIssuedError
from commissions.models import Statement
from common.periods import add_months, program_today
from journal.models import Entry
from tests.admin.world import World, make_world, more_rows
from tests.factories import make_sale, make_user

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def shown(page) -> dict[str, list[str]]:
    """The hidden fields of a page that asks, as they are sent back."""
    return {**page.context["hidden"], **ASKED}


def test_nobody_changes_the_ledger(staff: Client, world: World) -> None:
    change = reverse("admin:commissions_earning_change", args=[world.earning.pk])
    assert staff.get(reverse("admin:commissions_earning_add")).status_code == 403
    assert staff.post(change, {"amount": "1"}).status_code == 403
    assert (
        staff.post(reverse("admin:commissions_earning_delete", args=[world.earning.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert world.earning.amount == Decimal("100.00")


def test_a_line_of_the_ledger_explains_itself(staff: Client, world: World) -> None:
    page = staff.get(reverse("admin:commissions_earning_change", args=[world.earning.pk]))
    assert (page.context["explained"].base, page.context["explained"].rate) == (Decimal("1000.00"), Decimal("0.10"))
    assert "Why +$100.00" in page.content.decode()


def test_lists_of_money_are_added_up(staff: Client, world: World) -> None:
    make_sale(world.partner, amount=Decimal("5.00"), currency="EUR")
    page = staff.get(reverse("admin:leads_sale_changelist"), {"q": "Dupont"})
    assert page.context["totals"] == [("EUR", "€5.00"), ("USD", "$1,000.00")]
    assert "totals" not in staff.get(reverse("admin:leads_sale_changelist")).context
    only = staff.get(reverse("admin:leads_sale_changelist"), {"currency__exact": "EUR"})
    assert only.context["totals"] == [("EUR", "€5.00")]


def test_a_statement_leads_to_its_lines(staff: Client, world: World) -> None:
    lines = reverse("admin:commissions_earning_changelist") + f"?statement_line__statement__exact={world.statement.pk}"
    assert lines in staff.get(reverse("admin:commissions_statement_change", args=[world.statement.pk])).content.decode()
    assert staff.get(lines).context["cl"].result_count == 1


def test_issuing_says_how_many_and_how_much_first(staff: Client, world: World) -> None:
    more_rows(world, 2)
    chosen = {"action": "issue_selected", "_selected_action": list(Statement.objects.values_list("pk", flat=True))}
    page = staff.post(reverse("admin:commissions_statement_changelist"), chosen)
    assert page.context["says"].startswith("This issues 3 statements, $120.00.")
    assert not Statement.objects.filter(state="in_review").exists()
    assert staff.post(page.context["send_to"], shown(page)).status_code == 302
    assert Statement.objects.filter(state="in_review").count() == 3
    entries = Entry.objects.filter(verb="commissions.statement.issued", actor=world.staff)
    assert sorted(entry.after["amount"] for entry in entries) == ["10.0000", "10.0000", "100.0000"]


def test_what_changed_since_it_was_said_is_not_issued(staff: Client, world: World) -> None:
    url = reverse("admin:commissions_statement_issue", args=[world.statement.pk])
    page = staff.get(url)
    Statement.objects.update(amount=Decimal("99.00"), total=Decimal("99.00"))
    refused = staff.post(page.context["send_to"], shown(page))
    assert refused.status_code == 200
    assert len(list(refused.context["form"].non_field_errors())) == 1
    assert world.statement.state == "draft"


def test_what_no_page_said_is_not_issued(staff: Client, world: World) -> None:
    forged = {"seen": signing.dumps({world.statement.pk: "1"}, salt="another"), **ASKED}
    response = staff.post(reverse("admin:commissions_statement_issue_many"), forged)
    assert response["Location"] == reverse("admin:commissions_statement_changelist")
    assert world.statement.state == "draft"


def test_a_thousand_statements_are_issued_at_once(staff: Client, world: World) -> None:
    month = add_months(program_today().replace(day=1), -1)
    Statement.objects.bulk_create(
        Statement(partner=world.partner, starts_on=add_months(month, -back), ends_on=add_months(month, 1 - back),
                  currency=currency, amount=Decimal("1.10"), total=Decimal("1.10"))
        for back in range(200) for currency in ("AUD", "CAD", "CHF", "EUR", "GBP")
    )  # fmt: skip
    chosen = {"action": "issue_selected", "select_across": "1", "_selected_action": [world.statement.pk]}
    page = staff.post(reverse("admin:commissions_statement_changelist"), chosen)
    assert page.context["says"].startswith("This issues 1,001 statements, A$220.00, CA$220.00, CHF")
    assert staff.post(page.context["send_to"], shown(page)).status_code == 302
    assert Statement.objects.filter(state="in_review").count() == 1001


def test_a_month_that_is_not_over_is_left_out(staff: Client, world: World) -> None:
    month = program_today().replace(day=1)
    running = Statement.objects.create(
        partner=world.partner, starts_on=month, ends_on=add_months(month, 1), currency="EUR", amount=Decimal("7.00"), total=Decimal("7.00"),
    )  # fmt: skip
    page = staff.get(reverse("admin:commissions_statement_issue", args=[running.pk]))
    assert page.context["says"].startswith("This issues 0 statements, 0.")
    assert "1 is left out" in page.context["says"]


def test_issuing_many_costs_the_same(world: World) -> None:
    def queries() -> int:
        seen = dict(Statement.objects.filter(state="draft").values_list("pk", "total"))
        with CaptureQueriesContext(connection) as asked:
            assert services.issue_statements(seen=seen, actor=world.staff) == len(seen)
        return len(asked)

    more_rows(world, 1)
    few = queries()
    more_rows(world, 12)
    assert queries() == few


def test_issuing_again_changes_nothing_and_a_missing_one_stops_all(world: World) -> None:
    statement = world.statement
    assert services.issue_statements(seen={statement.pk: statement.amount}) == 1
    assert services.issue_statements(seen={statement.pk: statement.amount}) == 0
    assert Entry.objects.filter(verb="commissions.statement.issued").count() == 1
    more_rows(world, 1)
    other = Statement.objects.get(state="draft")
    with pytest.raises(StatementIssuedError):
        services.issue_statements(seen={other.pk: other.amount, 10**9: Decimal(1)})
    other.refresh_from_db()
    assert other.state == "draft"


def test_who_may_only_look_cannot_issue(world: World, client: Client) -> None:
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_statement"))
    client.force_login(user)
    asked = {"seen": signing.dumps({world.statement.pk: str(world.statement.amount)}, salt=SAID), **ASKED}
    assert (
        client.post(reverse("admin:commissions_statement_issue", args=[world.statement.pk]), asked).status_code == 403
    )
    assert client.post(reverse("admin:commissions_statement_issue_many"), asked).status_code == 403
    chosen = {"action": "issue_selected", "_selected_action": world.statement.pk, **asked}
    client.post(reverse("admin:commissions_statement_changelist"), chosen)
    assert world.statement.state == "draft"


def test_the_ledger_is_filtered_by_month(staff: Client, world: World) -> None:
    last, this = (f"{add_months(program_today().replace(day=1), back):%Y-%m}" for back in (-1, 0))
    for month, lines in ((last, 1), (this, 0), ("nonsense", 1)):
        listed = staff.get(reverse("admin:commissions_earning_changelist"), {"earned_on_month": month})
        assert listed.context["cl"].result_count == lines, month
