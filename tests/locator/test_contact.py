from typing import Any

import pytest
from django.test import Client
from time_machine import travel

from leads.models import Lead
from partners.models import Partner
from tests.factories import make_location, make_partner

pytestmark = pytest.mark.django_db
ASKED = {
    "contact_name": "Jean Valjean", "contact_email": "jean@prospect.example", "need": "Trente vélos cargo.",
    "city": "Lyon", "company": "Ville de Lyon", "consent": "on",
}  # fmt: skip


@pytest.fixture
def partner() -> Partner:
    made = make_partner(name="Cycles Dupont")
    make_location(made)
    return made


def send(partner: Partner, *, after: int = 30, **over: Any) -> Any:
    """Open the form, take `after` seconds, send it."""
    client, address = Client(), f"/partners/{partner.slug}/contact/"
    with travel("2026-11-24T10:00:00Z", tick=False) as clock:
        sealed = client.get(address).context["form"]["sealed"].value()
        clock.shift(after)
        return client.post(address, {**ASKED, "sealed": sealed, **over}, follow=True)


def test_a_message_becomes_a_lead_of_that_partner_with_its_consent(partner: Partner) -> None:
    answer = send(partner)
    assert answer.redirect_chain == [(f"/partners/{partner.slug}/", 302)]
    assert "Cycles Dupont has your message" in answer.content.decode()
    lead = Lead.objects.get()
    assert (lead.partner, lead.status, lead.source, lead.company) == (partner, "offered", "profile", "Ville de Lyon")
    assert lead.consent_text.startswith("I agree that my message")
    assert lead.consent_at is not None


@pytest.mark.parametrize(
    ("over", "after"),
    [({"consent": ""}, 30), ({"contact_email": "jean"}, 30), ({"need": ""}, 30), ({"company_url": "http://spam"}, 30),
     ({}, 1), ({}, 13 * 3600), ({"sealed": "forged"}, 30)],
)  # fmt: skip
def test_a_refused_message_comes_back_as_it_was_typed(partner: Partner, over: dict[str, str], after: int) -> None:
    answer = send(partner, after=after, **over)
    assert answer.status_code == 200
    assert "Jean Valjean" in answer.content.decode()
    assert not Lead.objects.exists()


def test_the_profile_shows_no_person(partner: Partner) -> None:
    page = Client().get(f"/partners/{partner.slug}/").content.decode()
    assert "Cycles Dupont" in page
    assert "Lyon" in page
