"""Documents that belong to a statement. Who writes them registers above; without anybody, there are none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from commissions.models import Statement


@dataclass(frozen=True, slots=True)
class Paper:
    """A document as its partner knows it, and the portal's address that gives it out."""

    title: str
    url: str


PapersOf = Callable[[Statement], Sequence[Paper]]
_registered: list[PapersOf] = []


def register(papers_of: PapersOf) -> None:
    """`papers_of(statement)` gives its documents, oldest first, in a fixed number of queries. Registering again changes nothing."""
    if papers_of not in _registered:
        _registered.append(papers_of)


def papers(statement: Statement) -> list[Paper]:
    return [one for papers_of in _registered for one in papers_of(statement)]
