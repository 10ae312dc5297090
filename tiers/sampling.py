"""What a measure comes to for one enrollment, with nothing written: for staff who build it."""

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.utils.translation import gettext as _

from tiers import compiling, evaluating, explaining, figures, measures, vetting, windows, wording
from tiers import definitions as defined
from tiers.errors import MeasureError
from tiers.lexicon import Lexicon
from tiers.models import Enrollment, Measure
from tiers.rules import Figure, Rulebook

MEMBERS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """In words: the figure, the days that counted, and of a split measure the figure of each member."""

    figure: str
    window: str
    members: list[tuple[str, str]]


def sample(*, lexicon: Lexicon, key: str, enrollment: Enrollment, day: date) -> Sample:
    """What the night of `day` would measure. One statement for each measure of facts behind it, the night's own held to the
    partner, and one for its days.

    Raises MeasureError for a place among partners, which only a night for everyone can tell.
    """
    definitions = {name: one for name, one in lexicon.definitions.items() if name in _behind(key, lexicon.definitions)}
    if any("rank" in one for one in definitions.values()):
        raise MeasureError(
            _("A place among partners is known when everyone is measured: a dry run or a night shows it.")
        )
    plain: dict[str, Figure] = {}
    split: dict[str, dict[str, Figure]] = {}
    for name, definition in definitions.items():
        if "aggregate" not in definition:
            continue
        found = measure_one(lexicon.measures[name], lexicon, enrollment, day)
        if "by" in definition:
            split[name] = found
        else:
            plain[name] = found.get("", 0)
    whole, by_member = figures.complete(
        definitions, plain, split, _traits(lexicon, definitions, enrollment, day), day, lexicon.units
    )
    members = by_member.get(key, {})
    shown = [(name or "–", wording.figure(key, members[name], lexicon)) for name in sorted(members)[:MEMBERS_SHOWN]]
    figure = "" if key in by_member else wording.figure(key, whole.get(key, 0), lexicon)
    period = explaining.window_of(key, lexicon, day, enrollment.starts_on)
    return Sample(
        figure or (_("A figure for each") if shown else _("Nothing counted yet")), wording.window(period), shown
    )


def _behind(key: str, definitions: Any) -> set[str]:
    """The measure and those that it is made of, at any depth."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        one = waiting.pop()
        if one not in found and one in definitions:
            found.add(one)
            waiting += defined.parts_of(definitions[one])
    return found


def _traits(lexicon: Lexicon, definitions: Any, enrollment: Enrollment, day: date) -> dict[str, tuple[str, ...]]:
    if not defined.traits_read(definitions):
        return {}
    behind = replace(lexicon, definitions=definitions, measures={key: lexicon.measures[key] for key in definitions})
    book = evaluating.Book.of(behind, Rulebook(()))
    return evaluating.traits_of(book, [enrollment], day)[enrollment.pk]


def measure_one(measure: Measure, lexicon: Lexicon, enrollment: Enrollment, day: date) -> dict[str, Figure]:
    """The figure by member, of what is not split by "". The statement is the night's, over the partner's facts only."""
    definition = measure.definition
    period = measures.window_of(measure, day, enrollment.starts_on)
    rates = {lexicon.currency: Fraction(1), **vetting.exchange_rates(lexicon.edition.exchange)}
    dataset = measures.dataset_of(definition)
    made = compiling.plan(definition, dataset, day, rates, period, enrollment.program_id)
    months = str(windows.months_in(period)) if period and definition["aggregate"] == "monthly_average" else "1"
    try:
        flat, params = compiling.flat(made)
    except EmptyResultSet:  # filters that no fact can pass
        return {}
    rows = f"SELECT fact_partner AS fact_key, facts.* FROM ({flat}) AS facts WHERE fact_partner = %s"  # noqa: S608  # made by the ORM
    sql, held = compiling.grouped(made, rows, (*params, enrollment.partner_id), months=months)
    with connection.cursor() as cursor:
        cursor.execute(sql, held)
        found = cursor.fetchall()
    return {
        (str(row[1]) if definition.get("by") else ""): evaluating.exact(Fraction(int(row[-2]), int(row[-1])))
        for row in found
    }
