"""The editor in a real browser: an edition is built by choosing from lists, moved about by keyboard, checked as it grows, published."""

import json
import os
from datetime import date
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page

from tests.admin.test_browser import sign_in
from tests.admin.world import World, make_world
from tests.browser import pages
from tests.test_accessibility import RULES
from tiers import drafting, program_file, services
from tiers.models import Edition

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def _let_the_driver_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def at(place: str) -> str:
    return f'[data-at="{place}"]'


def choose(page: Page, place: str, value: str) -> None:
    page.select_option(at(place), value)


def fill(page: Page, place: str, value: str) -> None:
    page.fill(at(place), value)


def add(page: Page, place: str, entry: str) -> None:
    """Choose from an "Add" menu."""
    page.click(at(place))
    page.click(f"details.pp-ed-menu[open] >> text={entry}")


def draft_of(world: World) -> Edition:
    return Edition.objects.create(program=world.program, name="2030", starts_on=date(2030, 1, 1))


def open_editor(page: Page, live_server: Any, world: World, edition: Edition) -> None:
    sign_in(page, live_server, world)
    page.goto(live_server.url + reverse("admin:tiers_edition_editor", args=[edition.pk]))
    page.wait_for_selector(".pp-ed-bar")


def name_it(page: Page, part: str, english: str, french: str) -> None:
    fill(page, f"{part}.name.en", english)
    fill(page, f"{part}.name.fr", french)


def build_measures(page: Page) -> None:
    """People, those who are certified, and the share of the one in the other."""
    page.click(at("measures.add"))
    name_it(page, "measures[0]", "Sales people", "Commerciaux")
    choose(page, "measures[0].dataset", "members")
    page.click(at("measures[0].filters.add"))
    choose(page, "measures[0].filters[0].field", "job")
    choose(page, "measures[0].filters[0].value", "sales")
    page.click(at("part.copy"))
    name_it(page, "measures[1]", "Certified sales people", "Commerciaux certifiés")
    page.click(at("measures[1].filters.add"))
    choose(page, "measures[1].filters[1].field", "certified")
    fill(page, "measures[1].key", "certified")
    page.press(at("measures[1].key"), "Enter")
    page.click(at("measures.add"))
    choose(page, "measures[2].form", "ratio")
    name_it(page, "measures[2]", "Certified share", "Part certifiée")
    choose(page, "measures[2].ratio[0]", "certified")
    choose(page, "measures[2].ratio[1]", "sales-people")


def build_rule(page: Page) -> None:
    """All of: the share, and at least one of two in a group."""
    add(page, "tiers[1].earn.add", "All of these")
    choose(page, "tiers[1].earn.all[0].measure", "certified-share")
    fill(page, "tiers[1].earn.all[0].value", "80")
    add(page, "tiers[1].earn.all.add", "A requirement")
    choose(page, "tiers[1].earn.all[1].measure", "sales-people")
    fill(page, "tiers[1].earn.all[1].value", "3")
    add(page, "tiers[1].earn.all[1].more", "a group: one of these")
    add(page, "tiers[1].earn.all[1].any.add", "A condition about the partner")
    choose(page, "tiers[1].earn.all[1].any[1].value+", "FR")


def test_an_edition_is_built_from_lists_and_published(live_server: Any) -> None:
    world = make_world()
    edition = draft_of(world)
    with pages() as open_page:
        page = open_page(viewport=DESK)
        open_editor(page, live_server, world, edition)
        page.click(at("tiers.add"))
        name_it(page, "tiers[0]", "Member", "Membre")
        build_measures(page)
        page.click(at("tiers.add"))
        name_it(page, "tiers[1]", "Expert", "Expert")
        build_rule(page)
        page.wait_for_selector("text=Certified share: at least 80%")
        page.wait_for_selector("text=L’une de ces exigences")
        choose(page, "tiers[1].benefits.add", "lead-sharing")
        page.click("text=Save the draft")
        page.wait_for_selector(".pp-ed-state >> text=Saved")
        page.click("text=To the edition: check, publish, copy")
        page.click("text=Publish >> nth=0")
        page.click("button >> text=Publish")
        page.wait_for_selector("text=This edition is published and never changes")
        page.wait_for_selector("text=Certified share: at least 80%")
    edition.refresh_from_db()
    assert edition.state == "published"
    document = drafting.read(edition)
    people = {"field": "job", "value": "sales"}
    assert [{**one, "name": one["name"]["fr"]} for one in document["measures"]] == [
        {"key": "sales-people", "name": "Commerciaux", "aggregate": "count", "dataset": "members",
         "filters": [people], "window": {"kind": "today"}},
        {"key": "certified", "name": "Commerciaux certifiés", "aggregate": "count", "dataset": "members",
         "filters": [people, {"field": "certified", "value": True}], "window": {"kind": "today"}},
        {"key": "certified-share", "name": "Part certifiée", "ratio": ["certified", "sales-people"]},
    ]  # fmt: skip
    member, expert = document["tiers"]
    assert (member["code"], expert["code"]) == ("member", "expert")
    assert expert["benefits"] == [{"code": "lead-sharing"}]
    assert expert["earn"] == {
        "all": [
            {"measure": "certified-share", "is": "at_least", "value": "0.8"},
            {"any": [
                {"measure": "sales-people", "is": "at_least", "value": 3},
                {"partner": "country", "is": "in", "value": ["FR"]},
            ]},
        ]
    }  # fmt: skip


def save(page: Page) -> None:
    """Saved, and answered: the server holds no lock that reading here would meet."""
    with page.expect_response(lambda answer: answer.url.endswith("/editor/save/")):
        page.keyboard.press("Control+s")
    page.wait_for_selector(".pp-ed-state >> text=Saved")


def test_rules_are_moved_by_keyboard_and_come_back_by_undo(live_server: Any) -> None:
    world = make_world()
    edition = services.copy_edition(edition=world.edition, name="2027", starts_on=date(2027, 1, 1))
    tier = edition.tiers.get(rank=2)
    one, two, three = ({"measure": "net-sales-12m", "is": "at_least", "value": value} for value in (1, 2, 3))
    tier.earn = {"all": [one, {"at_least": 1, "of": [two], "including": {"at_least": 1, "of": [0]}}, three]}
    services.save_draft(part=tier)
    rule = "tiers[1].earn"
    with pages() as open_page:
        page = open_page(viewport=DESK)
        open_editor(page, live_server, world, edition)
        page.click(at("part.tiers[1]"))

        def press(place: str) -> None:
            page.focus(at(place))
            page.keyboard.press("Enter")

        press(f"{rule}.all[2].in")  # into the group before it
        press(f"{rule}.all[1].of[1].up")  # the mandatory one is named by its new place
        press(f"{rule}.all[0].down")
        save(page)
        tier.refresh_from_db()
        moved = {"at_least": 1, "of": [three, two], "including": {"at_least": 1, "of": [1]}}
        assert tier.earn == {"all": [moved, one]}
        press(f"{rule}.all[0].of[1].out")
        press(f"{rule}.all[0].remove")
        press("undo")
        save(page)
        tier.refresh_from_db()
        assert tier.earn == {"all": [{"at_least": 1, "of": [three]}, two, one]}


def test_what_is_wrong_is_told_beside_it_and_in_the_list(live_server: Any) -> None:
    world = make_world()
    edition = services.copy_edition(edition=world.edition, name="2027", starts_on=date(2027, 1, 1))
    with pages() as open_page:
        page = open_page(viewport=DESK)
        open_editor(page, live_server, world, edition)
        page.click(at("part.tiers[2]"))
        fill(page, "tiers[2].earn.value", "")
        node = page.locator('[data-path="tiers[2].earn"] .pp-ed-problem')
        node.wait_for()
        assert node.inner_text() == "Something is missing here: fill it in or choose it."
        assert page.inner_text(f"{at('part.tiers[2]')} .pp-ed-badge") == "1"
        fill(page, "tiers[2].earn.value", "300000")
        page.wait_for_selector("text=Net sales: at least $300,000 over 12 months")
        assert page.locator(".pp-ed-problem").count() == 0


def test_the_value_for_a_partner_follows_the_measure(live_server: Any) -> None:
    world = make_world()
    edition = services.copy_edition(edition=world.edition, name="2027", starts_on=date(2027, 1, 1))
    with pages() as open_page:
        page = open_page(viewport=DESK)
        open_editor(page, live_server, world, edition)
        page.click(at("part.measures[0]"))
        fill(page, "value.partner", "dupont")
        page.wait_for_selector("#pp-ed-found >> text=Cycles Dupont")
        page.keyboard.press("Enter")
        page.wait_for_selector(".pp-ed-value >> text=$1,000")
        choose(page, "measures[0].aggregate", "count")
        page.wait_for_selector(".pp-ed-value .pp-figure >> text=/^1$/")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("size", "language"), [(DESK, "en"), (PHONE, "fr")])
def test_the_editor_is_for_everyone(live_server: Any, scheme: Any, size: Any, language: str) -> None:
    """WCAG 2.2 AA by axe on each kind of part, and no page scrolls sideways."""
    world = make_world()
    edition = services.copy_edition(edition=world.edition, name="2027", starts_on=date(2027, 1, 1))
    tier = edition.tiers.get(rank=2)
    tier.earn = {
        "all": [tier.earn, {"at_least": 1, "of": [tier.earn, {"partner": "country", "is": "in", "value": ["FR"]}]}]
    }
    services.save_draft(part=tier)
    with pages() as open_page:
        page = open_page(viewport=size, color_scheme=scheme)
        page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        open_editor(page, live_server, world, edition)
        for part in ("tiers/level-2", "measures/net-sales-12m", "life", "country_groups", "exchange"):
            page.evaluate("part => { location.hash = part }", part)
            page.wait_for_timeout(600)
            found = Axe().run(page, context=".pp-ed", options=RULES).response["violations"]
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], part
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), part


@pytest.mark.slow
def test_every_program_that_ships_opens_whole_and_is_left_as_it_is(live_server: Any) -> None:
    """Looking at each part of a draft changes nothing of it, and finds nothing to mend."""
    world = make_world()
    files = sorted((settings.BASE_DIR / "samples" / "programs").glob("*.json"))
    assert len(files) >= 14
    with pages() as open_page:
        page = open_page(viewport=DESK)
        sign_in(page, live_server, world)
        for path in files:
            document = {**json.loads(path.read_text()), "slug": f"{path.stem.replace('_', '-')}-drafted"}
            document = {key: value for key, value in document.items() if key not in ("plans", "points")}
            document["editions"] = [{**document["editions"][-1], "state": "draft"}]
            program = program_file.import_program(json.dumps(document))
            page.goto(live_server.url + reverse("admin:tiers_edition_editor", args=[program.editions.get().pk]))
            page.wait_for_selector(".pp-ed-bar")
            for number in range(page.locator(".pp-ed-part").count()):
                with page.expect_response("**/editor/words/") as asked:
                    page.locator(".pp-ed-part").nth(number).click()
                assert asked.value.json()["problems"] == [], (path.stem, number)
            page.wait_for_selector(".pp-ed-state >> text=/^Saved$/")
            assert page.locator(".pp-ed-pane").count() == 1, path.stem
