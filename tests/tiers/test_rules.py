"""Pure rules: which tier figures earn."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiers.rules import (
    Case,
    Condition,
    Facts,
    ForEach,
    Group,
    Level,
    Meets,
    Node,
    Requirement,
    Rulebook,
    Span,
    check,
    gap,
    highest_earned,
    is_met,
    keeps,
    progress,
)

DAY = date(2026, 6, 1)


def asks(threshold: Any, comparison: Any = "at_least", measure: str = "sales", **more: Any) -> Requirement:
    return Requirement("rule", measure, comparison, threshold, **more)


def group(kind: Any, *children: Node, at_least: int = 0, including: Any = None) -> Group:
    return Group("rule", kind, children, at_least, including)


def facts(sales: Any = None, **more: Any) -> Facts:
    return Facts(DAY, {} if sales is None else {"sales": sales}, **more)


@pytest.mark.parametrize(
    ("comparison", "met"),
    [
        ("at_least", [False, True, True]),
        ("more_than", [False, False, True]),
        ("at_most", [True, True, False]),
        ("less_than", [True, False, False]),
        ("equal", [False, True, False]),
    ],
)
def test_each_comparison_at_its_boundary(comparison: str, met: list[bool]) -> None:
    assert [is_met(asks(10, comparison), facts(figure)) for figure in (9, 10, 11)] == met


def test_a_figure_that_is_not_there_is_nothing() -> None:
    assert not is_met(asks(1), facts())
    assert is_met(asks(0), facts())


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
        (group("none", NO, NO), True),
        (group("none", NO, YES), False),
        (group("at_least", YES, YES, NO, NO, at_least=2, including=(1, (0, 3))), True),
        (group("at_least", NO, YES, YES, NO, at_least=2, including=(1, (0, 3))), False),
        (group("at_least", YES, NO, NO, YES, at_least=3, including=(1, (0, 3))), False),
        (group("all", YES, group("any", NO, group("at_least", YES, YES, NO, at_least=2))), True),
        (group("all", YES, group("any", NO, group("at_least", YES, NO, NO, at_least=2))), False),
    ],
)
def test_groups(node: Node, met: bool) -> None:
    assert is_met(node, facts()) is met
    assert check(node, facts()).met is met


TREE = st.recursive(
    st.builds(asks, st.integers(0, 5), st.sampled_from(["at_least", "more_than", "at_most", "less_than", "equal"])),
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(lambda rules: group("all", *rules)),
        st.lists(below, min_size=1, max_size=3).map(lambda rules: group("any", *rules)),
        st.lists(below, min_size=2, max_size=4).map(lambda rules: group("at_least", *rules, at_least=2)),
    ),
    max_leaves=10,
)


@given(TREE, st.integers(0, 6))
def test_the_explained_tree_says_what_the_rule_says(node: Node, figure: int) -> None:
    assert check(node, facts(figure)).met is is_met(node, facts(figure))


BOOK = Rulebook(
    (
        Level(1, 1, "one"),
        Level(2, 2, "two", earn=asks(50), keep=asks(40)),
        Level(3, 3, "three", earn=asks(200), keep=asks(160)),
    )
)


@pytest.mark.parametrize(("figure", "rank"), [(0, 1), (49, 1), (50, 2), (199, 2), (200, 3)])
def test_the_highest_earned(figure: int, rank: int) -> None:
    assert highest_earned(BOOK, facts(figure)).rank == rank


def test_a_higher_tier_needs_no_lower_one() -> None:
    book = Rulebook((Level(1, 1, "one"), Level(2, 2, "two"), Level(3, 3, "three", earn=asks(5))))
    assert highest_earned(book, facts(5)).rank == 3


def test_who_earns_a_tier_keeps_it_whatever_keeping_asks() -> None:
    level = Level(2, 2, "two", earn=asks(50), keep=asks(90))
    assert keeps(level, facts(60))


@pytest.mark.parametrize(
    ("requirement", "figure", "missing", "share"),
    [
        (asks(200), 150, 50, 0.75),
        (asks(200), 250, 0, 1.0),
        (asks(Fraction(4, 5)), Fraction(3, 4), Fraction(1, 20), 0.9375),
        (asks(3, "at_most"), 5, 2, 0.0),
        (asks(3, "at_most"), 3, 0, 1.0),
        (asks(10, "more_than"), 10, 0, 1.0),
    ],
)
def test_the_gap_and_the_way_done(requirement: Requirement, figure: Any, missing: Any, share: float) -> None:
    assert gap(requirement.comparison, figure, requirement.threshold) == missing
    assert progress(requirement.comparison, figure, requirement.threshold) == share


def test_a_case_gives_its_threshold_to_those_it_is_for() -> None:
    small = Condition("when", "segment", "in", ("small", "tiny"))
    here = Condition("when", "country", "equal", ("FR",))
    rule = asks(100, cases=(Case(small, 30), Case(here, 50)))
    for traits, threshold, case in (
        ({}, 100, None),
        ({"country": ("FR",)}, 50, 1),
        ({"country": ("FR",), "segment": ("tiny",)}, 30, 0),  # the first that holds
    ):
        checked = check(rule, facts(threshold, traits=traits))
        assert (checked.met, checked.threshold, checked.case) == (True, threshold, case)
        assert not is_met(rule, facts(threshold - 1, traits=traits))


@pytest.mark.parametrize(
    ("comparison", "values", "has", "met"),
    [
        ("equal", ("a",), ("a",), True),
        ("equal", ("a",), ("b", "a"), True),
        ("equal", ("a",), (), False),
        ("in", ("a", "b"), ("b",), True),
        ("in", ("a", "b"), ("c",), False),
        ("not", ("a",), ("a", "b"), False),
        ("not", ("a",), (), True),
        ("not_in", ("a", "b"), ("c",), True),
        ("not_in", ("a", "b"), ("c", "b"), False),
        ("less_than", ("2026-06-01",), ("2026-05-31",), True),
        ("less_than", ("2026-06-01",), ("2026-06-01",), False),
        ("at_least", ("2026-06-01",), ("2026-06-01",), True),
        ("at_least", ("2026-06-01",), (), False),
    ],
)
def test_conditions(comparison: Any, values: tuple[str, ...], has: tuple[str, ...], met: bool) -> None:
    assert is_met(Condition("rule", "trait", comparison, values), facts(traits={"trait": has})) is met


def test_meets_asks_the_rule_of_another_tier() -> None:
    rule = Meets("rule", "gold")
    assert is_met(rule, facts(10, rules={"gold": asks(10)}))
    assert not is_met(rule, facts(9, rules={"gold": asks(10)}))
    assert not is_met(rule, facts(10))


EACH = ForEach("rule", asks(1, measure="certified"), of=asks(500, measure="spend"))


@pytest.mark.parametrize(
    ("spend", "certified", "met", "members"),
    [
        ({}, {}, True, ()),
        ({"search": 499}, {}, True, ()),
        ({"search": 500}, {}, False, ("search",)),
        ({"video": 500, "search": 900}, {"search": 1, "video": 1}, True, ("search", "video")),
        ({"video": 500, "search": 900}, {"search": 1}, False, ("search", "video")),
    ],
)
def test_for_each_member_that_the_set_holds(spend: Any, certified: Any, met: bool, members: Any) -> None:
    checked = check(EACH, facts(split={"spend": spend, "certified": certified}))
    assert (checked.met, checked.members) == (met, members)
    assert is_met(EACH, facts(split={"spend": spend, "certified": certified})) is met


def test_for_one_of_named_members() -> None:
    rule = ForEach("rule", asks(750, measure="score"), members=("emea", "apac", "amer"), at_least=1)
    assert is_met(rule, facts(split={"score": {"apac": 750}}))
    assert not is_met(rule, facts(split={"score": {"apac": 749, "elsewhere": 900}}))


def span(kind: Any, *, more: bool = False) -> Span:
    return Span("rule", kind, 6, "months", more, "criteria", asks(10))


@pytest.mark.parametrize(
    ("past", "tonight", "unbroken", "more", "any_day"),
    [
        ([], 10, False, False, True),
        ([(date(2025, 12, 1), True)], 10, True, False, True),
        ([(date(2025, 11, 30), True)], 10, True, True, True),
        ([(date(2025, 12, 2), True)], 10, False, False, True),
        ([(date(2025, 11, 1), True), (date(2026, 3, 1), False), (date(2026, 3, 2), True)], 10, False, False, True),
        ([(date(2025, 11, 1), True)], 9, False, False, True),
        ([(date(2025, 11, 1), True), (date(2025, 12, 1), False)], 9, False, False, False),
        ([(date(2025, 11, 1), True), (date(2025, 12, 2), False)], 9, False, False, True),
        ([(date(2025, 11, 1), False)], 9, False, False, False),
    ],
)
def test_rules_over_time(past: Any, tonight: int, unbroken: bool, more: bool, any_day: bool) -> None:
    known = facts(tonight, history={"criteria": tuple(past)})
    assert is_met(span("unbroken"), known) is unbroken
    assert is_met(span("unbroken", more=True), known) is more
    assert is_met(span("any_day"), known) is any_day
    assert check(span("any_day"), known).met is any_day
