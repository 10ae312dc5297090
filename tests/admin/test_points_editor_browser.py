"""The points editor in a real browser: a table is built from nothing by choosing from lists, saved, moved about by keyboard; what
granted something is locked, and followed by a row with other values."""

import json
import os
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from common.periods import program_today
from points import documents
from points.models import PointRule
from tests.admin.test_browser import sign_in
from tests.admin.world import World, make_world
from tests.browser import pages
from tests.factories import make_sale
from tests.points.facts import row, set_rows
from tests.test_accessibility import RULES
from tiers import night, program_file

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


def enter(page: Page, place: str, value: str) -> None:
    """Typed and left: codes are taken as a whole."""
    page.fill(at(place), value)
    page.press(at(place), "Enter")


def open_table(page: Page, live_server: Any, world: World) -> None:
    sign_in(page, live_server, world)
    page.goto(live_server.url + reverse("admin:points_pointrule_editor", args=[world.program.pk]))
    page.wait_for_selector(".pp-ed-bar")


def save(page: Page) -> None:
    with page.expect_response(lambda answer: answer.url.endswith("/save/")):
        page.keyboard.press("Control+s")
    page.wait_for_selector(".pp-ed-state >> text=Saved. The next night grants by it.")


def name_it(page: Page, part: str, english: str, french: str) -> None:
    fill(page, f"{part}.name.en", english)
    fill(page, f"{part}.name.fr", french)


FILE = """[
  {
    "code": "certified-people", "name": {"en": "Certified people", "fr": "Personnes certifiées"}, "category": "skills",
    "starts_on": "2026-03-01", "dataset": "certificates", "each": {"distinct": "member"}, "points": 50,
    "expires": "with_fact", "claims": false
  },
  {
    "code": "new-business", "name": {"en": "New business", "fr": "Nouveaux clients"}, "category": "sales",
    "starts_on": "2026-01-01", "ends_on": "2027-01-01", "dataset": "sales",
    "filters": [{"field": "kind", "value": "new"}, {"any": [{"field": "amount", "is": "at_least", "value": 500}]}],
    "each": {"amount_of": "amount", "per": 1000}, "points": 10,
    "multipliers": [{"when": [{"field": "category", "value": "bikes"}], "times": "1.5"}],
    "expires": {"months": 18}, "at_most": {"occurrences": 40, "points": 500}
  },
  {
    "code": "loyalty", "name": {"en": "Loyalty", "fr": "Fidélité"}, "category": "sales", "starts_on": "2026-01-01",
    "each": {"day_of": "tenure"}, "points": "0.5", "expires": {"days": 90}
  }
]"""


def build_new_business(page: Page) -> None:
    page.click(at("points.add"))
    name_it(page, "points[0]", "New business", "Nouveaux clients")
    enter(page, "points[0].category", "Sales")
    fill(page, "points[0].starts_on", "2026-01-01")
    fill(page, "points[0].ends_on", "2027-01-01")
    choose(page, "points[0].each", "amount_of")
    fill(page, "points[0].points", "10")
    page.click(at("points[0].filters.add"))
    choose(page, "points[0].filters[0].field", "kind")
    choose(page, "points[0].filters[0].value", "new")
    page.click(at("points[0].filters.group"))
    choose(page, "points[0].filters[1].any[0].field", "amount")
    fill(page, "points[0].filters[1].any[0].value", "500")
    page.click(at("points[0].multipliers.add"))
    choose(page, "points[0].multipliers[0].when[0].field", "category")
    fill(page, "points[0].multipliers[0].when[0].value", "bikes")
    fill(page, "points[0].multipliers[0].times", "1.5")
    choose(page, "points[0].expires.kind", "months")
    fill(page, "points[0].expires.months", "18")
    fill(page, "points[0].at_most.occurrences", "40")
    fill(page, "points[0].at_most.points", "500")


def build_loyalty(page: Page) -> None:
    page.click(at("points.add"))
    name_it(page, "points[1]", "Loyalty", "Fidélité")
    fill(page, "points[1].starts_on", "2026-01-01")
    choose(page, "points[1].each", "day_of")
    fill(page, "points[1].points", "0.5")
    choose(page, "points[1].expires.kind", "days")
    fill(page, "points[1].expires.days", "90")


def build_certified(page: Page) -> None:
    page.click(at("points.add"))
    name_it(page, "points[2]", "Certified people", "Personnes certifiées")
    enter(page, "points[2].category", "skills")
    fill(page, "points[2].starts_on", "2026-03-01")
    choose(page, "points[2].dataset", "certificates")
    choose(page, "points[2].each", "distinct")
    choose(page, "points[2].each.distinct", "member")
    fill(page, "points[2].points", "50")
    choose(page, "points[2].expires.kind", "with_fact")
    page.uncheck(at("points[2].claims"))


def test_a_table_is_built_from_nothing_and_is_that_of_a_file(live_server: Any) -> None:
    world = make_world()
    with pages() as open_page:
        page = open_page(viewport=DESK)
        open_table(page, live_server, world)
        build_new_business(page)
        page.wait_for_selector("text=10 points for each whole $1,000 of “Net amount”")
        page.wait_for_selector("text=10 points par tranche entière de")
        build_loyalty(page)
        page.wait_for_selector("text=0.5 point for each day enrolled")
        build_certified(page)
        page.wait_for_selector("text=The points count while it stands")
        for _step in range(2):
            page.focus(at("part.up"))
            page.keyboard.press("Enter")
        save(page)
        assert page.locator(".pp-ed-problem").count() == 0
    exported = json.loads(program_file.export_program(world.program))
    other = program_file.import_program(json.dumps({**exported, "slug": "from-a-file", "points": json.loads(FILE)}))
    expected = program_file.export_program(other).replace("from-a-file", world.program.slug)
    assert program_file.export_program(world.program) == expected
    assert json.dumps(documents.rows(world.program)) == json.dumps(json.loads(FILE))


def granted_row(world: World) -> PointRule:
    """A row whose night has granted 300 points for each of two sales: of last month, and of the day before yesterday."""
    today = program_today()
    assert set_rows(world.program, row(starts_on="2016-01-01"), row("other", starts_on="2016-01-01")) == []
    make_sale(world.partner, amount=Decimal(100), sold_on=today - timedelta(days=2))
    night.work(night.start(program=world.program, day=today).pk)
    return world.program.point_rules.get(code="studio-site")


def test_a_row_that_granted_is_locked_and_followed_by_other_values(live_server: Any) -> None:
    world, today = make_world(), program_today()
    granted_row(world)
    with pages() as open_page:
        page = open_page(viewport=DESK)
        open_table(page, live_server, world)
        page.wait_for_selector("text=It has granted points up to")
        for place in ("code", "category", "starts_on", "points", "dataset", "each", "expires.kind"):
            assert page.is_disabled(at(f"points[0].{place}")), place
        assert page.is_disabled(at("part.remove"))
        for place in ("name.en", "ends_on", "claims"):
            assert page.is_enabled(at(f"points[0].{place}")), place
        fill(page, "points[0].name.en", "Site upgraded")
        fill(page, "successor.day", (today + timedelta(days=5)).isoformat())
        page.click(at("successor"))
        page.wait_for_selector(f"{at('points[1].points')}:enabled")
        fill(page, "points[1].points", "450")
        save(page)
        page.click(at("part.points[0]"))
        page.click(at("successor.show"))
        page.wait_for_selector(at("points[1].points"))
    first, second = world.program.point_rules.filter(code="studio-site").order_by("starts_on")
    assert (str(first.name), first.terms["points"], first.ends_on) == (
        "Site upgraded",
        "300",
        today + timedelta(days=5),
    )
    assert (second.terms["points"], second.starts_on, second.ends_on) == (450, today + timedelta(days=5), None)
    assert [one.code for one in world.program.point_rules.order_by("position")] == [
        "studio-site",
        "studio-site",
        "other",
    ]


def test_what_is_wrong_is_told_beside_it_and_keeps_what_was_typed(live_server: Any) -> None:
    world = make_world()
    assert set_rows(world.program, row(), row("second")) == []
    with pages(refused=True) as open_page:
        page = open_page(viewport=DESK)
        open_table(page, live_server, world)
        page.click(at("part.points[1]"))
        fill(page, "points[1].points", "")
        problem = page.locator('[data-path="points[1].points"] .pp-ed-problem')
        problem.wait_for()
        assert problem.inner_text() == "Something is missing here: fill it in or choose it."
        assert page.inner_text(f"{at('part.points[1]')} .pp-ed-badge") == "1"
        fill(page, "points[1].name.en", "Renamed")
        page.keyboard.press("Control+s")
        page.wait_for_selector(".pp-ed-state--bad >> text=Not saved: what is marked has to be mended first.")
        assert page.input_value(at("points[1].name.en")) == "Renamed"
        assert set_rows(world.program, row(points="1"), row("second")) == []  # somebody else
        fill(page, "points[1].points", "7")
        page.wait_for_selector("text=7 points each time")
        page.keyboard.press("Control+s")
        page.wait_for_selector(".pp-ed-state--bad >> text=Somebody changed this table meanwhile")
        assert page.input_value(at("points[1].name.en")) == "Renamed"
    assert [one.terms["points"] for one in world.program.point_rules.order_by("position")] == ["1", "300"]


def test_a_row_is_tried_on_a_partner_as_it_changes(live_server: Any) -> None:
    world = make_world()
    assert set_rows(world.program, row(starts_on="2016-01-01")) == []
    with pages() as open_page:
        page = open_page(viewport=DESK)
        open_table(page, live_server, world)
        fill(page, "value.partner", "dupont")
        page.wait_for_selector("#pp-ed-found >> text=Cycles Dupont")
        page.keyboard.press("Enter")
        page.wait_for_selector(".pp-ed-value .pp-figure >> text=300 points")
        fill(page, "points[0].points", "20")
        page.wait_for_selector(".pp-ed-value .pp-figure >> text=20 points")
        page.wait_for_selector(".pp-ed-table >> text=It brings 20.")
        fill(page, "points[0].starts_on", date(2090, 1, 1).isoformat())
        page.wait_for_selector(".pp-ed-value .pp-figure >> text=20 points")  # over the last twelve months
        choose(page, "try.days", "own")
        page.wait_for_selector(".pp-ed-value >> text=nothing falls into its days yet")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("size", "language"), [(DESK, "en"), (PHONE, "fr")])
def test_the_editor_is_for_everyone(live_server: Any, scheme: Any, size: Any, language: str) -> None:
    """WCAG 2.2 AA by axe on a locked row, an open one and the rest, and no page scrolls sideways."""
    world = make_world()
    granted_row(world)
    future = {**json.loads(FILE)[1], "starts_on": "2090-01-01", "ends_on": "2091-01-01"}
    assert set_rows(world.program, *documents.rows(world.program), future) == []
    with pages() as open_page:
        page = open_page(viewport=size, color_scheme=scheme)
        page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        open_table(page, live_server, world)
        fill(page, "value.partner", "dupont")
        page.wait_for_selector("#pp-ed-found >> text=Cycles Dupont")
        page.keyboard.press("Enter")
        page.wait_for_selector(".pp-ed-table")
        for part in ("points/studio-site/2016-01-01", "points/new-business/2090-01-01", "categories"):
            page.evaluate("part => { location.hash = part }", part)
            page.wait_for_timeout(800)
            found = Axe().run(page, context=".pp-ed", options=RULES).response["violations"]
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], part
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), part
