"""Whose payment details are missing. Who keeps them registers above; without anybody, nobody's are."""

from collections.abc import Callable, Collection

Have = Callable[[Collection[int]], Collection[int]]
_registered: list[Have] = []


def register(have: Have) -> None:
    """`have(partner_ids)` gives those of the partners that can be paid. Registering again changes nothing."""
    if have not in _registered:
        _registered.append(have)


def anybody_knows() -> bool:
    return bool(_registered)


def missing(partner_ids: Collection[int]) -> set[int]:
    """Those of the partners that nobody knows how to pay."""
    found = set(partner_ids)
    for have in _registered:
        found -= set(have(found))
    return found if _registered else set()
