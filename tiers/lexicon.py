"""An edition read once: its measures, tiers and distinctions by the names that rules use, and its rules as values."""

from dataclasses import dataclass
from typing import Any

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


def read(edition: Edition) -> Lexicon:
    """Three queries; one less where the edition's measures are prefetched. Raises MeasureError for a measure without unit."""
    known = {one.key: one for one in sorted(edition.measures.all(), key=lambda one: (one.position, one.pk))}
    definitions = {key: one.definition for key, one in known.items()}
    return Lexicon(
        edition=edition,
        measures=known,
        definitions=definitions,
        units={key: measures.unit_of(one, definitions) for key, one in definitions.items()},
        tiers=list(edition.tiers.order_by("rank")),
        distinctions=list(edition.distinctions.order_by("position", "id")),
    )


def document_of(one: Tier | Distinction) -> dict[str, Any]:
    """The parts of a tier or distinction that rules are made of."""
    flags = {"confirm": one.confirm, "granted_only": one.granted_only, **one.life} if isinstance(one, Tier) else {}
    return {"code": one.code, "earn": one.earn, "keep": one.keep, "holds": one.holds, **flags}
