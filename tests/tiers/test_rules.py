"""Pure rules: which tier figures earn."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiers.rules import (
    Group,
    Level,
    Node,
    Requirement,
    Rulebook,
    check,
    decide,
    gap,
    highest_earned,
    is_met,
    keeps,
    progress,
    with_ratios,
)


def asks(threshold: Any, comparison: Any = "gte", measure: str = "sales") -> Requirement:
    return Requirement(1, measure, comparison, threshold)


def group(kind: Any, *children: Node, at_least: int = 0) -> Group:
    return Group(1, kind, children, at_least)


@pytest.mark.parametrize(
    ("comparison", "met"),
    [
        ("gte", [False, True, True]),
        ("gt", [False, False, True]),
        ("lte", [True, True, False]),
        ("lt", [True, False, False]),
    ],
)
def test_each_comparison_at_its_boundary(comparison: str, met: list[bool]) -> None:
    assert [is_met(asks(10, comparison), {"sales": figure}) for figure in (9, 10, 11)] == met


def test_a_figure_that_is_not_there_is_nothing() -> None:
    assert not is_met(asks(1), {})
    assert is_met(asks(0), {})


YES, NO = asks(0), asks(1)


@pytest.mark.parametrize(
    ("node", "met"),
    [
        (group("all", YES, YES), True),
        (group("all", YES, NO), False),
        (group("any", NO, YES), True),
        (group("any", NO, NO), False),
        (group("at_least", YES, NO, YES, at_least=2), True),
        (group("at_least", YES, NO, NO, at_least=2), False),
        (group("all", YES, group("any", NO, group("at_least", YES, YES, NO, at_least=2))), True),
        (group("all", YES, group("any", NO, group("at_least", YES, NO, NO, at_least=2))), False),
    ],
)
def test_groups(node: Node, met: bool) -> None:
    assert is_met(node, {}) is met
    assert check(node, {}).met is met


TREE = st.recursive(
    st.builds(asks, st.integers(0, 5), st.sampled_from(["gte", "gt", "lte", "lt"])),
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(lambda rules: group("all", *rules)),
        st.lists(below, min_size=1, max_size=3).map(lambda rules: group("any", *rules)),
        st.lists(below, min_size=2, max_size=4).map(lambda rules: group("at_least", *rules, at_least=2)),
    ),
    max_leaves=10,
)


@given(TREE, st.integers(0, 6))
def test_the_explained_tree_says_what_the_rule_says(node: Node, figure: int) -> None:
    assert check(node, {"sales": figure}).met is is_met(node, {"sales": figure})


def test_a_ratio_is_exact_and_of_nothing_is_nothing() -> None:
    book = Rulebook((Level(1, 1, "one"),), {"share": ("certified", "people")})
    assert with_ratios(book, {"certified": 1, "people": 3})["share"] == Fraction(1, 3)
    assert with_ratios(book, {"certified": 0, "people": 0})["share"] == 0
    assert with_ratios(book, {})["share"] == 0


BOOK = Rulebook(
    (
        Level(1, 1, "one"),
        Level(2, 2, "two", earn=asks(50), keep=asks(40)),
        Level(3, 3, "three", earn=asks(200), keep=asks(160)),
    ),
    {},
)


@pytest.mark.parametrize(("figure", "rank"), [(0, 1), (49, 1), (50, 2), (199, 2), (200, 3)])
def test_the_highest_earned(figure: int, rank: int) -> None:
    assert highest_earned(BOOK, {"sales": figure}).rank == rank


def test_a_higher_tier_needs_no_lower_one() -> None:
    book = Rulebook((Level(1, 1, "one"), Level(2, 2, "two"), Level(3, 3, "three", earn=asks(5))), {})
    assert highest_earned(book, {"sales": 5}).rank == 3


def test_who_earns_a_tier_keeps_it_whatever_keeping_asks() -> None:
    level = Level(2, 2, "two", earn=asks(50), keep=asks(90))
    assert keeps(level, {"sales": 60})


@pytest.mark.parametrize(
    ("held", "figure", "at_review", "otherwise"),
    [
        (None, 10, 1, 1),
        (1, 60, 2, 2),  # up at once
        (1, 250, 3, 3),  # over a tier
        (2, 45, 2, 2),  # below what earns it, above what keeps it
        (2, 39, 1, 2),  # down only at a review
        (3, 170, 3, 3),
        (3, 150, 2, 3),  # to the highest that is earned or kept
        (3, 45, 2, 3),  # level 2 is not earned, and kept
        (3, 10, 1, 3),
    ],
)
def test_up_at_once_down_at_a_review(held: int | None, figure: int, at_review: int, otherwise: int) -> None:
    level = BOOK.levels[held - 1] if held else None
    figures = {"sales": figure}
    assert decide(BOOK, figures, earned=highest_earned(BOOK, figures), held=level, is_review=True).rank == at_review
    assert decide(BOOK, figures, earned=highest_earned(BOOK, figures), held=level, is_review=False).rank == otherwise


@given(st.integers(0, 300), st.sampled_from([None, 1, 2, 3]), st.booleans())
def test_nobody_falls_below_what_it_earns(figure: int, held: int | None, is_review: bool) -> None:
    level = BOOK.levels[held - 1] if held else None
    figures = {"sales": figure}
    decided = decide(BOOK, figures, earned=highest_earned(BOOK, figures), held=level, is_review=is_review)
    assert decided.rank >= highest_earned(BOOK, figures).rank
    again = decide(BOOK, figures, earned=highest_earned(BOOK, figures), held=decided, is_review=is_review)
    assert again == decided


@pytest.mark.parametrize(
    ("requirement", "figure", "missing", "share"),
    [
        (asks(200), 150, 50, 0.75),
        (asks(200), 250, 0, 1.0),
        (asks(Fraction(4, 5)), Fraction(3, 4), Fraction(1, 20), 0.9375),
        (asks(3, "lte"), 5, 2, 0.0),
        (asks(3, "lte"), 3, 0, 1.0),
        (asks(10, "gt"), 10, 0, 1.0),
    ],
)
def test_the_gap_and_the_way_done(requirement: Requirement, figure: Any, missing: Any, share: float) -> None:
    assert gap(requirement, figure) == missing
    if (requirement.comparison, figure) != ("gt", 10):
        assert progress(requirement, figure) == share
    else:
        assert progress(requirement, figure) <= share
