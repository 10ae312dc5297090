"""Where towns are, offline, from the bundled place names (`places/data/README.md` names their source).

The files are kept as they lie, sorted text, and searched by halving: 14 MB once per process that asks, no more.
"""

import gzip
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel import Locale

from places.names import key
from places.regions import region_code, region_name

DATA = Path(__file__).resolve().parent / "data"
CITY = "city"
LANGUAGES = ("en", "fr")
POSTAL_CODE = re.compile(r"\b\d{4,5}\b")


@dataclass(frozen=True, slots=True)
class Place:
    """A town. Degrees are WGS 84; `accuracy` is that of a partner's location placed by it."""

    name: str
    country: str
    region: str  # its name where known, as "Oregon"; else empty
    latitude: float
    longitude: float
    population: int
    accuracy: str = CITY

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.region) if part)


class _Lines:
    """Sorted lines of tab-separated text, the first column being what they are found by."""

    def __init__(self, path: Path) -> None:
        self.text = gzip.decompress(path.read_bytes())
        self.starts = array("I", [0])
        self.starts.extend(match.end() for match in re.finditer(b"\n", self.text))

    def __len__(self) -> int:
        return len(self.starts)

    def columns(self, number: int) -> list[str]:
        start = self.starts[number]
        end = self.text.find(b"\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].decode().split("\t")

    def _first(self, found: bytes) -> int:
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            start = self.starts[middle]
            if self.text[start : self.text.index(b"\t", start)] < found:
                low = middle + 1
            else:
                high = middle
        return low

    def equal(self, found: str) -> Iterator[int]:
        yield from self._while(found.encode() + b"\t", found.encode())

    def starting(self, found: str) -> Iterator[int]:
        yield from self._while(found.encode(), found.encode())

    def _while(self, start: bytes, found: bytes) -> Iterator[int]:
        number = self._first(found)
        while number < len(self) and self.text.startswith(start, self.starts[number]):
            yield number
            number += 1


@cache
def _places() -> _Lines:
    return _Lines(DATA / "places.tsv.gz")


@cache
def _other_names() -> _Lines:
    return _Lines(DATA / "other_names.tsv.gz")


@dataclass(frozen=True, slots=True)
class _Candidate:
    number: int
    country: str
    region: str
    population: int

    def place(self) -> Place:
        found, country, region, latitude, longitude, population, name = _places().columns(self.number)
        return Place(
            name or found.title(), country, region_name(region, country), float(latitude), float(longitude),
            int(population),
        )  # fmt: skip


def _candidates(found: str, country: str, *, prefix: bool = False) -> list[_Candidate]:
    """Towns of that name, or of that other name; by a beginning, their own names alone: other names are too many."""
    places, other = _places(), _other_names()
    if prefix:
        numbers = set(places.starting(found))
    else:
        numbers = {*places.equal(found), *(int(other.columns(number)[1]) for number in other.equal(found))}
    candidates = []
    for number in sorted(numbers):
        columns = places.columns(number)
        if not country or columns[1] == country:
            candidates.append(_Candidate(number, columns[1], columns[2], int(columns[5])))
    return candidates


def locate(city: str, region: str = "", postal_code: str = "", country: str = "") -> Place | None:
    """The town that an address means, or None where it cannot be told.

    Case, accents and punctuation do not matter. Among towns of one name in a country, one in the region is preferred
    (by region, or by a French postal code), then the most populous. Without a country nothing is guessed.
    """
    found = key(city)
    if not found or not country:
        return None
    country = country.upper()
    candidates = _candidates(found, country)
    if not candidates:
        return None
    wanted = region_code(region, postal_code, country)
    return max(candidates, key=lambda one: (one.region == wanted, one.population, -one.number)).place()


def search(text: str, country: str | None = None, limit: int = 8) -> list[Place]:
    """Towns that a person may mean by `text`, most likely first: "lyon", "Portland, OR", "69003 Lyon, France".

    A region or country after a comma narrows the list where it can. Towns of exactly that name come before those whose
    name starts with it; then the most populous.
    """
    head, *hints = [key(POSTAL_CODE.sub(" ", part)) for part in text.split(",")]
    if len(head) < 2:
        return []
    found = _ranked(_candidates(head, (country or "").upper()), hints)
    if len(found) < limit and len(head) > 2:
        more = _ranked(_candidates(head, (country or "").upper(), prefix=True), hints)
        known = {one.number for one in found}
        found += [one for one in more if one.number not in known]
    return [one.place() for one in found[:limit]]


def _ranked(candidates: list[_Candidate], hints: list[str]) -> list[_Candidate]:
    meant = [one for one in candidates if any(_fits(one, hint) for hint in hints if hint)]
    return sorted(meant or candidates, key=lambda one: (-one.population, one.number))


def _fits(candidate: _Candidate, hint: str) -> bool:
    return _countries().get(hint) == candidate.country or region_code(hint, "", candidate.country) == candidate.region


@cache
def _countries() -> dict[str, str]:
    """Country codes by name in the site's languages, and by themselves."""
    names: dict[str, str] = {"uk": "GB", "usa": "US"}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                names.setdefault(key(name), code)
                names.setdefault(key(code), code)
    return names
