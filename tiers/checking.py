"""Whether an edition, as a document, can be evaluated: what a program file, the editor and publishing ask before anything is kept.

Every problem says where it is, as a path in the document, and what to do.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from common.errors import ProgramError
from tiers import cadence, figures, measures, parsing, rules
from tiers import definitions as defined

Document = dict[str, Any]


def problems(edition: Document, currency: str, where: str) -> Iterator[str]:
    """Everything that is wrong with an edition whose shape the schema found good; nothing where all is well."""
    definitions = {one["key"]: one for one in edition.get("measures", [])}
    wrong = list(_measure_problems(edition, definitions, currency, where))
    yield from wrong
    if wrong:  # rules about measures that cannot be read would be told wrong things
        return
    yield from _tier_problems(edition, where)
    yield from _life_problems(edition, where)
    units = {key: measures.unit_of(one, definitions) for key, one in definitions.items()}
    known = parsing.Known(
        units,
        frozenset(key for key in definitions if defined.is_split(key, definitions)),
        frozenset(one["code"] for one in (*edition["tiers"], *edition.get("distinctions", []))),
        frozenset(edition.get("country_groups", {})),
    )
    try:
        book = parsing.rulebook(
            [(0, tier) for tier in edition["tiers"]], edition.get("distinctions", []), known, where=f"{where}."
        )
    except ProgramError as error:
        yield str(error)
        return
    yield from _circles_of_awards(edition, definitions, book)
    bounds = {key: defined.bounds(key, definitions, units) for key in definitions}
    for holder in book.holders:
        for root in (holder.earn, holder.keep):
            path = parsing.impossible(root, bounds) if root is not None else None
            if path is not None:
                yield _("%(where)s: no figure can ever meet this together with what else is asked.") % {"where": path}


def _measure_problems(edition: Document, definitions: dict[str, Document], currency: str, where: str) -> Iterator[str]:
    for number, one in enumerate(edition.get("measures", [])):
        for part in (*defined.parts_of(one), *([one["rank"]] if "rank" in one else [])):
            if part not in definitions:
                yield _("%(where)s: there is no measure “%(key)s” in this edition.") % {
                    "where": f"{where}.measures[{number}]", "key": part
                }  # fmt: skip
                return
    try:
        figures.order(definitions)
    except ProgramError as error:
        yield f"{where}.measures: {error}"
        return
    for number, one in enumerate(edition.get("measures", [])):
        try:
            measures.check_definition(one, definitions, currency=currency, exchange=edition.get("exchange", {}))
        except ProgramError as error:
            yield f"{where}.measures[{number}]: {error}"


def _tier_problems(edition: Document, where: str) -> Iterator[str]:
    for number, tier in enumerate(edition["tiers"]):
        path = f"{where}.tiers[{number}]"
        if number == 0 and ("earn" in tier or tier.get("granted_only") or tier.get("confirm")):
            yield _("%(where)s: the first tier is the entry tier: enrolling gives it, no rule earns it.") % {
                "where": f"{path}.earn" if "earn" in tier else path
            }
        if number > 0 and "earn" not in tier and not tier.get("granted_only"):
            yield _("%(where)s: the tier needs “earn”, the rule to reach it, or “granted_only”.") % {"where": path}
        if "earn" in tier and tier.get("granted_only"):
            yield _(
                "%(where)s: a tier by invitation has no rule to reach it; what staff look at can stand in “keep”."
            ) % {"where": f"{path}.earn"}
        if number == 0 and ("promotion" in tier or "demotion" in tier):
            yield _("%(where)s: the first tier is the entry tier: it is not reviewed, since nobody loses it.") % {
                "where": path
            }
        if "promotion" in tier and tier.get("granted_only"):
            yield _("%(where)s: a tier by invitation is not given by a review.") % {"where": f"{path}.promotion"}
        yield from _reminder_problems(tier.get("demotion", {}), f"{path}.demotion")


def _life_problems(edition: Document, where: str) -> Iterator[str]:
    codes = {tier["code"] for tier in edition["tiers"]}
    yield from _reminder_problems(edition.get("life", {}).get("demotion", {}), f"{where}.life.demotion")
    for number, deadline in enumerate(edition.get("life", {}).get("deadlines", [])):
        if deadline["tier"] not in codes:
            yield _("%(where)s: there is no tier “%(code)s” in this edition.") % {
                "where": f"{where}.life.deadlines[{number}].tier", "code": deadline["tier"]
            }  # fmt: skip
    for name, group in edition.get("exchange", {}).items():
        for part in ("amount", "is"):
            if not float(group[part]) > 0:
                yield _("%(where)s: has to be more than nothing.") % {"where": f"{where}.exchange.{name}.{part}"}
    for number, measure in enumerate(edition.get("measures", [])):
        window = measure.get("window", {})
        if window.get("kind") == "between" and date.fromisoformat(window["from"]) >= date.fromisoformat(window["to"]):
            yield _("%(where)s: the window ends before it starts.") % {"where": f"{where}.measures[{number}].window"}


def _reminder_problems(reviews: Document, where: str) -> Iterator[str]:
    """A reminder is given between two reviews."""
    longest = cadence.SHORTEST.get(reviews.get("every", ""), 0)
    for days in reviews.get("warn_days", ()):
        if days >= longest:
            yield _("%(where)s: %(days)s days before a review, the review before it is still to come.") % {
                "where": f"{where}.warn_days", "days": days
            }  # fmt: skip


def _circles_of_awards(edition: Document, definitions: dict[str, Document], book: rules.Rulebook) -> Iterator[str]:
    """Distinctions that ask about each other: through `meets`, and through measures of the awards that they are."""
    codes = {one["code"] for one in edition.get("distinctions", [])}
    asks: dict[str, list[str]] = {}
    for code, root in book.earn_rules().items():
        for node in rules.walk(root):
            if isinstance(node, rules.Meets):
                asks.setdefault(code, []).append(node.code)
            elif isinstance(node, rules.Requirement):
                for key in defined.reads(node.measure, definitions):
                    if definitions[key].get("dataset") == "awards":
                        asks.setdefault(code, []).extend(_named(definitions[key].get("filters", []), codes))
    if circle := parsing.find_circle(asks):
        yield _("These ask about each other in a circle: %(codes)s.") % {"codes": " → ".join(circle)}


def _named(filters: list[Document], codes: set[str]) -> list[str]:
    """The codes that filters let through by name."""
    found: list[str] = []
    for one in filters:
        for group in ("all", "any"):
            found += _named(one.get(group, []), codes)
        if one.get("field") == "code" and one.get("is", "equal") in ("equal", "in"):
            value = one["value"]
            found += [code for code in (value if isinstance(value, list) else [value]) if code in codes]
    return found
