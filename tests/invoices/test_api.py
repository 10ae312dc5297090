"""The machines' door to documents."""

import hashlib

import pytest
from django.test import Client
from django.urls import reverse

from common.periods import program_today
from invoices.services import issue_for
from tests.factories import make_portal_user, make_staff
from tests.invoices.facts import GERMAN, approved, program_that_pays, ready_partner, vendor

pytestmark = pytest.mark.django_db


def test_a_partner_lists_and_downloads_its_own_documents(client: Client) -> None:
    vendor()
    program = program_that_pays()
    partner, other = ready_partner(program, GERMAN), ready_partner(program, GERMAN)
    statements = [approved(one, program, "1000.00") for one in (partner, other)]
    made = issue_for(statements, on=program_today())
    own = made[statements[0].pk]
    client.force_login(make_portal_user(partner))
    (row,) = client.get(reverse("api:invoice-list")).json()["results"]
    assert (row["number"], row["kind"], row["net"], row["tax_category"]) == (own.number, "389", "100.0000", "AE")
    assert row["validated_against"][0].startswith("XSD Factur-X")
    content = client.get(reverse("api:invoice-document", args=[own.pk])).content
    assert hashlib.sha256(content).hexdigest() == row["sha256"]
    assert client.get(reverse("api:invoice-document", args=[made[statements[1].pk].pk])).status_code == 404
    client.force_login(make_staff())
    numbers = {row["number"] for row in client.get(reverse("api:invoice-list")).json()["results"]}
    assert numbers == {one.number for one in made.values()}
    assert len(client.get(reverse("api:invoice-list"), {"partner": other.pk}).json()["results"]) == 1


def test_a_member_who_does_not_see_pay_sees_none(client: Client) -> None:
    vendor()
    program = program_that_pays()
    partner = ready_partner(program, GERMAN)
    issue_for([approved(partner, program, "1000.00")], on=program_today())
    client.force_login(make_portal_user(partner, role="sales"))
    assert client.get(reverse("api:invoice-list")).json()["results"] == []
