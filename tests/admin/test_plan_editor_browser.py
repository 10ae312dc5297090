"""The plan editor in a real browser: a plan is built from nothing by choosing, checked as it grows, tried and published."""

import os
from datetime import date
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from commissions import plan_drafting, program_section, services
from commissions.models import Plan
from tests.browser import pages
from tests.commissions.facts import paying_program
from tests.factories import make_edition, make_program, make_staff
from tests.test_accessibility import RULES
from tiers.models import Edition, Program

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# The theme's field that finds a partner names itself by what is chosen.
BESIDE_THE_THEME = {"include": [".pp-stack"], "exclude": [".select2-container"]}
DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
PLAN = {
    "name": {"en": "Resellers 2027", "fr": "Revendeurs 2027"},
    "starts_on": "2027-01-01",
    "currency": "EUR",
    "hold_days": 30,
    "rules": [
        {
            "code": "new-customers", "name": {"en": "New customers", "fr": "Nouveaux clients"}, "event": "sale",
            "when": [{"field": "new_customer", "value": True}, {"field": "kind", "is": "in", "value": ["new", "renewal"]}],
            "tiers": ["level-2", "level-3"], "pays": "share", "base": "margin",
            "rate": {"level-2": "0.125", "others": "0.2"}, "at_most": {"line": "500", "year": "20000"},
        },
        {
            "code": "volume", "name": {"en": "Volume", "fr": "Volume"}, "event": "collection", "months": 12, "pays": "share",
            "bands": {
                "over": "quarter", "starts_month": 4, "whole": True,
                "steps": [{"from": "0", "rate": "0.05"}, {"from": "10000", "rate": "0.07"}],
            },
        },
        {
            "code": "sponsor", "name": {"en": "Sponsor", "fr": "Parrain"}, "event": "sale", "to": "sponsor", "pays": "share",
            "base": "earned", "rate": "0.1",
        },
        {
            "code": "certified", "name": {"en": "Certified", "fr": "Certifié"}, "event": "certification", "adds": True,
            "pays": "fixed", "rate": "150",
        },
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _let_the_driver_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def at(place: str) -> str:
    return f'[data-at="{place}"]'


def sign_in(page: Page, live_server: Any) -> None:
    client = Client()
    client.force_login(make_staff())
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])


def open_editor(page: Page, live_server: Any, plan: Plan) -> None:
    sign_in(page, live_server)
    page.goto(live_server.url + reverse("admin:commissions_plan_editor", args=[plan.pk]))
    page.wait_for_selector(".pp-ed-bar")


def new_rule(page: Page, number: int, english: str, french: str, event: str) -> str:
    page.click(at("rules.add"))
    place = f"rules[{number}]"
    page.fill(at(f"{place}.name.en"), english)
    page.fill(at(f"{place}.name.fr"), french)
    page.select_option(at(f"{place}.event"), event)
    return place


def head(page: Page) -> None:
    page.click(at("part.plan"))
    page.select_option(at("plan.currency"), "EUR")
    page.fill(at("plan.hold_days"), "30")


def new_customers(page: Page) -> None:
    place = new_rule(page, 0, "New customers", "Nouveaux clients", "sale")
    page.click(at(f"{place}.when.add"))
    page.select_option(at(f"{place}.when[0].field"), "new_customer")
    page.click(at(f"{place}.when.add"))
    page.select_option(at(f"{place}.when[1].field"), "kind")
    page.select_option(at(f"{place}.when[1].is"), "in")
    page.select_option(at(f"{place}.when[1].value+"), "renewal")
    page.select_option(at(f"{place}.base"), "margin")
    page.check(at(f"{place}.rate.by-tier"))
    page.fill(at(f"{place}.rate.level-1"), "")
    page.fill(at(f"{place}.rate.level-2"), "12.5")
    page.fill(at(f"{place}.rate.level-3"), "")
    page.fill(at(f"{place}.rate.others"), "20")
    for tier in ("level-2", "level-3"):
        page.select_option(at(f"{place}.tiers+"), tier)
    page.click("summary:has-text('Limits')")
    page.fill(at(f"{place}.at_most.line"), "500")
    page.fill(at(f"{place}.at_most.year"), "20000")


def volume(page: Page) -> None:
    place = new_rule(page, 1, "Volume", "Volume", "collection")
    page.fill(at(f"{place}.months"), "12")
    page.select_option(at(f"{place}.mode"), "bands")
    page.select_option(at(f"{place}.bands.over"), "quarter")
    page.select_option(at(f"{place}.bands.starts_month"), "4")
    page.check(at(f"{place}.bands.whole"))
    page.fill(at(f"{place}.bands.steps[0].rate"), "5")
    page.click(at(f"{place}.bands.add"))
    page.fill(at(f"{place}.bands.steps[1].from"), "10000")
    page.fill(at(f"{place}.bands.steps[1].rate"), "7")


def sponsor_and_certified(page: Page) -> None:
    place = new_rule(page, 2, "Certified", "Certifié", "certification")
    page.check(at(f"{place}.adds"))
    page.fill(at(f"{place}.rate"), "150")
    place = new_rule(page, 3, "Sponsor", "Parrain", "sale")
    page.select_option(at(f"{place}.to"), "sponsor")
    page.select_option(at(f"{place}.base"), "earned")
    page.fill(at(f"{place}.rate"), "10")
    page.click(at("part.up"))


def test_a_plan_is_built_from_nothing_tried_and_published(live_server: Any) -> None:
    program = paying_program(slug="resellers")
    with pages(viewport=DESK) as open_page:
        page = open_page()
        sign_in(page, live_server)
        page.goto(live_server.url + reverse("admin:commissions_plan_new_plan"))
        page.select_option("[name=begin]", "empty")
        page.fill("[name=name_en]", "Resellers 2027")
        page.fill("[name=name_fr]", "Revendeurs 2027")
        page.fill("[name=starts_on]", "2027-01-01")
        page.click("button:has-text('Make the draft')")
        page.wait_for_selector(".pp-ed-bar")
        head(page)
        new_customers(page)
        page.wait_for_selector(".pp-ed-words:has-text('Level 2 12.5%, others 20% of the margin')")
        page.wait_for_selector(".pp-ed-words [lang=fr]:has-text('de la marge')")
        volume(page)
        sponsor_and_certified(page)
        page.wait_for_selector(".pp-ed-state:has-text('Not saved yet')")
        page.click(at("save"))
        page.wait_for_selector(".pp-ed-state:has-text('Saved')")
        page.reload()
        page.wait_for_selector(".pp-ed-bar")
        plan = Plan.objects.get(state="draft")
        page.goto(live_server.url + reverse("admin:commissions_plan_publish", args=[plan.pk]))
        page.click("button:has-text('Publish')")
        page.wait_for_selector("text=is published.")
    plan.refresh_from_db()
    assert plan.state == "published"
    assert program_section.dump(program)[-1] == PLAN == imported()


def imported() -> dict[str, Any]:
    """The same plan as another program's file reads it."""
    other = make_program(slug="other")
    Edition.objects.filter(pk=make_edition(other).pk).update(state=Edition.State.PUBLISHED)
    program_section.load(other, [PLAN], None)
    (plan,) = program_section.dump(Program.objects.get(pk=other.pk))
    return plan


def test_mistakes_stand_beside_what_they_concern_and_nothing_typed_is_lost(live_server: Any) -> None:
    program = paying_program()
    plan = services.draft_plan(
        program=program, name={"en": "Draft"}, starts_on=date(2027, 1, 1), definition={"rules": PLAN["rules"][:1]}
    )
    with pages(viewport=DESK) as open_page:
        page = open_page()
        open_editor(page, live_server, plan)
        page.wait_for_selector("text=the plan has to say in which currency")
        page.fill(at("rules[0].rate.level-2"), "180")
        page.wait_for_selector(
            f".pp-ed-rates:has({at('rules[0].rate.level-2')}) .pp-ed-problem:has-text('1.8 is no share')"
        )
        page.click(at("save"))
        page.wait_for_selector(".pp-ed-state:has-text('has to be mended')")
        assert page.input_value(at("rules[0].rate.level-2")) == "180"
    kept = plan_drafting.read(Plan.objects.get(pk=plan.pk))["rules"][0]
    assert kept == {**PLAN["rules"][0], "rate": {"level-2": "1.8", "others": "0.2"}}


@pytest.mark.parametrize(("language", "theme", "size"), [("en", "light", DESK), ("fr", "dark", PHONE)])
def test_the_editor_and_the_calculator_are_accessible(live_server: Any, language: str, theme: str, size: Any) -> None:
    program = paying_program()
    definition = {key: PLAN[key] for key in ("currency", "rules")}
    plan = services.draft_plan(program=program, name={"en": "Draft"}, starts_on=date(2027, 1, 1), definition=definition)
    with pages(viewport=size, locale="fr-FR" if language == "fr" else "en-GB", color_scheme=theme) as open_page:
        page = open_page()
        open_editor(page, live_server, plan)
        for part in ("part.rules[0]", "part.rules[1]", "part.plan"):
            if size is PHONE:
                page.click(".pp-ed-parts-button")
            page.click(at(part))
            page.wait_for_timeout(600)
            found = Axe().run(page, context=".pp-ed", options=RULES).response["violations"]
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.goto(live_server.url + reverse("admin:commissions_plan_calculator", args=[plan.pk]))
        found = Axe().run(page, context=BESIDE_THE_THEME, options=RULES).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
