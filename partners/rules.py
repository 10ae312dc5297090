"""Who sponsors whom, as pure rules over intervals: one sponsor on a day, and no circle on any."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple


class Bond(NamedTuple):
    """A sponsor of a partner, by their ids, from a day up to, not including, another; without an end: for good."""

    partner: int
    sponsor: int
    starts_on: date
    ends_on: date | None


def shared(one: Bond, other: Bond) -> tuple[date, date | None] | None:
    """The days that both hold; None where there is none."""
    starts_on = max(one.starts_on, other.starts_on)
    ends = [bond.ends_on for bond in (one, other) if bond.ends_on is not None]
    ends_on = min(ends) if ends else None
    return (starts_on, ends_on) if ends_on is None or starts_on < ends_on else None


def circles(bonds: Sequence[Bond], above: Callable[[set[int]], Iterable[Bond]]) -> set[int]:
    """Places in `bonds` of those through which a partner would, on some day, be its own sponsor's sponsor.

    `above` gives the bonds of partners, those of `bonds` among them; it is asked once for each step up.
    """
    found: set[int] = set()
    climbing = {(place, bond) for place, bond in enumerate(bonds)}
    seen: set[tuple[int, Bond]] = set()
    while climbing:
        seen |= climbing
        by_partner: dict[int, list[Bond]] = {}
        for bond in above({bond.sponsor for _place, bond in climbing}):
            by_partner.setdefault(bond.partner, []).append(bond)
        higher = set()
        for place, bond in climbing:
            for next_one in by_partner.get(bond.sponsor, ()):
                days = shared(bond, next_one)
                if days is None:
                    continue
                if next_one.sponsor == bonds[place].partner:
                    found.add(place)
                else:
                    higher.add((place, Bond(next_one.partner, next_one.sponsor, *days)))
        climbing = {(place, bond) for place, bond in higher - seen if place not in found}
    return found
