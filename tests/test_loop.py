"""The whole loop in a browser: a prospect writes, the partner takes it, staff approve, it is won, the night pays, and why."""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from playwright.sync_api import Page

from commissions.models import Earning
from common.periods import program_today
from locator import forms
from tests.browser import pages
from tests.factories import make_location, make_partner, make_portal_user, make_staff
from tiers import program_file
from tiers.models import Placement
from tiers.services import enroll, place

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "programs" / "resellers.json"


@pytest.fixture(autouse=True)
def _as_a_person_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's own loop may use the database; a machine may fill the form in as fast as it can."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setattr(forms, "FASTEST", 0)


def sign_in(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/accounts/sign-in/")
    page.fill("[name=username]", email)
    page.fill("[name=password]", "correct horse battery")
    page.click("main form button")


def test_from_a_prospects_message_to_the_reason_of_a_payment(live_server: Any) -> None:
    program = program_file.import_program(SAMPLE)
    partner = make_partner(name="Cycles Dupont", joined_on=date(2026, 1, 1))
    make_location(partner)
    enrollment = enroll(partner=partner, program=program, on=date(2026, 1, 1))
    edition = program.editions.get()
    place(
        enrollment=enrollment, tier=edition.tiers.get(rank=2), on=date(2026, 2, 1), reason=Placement.Reason.GRANTED
    )  # fmt: skip
    owner, staff = make_portal_user(partner), make_staff()
    yesterday = program_today() - timedelta(days=1)

    with pages() as open_page:
        prospect = open_page(viewport={"width": 390, "height": 844})
        prospect.goto(f"{live_server.url}/partners/?near=Lyon")
        prospect.click("text=Cycles Dupont")
        prospect.click("text=Write to this partner >> nth=0")
        prospect.fill("[name=contact_name]", "Jean Valjean")
        prospect.fill("[name=contact_email]", "jean@prospect.example")
        prospect.fill("[name=company]", "Ville de Lyon")
        prospect.fill("[name=need]", "Thirty cargo bicycles.")
        prospect.check("[name=consent]")
        prospect.click("main form button")
        prospect.wait_for_selector("text=Cycles Dupont has your message")
        assert {address for sent in mail.outbox for address in sent.to} == {owner.email, "jean@prospect.example"}

        portal = open_page()
        sign_in(portal, live_server.url, owner.email)
        portal.click("text=Look")
        assert "jean@prospect.example" not in portal.content()
        portal.click("text=Accept the lead")
        portal.wait_for_selector("text=jean@prospect.example")
        portal.fill("[name=convert-title]", "Thirty bicycles")
        portal.fill("[name=convert-amount]", "41,000.50")
        portal.fill("[name=convert-expected_on]", program_today().isoformat())
        portal.click("text=Register the deal")
        portal.wait_for_selector("text=Waiting for approval")

        office = open_page()
        sign_in(office, live_server.url, staff.email)
        office.goto(f"{live_server.url}/admin/leads/deal/")
        office.click("text=Thirty bicycles")
        office.click("a[href*=approve]")
        office.wait_for_url("**/approve**")
        office.click("form:has([name=csrfmiddlewaretoken]) button[type=submit] >> nth=-1")
        office.wait_for_selector("text=The deal is approved.")

        portal.reload()
        portal.fill("[name=win-closed_on]", yesterday.isoformat())
        portal.click("text=We won it")
        portal.wait_for_selector("text=the next night pays it")

        office.goto(f"{live_server.url}/admin/tiers/run/")
        office.click("text=Run the night now")
        office.click("button >> text=Run it")
        office.wait_for_selector("[data-progress][data-running=no]")
        assert office.inner_text("[data-state]") == "Done"
        line = Earning.objects.get()
        assert (str(line.base), str(line.rate), str(line.amount)) == ("41000.5000", "0.100000", "4100.0500")

        portal.goto(f"{live_server.url}/portal/")
        portal.wait_for_selector("text=$4,100.05")
        portal.click("main >> text=Statements")
        portal.click("text=Sales and what each earned")
        portal.click("main a >> text=$4,100.05")
        portal.wait_for_selector("h1 >> text=Why $4,100.05?")
        why = portal.inner_text("main")
        for said in (
            "you won the deal “Thirty bicycles” with Ville de Lyon",
            "$41,000.50",
            "Level 2",
            "10%",
            "$4,100.05",
        ):
            assert said in why, said

        call_command("night", "--as-of", program_today().isoformat())
        assert Earning.objects.count() == 1
        assert Placement.objects.current().get().tier.code == "level-2"
