"""The points table as a document: its rows as a program file has them, in the order it says them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from points.models import PointRule
from tiers.models import Program

Document = dict[str, Any]
# The order of docs/program-file.md: PostgreSQL keeps the keys of JSON in one of its own.
TERMS = ("dataset", "filters", "each", "points", "multipliers", "expires", "at_most")
INNER = ("field", "is", "value", "window", "all", "any", "none", "when", "times", "amount_of", "per", "distinct", "day_of",
         "months", "days", "occurrences", "points", "last", "kind", "unit", "count", "starts_month", "full", "from", "to",
         "day", "embargo_days", "ago", "newcomers")  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowAsked:
    """A row as a document describes it."""

    code: str
    name: Mapping[str, str]
    category: str
    starts_on: date
    ends_on: date | None
    terms: Document
    takes_claims: bool = True


def row_asked(row: Document) -> RowAsked:
    """Of a row whose shape is checked."""
    return RowAsked(
        code=row["code"], name=row["name"], category=row["category"], starts_on=date.fromisoformat(row["starts_on"]),
        ends_on=date.fromisoformat(row["ends_on"]) if "ends_on" in row else None,
        terms={key: row[key] for key in TERMS if key in row}, takes_claims=row.get("claims", True),
    )  # fmt: skip


def rows(program: Program) -> list[Document]:
    """The table, in the order of its rows. One query."""
    return [row(rule) for rule in PointRule.objects.filter(program=program).order_by("position", "id")]


def row(rule: PointRule) -> Document:
    ends = {"ends_on": rule.ends_on.isoformat()} if rule.ends_on else {}
    return {
        "code": rule.code, "name": dict(rule.name), "category": rule.category,
        "starts_on": rule.starts_on.isoformat(), **ends,
        **{key: _in_order(rule.terms[key]) for key in TERMS if key in rule.terms},
        **({} if rule.takes_claims else {"claims": False}),
    }  # fmt: skip


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        known = {key: place for place, key in enumerate(INNER)}
        return {key: _in_order(value[key]) for key in sorted(value, key=lambda key: known.get(key, len(known)))}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def fingerprint(table: list[Document]) -> str:
    """The same for the same table; another when anything differs."""
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
