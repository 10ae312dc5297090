"""Two editions compared, in words: what a partner of the one would read differently in the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.translation import gettext as _

from common.templatetags import show
from tiers import lexicon as lexicons
from tiers import wording
from tiers.lexicon import Lexicon
from tiers.models import Edition, TierBenefit


@dataclass(frozen=True, slots=True)
class Line:
    """A line of what an edition says, `sign` "" where both say it, "+" and "-" where the newer or older alone does."""

    sign: str
    says: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A tier, a distinction or the life of tiers, with its lines. `is_same` where nothing differs."""

    title: str
    lines: tuple[Line, ...]

    @property
    def is_same(self) -> bool:
        return not any(line.sign for line in self.lines)


def compare(older: Edition, newer: Edition) -> list[Part]:
    """Every part of both, those of the newer one first and in its order. A fixed number of queries."""
    before, after = _parts(older), _parts(newer)
    keys = [*after, *(key for key in before if key not in after)]
    return [
        Part((after.get(key) or before[key])[0], tuple(_difference(_lines(before, key), _lines(after, key))))
        for key in keys
    ]


Said = tuple[int, str]


def _lines(parts: dict[str, tuple[str, list[Said]]], key: str) -> list[Said]:
    return parts[key][1] if key in parts else []


def _difference(before: list[Said], after: list[Said]) -> Iterator[Line]:
    for what, b_from, b_to, a_from, a_to in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            yield from (Line("", says, depth) for depth, says in after[a_from:a_to])
            continue
        yield from (Line("-", says, depth) for depth, says in before[b_from:b_to])
        yield from (Line("+", says, depth) for depth, says in after[a_from:a_to])


def _parts(edition: Edition) -> dict[str, tuple[str, list[Said]]]:
    words = lexicons.read(edition)
    book = words.rulebook()
    given: dict[int, list[TierBenefit]] = {}
    benefits = TierBenefit.objects.filter(tier__edition=edition).select_related("benefit")
    for one in benefits.order_by("benefit__position", "benefit"):
        given.setdefault(one.tier_id, []).append(one)
    parts: dict[str, tuple[str, list[Said]]] = {
        "life": (_("Life of a tier"), [(0, one) for one in wording.life(edition)])
    }
    for said in wording.tiers_in_words(words, book):
        lines = [*_asked(said), *((0, _benefit(one, words)) for one in given.get(said.tier.pk, []))]
        parts[f"tier {said.tier.code}"] = (str(said.tier.name), [(0, one) for one in wording.flags(said.tier)] + lines)
    for said in wording.distinctions_in_words(words, book):
        parts[f"distinction {said.tier.code}"] = (str(said.tier.name), list(_asked(said)))
    return parts


def _asked(said: wording.TierRules) -> Iterator[Said]:
    for purpose, sentence in ((_("To reach it"), said.earn), (_("To keep it"), said.keep)):
        if sentence is not None:
            yield 0, purpose
            yield from _sentences(sentence, 1)


def _sentences(sentence: wording.Sentence, depth: int) -> Iterator[Said]:
    yield depth, sentence.says
    for child in sentence.children:
        yield from _sentences(child, depth + 1)


def _benefit(one: TierBenefit, words: Lexicon) -> str:
    said = _("Gives: %(benefit)s") % {"benefit": one.benefit.name}
    if one.terms:
        said = f"{said} ({one.terms})"
    if one.quantity is None:
        return said
    much = (
        show.money_short(one.quantity, words.currency)
        if one.benefit.kind == "money"
        else show.quantity(int(one.quantity))
    )
    return " ".join(part for part in (f"{said}, {much}", one.get_per_display() if one.per else "") if part)
