"""Figures moved and judged by the very rules, in the portal and for a candidate."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from common.periods import program_today
from tests.commissions.facts import run_night
from tests.factories import make_partner, make_portal_user, make_sale
from tiers import lexicon, program_file, standing, what_if
from tiers.models import Enrollment, Program
from tiers.services import enroll

pytestmark = pytest.mark.django_db
RESELLERS = Path(__file__).resolve().parents[2] / "samples" / "programs" / "resellers.json"


@pytest.fixture
def enrollment() -> Enrollment:
    """60,000 of sales in 3 orders, nobody certified: level 1, for want of one of three."""
    program = program_file.import_program(RESELLERS)
    partner = make_partner(joined_on=date(2020, 1, 1))
    made = enroll(partner=partner, program=program, on=date(2020, 1, 1))
    today = program_today()
    for order in ("A", "B", "C"):
        make_sale(
            partner, sold_on=today.replace(year=today.year - 1, day=28), order_number=order, amount=Decimal(20000)
        )
    run_night(program, today)
    return made


def case_of(enrollment: Enrollment) -> Any:
    found = standing.standing(enrollment=enrollment, on=program_today())
    assert found is not None
    return found.case


def test_one_order_more_or_one_certified_person_lifts_it(enrollment: Enrollment) -> None:
    case = case_of(enrollment)
    for changes, code in (
        ({}, "level-1"),
        ({"orders": Decimal(1)}, "level-2"),
        ({"certified-sales-people": Decimal(1), "sales-people": Decimal(1)}, "level-2"),
        ({"orders": Decimal(1), "net-sales": Decimal("-10000.01")}, "level-1"),
    ):
        moved = what_if.moved(case, changes)
        assert what_if.would_hold(moved, moved.book.level("level-1")).code == code, changes


def test_nothing_that_is_counted_falls_below_nothing(enrollment: Enrollment) -> None:
    moved = what_if.moved(case_of(enrollment), {"orders": Decimal(-9)})
    assert moved.facts.figures["orders"] == 0


def test_levers_are_the_figures_that_rules_read(enrollment: Enrollment) -> None:
    levers = {lever.key: lever for lever in what_if.levers(case_of(enrollment))}
    assert set(levers) == {
        "net-sales", "orders", "sales-people", "certified-sales-people", "business-plan", "joint-campaign", "case-study",
    }  # fmt: skip
    sales = levers["net-sales"]
    assert (sales.now, sales.least, sales.most, sales.step) == (60000, -60000, 180000, 5000)
    assert levers["orders"].step == 1


def test_the_page_shows_the_sliders_and_the_answer(client: Client, enrollment: Enrollment) -> None:
    client.force_login(make_portal_user(enrollment.partner))
    page = client.get(reverse("portal:tier"))
    assert 'name="net-sales" min="-60000" max="180000" step="5000" value="0"' in page.content.decode()
    answer = client.get(reverse("portal:tier-what-if"), {"orders": "1"}, headers={"X-Part": "yes"})
    said = answer.content.decode()
    assert "<html" not in said
    assert "Level 2" in said
    whole = client.get(reverse("portal:tier-what-if"), {"orders": "1"})
    assert "<html" in whole.content.decode()


@pytest.mark.parametrize("asked", ["", "x", "NaN", "-1e999", "1e40", "٣", "=1+1"])
def test_what_is_no_number_moves_nothing_and_breaks_nothing(client: Client, enrollment: Enrollment, asked: str) -> None:
    client.force_login(make_portal_user(enrollment.partner))
    assert client.get(reverse("portal:tier-what-if"), {"net-sales": asked}).status_code == 200


def test_queries_of_the_tier_page_do_not_grow(
    client: Client, enrollment: Enrollment, django_assert_max_num_queries: Any
) -> None:
    client.force_login(make_portal_user(enrollment.partner))
    client.get(reverse("portal:tier"))
    with django_assert_max_num_queries(20):
        client.get(reverse("portal:tier"))


def test_a_candidate_is_judged_as_a_partner_would_be(enrollment: Enrollment) -> None:
    words = lexicon.read(enrollment.program.editions.select_related("program").get())
    case = what_if.of_a_candidate(
        words, {"net-sales": Decimal(200000), "orders": Decimal(4)}, {}, program_today()
    )  # fmt: skip
    assert case.facts.figures["net-sales"] == Fraction(2_000_000_000)
    assert what_if.would_hold(case, None).code == "level-2"


def test_the_public_estimate(client: Client, enrollment: Enrollment) -> None:
    url = reverse("locator:estimate", args=["resellers"])
    assert "Tell a figure or two" in client.get(url).content.decode()
    said = client.get(url, {"net-sales": "60000", "orders": "3"}).content.decode()
    assert "Net sales: at least $50,000 over 12 months" in said
    assert "Orders: at least 4 over 12 months" in said
    assert "1 to go" in said
    wrong = client.get(url, {"net-sales": "many"})
    assert wrong.status_code == 200
    assert 'value="many"' in wrong.content.decode()
    Program.objects.update(is_public=False)
    assert client.get(url).status_code == 404
