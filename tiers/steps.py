"""The steps of the night, in order. Apps above register theirs from their own `steps.py`, at start-up.

A step cuts its work into chunks when the step before is done, and works one chunk in one transaction that it does not
open itself. Repeating a chunk changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tiers.models import Run

Bounds = Any  # JSON: what one chunk works on
Counts = dict[str, int]  # summed over chunks into Run.totals


@dataclass(frozen=True, slots=True)
class Step:
    key: str
    label: Any  # lazy text
    position: int  # 10 measure, 20 place, 30 earn, 40 state
    cut: Callable[[Run, int], Iterable[Bounds]]  # (run, chunk size)
    work: Callable[[Run, Bounds], Counts]
    counts: tuple[str, ...] = ()  # what `work` counts: a total to which nothing was added is 0
    nights: bool = True
    dry_runs: bool = False


def ranges(ids: Iterable[int], chunk_size: int) -> Iterator[tuple[int, int]]:
    """Ranges, both ends included, that hold `chunk_size` of the ids each. `ids` come in order and are read once."""
    first = last = None
    for number, pk in enumerate(ids):
        if number % chunk_size == 0:
            if first is not None and last is not None:
                yield first, last
            first = pk
        last = pk
    if first is not None and last is not None:
        yield first, last


_registered: dict[str, Step] = {}


def register(step: Step) -> None:
    if step.key in _registered:
        raise ValueError(f"step {step.key!r} is registered twice")
    _registered[step.key] = step


def of(run: Run) -> list[Step]:
    """The steps of a night, or of a dry run, in order."""
    fitting = (step for step in _registered.values() if (step.dry_runs if run.is_dry else step.nights))
    return sorted(fitting, key=lambda step: step.position)
