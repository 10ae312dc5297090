"""An edition read once: its measures, tiers and distinctions by the names that rules use, and its rules as values."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from tiers import definitions as defined
from tiers import measures, parsing, rules
from tiers.models import Distinction, Edition, Measure, Tier


@dataclass(slots=True)
class Lexicon:
    """What rules of the edition may name. `units` says how a figure is read: amount, decimal, count, ratio, share."""

    edition: Edition
    measures: dict[str, Measure]
    definitions: dict[str, dict[str, Any]]
    units: dict[str, str]
    tiers: list[Tier]  # lowest first
    distinctions: list[Distinction]

    @property
    def currency(self) -> str:
        return self.edition.program.currency

    @property
    def split(self) -> frozenset[str]:
        return frozenset(key for key in self.definitions if defined.is_split(key, self.definitions))

    @property
    def holders(self) -> tuple[Tier | Distinction, ...]:
        """Tiers, then distinctions."""
        return (*self.tiers, *self.distinctions)

    def known(self) -> parsing.Known:
        return parsing.Known(
            units=self.units,
            split=self.split,
            codes=frozenset(one.code for one in self.holders),
            country_groups=frozenset(self.edition.country_groups),
        )

    def name_of(self, code: str) -> str:
        """The name of a tier or distinction; the code where the edition has none of it."""
        return next((str(one.name) for one in self.holders if one.code == code), code)

    def rulebook(self) -> rules.Rulebook:
        """Raises RuleError for rules that name what does not exist or ask about each other in a circle."""
        return parsing.rulebook(
            [(tier.pk, document_of(tier)) for tier in self.tiers],
            [document_of(one) for one in self.distinctions],
            self.known(),
        )


Row = TypeVar("Row", Measure, Tier, Distinction)
KEPT = 64  # published editions whose rows a process keeps


@dataclass(frozen=True, slots=True)
class _Rows:
    """The parts of an edition, in order. Those of a published one are read by many at once: nobody may change them."""

    measures: tuple[Measure, ...]
    tiers: tuple[Tier, ...]
    distinctions: tuple[Distinction, ...]


def read(edition: Edition) -> Lexicon:
    """Three queries for a draft. A published edition never changes: its rows are kept in the process, and read once in all.
    Raises MeasureError for a measure without unit."""
    rows = _read(edition.pk) if edition.published_as is None else _kept(edition.pk, edition.published_as)
    known = {one.key: one for one in _own(rows.measures, edition)}
    definitions = {key: one.definition for key, one in known.items()}
    return Lexicon(
        edition=edition,
        measures=known,
        definitions=definitions,
        units={key: measures.unit_of(one, definitions) for key, one in definitions.items()},
        tiers=_own(rows.tiers, edition),
        distinctions=_own(rows.distinctions, edition),
    )


def _read(pk: int) -> _Rows:
    return _Rows(
        measures=tuple(Measure.objects.filter(edition=pk).order_by("position", "id")),
        tiers=tuple(Tier.objects.filter(edition=pk).order_by("rank")),
        distinctions=tuple(Distinction.objects.filter(edition=pk).order_by("position", "id")),
    )


@lru_cache(maxsize=KEPT)
def _kept(pk: int, published_as: UUID) -> _Rows:
    """`published_as` stands for one publication: an edition of the same id, in another database or after a publication that
    was rolled back, has another."""
    return _read(pk)


def _own(rows: Sequence[Row], edition: Edition) -> list[Row]:
    """The rows as the reader's own, which it may relate to its own edition."""
    own = [copy(one) for one in rows]
    for one in own:
        one.edition = edition
    return own


def document_of(one: Tier | Distinction) -> dict[str, Any]:
    """The parts of a tier or distinction that rules are made of."""
    flags = {"confirm": one.confirm, "granted_only": one.granted_only, **one.life} if isinstance(one, Tier) else {}
    return {"code": one.code, "earn": one.earn, "keep": one.keep, "holds": one.holds, **flags}
