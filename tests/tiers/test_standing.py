"""What a partner is told it still takes."""

from typing import Any

import pytest

from tiers.explaining import helping, lacking
from tiers.rules import Checked, Group, Requirement


def leaf(share: float) -> Checked:
    requirement = Requirement("rule", measure="sales", comparison="at_least", threshold=100)
    return Checked(requirement, share >= 1, round(share * 100), 100)


def group(needed: int, *children: Any) -> Checked:
    node = Group("rule", "at_least", tuple(child.node for child in children), needed)
    return Checked(node, sum(child.met for child in children) >= needed, children=children)


@pytest.mark.parametrize(
    ("tree", "takes", "helps"),
    [
        (None, 0, []),
        (leaf(1), 0, []),
        (leaf(0.5), 1, [0.5]),
        (group(3, leaf(0.9), leaf(0.2), group(2, leaf(1), leaf(0), leaf(0.1))), 3, [0.9, 0.2, 0, 0.1]),
        (group(2, leaf(0.9), group(1, leaf(1), leaf(0))), 1, [0.9]),  # what a met group lacks helps nobody
        (group(1, group(3, leaf(0), leaf(0), leaf(0)), group(2, leaf(0), leaf(0.3))), 2, [0, 0, 0, 0, 0.3]),
        (group(0), 0, []),
    ],
)
def test_what_is_lacking_is_the_least_that_would_do(tree: Any, takes: int, helps: list[float]) -> None:
    assert lacking(tree) == takes
    assert [(one.figure or 0) / 100 for one in helping(tree)] == helps
