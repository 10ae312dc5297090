import csv
import gzip
from pathlib import Path

import pytest

from places import gazetteer
from places.names import key
from places.regions import region_code


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Saint-Étienne", "st. etienne"),
        ("MÜNCHEN", "Munchen"),
        ("Tromsø", "tromso"),
        ("L’Haÿ-les-Roses", "l'hay les roses"),
    ],
)
def test_spellings_of_a_name_share_a_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("city", "region", "postal_code", "country", "latitude", "longitude"),
    [
        ("Lyon", "", "69003", "FR", 45.749, 4.848),
        ("VERRIERES LE BUISSON", "", "91370", "FR", 48.746, 2.268),
        ("Portland", "Oregon", "", "US", 45.523, -122.676),
        ("Portland", "ME", "", "US", 43.657, -70.259),
        ("Portland", "", "", "us", 45.523, -122.676),  # the most populous
        ("London", "Ontario", "", "CA", 42.983, -81.233),
        ("London", "England", "SE1 8HL", "GB", 51.509, -0.126),
        ("Cologne", "", "", "DE", 50.933, 6.95),
        ("Koln", "", "", "DE", 50.933, 6.95),
        ("Frankfurt am Main", "Saarland", "60075", "DE", 50.116, 8.684),  # the region is wrong, the town is not
    ],
)
def test_a_town_is_located(
    city: str, region: str, postal_code: str, country: str, latitude: float, longitude: float
) -> None:
    place = gazetteer.locate(city, region, postal_code, country)
    assert place is not None
    assert (place.latitude, place.longitude) == (latitude, longitude)
    assert place.accuracy == "city"


@pytest.mark.parametrize(
    ("city", "country"),
    [("", "FR"), ("Lyon", ""), ("Chalk Riber", "CA"), ("Lyon", "XX"), ("???", "FR"), ("日本国", "FR")],
)
def test_what_cannot_be_told_is_not_guessed(city: str, country: str) -> None:
    assert gazetteer.locate(city, country=country) is None


def test_a_french_postal_code_tells_homonyms_apart() -> None:
    south = gazetteer.locate("Saint-Gilles", postal_code="30800", country="FR")
    north = gazetteer.locate("Saint-Gilles", postal_code="35590", country="FR")
    assert south is not None
    assert north is not None
    assert (south.latitude, north.latitude) == (43.677, 48.153)
    assert region_code("", "2A004", "FR") == region_code("Corse", "", "FR") == "94"


@pytest.mark.parametrize(
    ("text", "country", "first"),
    [
        ("lyon", None, ("Lyon", "FR", "Auvergne-Rhône-Alpes")),
        ("69003 Lyon", None, ("Lyon", "FR", "Auvergne-Rhône-Alpes")),
        ("Portland, ME", None, ("Portland", "US", "Maine")),
        ("portland, australie", None, ("Portland", "AU", "Victoria")),
        ("Paris, Texas", None, ("Paris", "US", "Texas")),
        ("Los Angeles, CA", None, ("Los Angeles", "US", "California")),
        ("Vancouver, CA", None, ("Vancouver", "CA", "British Columbia")),
        ("london", "CA", ("London", "CA", "Ontario")),
        ("marsei", None, ("Marseille", "FR", "Provence-Alpes-Côte d’Azur")),
        ("Atlanta, Georgia", None, ("Atlanta", "US", "Georgia")),
    ],
)
def test_search_puts_the_likeliest_town_first(text: str, country: str | None, first: tuple[str, str, str]) -> None:
    place = gazetteer.search(text, country)[0]
    assert (place.name, place.country, place.region) == first


@pytest.mark.parametrize("text", ["", " ", ",", "x", "zzzzzzzz", "%_'\"; DROP TABLE", "\x00"])
def test_search_for_nothing_finds_nothing(text: str) -> None:
    assert gazetteer.search(text) == []


def test_search_names_a_town_once() -> None:
    found = gazetteer.search("koln")
    assert len({(place.name, place.latitude) for place in found}) == len(found)


def test_the_bundle_is_sorted_as_it_is_searched() -> None:
    for name in ("places.tsv.gz", "other_names.tsv.gz"):
        with gzip.open(gazetteer.DATA / name, "rb") as lines:
            keys = [line.split(b"\t", 1)[0] for line in lines]
        assert keys == sorted(keys)


RESELLERS = Path(__file__).resolve().parents[2] / "samples/adventureworks/resellers.csv.gz"


def test_679_of_the_701_sample_resellers_are_located() -> None:
    with gzip.open(RESELLERS, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    located = [
        gazetteer.locate(row["City"], row["StateProvinceName"], row["PostalCode"], row["CountryRegionCode"])
        for row in rows
    ]
    assert (len(rows), sum(place is not None for place in located)) == (701, 679)
