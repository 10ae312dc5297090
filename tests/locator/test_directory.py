import json
from typing import Any

import pytest
from django.test import Client

from partners.models import Partner
from tests.factories import (
    make_enrollment,
    make_location,
    make_partner,
    make_placement,
    make_program,
    make_sales_edition,
)
from tiers.models import Program, Tier

pytestmark = pytest.mark.django_db
PLACES = {
    "Lyon": (45.7485, 4.8467, "FR"), "Paris": (48.8534, 2.3488, "FR"), "Villeurbanne": (45.7667, 4.8833, "FR"),
    "Portland": (45.5234, -122.6762, "US"),
}  # fmt: skip


def placed(city: str, **over: Any) -> Partner:
    latitude, longitude, country = PLACES[city]
    partner = make_partner(name=f"Vélos {city}", **over)
    make_location(partner, city=city, latitude=latitude, longitude=longitude, country=country)
    return partner


def found(query: str = "") -> list[str]:
    """The names on the page, in order."""
    return [partner.name for partner, _tier in Client().get(f"/partners/{query}").context["rows"]]


def names_of_points(query: str = "") -> list[str]:
    return [one["properties"]["name"] for one in points(query)]


def points(query: str = "") -> list[dict[str, Any]]:
    return list(json.loads(Client().get(f"/partners/points.json{query}").content)["features"])


def hold(program: Program, partner: Partner, rank: int) -> None:
    tier = Tier.objects.get(edition__program=program, rank=rank)
    make_placement(make_enrollment(partner, program), tier)


def test_nearest_first_with_the_distance() -> None:
    for city in PLACES:
        placed(city)
    assert found("?near=Lyon&within=500") == ["Vélos Lyon", "Vélos Villeurbanne", "Vélos Paris"]
    rows = Client().get("/partners/?near=Lyon&within=500").context["rows"]
    assert 390 < rows[2][0].distance_km < 394  # Lyon to Paris, great circle
    assert found("?near=Lyon&within=25") == ["Vélos Lyon", "Vélos Villeurbanne"]
    assert names_of_points("?near=Lyon&within=25") == ["Vélos Lyon", "Vélos Villeurbanne"]
    assert points("?near=Lyon&within=25")[0]["properties"]["town"] == "Lyon"


def test_the_map_is_told_what_was_searched_in_any_language() -> None:
    near = Client(HTTP_ACCEPT_LANGUAGE="fr").get("/partners/?near=Lyon&within=50").context["near"]
    assert json.loads(near) == {"name": "Lyon", "at": [4.848, 45.749], "km": 50}
    assert Client().get("/partners/").context["near"] == ""


def test_near_the_antimeridian_both_sides_count() -> None:
    east, west = make_partner(name="East"), make_partner(name="West")
    make_location(east, latitude=-16.8, longitude=179.9, country="FJ")
    make_location(west, latitude=-16.8, longitude=-179.9, country="FJ")
    assert sorted(found("?near=Labasa, Fiji&within=250")) == ["East", "West"]


def test_a_place_nobody_knows_is_said_and_everything_shown() -> None:
    placed("Lyon")
    page = Client().get("/partners/?near=Xyzzyville").content.decode()
    assert "Xyzzyville" in page
    assert "Vélos Lyon" in page


def test_the_highest_tier_comes_first_and_can_be_asked_for() -> None:
    program = make_program()
    edition = make_sales_edition(program)
    edition.state = "published"
    edition.save()
    low, high, none = placed("Lyon"), placed("Paris"), placed("Portland")
    hold(program, low, 1)
    hold(program, high, 3)
    assert found() == [high.name, low.name, none.name]
    assert found("?tier=level-3") == [high.name]
    assert found("?tier=level-9") == []
    assert points("?tier=level-3")[0]["properties"]["tier"] == "Level 3"


def test_conditions_combine_and_each_says_how_many_it_would_show() -> None:
    placed("Lyon", kind="Shop"), placed("Paris", kind="Warehouse"), placed("Portland", kind="Shop")
    assert sorted(found("?country=FR")) == ["Vélos Lyon", "Vélos Paris"]
    assert found("?country=FR&kind=Shop") == ["Vélos Lyon"]
    assert found("?text=paris") == ["Vélos Paris"]
    chips = dict(Client().get("/partners/?kind=Shop").context["chips"])
    assert [(one["name"], one["count"]) for one in chips["Country"]] == [("France", 1), ("United States", 1)]
    assert [(one["name"], one["count"]) for one in chips["Kind of business"]] == [("Shop", 2), ("Warehouse", 1)]


@pytest.mark.parametrize("hidden", [{"is_listed": False}, {"status": "suspended"}, {"status": "left"}])
def test_who_is_not_listed_is_nowhere(hidden: dict[str, Any]) -> None:
    partner = placed("Lyon", **hidden)
    client = Client()
    assert found() == []
    assert points() == []
    for address in (f"/partners/{partner.slug}/", f"/partners/{partner.slug}/contact/"):
        assert client.get(address).status_code == 404
        assert client.post(address, {}).status_code in (404, 405)
    assert partner.slug not in client.get("/sitemap.xml").content.decode()


def test_who_is_not_placed_is_listed_and_not_on_the_map() -> None:
    partner = make_partner(name="Nowhere Bikes")
    make_location(partner, latitude=None, longitude=None, accuracy="unknown")
    assert found() == ["Nowhere Bikes"]
    assert points() == []


@pytest.mark.parametrize("address", ["/partners/", "/partners/?near=Lyon&within=500", "/partners/points.json"])
def test_the_page_costs_the_same_with_many_partners(address: str, django_assert_max_num_queries: Any) -> None:
    counts = []
    for more in (5, 40):
        for _one in range(more):
            placed("Lyon")
        with django_assert_max_num_queries(20) as captured:
            Client().get(address)
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("query", ["?page=99", "?page=x", "?within=abc", "?near=%00", "?tier=%27&country=zz&kind=%25"])
def test_whatever_stands_in_the_address_is_answered(query: str) -> None:
    placed("Lyon")
    assert Client().get(f"/partners/{query}").status_code == 200
