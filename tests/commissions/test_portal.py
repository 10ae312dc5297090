"""The partner's pay pages: what they show, to whom, and what they cost."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commissions.models import Earning, Statement
from common.sheets import text_cell
from leads.models import Deal, Product, Sale
from partners.models import Member, Partner
from tests.commissions.facts import holding, move, paying_program, publish, run_night, sell
from tests.factories import make_partner, make_portal_user, make_staff
from tiers.models import Program

pytestmark = pytest.mark.django_db
D = Decimal
NIGHT = date(2026, 4, 2)
TODAY = "2026-04-02T10:00:00+02:00"


@pytest.fixture
def program() -> Program:
    return paying_program({"level-1": D("0.05"), "level-2": D("0.0333")})


@pytest.fixture
def partner(program: Program) -> Partner:
    return holding(program, slug="cycles-dupont", name="Cycles Dupont")


def signed_in(partner: Partner, role: str = "owner") -> Client:
    client = Client()
    client.force_login(make_portal_user(partner, role=role))
    return client


def text(client: Client, name: str, *args: Any, **query: Any) -> str:
    response = client.get(reverse(f"portal:{name}", args=args), query)
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split()).replace("\u202f", " ").replace("\xa0", " ")


def test_statements_show_balance_months_rates_and_statements(
    partner: Partner, program: Program, time_machine: Any
) -> None:
    time_machine.move_to(TODAY, tick=False)
    sell(partner, "1000.00", date(2026, 3, 10))
    sell(partner, "200.00", date(2026, 4, 1))
    run_night(program, NIGHT)
    page = text(signed_in(partner), "statements")
    assert "$10.00" in page  # this month
    assert "$60.00" in page  # not issued, and the last twelve months
    assert "Commissions by month, USD" in page
    assert "March 2026: $50.00" in page
    assert "March 2026</a>" in page
    assert "You are here" in page
    assert "3.33%" in page
    assert page.count('<rect class="chart__bar') == 12


def test_empty_pages_say_what_will_be_there(program: Program) -> None:
    client = signed_in(make_partner())
    assert "No commission yet" in text(client, "statements")
    assert "No statement yet" in text(client, "statements")
    assert "No sale yet" in text(client, "sales")


def test_a_statement_groups_lines_by_order_with_its_sum(partner: Partner, program: Program) -> None:
    for amount in ("100.00", "50.00"):
        sell(partner, amount, date(2026, 3, 10), order_number="SO77", customer_name="Lycée Ampère")
    sell(partner, "10.00", date(2026, 3, 11), order_number="SO78")
    run_night(program, NIGHT)
    statement = Statement.objects.get()
    page = text(signed_in(partner), "statement", statement.pk)
    assert page.count("Order SO77") == 1
    assert "Lycée Ampère" in page
    assert all(amount in page for amount in ("$8.00", "$7.50", "$5.00", "$2.50", "$0.50", "3 lines", "3 sales"))
    assert all(reverse("portal:earning", args=[line.pk]) in page for line in Earning.objects.all())


def test_an_order_cut_by_a_page_shows_its_whole_sum_on_both(partner: Partner, program: Program) -> None:
    for _number in range(51):
        sell(partner, "100.00", date(2026, 3, 10), order_number="SO77")
    run_night(program, NIGHT)
    client, pk = signed_in(partner), Statement.objects.get().pk
    first, second = text(client, "statement", pk), text(client, "statement", pk, page=2)
    assert first.count("/portal/statements/lines/") == 50
    assert second.count("/portal/statements/lines/") == 1
    assert '<th class="number">$255.00' in first
    assert '<th class="number">$255.00' in second


def test_an_explanation_speaks_in_sentences_and_figures(partner: Partner, program: Program) -> None:
    move(partner, program, "level-2", date(2026, 2, 1))
    product = Product.objects.create(external_id="X", name={"en": "Mountain-200", "fr": "Montagne-200"})
    sell(partner, "99.99", date(2026, 3, 10), customer_name="Lycée Ampère", product=product)
    run_night(program, NIGHT)
    page = text(signed_in(partner), "earning", Earning.objects.get().pk)
    for sentence in (
        "Why $3.33?",
        "On 10 March 2026 you sold “Mountain-200” to Lycée Ampère. This line counts a net amount of $99.99.",
        "since 1 February 2026. Reason: Granted by staff.",
        "The rule “Share of sales” of the plan “Plan v1”, in force since 1 January 2025: Level 1 5%, Level 2 3.33% of the net amount.",
        "3.33% of $99.99, rounded to the nearest $0.01 (a half to the even side), is $3.33.",
        "The night of 2 April 2026 posted it. It stands on a draft statement.",
        "$3.329667",
    ):
        assert sentence in page


def test_a_won_deal_is_named_and_linked_for_who_may_see_it(partner: Partner, program: Program) -> None:
    deal = Deal.objects.create(
        partner=partner, title="Fleet of 30", customer_name="Clinique du Parc", amount=D(100), currency="USD",
        expected_on=date(2026, 3, 1), status="won", closed_on=date(2026, 3, 10),
    )  # fmt: skip
    sell(partner, "100.00", date(2026, 3, 10), customer_name="Clinique du Parc", deal=deal)
    run_night(program, NIGHT)
    for role, links in (("owner", True), ("finance", False)):
        page = text(signed_in(partner, role), "earning", Earning.objects.get().pk)
        assert "On 10 March 2026 you won the deal “Fleet of 30” with Clinique du Parc." in page
        assert (reverse("portal:deal", args=[deal.pk]) in page) is links
    assert "Fleet of 30" in text(signed_in(partner), "sales")
    assert "Fleet of 30" in text(signed_in(partner), "statement", Statement.objects.get().pk)


def test_a_difference_says_what_changed_and_from_what(partner: Partner, program: Program) -> None:
    sell(partner, "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    Sale.objects.update(amount=D(300))
    publish(program, {"level-1": D("0.06")})
    run_night(program, date(2026, 4, 3))
    client = signed_in(partner)
    page = text(client, "earning", Earning.objects.get(number=2).pk)
    assert "$5.00 had been posted before, so this line posts the difference: +$13.00." in page
    assert "What changed since the line before" in page
    assert "Plan v2" in page
    first = text(client, "earning", Earning.objects.get(number=1).pk)
    assert "What changed" not in first
    assert reverse("portal:earning", args=[Earning.objects.get(number=2).pk]) in first


def test_a_sale_that_went_elsewhere_is_no_longer_named(partner: Partner, program: Program) -> None:
    sale = sell(partner, "100.00", date(2026, 3, 10), customer_name="Secret customer", order_number="SECRET1")
    run_night(program, NIGHT)
    Sale.objects.filter(pk=sale.pk).update(partner=make_partner())
    run_night(program, date(2026, 4, 3))
    client = signed_in(partner)
    pages = [text(client, "earning", line.pk) for line in Earning.objects.all()]
    pages.append(text(client, "statement", Statement.objects.get().pk))
    pages.append(b"".join(client.get(reverse("portal:statement-csv", args=[Statement.objects.get().pk]))).decode())
    assert not any("secret" in page.lower() for page in pages)
    assert "it is another company’s" in pages[1]


def test_sales_of_a_month_say_what_each_earned_or_why_nothing(partner: Partner, program: Program) -> None:
    move(partner, program, "level-3", date(2026, 3, 20))
    sell(partner, "100.00", date(2026, 3, 10))
    sell(partner, "100.00", date(2026, 3, 20), customer_name="Unpaid")
    sell(partner, "70.00", date(2026, 2, 10))
    run_night(program, NIGHT)
    client = signed_in(partner)
    page = text(client, "sales")
    assert "$5.00</a>" in page
    assert "The plan “Plan v1”, in force on 20 March 2026, names no rate for Level 3." in page
    assert "$200.00" in page
    assert "$3.50" in text(client, "sales", month="2026-02")
    assert "$3.50" not in page
    unpaid = text(client, "sales", month="2026-03", only="unpaid")
    assert "Unpaid" in unpaid
    assert "$5.00</a>" not in unpaid
    assert 'Earned nothing <span class="tabs__count">1</span>' in unpaid
    assert "Every sale of this month earned something" in text(client, "sales", month="2026-02", only="unpaid")
    assert text(client, "sales", month="1999-13")  # an unknown month shows the latest


def read(client: Client, pk: int, language: str) -> str:
    response = client.get(reverse("portal:statement-csv", args=[pk]), headers={"accept-language": language})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="cycles-dupont-2026-03-USD.csv"'
    return b"".join(response).decode("utf-8")


def test_the_csv_is_written_for_the_readers_language(partner: Partner, program: Program) -> None:
    product = Product.objects.create(external_id="X", name={"en": "=1+1", "fr": "Vélo"})
    sale = sell(
        partner,
        "1234.50",
        date(2026, 3, 10),
        product=product,
        customer_name="@SUM(A1)",
        order_number="-5",
        currency="USD",
    )
    run_night(program, NIGHT)
    client, line = signed_in(partner), Earning.objects.get()
    english = read(client, Statement.objects.get().pk, "en")
    assert english.startswith("\ufeffDay of the sale,Order,")
    (row,) = list(csv.reader(io.StringIO(english)))[1:]
    assert row == [
        "2026-03-10", "'-5", sale.external_id, "'=1+1", "'@SUM(A1)", "Commission", "Level 1", "1", "1234.50", "0.05",
        "0.00", "61.72", "USD", str(line.pk), "",
    ]  # fmt: skip
    french = read(client, Statement.objects.get().pk, "fr")
    (row,) = list(csv.reader(io.StringIO(french), delimiter=";"))[1:]
    assert (row[3], row[6], row[8], row[9], row[11]) == ("Vélo", "Palier 1", "1234,50", "0,05", "61,72")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@A", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_could_start_a_formula_is_quoted(text: str) -> None:
    assert text_cell(text) == f"'{text}"
    assert text_cell(f"a{text}") == f"a{text}"


def pages(partner: Partner) -> list[str]:
    line, statement = Earning.objects.filter(partner=partner)[0], Statement.objects.filter(partner=partner)[0]
    return [
        reverse("portal:statements"),
        reverse("portal:statement", args=[statement.pk]),
        reverse("portal:statement-csv", args=[statement.pk]),
        reverse("portal:statement-xlsx", args=[statement.pk]),
        reverse("portal:earning", args=[line.pk]),
        reverse("portal:dispute-new", args=[line.pk]),
        reverse("portal:disputes"),
        reverse("portal:sales"),
    ]


@pytest.mark.parametrize("role", Member.Role.values)
def test_owner_and_finance_see_pay_and_nobody_else(role: str, partner: Partner, program: Program) -> None:
    sell(partner, "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    owner = make_portal_user(partner, role="owner")
    client = signed_in(partner, role)
    for url in pages(partner):
        response = client.get(url)
        assert response.status_code == (200 if role in {"owner", "finance"} else 403)
        if response.status_code == 403:
            assert owner.name in response.content.decode()
            assert "$5.00" not in response.content.decode()


def test_another_partners_pay_does_not_exist(partner: Partner, program: Program) -> None:
    sell(partner, "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    other = signed_in(holding(program))
    assert [other.get(url).status_code for url in pages(partner)] == [200, 404, 404, 404, 404, 404, 200, 200]
    assert "$" not in "".join(text(other, name) for name in ("statements", "sales"))
    assert [Client().get(url).status_code for url in pages(partner)] == [302] * 8
    staff = Client()
    staff.force_login(make_staff())
    assert [staff.get(url).url for url in pages(partner)] == [reverse("admin:index")] * 8  # type: ignore[attr-defined]


def test_staff_who_are_members_too_see_only_their_partners_pay(partner: Partner, program: Program) -> None:
    sell(partner, "100.00", date(2026, 3, 10))
    run_night(program, NIGHT)
    user = make_portal_user(holding(program))
    user.is_staff = user.is_superuser = True
    user.save()
    client = Client()
    client.force_login(user)
    assert [client.get(url).status_code for url in pages(partner)] == [200, 404, 404, 404, 404, 404, 200, 200]


def test_pages_cost_the_same_queries_for_little_and_for_much(partner: Partner, program: Program) -> None:
    little = holding(program)
    sell(little, "100.00", date(2026, 3, 10))
    for number in range(60):
        product = Product.objects.create(external_id=f"X{number}", name={"en": f"Product {number}"})
        sell(partner, "100.00", date(2026, 3, 1 + number // 3), order_number=f"SO{number // 4}", product=product)
    sell(partner, "100.00", date(2026, 1, 10), currency="EUR")
    for number in (2, 3, 4):
        publish(program, {"level-1": D(number) / 100})
        run_night(program, date(2026, 4, number))
    for _other in range(40):
        sell(holding(program), "1", date(2026, 3, 10))
    few, many = costs(little), costs(partner)
    assert few == many
    assert max(many) <= 20


def costs(partner: Partner) -> list[int]:
    client, counts = signed_in(partner), []
    for url in pages(partner):
        with CaptureQueriesContext(connection) as captured:
            response = client.get(url)
            assert b"".join(response) or response.content
        counts.append(len(captured))
    return counts
