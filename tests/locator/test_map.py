import os
from typing import Any

import pytest

from tests.browser import pages
from tests.factories import make_location, make_partner


@pytest.fixture(autouse=True)
def _let_the_driver_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_map_draws_the_partners_of_the_list(live_server: Any) -> None:
    for name, latitude, longitude in (("Lyon", 45.75, 4.85), ("Lyon 2", 45.751, 4.851), ("Paris", 48.85, 2.35)):
        make_location(make_partner(name=name), latitude=latitude, longitude=longitude)
    with pages() as open_page:
        page = open_page()
        page.goto(f"{live_server.url}/partners/?country=FR")
        page.wait_for_selector("[data-map][data-ready=yes] canvas")
        page.wait_for_selector(".cluster")
        assert page.inner_text(".cluster") == "2"
        assert page.inner_text(".finder__count b") == "3 partners"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_map_shows_the_circle_that_was_searched_and_names_its_towns(live_server: Any) -> None:
    for name, city, latitude, longitude in (
        ("A", "Lyon", 45.748, 4.847), ("B", "Lyon", 45.748, 4.847), ("C", "Vienne", 45.525, 4.874),
        ("D", "Paris", 48.853, 2.349),
    ):  # fmt: skip
        make_location(make_partner(name=name), city=city, latitude=latitude, longitude=longitude)
    with pages() as open_page:
        page = open_page()
        page.goto(f"{live_server.url}/partners/?near=Lyon&within=50")
        page.wait_for_selector("[data-map][data-ready=yes] canvas")
        page.wait_for_selector(".town >> text=Vienne")
        assert sorted(page.locator(".town").all_inner_texts()) == ["Lyon", "Vienne"]
        assert page.inner_text(".cluster") == "2"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_without_script_the_list_is_the_page(live_server: Any) -> None:
    make_location(make_partner(name="Cycles Dupont"))
    with pages() as open_page:
        page = open_page(java_script_enabled=False)
        page.goto(f"{live_server.url}/partners/")
        assert page.is_hidden("[data-map]")
        page.click("text=Cycles Dupont")
        assert page.inner_text("h1") == "Cycles Dupont"
