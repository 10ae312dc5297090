"""Measures made of measures, from base figures. No database."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiers.figures import CircleError, Figure, complete, order
from tiers.rules import Facts

DAY = date(2026, 5, 15)


def made(definition: dict[str, Any], *of: Figure, unit: str = "count") -> Figure:
    """The figure of a measure made of `a`, `b`, `c`."""
    keys = ("a", "b", "c")[: len(of)]
    definitions = {**{key: {"aggregate": "count"} for key in keys}, "made": definition}
    whole, split = complete(definitions, dict(zip(keys, of, strict=True)), {}, {}, DAY, dict.fromkeys(keys, unit))
    assert split == {}
    return whole["made"]


@pytest.mark.parametrize(
    ("definition", "of", "figure"),
    [
        ({"ratio": ["a", "b"]}, (3, 4), Fraction(3, 4)),
        ({"ratio": ["a", "b"]}, (4, 4), 1),
        ({"ratio": ["a", "b"]}, (0, 4), 0),
        ({"ratio": ["a", "b"]}, (3, 0), 0),
        ({"ratio": ["a", "b"]}, (Fraction(1, 2), Fraction(1, 3)), Fraction(3, 2)),
        ({"growth": ["a", "b"]}, (110, 100), Fraction(1, 10)),
        ({"growth": ["a", "b"]}, (90, 100), Fraction(-1, 10)),
        ({"growth": ["a", "b"]}, (100, 0), 0),
        ({"growth": ["a", "b"]}, (100, -10), 0),
        ({"growth": ["a", "b"], "minimum_base": 100}, (200, 99), 0),
        ({"growth": ["a", "b"], "minimum_base": 100}, (200, 100), 1),
        ({"difference": ["a", "b"]}, (1, 10), -9),
        ({"total": ["a", "b", "c"]}, (1, 10, 100), 111),
        ({"total": ["a", "b"]}, (Fraction(1, 2), Fraction(1, 2)), 1),
        ({"largest": ["a", "b", "c"]}, (1, 100, 10), 100),
        ({"smallest": ["a", "b", "c"]}, (10, 100, 1), 1),
    ],
)
def test_each_form(definition: dict[str, Any], of: tuple[Figure, ...], figure: Figure) -> None:
    assert made(definition, *of) == figure


@pytest.mark.parametrize(
    ("figure", "score"),
    [(-1, 0), (9, 0), (10, 5), (Fraction(199, 10), 5), (20, Fraction(17, 2)), (1000, Fraction(17, 2))],
)
def test_a_score_gives_what_the_highest_band_reached_gives(figure: Figure, score: Figure) -> None:
    bands = [{"from": 20, "gives": "8.5"}, {"from": 10, "gives": 5}]
    assert made({"score": "a", "bands": bands}, figure) == score


@pytest.mark.parametrize(("figure", "score"), [(-5, 0), (0, 0), (1, 5), (3, 15), (19, 95), (20, 100), (21, 100)])
def test_a_score_in_proportion_stops_at_all_of_it(figure: int, score: int) -> None:
    assert made({"score": "a", "full_at": 20, "gives": 100}, figure) == score


def test_what_a_definition_says_of_amounts_is_in_the_currency() -> None:
    """Figures of amounts are ten-thousandths: a base of 1,000 is 10,000,000 of them."""
    growth = {"growth": ["a", "b"], "minimum_base": "1000"}
    assert made(growth, 20_000_000, 10_000_000, unit="amount") == 1
    assert made(growth, 20_000_000, 9_999_999, unit="amount") == 0
    bands = [{"from": "0.5", "gives": 1}]
    assert [made({"score": "a", "bands": bands}, units, unit="decimal") for units in (4_999, 5_000)] == [0, 1]
    assert made({"score": "a", "full_at": "1", "gives": 10}, 5_000, unit="amount") == 5


def test_counts_over_a_declared_number_are_an_exact_share() -> None:
    """A declared number is kept in ten-thousandths: 4 of 12.5 people are 32%."""
    definitions: dict[str, Any] = {"share": {"ratio": ["certified", "declared"]}, "certified": {}, "declared": {}}
    units = {"share": "ratio", "certified": "count", "declared": "decimal"}
    for certified, declared, share in (
        (4, 125_000, Fraction(8, 25)),
        (3, 90_000, Fraction(1, 3)),
        (5, 50_000, 1),
        (5, 0, 0),
    ):
        figures, _split = complete(definitions, {"certified": certified, "declared": declared}, {}, {}, DAY, units)
        assert figures["share"] == share


@given(st.integers(0, 10**6), st.decimals("0.0001", 10**6, places=4))
def test_a_share_of_a_declared_number_is_that_of_what_people_read(count: int, declared: Decimal) -> None:
    definitions: dict[str, Any] = {"share": {"ratio": ["a", "b"]}, "a": {}, "b": {}}
    stored = {"a": count, "b": int(declared * 10_000)}
    figures, _split = complete(definitions, stored, {}, {}, DAY, {"share": "ratio", "a": "count", "b": "decimal"})
    assert figures["share"] == Fraction(count) / Fraction(declared)


@pytest.mark.parametrize(
    ("unit", "start", "passed"),
    [
        ("days", "2026-05-15", 0),
        ("days", "2026-05-14", 1),
        ("days", "2026-05-16", 0),
        ("days", "2025-05-15", 365),
        ("months", "2026-04-16", 0),
        ("months", "2026-04-15", 1),
        ("months", "2025-05-15", 12),
        ("years", "2025-05-16", 0),
        ("years", "2025-05-15", 1),
        ("years", "2016-05-15", 10),
    ],
)
def test_a_tenure_is_whole_units_from_the_start(unit: str, start: str, passed: int) -> None:
    definitions = {"t": {"tenure": "enrollment", "unit": unit}}
    traits = {"enrolled_on": (start,), "joined_on": ("2000-01-01",)}
    assert complete(definitions, {}, {}, traits, DAY, {"t": "count"})[0] == {"t": passed}


def test_each_tenure_reads_its_own_start_and_is_0_without_one() -> None:
    definitions = {one: {"tenure": one, "unit": "days"} for one in ("enrollment", "joined", "tier")}
    traits = {"enrolled_on": ("2026-05-14",), "joined_on": ("2026-05-05",)}
    figures, _split = complete(definitions, {}, {}, traits, DAY, {})
    assert figures == {"enrollment": 1, "joined": 10, "tier": 0}


def test_a_leap_day_is_a_month_older_on_the_last_day_of_february() -> None:
    definitions = {"t": {"tenure": "joined", "unit": "years"}}
    for on, years in ((date(2025, 2, 27), 0), (date(2025, 2, 28), 1), (date(2028, 2, 28), 3), (date(2028, 2, 29), 4)):
        assert complete(definitions, {}, {}, {"joined_on": ("2024-02-29",)}, on, {})[0] == {"t": years}


def test_a_member_without_facts_has_the_figure_that_follows_from_the_whole() -> None:
    definitions: dict[str, Any] = {
        "a": {"aggregate": "count", "by": "category"},
        "whole": {"aggregate": "count"},
        "others": {"difference": ["whole", "a"]},
        "twice": {"total": ["others", "others"]},
    }
    units = dict.fromkeys(definitions, "count")
    figures, split = complete(definitions, {"whole": 5}, {"a": {"bikes": 2}}, {}, DAY, units)
    facts = Facts(DAY, figures, split)
    assert [facts.of(member).figures["twice"] for member in ("bikes", "absent")] == [6, 10]


def test_a_measure_of_split_ones_has_a_figure_for_each_of_their_members() -> None:
    definitions: dict[str, Any] = {
        "share": {"ratio": ["a", "b"]},
        "of-whole": {"ratio": ["a", "whole"]},
        "points": {"score": "share", "bands": [{"from": "0.5", "gives": 10}]},
        "twice": {"total": ["whole", "whole"]},
        **{key: {"aggregate": "count", "by": "category"} for key in ("a", "b")},
        "whole": {"aggregate": "count"},
    }
    split: dict[str, dict[str, Figure]] = {
        "a": {"bikes": 1, "parts": 3},
        "b": {"bikes": 10, "helmets": 100, "parts": 4},
    }
    figures, by_member = complete(definitions, {"whole": 1000}, split, {}, DAY, dict.fromkeys(definitions, "count"))
    assert figures == {"whole": 1000, "twice": 2000, "share": 0, "of-whole": 0, "points": 0}
    assert by_member == {
        **split,
        "share": {"bikes": Fraction(1, 10), "parts": Fraction(3, 4), "helmets": 0},
        "of-whole": {"bikes": Fraction(1, 1000), "parts": Fraction(3, 1000)},
        "points": {"bikes": 0, "parts": 10, "helmets": 0},
    }


def test_a_figure_that_is_not_there_is_0_and_what_is_given_stays() -> None:
    definitions = {
        "t": {"total": ["a", "b"]},
        "a": {"aggregate": "count"},
        "b": {"aggregate": "count"},
        "r": {"rank": "a"},
    }
    given_ = {"a": 1, "r": 7}
    figures, _split = complete(definitions, given_, {}, {}, DAY, dict.fromkeys(definitions, "count"))
    assert figures == {"a": 1, "r": 7, "t": 1}
    assert given_ == {"a": 1, "r": 7}


def test_measures_are_made_after_what_they_are_made_of() -> None:
    definitions: dict[str, Any] = {
        "d": {"total": ["c", "b"]}, "c": {"score": "b", "full_at": 1, "gives": 1}, "b": {"rank": "a"}, "a": {},
    }  # fmt: skip
    assert order(definitions) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("definitions", "circle"),
    [
        ({"a": {"total": ["a", "b"]}, "b": {}}, "a → a"),
        (
            {"x": {"total": ["a", "a"]}, "a": {"score": "b"}, "b": {"rank": "c"}, "c": {"ratio": ["d", "a"]}, "d": {}},
            "a → b → c → a",
        ),
    ],
)
def test_a_circle_is_named(definitions: dict[str, Any], circle: str) -> None:
    with pytest.raises(CircleError) as refusal:
        order(definitions)
    assert str(refusal.value) == circle


@given(st.lists(st.fractions(), min_size=2, max_size=5))
def test_a_total_is_exact_and_its_parts_lie_between_smallest_and_largest(of: list[Fraction]) -> None:
    keys = [f"m{number}" for number in range(len(of))]
    definitions: dict[str, Any] = {form: {form: keys} for form in ("total", "largest", "smallest")}
    units = dict.fromkeys(keys, "count")
    figures, _split = complete(definitions, dict(zip(keys, of, strict=True)), {}, {}, DAY, units)
    assert figures["total"] == sum(of)
    assert all(figures["smallest"] <= one <= figures["largest"] for one in of)
