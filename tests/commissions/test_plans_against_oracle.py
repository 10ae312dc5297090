"""Generated plans over generated histories, changed again and again: after each night the ledger is what the oracle says.

`PLAN_ORACLE_EXAMPLES=2000` compares so many of each mix of features; `PLAN_ORACLE_FEATURES=sale,bands,limits` mixes those named. A
failure names its seed.
"""

import os
from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from commissions import sealing
from tests.commissions.plan_histories import ALL, NIGHTS, PLAIN, Chance, beginning, plan, rounds
from tests.commissions.plan_world import PlanWorld, stands

EXAMPLES = int(os.environ.get("PLAN_ORACLE_EXAMPLES", "8"))
FEATURES = frozenset(os.environ.get("PLAN_ORACLE_FEATURES", "").split(",")) - {""}
MIXES = {"asked": FEATURES} if FEATURES else {"plain": PLAIN, "everything": ALL}


def by_seed(examples: int) -> Callable[[Callable[[int], None]], Callable[[], None]]:
    """Seeds, the same ones each time. A smaller seed is no simpler history, so none is looked for."""

    def decorate(test: Callable[[int], None]) -> Callable[[], None]:
        chosen = settings(
            max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        return chosen(given(seed=st.integers(0, 2**40))(test))

    return decorate


def live(seed: int, features: frozenset[str], chunk_size: int) -> PlanWorld:
    """Everything that happens by a seed, night after night; each is compared with the oracle."""
    chance = Chance(seed, features)
    world = PlanWorld(plan(chance), chunk_size=chunk_size)
    world.do(beginning(chance))
    nights = iter(NIGHTS)
    latest = next(nights)
    world.night(latest)
    for happenings, early, goes_on in rounds(chance):
        world.do(happenings)
        if early is not None and early < latest:
            world.earlier_night(early)
        latest = next(nights, latest) if goes_on else latest
        world.night(latest)
    return world


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("mix", MIXES)
def test_the_ledger_is_what_the_oracle_says(mix: str) -> None:
    paid = []

    @by_seed(EXAMPLES)
    def compare(seed: int) -> None:
        with transaction.atomic():
            live(seed, MIXES[mix], chunk_size=(1, 2, 2000)[seed % 3])
            assert list(sealing.verify()) == []
            paid.append(stands())
            transaction.set_rollback(True)

    compare()
    assert sum(1 for one in paid if one) > len(paid) / 2  # a comparison of nothing with nothing says nothing


@pytest.mark.slow
@pytest.mark.django_db
def test_the_size_of_chunks_changes_no_line() -> None:
    @by_seed(max(EXAMPLES // 4, 1))
    def compare(seed: int) -> None:
        found = []
        for chunk_size in (1, 2000):
            with transaction.atomic():
                found.append(live(seed, ALL, chunk_size).lines())
                transaction.set_rollback(True)
        assert found[0] == found[1]

    compare()
