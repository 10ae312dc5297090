"""The ledger and its statements as machines read them."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commissions.models import Earning, Statement
from partners.models import Partner
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_portal_user, make_staff
from tiers.models import Program

pytestmark = pytest.mark.django_db
NIGHT = date(2026, 4, 2)


@pytest.fixture
def program() -> Program:
    return paying_program({"level-1": Decimal("0.0333")})


@pytest.fixture
def partner(program: Program) -> Partner:
    return holding(program)


def staff() -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


def test_an_earning_says_all_its_terms_exactly(partner: Partner, program: Program) -> None:
    sale = sell(partner, "99.99", date(2026, 3, 10))
    run_night(program, NIGHT)
    line = Earning.objects.get()
    (found,) = staff().get("/api/v1/earnings/").json()["results"]
    posted_at = found.pop("posted_at")
    assert posted_at.startswith(f"{line.posted_at:%Y-%m-}")
    assert found == {
        "id": line.pk,
        "partner": partner.pk,
        "owner": partner.pk,
        "program": program.slug,
        "event": "sale",
        "fact": sale.pk,
        "sale": sale.pk,
        "number": 1,
        "kind": "accrual",
        "earned_on": "2026-03-10",
        "terms_on": "2026-03-10",
        "available_on": "2026-03-10",
        "plan": line.plan.pk,
        "rule": "share",
        "tier": "level-1",
        "tried": [["share", "pays", []]],
        "base": "99.9900",
        "rate": "0.033300",
        "before": "0.0000",
        "amount": "3.3300",
        "currency": "USD",
        "detail": None,
    }
    assert staff().get(f"/api/v1/earnings/{line.pk}/").json()["amount"] == "3.3300"


def test_a_statement_says_its_month_state_and_amount(partner: Partner, program: Program) -> None:
    sell(partner, "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    statement = Statement.objects.get()
    (body,) = staff().get("/api/v1/statements/").json()["results"]
    assert body == {
        "id": statement.pk, "partner": partner.pk, "starts_on": "2026-03-01", "ends_on": "2026-04-01", "currency": "USD",
        "state": "draft", "opening": "0.0000", "amount": "3.3300", "released": "0.0000", "held": "0.0000", "tax": "0.0000",
        "tax_rate": "0.000000", "tax_mention": "", "total": "3.3300", "issued_at": None, "review_ends_on": None,
        "approved_at": None, "paid_on": None, "payment_reference": "", "reason": "", "carried_to": None,
    }  # fmt: skip
    line = Earning.objects.get()
    assert staff().get(f"/api/v1/statements/{statement.pk}/lines/").json()["results"] == [
        {
            "id": statement.lines.get().pk, "earning": line.pk, "earned_on": "2026-03-10", "kind": "accrual",
            "sale": line.sale_id, "amount": "3.3300", "is_held": False,
        }
    ]  # fmt: skip


def test_lines_are_filtered_by_partner_sale_and_day(partner: Partner, program: Program) -> None:
    sales = [sell(partner, "100.00", date(2026, 3, day)) for day in (10, 11, 12)]
    sell(holding(program), "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    client = staff()

    def found(query: str) -> list[int]:
        return [one["sale"] for one in client.get(f"/api/v1/earnings/?{query}").json()["results"]]

    assert found(f"sale={sales[1].pk}") == [sales[1].pk]
    assert found(f"partner={partner.pk}&earned_on__gte=2026-03-11") == [sales[1].pk, sales[2].pk]
    assert found(f"partner={partner.pk}&earned_on__lt=2026-03-11") == [sales[0].pk]


def test_a_member_reads_its_own_partners_lines_and_nobody_writes(partner: Partner, program: Program) -> None:
    own, other = sell(partner, "100.00", date(2026, 3, 10)), sell(holding(program), "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    client = Client()
    client.force_login(make_portal_user(partner))
    assert [one["sale"] for one in client.get("/api/v1/earnings/").json()["results"]] == [own.pk]
    hidden = Earning.objects.get(sale=other)
    assert client.get(f"/api/v1/earnings/{hidden.pk}/").status_code == 404
    assert client.get(f"/api/v1/statements/{Statement.objects.exclude(partner=partner)[0].pk}/").status_code == 404
    assert Client().get("/api/v1/earnings/").status_code in {401, 403}
    for method in ("post", "put", "patch", "delete"):
        assert getattr(staff(), method)(f"/api/v1/earnings/{hidden.pk}/").status_code == 405


@pytest.mark.parametrize("role", ["sales", "technical", "marketing"])
def test_a_member_whose_role_does_not_see_pay_reads_no_line(role: str, partner: Partner, program: Program) -> None:
    sell(partner, "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    client = Client()
    client.force_login(make_portal_user(partner, role=role))
    assert client.get("/api/v1/earnings/").json()["results"] == []
    assert client.get("/api/v1/statements/").json()["results"] == []
    assert client.get(f"/api/v1/earnings/{Earning.objects.get().pk}/").status_code == 404


def test_a_page_of_lines_costs_the_same_queries_for_5_and_for_50(program: Program) -> None:
    client, counts = staff(), []
    for size in (5, 50):
        for _number in range(size):
            sell(holding(program), "100.00", date(2026, 3, 10))
        run_night(program, NIGHT)
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get("/api/v1/earnings/").json()["results"]) >= size
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_plan_says_its_rules_as_a_document_and_in_words(partner: Partner, program: Program) -> None:
    (found,) = staff().get("/api/v1/plans/").json()["results"]
    assert (found["program"], found["version"], found["state"]) == (program.slug, 1, "published")
    assert found["definition"]["rules"][0]["rate"] == {"level-1": "0.0333"}
    assert found["rules"] == [
        {
            "code": "share", "name": "Share of sales", "sentence": "Level 1 3.33% of the net amount",
            "by_tier": {"level-1": "3.33%"},
        }
    ]  # fmt: skip
