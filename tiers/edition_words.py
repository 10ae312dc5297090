"""A whole edition in words of the reader's language: for the pages of staff, of drafts and of what is published."""

from dataclasses import dataclass
from typing import Any

from common.errors import ProgramError
from common.templatetags import show
from tiers import drafting, measure_words, parsing, wording
from tiers.lexicon import Lexicon
from tiers.life_words import life_in_words, own_reviews_in_words
from tiers.models import Distinction, Edition, Tier, TierBenefit

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A rule in words, or what is wrong with it."""

    sentence: wording.Sentence | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """A tier or distinction with its rules in words; a rule that there is none of is None."""

    row: Tier | Distinction
    earn: Said | None
    keep: Said | None
    holds: Document
    benefits: tuple[TierBenefit, ...] = ()

    @property
    def reviews(self) -> list[str]:
        """When it is given and lost, where it has reviews of its own."""
        return own_reviews_in_words(self.row.life) if isinstance(self.row, Tier) else []


@dataclass(frozen=True, slots=True)
class EditionInWords:
    tiers: list[Holder]
    distinctions: list[Holder]
    measures: list[tuple[str, str]]  # name, what it is
    life: list[str]
    groups: list[tuple[str, str]]  # name, its countries
    exchange: list[tuple[str, str]]  # so much, counts as


def edition_in_words(edition: Edition) -> EditionInWords:
    """Nothing is refused: what cannot be said says why. A fixed number of queries."""
    lexicon = drafting.lexicon_of(edition, drafting.read(edition))
    rows = edition.tiers.order_by("rank").prefetch_related("tier_benefits__benefit")
    tiers = [_holder(one, lexicon, tuple(one.tier_benefits.all())) for one in rows]
    distinctions = [_holder(one, lexicon) for one in edition.distinctions.order_by("position", "id")]
    names = {one.row.code: str(one.row.name) for one in tiers}
    currency = edition.program.currency
    return EditionInWords(
        tiers=tiers,
        distinctions=distinctions,
        measures=[(str(one.name) or key, _measure(one.definition, lexicon)) for key, one in lexicon.measures.items()],
        life=life_in_words(edition.life, names),
        groups=[
            (name, ", ".join(show.country(code) for code in codes)) for name, codes in edition.country_groups.items()
        ],
        exchange=[
            (f"{rate['amount']} {code}", f"{rate['is']} {currency}") for code, rate in sorted(edition.exchange.items())
        ],
    )


def _holder(row: Tier | Distinction, lexicon: Lexicon, benefits: tuple[TierBenefit, ...] = ()) -> Holder:
    return Holder(row, _said(row.earn, lexicon), _said(row.keep, lexicon), row.holds, benefits)


def _said(rule: Document, lexicon: Lexicon) -> Said | None:
    if not rule:
        return None
    try:
        return Said(wording.sentence(parsing.rule(rule, lexicon.known(), "rule"), lexicon))
    except ProgramError as problem:
        return Said(wrong=str(problem).partition(": ")[2] or str(problem))


def _measure(definition: Document, lexicon: Lexicon) -> str:
    try:
        return measure_words.describe(definition, lexicon)
    except ProgramError as problem:
        return str(problem)
