"""Staff work leads and deals by their buttons: what services refuse comes back on the form."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from common.periods import program_today
from leads.models import Deal, Lead, Offer, Sale
from tests.admin.world import World, make_world
from tests.factories import make_partner, make_user
from tiers import services as tiers

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def sharer(world: World):
    """A partner whose tier shares leads."""
    partner = make_partner(name="Vélo Étoile")
    enrollment = tiers.enroll(partner=partner, program=world.program, on=program_today())
    tiers.place(enrollment=enrollment, tier=world.edition.tiers.get(rank=2), on=program_today(), reason="granted")
    return partner


def test_a_lead_is_entered(staff: Client, world: World) -> None:
    entered = {
        "contact_name": "Marius",
        "contact_email": "m@example.com",
        "need": "A bicycle.",
        "country": "FR",
        **ASKED,
    }
    response = staff.post(reverse("admin:leads_lead_enter"), entered)
    lead = Lead.objects.get(contact_name="Marius")
    assert response["Location"] == reverse("admin:leads_lead_change", args=[lead.pk])
    assert (lead.status, lead.source, lead.country, lead.created_by) == ("new", "staff", "FR", world.staff)


def test_what_was_typed_is_not_lost(staff: Client) -> None:
    response = staff.post(reverse("admin:leads_lead_enter"), {"contact_name": "Marius", "need": "", **ASKED})
    assert response.status_code == 200
    assert response.context["form"]["contact_name"].value() == "Marius"
    assert not Lead.objects.filter(contact_name="Marius").exists()


def test_a_lead_goes_to_a_partner_whose_tier_shares_leads(staff: Client, world: World) -> None:
    partner, url = sharer(world), reverse("admin:leads_lead_offer", args=[world.lead.pk])
    refused = staff.post(url, {"partner": world.partner.pk, **ASKED})
    assert refused.status_code == 200
    assert list(refused.context["form"].errors) == ["partner"]
    assert staff.post(url, {"partner": partner.pk, **ASKED}).status_code == 302
    world.lead.refresh_from_db()
    assert (world.lead.status, world.lead.partner) == ("offered", partner)


def test_the_field_suggests_partners_that_share_leads(staff: Client, world: World) -> None:
    partner = sharer(world)
    found = staff.get(reverse("admin:leads_lead_sharers"), {"term": "toile"}).json()
    assert found["results"] == [{"id": str(partner.pk), "text": "Vélo Étoile"}]
    assert staff.get(reverse("admin:leads_lead_sharers"), {"term": "Dupont"}).json()["results"] == []


def test_an_offer_is_taken_back(staff: Client, world: World) -> None:
    lead = Lead.objects.get(status="offered")
    assert (
        staff.post(reverse("admin:leads_lead_withdraw", args=[lead.pk]), {"reason": "Too far.", **ASKED}).status_code
        == 302
    )
    lead.refresh_from_db()
    assert (lead.status, lead.partner) == ("new", None)
    assert Offer.objects.get(lead=lead).answer == "withdrawn"


def test_a_deal_is_approved_and_won_and_becomes_a_sale(staff: Client, world: World) -> None:
    approve, win = (reverse(f"admin:leads_deal_{name}", args=[world.deal.pk]) for name in ("approve", "win"))
    assert staff.get(approve).status_code == 200
    assert Deal.objects.get(pk=world.deal.pk).status == "submitted"
    assert staff.post(approve, ASKED).status_code == 302
    tomorrow = program_today() + timedelta(days=1)
    refused = staff.post(win, {"closed_on": tomorrow.isoformat(), **ASKED})
    assert len(list(refused.context["form"].non_field_errors())) == 1
    assert not Sale.objects.filter(deal=world.deal).exists()
    assert staff.post(win, {"closed_on": program_today().isoformat(), **ASKED}).status_code == 302
    assert Sale.objects.get(deal=world.deal).amount == Decimal("41000")


def test_a_deal_is_refused_with_a_reason(staff: Client, world: World) -> None:
    url = reverse("admin:leads_deal_refuse", args=[world.deal.pk])
    assert staff.post(url, {"reason": "", **ASKED}).status_code == 200
    assert staff.post(url, {"reason": "Another partner has it.", **ASKED}).status_code == 302
    world.deal.refresh_from_db()
    assert (world.deal.status, world.deal.reason, world.deal.decided_by) == (
        "refused", "Another partner has it.", world.staff,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "buttons"), [("submitted", ["approve", "refuse", "lose"]), ("approved", ["win", "lose"]), ("won", [])]
)
def test_buttons_are_those_that_the_state_allows(staff: Client, world: World, status: str, buttons: list[str]) -> None:
    Deal.objects.filter(pk=world.deal.pk).update(status=status, closed_on=program_today())
    page = staff.get(reverse("admin:leads_deal_change", args=[world.deal.pk]))
    paths = [one["path"] for one in page.context["actions_detail"]]
    assert paths == [reverse(f"admin:leads_deal_{name}", args=[world.deal.pk]) for name in buttons]


def test_who_may_only_look_has_no_buttons(world: World, client: Client) -> None:
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_deal"))
    client.force_login(user)
    assert client.get(reverse("admin:leads_deal_change", args=[world.deal.pk])).context["actions_detail"] == []
    assert client.post(reverse("admin:leads_deal_approve", args=[world.deal.pk]), ASKED).status_code == 403
    assert Deal.objects.get(pk=world.deal.pk).status == "submitted"
