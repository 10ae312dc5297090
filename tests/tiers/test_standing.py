"""What a partner is told it still takes."""

from typing import Any

import pytest

from tiers.models import Measure
from tiers.rules import Requirement
from tiers.selectors import ExplainedGroup, ExplainedRequirement, helping, lacking


def leaf(share: float) -> ExplainedRequirement:
    requirement = Requirement(rule_id=1, measure="sales", comparison="gte", threshold=100)
    return ExplainedRequirement(1, Measure(), requirement, int(share * 100), None, share >= 1, None, share)


def group(needed: int, *children: Any) -> ExplainedGroup:
    met = sum(child.met for child in children)
    return ExplainedGroup(1, "at_least", needed, met >= needed, met, children)


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
    assert [one.share for one in helping(tree)] == helps
