"""Two editions compared, in words: what a partner of the one would read differently in the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.translation import gettext as _

from tiers import quantities, wording
from tiers.edition_words import Holder, edition_in_words
from tiers.life_words import held_in_words, own_reviews_in_words
from tiers.models import Edition, Tier, TierBenefit


@dataclass(frozen=True, slots=True)
class Line:
    """A line of what an edition says, `sign` "" where both say it, "+" and "-" where the newer or older alone does."""

    sign: str
    says: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A tier, a distinction, the life of tiers, or what else an edition holds, with its lines. `is_same` where nothing differs."""

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
    said = edition_in_words(edition)
    parts: dict[str, tuple[str, list[Said]]] = {"life": (_("Life of a tier"), [(0, one) for one in said.life])}
    for kind, holders in (("tier", said.tiers), ("distinction", said.distinctions)):
        for one in holders:
            parts[f"{kind} {one.row.code}"] = (str(one.row.name), list(_holder(one, edition)))
    measures = [line for name, what in said.measures for line in ((0, name), (1, what))]
    for key, title, lines in (
        ("measures", _("Measures"), measures),
        ("groups", _("Country groups"), [(0, f"{name}: {codes}") for name, codes in said.groups]),
        ("exchange", _("Exchange table"), [(0, f"{much} = {counts_as}") for much, counts_as in said.exchange]),
    ):
        if lines:
            parts[key] = (title, lines)
    return parts


def _holder(one: Holder, edition: Edition) -> Iterator[Said]:
    if isinstance(one.row, Tier) and one.row.granted_only:
        yield 0, _("By invitation")
    if isinstance(one.row, Tier) and one.row.confirm:
        yield 0, _("Given when staff confirm it")
    if isinstance(one.row, Tier):
        yield from ((0, says) for says in own_reviews_in_words(one.row.life))
    if one.holds:
        yield 0, held_in_words(one.holds)
    for purpose, rule in ((_("To reach it"), one.earn), (_("To keep it"), one.keep)):
        if rule is not None:
            yield 0, purpose
            yield from _sentences(rule.sentence, 1) if rule.sentence else iter([(1, rule.wrong)])
    for given in one.benefits:
        yield 0, _benefit(given, edition.program.currency)


def _sentences(sentence: wording.Sentence, depth: int) -> Iterator[Said]:
    yield depth, sentence.says
    for child in sentence.children:
        yield from _sentences(child, depth + 1)


def _benefit(one: TierBenefit, currency: str) -> str:
    said = _("Gives: %(benefit)s") % {"benefit": one.benefit.name}
    if one.terms:
        said = f"{said} ({one.terms})"
    much = quantities.offered(one, currency)
    return f"{said}, {much}" if much else said
