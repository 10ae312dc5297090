from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import travel

from accounts.models import User
from leads.models import Deal, Lead, Sale
from partners.models import Member
from tests.factories import make_certification, make_portal_user
from tests.leads.facts import make_world, registered, written
from training.models import Certificate

pytestmark = pytest.mark.django_db
LEAD = {"contact_name": "Fantine", "contact_email": "f@prospect.example", "need": "A bicycle."}
DEAL = {"title": "T", "customer_name": "C", "amount": "100.50", "currency": "EUR", "expected_on": "2026-12-01"}


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with travel("2026-11-24T10:00:00+01:00", tick=False):
        yield


def ask(user: User, address: str, body: Any = None, status: int = 200) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    answer = client.post(f"/api/v1/{address}", body or {}, format="json")
    assert answer.status_code == status, answer.data
    return answer.data


def test_staff_enter_a_lead_and_partners_do_not() -> None:
    world = make_world()
    assert ask(world.staff, "leads/", LEAD, 201)["status"] == "new"
    assert Lead.objects.get().source == "api"
    ask(world.person, "leads/", LEAD, 403)
    assert ask(world.staff, "leads/", {**LEAD, "contact_email": "no"}, 400)["errors"].keys() == {"contact_email"}


def test_a_partner_answers_its_own_leads_only() -> None:
    world = make_world()
    lead = written(world.near)
    ask(make_portal_user(world.low), f"leads/{lead.pk}/accept/", status=404)
    ask(world.staff, f"leads/{lead.pk}/accept/", status=403)
    assert ask(world.person, f"leads/{lead.pk}/accept/")["status"] == "accepted"
    refused = ask(world.person, f"leads/{lead.pk}/decline/", {"reason": "No"}, 409)
    assert (refused["code"], refused["status"]) == ("lead_moved", 409)


def test_a_deal_goes_from_the_partner_to_staff_and_back() -> None:
    world = make_world()
    deal = ask(world.person, "deals/", DEAL, 201)["id"]
    assert Deal.objects.get().partner == world.near
    ask(world.person, f"deals/{deal}/approve/", status=403)
    assert ask(world.person, f"deals/{deal}/win/", {"closed_on": "2026-11-20"}, 409)["code"] == "deal_moved"
    assert ask(world.staff, f"deals/{deal}/approve/")["status"] == "approved"
    assert ask(world.person, f"deals/{deal}/win/", {"closed_on": "2026-11-20"})["amount"] == "100.5000"
    assert Sale.objects.get().deal_id == deal


def test_a_role_that_does_not_work_leads_writes_nothing() -> None:
    world = make_world()
    finance = make_portal_user(world.near, role="finance")
    ask(finance, "deals/", DEAL, 403)
    ask(finance, f"deals/{registered(world).pk}/lose/", {"reason": "No", "closed_on": "2026-11-20"}, 403)


def test_staff_add_members_and_certificates() -> None:
    world = make_world()
    certification = make_certification(valid_months=24)
    member = {"external_id": "HR-1", "partner": world.near.pk, "name": "Zoé", "job": "sales", "joined_on": "2026-01-01"}
    pk = ask(world.staff, "members/", member, 201)["id"]
    ask(world.staff, "members/", member, 400)  # the external id never comes twice
    certificate = {
        "external_id": "C-1", "member": pk, "certification": certification.code, "awarded_on": "2026-05-31"
    }  # fmt: skip
    assert ask(world.staff, "certificates/", certificate, 201)["expires_on"] == "2028-05-31"
    ask(world.person, "members/", {**member, "external_id": "HR-2"}, 403)
    assert Member.objects.filter(external_id="HR-1").exists()
    assert Certificate.objects.count() == 1
