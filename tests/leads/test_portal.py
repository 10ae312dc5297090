from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from time_machine import travel

from leads.models import Deal, Lead, Sale
from partners.models import Member
from tests.factories import make_portal_user
from tests.leads.facts import World, accepted, approved, make_world, registered, written

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with travel("2026-11-24T10:00:00+01:00", tick=False):
        yield


def signed_in(world: World) -> Client:
    client = Client()
    client.force_login(world.person)
    return client


def test_contact_details_open_with_the_acceptance() -> None:
    world = make_world()
    lead, client = written(world.near), signed_in(world)
    url = reverse("portal:lead", args=[lead.pk])
    for address in (url, reverse("portal:leads")):
        page = client.get(address).content.decode()
        assert "Trente vélos cargo." in page
        for secret in ("Jean Valjean", "jean@prospect.example", "0600000000"):
            assert secret not in page
    assert client.post(url, {"action": "accept"}).status_code == 302
    page = client.get(url).content.decode()
    assert "Jean Valjean" in page
    assert "jean@prospect.example" in page


def test_a_lead_is_declined_with_a_reason_and_leaves_the_portal() -> None:
    world = make_world()
    lead, client = written(world.near), signed_in(world)
    url = reverse("portal:lead", args=[lead.pk])
    refused = client.post(url, {"action": "decline", "decline-reason": ""})
    assert refused.status_code == 422
    client.post(url, {"action": "decline", "decline-reason": "Too far"})
    assert Lead.objects.get().status == "new"
    assert client.get(url).status_code == 404


def test_a_lead_becomes_a_deal_with_an_amount_as_people_write_it() -> None:
    world = make_world()
    lead, client = accepted(world), signed_in(world)
    client.cookies["django_language"] = "fr"
    answer = client.post(
        reverse("portal:lead", args=[lead.pk]),
        {
            "action": "convert", "convert-title": "Trente vélos", "convert-amount": "41 000,50",
            "convert-currency": "EUR", "convert-expected_on": "2026-12-24",
        },
    )  # fmt: skip
    deal = Deal.objects.get()
    assert answer.headers["Location"] == reverse("portal:deal", args=[deal.pk])
    assert (deal.amount, deal.currency, deal.expected_on) == (Decimal("41000.50"), "EUR", date(2026, 12, 24))


@pytest.mark.parametrize(
    ("language", "typed", "meant"),
    [
        ("en", "1,234.50", "1234.50"),
        ("en", "1234.5", "1234.5"),
        ("fr", "1 234,50", "1234.50"),
        ("fr", "1234.5", "1234.5"),
    ],
)
def test_amounts_are_read_as_the_language_writes_them(language: str, typed: str, meant: str) -> None:
    world = make_world()
    client = signed_in(world)
    client.cookies["django_language"] = language
    fields = {"title": "T", "customer_name": "C", "amount": typed, "currency": "EUR", "expected_on": "2026-12-01"}
    assert client.post(reverse("portal:deal-new"), fields).status_code == 302
    assert Deal.objects.get().amount == Decimal(meant)


@pytest.mark.parametrize("typed", ["", "abc", "-5", "0", "1,2,3.4.5"])
def test_a_refused_form_comes_back_as_it_was_typed(typed: str) -> None:
    world = make_world()
    fields = {
        "title": "Flotte d’Écully", "customer_name": "C", "amount": typed, "currency": "EUR", "expected_on": "2026-12-01"
    }  # fmt: skip
    page = signed_in(world).post(reverse("portal:deal-new"), fields)
    assert page.status_code == 422
    assert "Flotte d’Écully" in page.content.decode()
    assert not Deal.objects.exists()


def test_a_won_deal_becomes_a_sale() -> None:
    world = make_world()
    deal, client = approved(world), signed_in(world)
    client.post(reverse("portal:deal", args=[deal.pk]), {"action": "win", "win-closed_on": "2026-11-20"})
    assert Sale.objects.get().sold_on == date(2026, 11, 20)


def test_what_is_refused_is_said_and_nothing_changes() -> None:
    world = make_world()
    deal, client = registered(world), signed_in(world)
    url = reverse("portal:deal", args=[deal.pk])
    answer = client.post(url, {"action": "win", "win-closed_on": "2026-11-20"}, follow=True)
    assert "waiting for approval" in answer.content.decode()
    assert Deal.objects.get().status == "submitted"


@pytest.mark.parametrize(
    ("role", "sees", "works"),
    [("owner", 200, 200), ("sales", 200, 200), ("technical", 200, 403), ("marketing", 200, 403), ("finance", 403, 403)],
)
def test_each_role_sees_and_works_what_it_may(role: str, sees: int, works: int) -> None:
    world = make_world()
    client = Client()
    client.force_login(make_portal_user(world.near, role=Member.Role(role)))
    lead = written(world.near)
    assert client.get(reverse("portal:leads")).status_code == sees
    assert client.get(reverse("portal:lead", args=[lead.pk])).status_code == sees
    assert client.get(reverse("portal:deal-new")).status_code == works
    client.post(reverse("portal:lead", args=[lead.pk]), {"action": "accept"})
    assert Lead.objects.get().status == ("accepted" if works == 200 else "offered")


def test_the_empty_page_says_which_tier_shares_leads() -> None:
    world = make_world()
    client = Client()
    client.force_login(make_portal_user(world.low))
    assert "Leads are shared from Level 2 on" in client.get(reverse("portal:leads")).content.decode()


@pytest.mark.parametrize("name", ["portal:leads", "portal:deals", "portal:home"])
def test_a_page_costs_the_same_with_many_rows(name: str, django_assert_max_num_queries: object) -> None:
    world = make_world()
    client = signed_in(world)
    client.get(reverse(name))  # what a process reads once
    counts = []
    for rows in (2, 20):
        for _row in range(rows):
            written(world.near)
            registered(world)
        with django_assert_max_num_queries(60) as captured:  # type: ignore[operator]
            assert client.get(reverse(name)).status_code == 200
        counts.append(len(captured))
    assert counts[1] == counts[0] <= 20
