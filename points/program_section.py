"""The points table in program files."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from common.errors import ProgramError
from points import expected, rules, services
from points.models import PointRule
from tiers import datasets, program_file
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
        },
    },
}
# The order of docs/program-file.md: PostgreSQL keeps the keys of JSON in one of its own.
TERMS = ("dataset", "filters", "each", "points", "multipliers", "expires", "at_most")
INNER = ("field", "is", "value", "window", "all", "any", "none", "when", "times", "amount_of", "per", "distinct", "day_of",
         "months", "days", "occurrences", "points", "last", "kind", "unit", "count", "starts_month", "full", "from", "to",
         "day", "embargo_days", "ago", "newcomers")  # fmt: skip


def check(rows: list[dict[str, Any]], document: program_file.Document) -> Iterator[str]:
    by_code: dict[str, list[tuple[str, str, str]]] = {}
    for number, row in enumerate(rows):
        where = f"points[{number}]"
        ends_on = row.get("ends_on", "9999-12-31")
        if ends_on <= row["starts_on"]:
            yield _("%(where)s: the row ends before it starts.") % {"where": f"{where}.ends_on"}
        by_code.setdefault(row["code"], []).append((row["starts_on"], ends_on, where))
        yield from _row_problems(row, where, document["currency"])
    for code, spans in by_code.items():
        spans.sort()
        for (_starts, ends_on, _where), (starts_on, _ends, where) in zip(spans, spans[1:], strict=False):
            if starts_on < ends_on:
                yield _("%(where)s: two rows of “%(code)s” hold %(day)s: the earlier one needs an end.") % {
                    "where": where, "code": code, "day": starts_on
                }  # fmt: skip


def _row_problems(row: dict[str, Any], where: str, currency: str) -> Iterator[str]:
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


def load(program: Program, rows: list[dict[str, Any]], actor: User | None) -> None:
    """Raises ProgramFileError, with every problem, for rows that would rewrite what was granted."""
    problems = services.set_point_rules(
        program=program,
        rows=[
            services.RowAsked(
                code=row["code"], name=row["name"], category=row["category"],
                starts_on=date.fromisoformat(row["starts_on"]),
                ends_on=date.fromisoformat(row["ends_on"]) if "ends_on" in row else None,
                terms={key: row[key] for key in TERMS if key in row},
            )
            for row in rows
        ],
        actor=actor,
    )  # fmt: skip
    if problems:
        raise program_file.ProgramFileError(problems)


def dump(program: Program) -> list[dict[str, Any]]:
    """The rows in the order of the file they came from."""
    described = []
    for rule in PointRule.objects.filter(program=program).order_by("position", "id"):
        ends = {"ends_on": rule.ends_on.isoformat()} if rule.ends_on else {}
        described.append(
            {
                "code": rule.code, "name": dict(rule.name), "category": rule.category,
                "starts_on": rule.starts_on.isoformat(), **ends,
                **{key: _in_order(rule.terms[key]) for key in TERMS if key in rule.terms},
            }
        )  # fmt: skip
    return described


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        known = {key: place for place, key in enumerate(INNER)}
        return {key: _in_order(value[key]) for key in sorted(value, key=lambda key: known.get(key, len(known)))}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def register() -> None:
    program_file.register_section(program_file.Section("points", SCHEMA, check, load, dump))
