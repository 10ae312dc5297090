"""The points table as staff and files write it: what is wrong in it and where, which of its rows stand, its rows in words.

The document is {"points": rows}, with the rows as a program file has them (docs/program-file.md, Points).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Exists, Max, OuterRef
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker

from common.errors import ProgramError
from points import expected, rules, wording
from points.documents import Document, RowAsked, row_asked
from points.models import Claim, PointRule
from tiers import datasets, drafting, program_file
from tiers.drafting import Problem
from tiers.models import Program

POSITIVE = {"type": "integer", "minimum": 1, "maximum": 1_000_000_000}
MORE_THAN_NOTHING = {
    "anyOf": [POSITIVE, {"type": "string", "pattern": r"^(?=.*[1-9])[0-9]{1,12}(\.[0-9]{1,4})?$"}]
}  # fmt: skip
ANY_NUMBER = {
    "anyOf": [
        {"type": "integer", "minimum": -1_000_000_000, "maximum": 1_000_000_000, "not": {"const": 0}},
        {"type": "string", "pattern": r"^-?(?=.*[1-9])[0-9]{1,12}(\.[0-9]{1,4})?$"},
    ]
}
FILTERS = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/filter"}}
NAME = {"type": "string", "minLength": 1, "maxLength": 200}


def _just(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "additionalProperties": False, "required": list(properties), "properties": properties
    }  # fmt: skip


SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["code", "name", "category", "starts_on", "each", "points"],
        "properties": {
            "code": {"$ref": "#/$defs/code"},
            "name": {"$ref": "#/$defs/texts"},
            "category": {"$ref": "#/$defs/code"},
            "starts_on": {"type": "string", "format": "date"},
            "ends_on": {"type": "string", "format": "date"},
            "dataset": NAME,
            "filters": FILTERS,
            "each": {
                "oneOf": [
                    {"const": "fact"},
                    _just(amount_of=NAME, per=MORE_THAN_NOTHING),
                    _just(distinct=NAME),
                    _just(day_of={"const": "tenure"}),
                ]
            },
            "points": ANY_NUMBER,
            "multipliers": {"type": "array", "minItems": 1, "items": _just(when=FILTERS, times=ANY_NUMBER)},
            "expires": {
                "oneOf": [
                    {"const": rules.WITH_FACT},
                    _just(months={"type": "integer", "minimum": 1, "maximum": 1200}),
                    _just(days={"type": "integer", "minimum": 1, "maximum": 36500}),
                ]
            },
            "at_most": {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": {"occurrences": POSITIVE, "points": MORE_THAN_NOTHING},
            },
            "claims": {"type": "boolean"},
        },
    },
}


# --- Checking -------------------------------------------------------------------------------------


def problems(program: Program, table: list[Document]) -> list[Problem]:
    """Everything that keeps the table from being the program's, each at its place. Two queries."""
    if wrong := shape_problems(table):
        return wrong
    found = [*sense_problems(table, program.currency), *history_problems(granted(program), _asked(table))]
    return list(dict.fromkeys(found))


def shape_problems(table: list[Document]) -> list[Problem]:
    """What no table can hold: missing names, texts where numbers stand."""
    validator = Draft202012Validator(
        {"type": "object", "properties": {"points": SCHEMA}, "$defs": program_file.SCHEMA["$defs"]},
        format_checker=FormatChecker(formats=["date"]),
    )
    document = {"points": table}
    found = [drafting.shape_problem(error) for error in validator.iter_errors(document)]
    return list(dict.fromkeys(found)) or [_placed(said) for said in program_file.text_problems(document)]


def _placed(said: str) -> Problem:
    """A problem in words, "points[1].filters[0]: ...", taken apart."""
    place = re.match(r"(points[\w.\[\]-]*): (.*)", said, re.DOTALL)
    path, text = (place[1], place[2]) if place else ("points", said)
    return Problem(path, text[:1].upper() + text[1:])


def sense_problems(table: list[Document], currency: str) -> Iterator[Problem]:
    """Of a table whose shape is right."""
    return (_placed(said) for said in in_file(table, currency))


def in_file(table: list[Document], currency: str) -> Iterator[str]:
    """The same as lines of text that begin with the place."""
    by_code: dict[str, list[tuple[str, str, str]]] = {}
    for number, row in enumerate(table):
        where = f"points[{number}]"
        ends_on = row.get("ends_on", "9999-12-31")
        if ends_on <= row["starts_on"]:
            yield _("%(where)s: the row ends before it starts.") % {"where": f"{where}.ends_on"}
        by_code.setdefault(row["code"], []).append((row["starts_on"], ends_on, where))
        yield from _row_problems(row, where, currency)
    for code, spans in by_code.items():
        spans.sort()
        for (_starts, ends_on, _where), (starts_on, _ends, where) in zip(spans, spans[1:], strict=False):
            if starts_on < ends_on:
                yield _("%(where)s: two rows of “%(code)s” hold %(day)s: the earlier one needs an end.") % {
                    "where": where, "code": code, "day": starts_on
                }  # fmt: skip


def _row_problems(row: Document, where: str, currency: str) -> Iterator[str]:
    try:
        terms = rules.terms(row)
    except ValueError:
        yield _("%(where)s: multiplied points have more than four decimals.") % {"where": f"{where}.multipliers"}
        return
    if terms.form == "tenure":
        for key in ("dataset", "filters", "multipliers"):
            if key in row:
                yield _("%(where)s: days of tenure are counted without it.") % {"where": f"{where}.{key}"}
        if terms.with_fact or terms.points < 0:
            yield _("%(where)s: days of tenure bring points above nothing, and expire by months or days.") % {
                "where": where
            }
        return
    if not terms.dataset:
        yield _("%(where)s: say which dataset its facts are in.") % {"where": where}
        return
    if terms.most is not None and (terms.points < 0 or any(points < 0 for _when, _times, points in terms.multiplied)):
        yield _("%(where)s: only points above nothing can be limited.") % {"where": f"{where}.at_most.points"}
    try:
        expected.check(terms, currency)
    except KeyError:
        known = ", ".join(dataset.key for dataset in datasets.every())
        yield _("%(where)s: there is no dataset “%(dataset)s”; there are: %(known)s.") % {
            "where": f"{where}.dataset", "dataset": terms.dataset, "known": known
        }  # fmt: skip
    except ProgramError as error:
        yield f"{where}.{error}"


def _asked(table: list[Document]) -> list[RowAsked]:
    return [row_asked(row) for row in table]


# --- What stands ----------------------------------------------------------------------------------


def granted(program: Program) -> list[Any]:
    """The rows as they are kept, with the day of their `last` line of points (or None) and whether a claim names them."""
    claims = Claim.objects.filter(rule=OuterRef("pk"))
    kept = PointRule.objects.filter(program=program).annotate(last=Max("entries__granted_on"), claimed=Exists(claims))
    return list(kept.order_by("position", "id"))


def history_problems(kept: Iterable[Any], table: list[RowAsked]) -> Iterator[Problem]:
    """What of the table would rewrite history, with what to do instead. `kept` is what `granted` gives.

    A row is known by code and first day. Once it granted something, its name, its place, whether it takes claims and a
    later end may change, nothing else, and it stays.
    """
    known = {(rule.code, rule.starts_on): rule for rule in kept}
    asked = {(row.code, row.starts_on) for row in table}
    for key, rule in known.items():
        if key not in asked and (rule.last or rule.claimed):
            yield Problem("points", _stays(rule))
    for number, row in enumerate(table):
        rule = known.get((row.code, row.starts_on))
        if rule is not None and rule.last is not None:
            yield from _rewrites(rule, row, f"points[{number}]")


def _stays(rule: Any) -> str:
    if rule.last is None:
        said = _("The row “%(code)s” from %(day)s has claims, so it stays: give it an end instead.")
    else:
        said = _("The row “%(code)s” from %(day)s has granted points, so it stays: give it an end instead.")
    return said % {"code": rule.code, "day": rule.starts_on}


def _rewrites(rule: Any, row: RowAsked, where: str) -> Iterator[Problem]:
    words = {"code": row.code, "day": row.starts_on, "last": rule.last, "first": rule.last + timedelta(days=1)}
    if (rule.category, rule.terms) != (row.category, row.terms):
        yield Problem(where, _(
            "The row “%(code)s” from %(day)s has granted points up to %(last)s, and its values stay as they were. "
            "Give it an end after that day, and describe what changes in another row that starts there."
        ) % words)  # fmt: skip
    elif row.ends_on != rule.ends_on and row.ends_on is not None and row.ends_on <= rule.last:
        yield Problem(f"{where}.ends_on", _(
            "The row “%(code)s” from %(day)s has granted points on %(last)s: it cannot end before %(first)s."
        ) % words)  # fmt: skip


# --- In words -------------------------------------------------------------------------------------


def in_words(program: Program, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row in each language of the site; nothing where it cannot be said as things stand."""
    if shape_problems([dict(row)]):
        return {}
    return drafting.in_every_language(lambda: drafting.as_json(wording.sentence(row, program.currency)))
