"""Reads over what came from elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models

from records import rules
from records.errors import SAYS
from records.models import PlanTarget, Record, Score
from tiers.models import Award

IDENTITY: dict[type[models.Model], tuple[str, ...]] = {
    Record: ("external_id",),
    Score: ("partner_id", "kind", "scope", "scored_on"),
    PlanTarget: ("partner_id", "key", "starts_on"),
    Award: ("external_id",),
}
HOLDS_TOGETHER = {
    Record: rules.record_problems,
    Score: rules.score_problems,
    PlanTarget: rules.target_problems,
    Award: rules.award_problems,
}
REFERENCES = {"partner", "author", "enrollment"}  # asked of the database by who names them


def problems(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, list[str]]]:
    """What is wrong with the values of rows-to-be, by place in the list, then by field. No query."""
    found: dict[int, dict[str, list[str]]] = {}
    seen: set[Any] = set()
    for place, values in enumerate(rows):
        wrong = {field: [str(SAYS[code])] for field, code in HOLDS_TOGETHER[model](values).items()}
        try:
            model(**values).clean_fields(exclude=REFERENCES)
        except ValidationError as error:
            wrong |= error.message_dict
        own = tuple(values.get(name, "") for name in IDENTITY[model])
        if own in seen:
            named = "external_id" if "external_id" in IDENTITY[model] else "partner"
            wrong.setdefault(named, []).append(str(SAYS["twice"]))
        seen.add(own)
        if wrong:
            found[place] = wrong
    return found


def codes(model: type[models.Model], column: str) -> list[str]:
    """Every value of an indexed column, sorted: one statement that leaps from value to value, however long the table."""
    quote = connection.ops.quote_name
    name, table = quote(str(model._meta.get_field(column).column)), quote(model._meta.db_table)  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE one(code) AS (SELECT min({name}) FROM {table} UNION ALL "  # noqa: S608  # our own names
            f"SELECT (SELECT min({name}) FROM {table} WHERE {name} > one.code) FROM one WHERE one.code IS NOT NULL) "
            "SELECT code FROM one WHERE code IS NOT NULL"
        )
        return [code for (code,) in cursor.fetchall()]
