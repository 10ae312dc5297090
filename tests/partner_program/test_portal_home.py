"""The portal's first screens: what they say, and that they cost the same whatever the partner has."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.periods import program_today
from leads.services import accept_offer, approve_deal, register_deal
from partners.models import Partner
from tests.commissions.facts import publish
from tests.factories import (
    make_enrollment,
    make_partner,
    make_placement,
    make_portal_user,
    make_program,
    make_sale,
    make_sales_edition,
    make_staff,
)
from tests.leads.facts import written
from tiers import night
from tiers.models import Edition, Program

pytestmark = pytest.mark.django_db
PAGES = ("portal:home", "portal:tier", "portal:statements", "portal:sales")


def world(sales: int) -> tuple[Program, Partner]:
    """A partner in level 1 that sold 100 a sale, the last one yesterday, and the night of today."""
    program = make_program()
    edition = make_sales_edition(program)
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED)
    publish(program, {"level-1": Decimal("0.05")})
    partner = make_partner()
    make_placement(make_enrollment(partner, program), edition.tiers.get(rank=1))
    yesterday = program_today() - timedelta(days=1)
    for number in range(sales):
        make_sale(partner, sold_on=yesterday - timedelta(days=3 * number), amount=Decimal(100))
    night.work(night.start(program=program, day=program_today()).pk)
    return program, partner


def signed_in(partner: Partner, language: str = "en") -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(make_portal_user(partner), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", ["Where am I?", "Level 1", "What lifts me", "$49,900 to go", "What am I owed?", "$5.00"]),
        ("fr", ["Où en suis-je", "Palier 1", "Ce qui me fait monter", "Que me doit-on", "5,00\xa0$US"]),
    ],
)
def test_home_answers_the_three_questions(language: str, says: list[str]) -> None:
    _program, partner = world(sales=1)
    page = signed_in(partner, language).get(reverse("portal:home")).content.decode()
    assert [one for one in says if one not in page] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_costs_the_same_queries_for_15_sales_and_for_40(name: str) -> None:
    counts = []
    for sales in (15, 40):
        _program, partner = world(sales)
        client = signed_in(partner)
        client.get(reverse(name))
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse(name)).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 20


def test_home_with_leads_and_deals_costs_no_more_than_twenty_queries() -> None:
    _program, partner = world(sales=3)
    staff, client = make_staff(), signed_in(partner)
    for number in range(3):
        written(partner)
        accept_offer(offer=written(partner).offers.get(), actor=staff)
        deal = register_deal(
            partner=partner, title=f"Deal {number}", customer_name="C", amount=Decimal(1), currency="USD",
            expected_on=program_today(), actor=staff,
        )  # fmt: skip
        approve_deal(deal=deal, actor=staff)
    client.get(reverse("portal:home"))
    with CaptureQueriesContext(connection) as asked:
        page = client.get(reverse("portal:home"))
    assert [one.badge for one in page.context["waiting"]].count("to answer") == 3
    assert [one.letter for one in page.context["waiting"]] == ["P"] * 6 + ["D"] * 3
    assert len(page.context["events"]) == 8
    assert len(asked) <= 20


def test_a_partner_without_a_program_is_told_so(client: Client) -> None:
    client.force_login(make_portal_user(make_partner(joined_on=date(2026, 1, 1))))
    assert client.get(reverse("portal:home")).status_code == 200
