"""The admin in a real browser: pages that follow long work, and no script or style that the policy refuses."""

import os
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from commissions.plan_documents import by_tier
from commissions.services import draft_plan
from common.periods import program_today
from tests.admin.world import World, make_world
from tests.browser import pages
from tests.factories import make_partner
from tiers import night, services
from tiers.models import Edition

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _let_the_driver_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def sign_in(page: Any, live_server: Any, world: World) -> None:
    client = Client()
    client.force_login(world.staff)
    page.context.add_cookies([
        {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    ])  # fmt: skip


def test_the_night_s_page_follows_the_night_by_itself(live_server: Any) -> None:
    world = make_world()
    run = night.start(program=world.program, day=program_today())
    with pages() as open_page:
        page = open_page()
        sign_in(page, live_server, world)
        page.goto(live_server.url + reverse("admin:tiers_run_change", args=[run.pk]))
        assert page.inner_text("[data-state]") == "Running"
        night.work(run.pk)
        page.wait_for_selector("[data-progress][data-running=no]")
        assert page.inner_text("[data-state]") == "Done"


def test_no_page_is_refused_a_script_or_a_style(live_server: Any) -> None:
    world = make_world()
    draft: Edition = services.copy_edition(edition=world.edition, name="2027", starts_on=program_today())
    plan = draft_plan(
        program=world.program,
        name={"en": "Plan"},
        starts_on=date(2027, 1, 1),
        definition=by_tier({"level-1": Decimal("0.1")}),
    )
    paths = [
        reverse("admin:index"), reverse("admin:leads_lead_enter"), reverse("admin:imports_import_upload"),
        reverse("admin:leads_lead_offer", args=[world.lead.pk]), reverse("admin:tiers_edition_change", args=[draft.pk]),
        reverse("admin:tiers_edition_editor", args=[draft.pk]), reverse("admin:tiers_attestation_add"),
        reverse("admin:partners_partner_change", args=[world.partner.pk]),
        *(
            reverse(f"admin:commissions_plan_{name}", args=[plan.pk])
            for name in ("change", "editor", "calculator", "try_out", "publish")
        ),
        reverse("admin:commissions_earning_change", args=[world.earning.pk]), reverse("admin:accounts_user_add"),
        *(
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            for model in admin.site._registry
        ),
    ]  # fmt: skip
    with pages() as open_page:
        page = open_page()
        sign_in(page, live_server, world)
        for path in paths:
            response = page.goto(live_server.url + path)
            assert response.status == 200, path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_lead_is_given_to_a_partner_found_by_typing(live_server: Any) -> None:
    world = make_world()
    partner = make_partner(name="Vélo Étoile")
    enrollment = services.enroll(partner=partner, program=world.program, on=program_today())
    services.place(enrollment=enrollment, tier=world.edition.tiers.get(rank=2), on=program_today(), reason="granted")
    with pages() as open_page:
        page = open_page()
        sign_in(page, live_server, world)
        page.goto(live_server.url + reverse("admin:leads_lead_change", args=[world.lead.pk]))
        page.click("text=Give it to a partner")
        page.click(".select2-selection")
        page.fill(".select2-search__field", "toile")
        page.click(".select2-results__option >> text=Vélo Étoile")
        page.click("button >> text=Offer it")
        page.wait_for_selector("text=The lead is offered.")
    world.lead.refresh_from_db()
    assert (world.lead.status, world.lead.partner) == ("offered", partner)
