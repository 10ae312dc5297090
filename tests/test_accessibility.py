"""Portal and public pages against WCAG 2.2 AA by axe, in light and dark, on a phone and a desk, and no page scrolls sideways."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from django.urls import reverse

from commissions.models import Earning, Statement
from commissions.services import open_dispute
from common.periods import add_months, program_today
from journal import notices
from leads.models import Deal, Lead
from leads.sales import set_splits
from notifications.mailing import token_for
from payouts.services.accounts import ask_account
from points.services import write_claim
from tests.browser import pages
from tests.factories import (
    make_certificate,
    make_location,
    make_member,
    make_partner,
    make_portal_user,
    make_sale,
    make_staff,
)
from tests.invoices.facts import some_documents
from tests.leads.facts import written
from tests.payouts.facts import IBANS, details, one_of_each
from tests.points.facts import row, set_rows
from tiers import program_file
from tiers.models import Measure
from tiers.services import enroll

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "programs" / "resellers.json"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def _let_the_driver_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def world() -> dict[str, Any]:
    program = program_file.import_program(SAMPLE)
    today = program_today()
    partner = make_partner(name="Établissements Cycles & Motocyclettes Dupont-Lefebvre Père et Fils", joined_on=today)
    make_location(partner)
    enroll(partner=partner, program=program, on=add_months(today, -14))
    make_certificate(make_member(partner, joined_on=add_months(today, -3)), expires_on=add_months(today, 1))
    for back in range(1, 6):
        make_sale(partner, sold_on=add_months(today.replace(day=1), -back), amount=20_000 * back)
    shared = make_sale(partner, sold_on=add_months(today.replace(day=1), -1))
    make_sale(partner, sold_on=shared.sold_on, kind="refund", amount=Decimal(-10), refund_of=shared)
    set_splits(sale=shared, parts={partner.pk: 1, make_partner().pk: 2}, actor=None)
    owner = make_portal_user(partner)
    made = {"enrollment": partner.enrollments.get(), "rule": None, "category": "sites", "text": "", "author": owner}
    assert set_rows(program, row(starts_on=add_months(today, -3).isoformat(), expires={"months": 12})) == []
    draft = write_claim(title="Studio", asked=Decimal(10), **made)
    sent = write_claim(title="Studio", asked=Decimal("123456789.1234"), send=True, **made)
    lead = written(partner)
    deal = Deal.objects.create(
        partner=partner, title="Thirty bicycles", customer_name="Ville de Lyon", amount=999_999_999, currency="USD",
        expected_on=today, status="approved",
    )  # fmt: skip
    call_command("night", "--as-of", today.isoformat())
    one_of_each(partner, make_staff())
    ask_account(partner=partner, details=details(number=IBANS[1], holder=partner.name), actor=owner)
    dispute = open_dispute(
        earning=Earning.objects.earliest("earned_on"), category="rate", text="Gold since March, not Silver.", actor=owner,
        expected=Decimal("999999999.99"),
    )  # fmt: skip
    some_documents(partner)
    return {
        "owner": owner, "partner": partner, "lead": lead, "deal": deal, "draft": draft, "sent": sent, "dispute": dispute,
    }  # fmt: skip


def addresses(world: dict[str, Any]) -> list[str]:
    slug = world["partner"].slug
    named = [
        ("portal:payments", {}), ("portal:payee-accounts", {}), ("portal:payee-account-new", {}),
        ("locator:program", {}), ("locator:directory", {}), ("locator:partner", {"slug": slug}),
        ("locator:contact", {"slug": slug}), ("accounts:password-change", {}), ("portal:home", {}), ("portal:tier", {}),
        ("portal:tier-what-if", {}), ("locator:estimate", {"slug": "resellers"}),
        ("portal:tier-facts", {"measure_id": Measure.objects.get(key="net-sales").pk}), ("portal:leads", {}),
        ("portal:points", {}), ("portal:claim-new", {}), ("portal:claim", {"pk": world["draft"].pk}),
        ("portal:claim", {"pk": world["sent"].pk}),
        ("portal:lead", {"pk": Lead.objects.get().pk}), ("portal:deals", {}), ("portal:deal-new", {}),
        ("portal:deal", {"pk": world["deal"].pk}), ("portal:statements", {}),
        ("portal:statement", {"pk": Statement.objects.latest("starts_on").pk}), ("portal:sales", {}),
        ("portal:invoicing", {}), ("portal:invoicing-identity", {}), ("portal:invoicing-mandate", {}), ("portal:invoicing-send", {}),
        ("portal:notices", {}), ("portal:notice-preferences", {}),
        ("notifications:unsubscribe", {"token": token_for(world["owner"], notices.kinds()[0])}),
        ("portal:earning", {"pk": Earning.objects.latest("earned_on").pk}),
        ("portal:disputes", {}), ("portal:dispute", {"pk": world["dispute"].pk}),
        ("portal:dispute-new", {"pk": Earning.objects.latest("earned_on").pk}),
    ]  # fmt: skip
    return [reverse(name, kwargs=kwargs) for name, kwargs in named]


@pytest.mark.parametrize(
    ("viewport", "scheme", "language"),
    [(DESK, "light", "en-GB"), (PHONE, "dark", "fr-FR"), (PHONE, "light", "en-GB"), (DESK, "dark", "fr-FR")],
)
def test_every_page_passes(live_server: Any, world: dict[str, Any], viewport: Any, scheme: str, language: str) -> None:
    found: list[tuple[str, Any]] = []
    with pages(viewport=viewport, color_scheme=scheme, locale=language) as open_page:
        page = open_page()
        page.goto(f"{live_server.url}/accounts/sign-in/")
        found += _problems(page, "sign-in")
        page.fill("[name=username]", world["owner"].email)
        page.fill("[name=password]", "correct horse battery")
        page.click("main form button")
        page.wait_for_url("**/portal/")
        for address in addresses(world):
            page.goto(f"{live_server.url}{address}")
            found += _problems(page, address)
    assert found == []


def _problems(page: Any, address: str) -> list[tuple[str, Any]]:
    results = Axe().run(page, options=RULES)
    found = [
        (address, f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['failureSummary'][:300]}")
        for one in results.response["violations"]
    ]
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return [*found, (address, f"{wide} px wide on {seen}")] if wide > seen else found
