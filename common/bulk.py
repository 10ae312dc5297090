"""Many rows into a table at once: COPY on PostgreSQL, one prepared statement elsewhere."""

import io
import json
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import Field

from common.money import AmountField

ROWS_A_COPY = 20_000
# Fields whose values in Python are the database's.
AS_THEY_ARE = (models.ForeignKey, models.IntegerField, models.CharField)
# Fields whose columns repeat few values: each is prepared once.
REPEATING = (models.DateField, models.DecimalField)
ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, stored: Collection[str] = ()
) -> int:
    """Insert `rows`, each holding values for `columns` (field names), in the caller's transaction; returns how many.

    Values are what the fields take (Decimal, date, a foreign key's id under its attname), of the columns named in `stored` what the
    database holds (amounts as whole ten-thousandths). Defaults and keys are the database's: name every column that has
    none there. Memory stays flat: rows are read as they are sent.
    """
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in columns]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    waiting = iter(rows)
    sent = 0
    while batch := list(islice(waiting, ROWS_A_COPY)):
        by_column = zip(*batch, strict=True)
        prepared = [
            values if field.name in stored else _prepared(field, values)
            for field, values in zip(fields, by_column, strict=True)
        ]
        _send(table, names, prepared)
        sent += len(batch)
    return sent


def _prepared(field: "Field[Any, Any]", values: Sequence[Any]) -> Sequence[Any]:
    """A column's values as the driver takes them."""
    if isinstance(field, AS_THEY_ARE) and not isinstance(field, AmountField):
        return values
    here = connections[DEFAULT_DB_ALIAS]  # not the proxy: it is asked for every value
    if isinstance(field, models.JSONField):
        return [
            None if value is None else "{}" if value == {} else json.dumps(value, cls=field.encoder) for value in values
        ]
    if isinstance(field, REPEATING):
        prepared = {value: field.get_db_prep_save(value, here) for value in set(values)}
        return [prepared[value] for value in values]
    return [field.get_db_prep_save(value, here) for value in values]


def _send(table: str, names: str, columns: Sequence[Sequence[Any]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            texts = zip(*map(_copy_texts, columns), strict=True)
            cursor.copy_expert(
                f"COPY {table} ({names}) FROM STDIN", io.StringIO("\n".join(map("\t".join, texts)) + "\n")
            )
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  # our own names
                list(zip(*columns, strict=True)),
            )


def _copy_texts(column: Sequence[Any]) -> Iterable[str]:
    """Numbers alone, and texts with nothing to escape, are most of what is sent: those need no look at each value."""
    kinds = set(map(type, column))
    if kinds <= {int, type(None)}:
        return [r"\N" if value is None else str(value) for value in column]
    if kinds == {str} and ESCAPED.keys().isdisjoint(map(ord, set("".join(column)))):
        return column
    return map(_copy_text, column)


def _copy_text(value: Any) -> str:
    """PostgreSQL, COPY, "Text Format"."""
    if type(value) is int:
        return str(value)
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    adapted = getattr(value, "adapted", value)  # a JSON value arrives wrapped for psycopg2
    text = str(adapted if not hasattr(value, "dumps") else value.dumps(adapted))
    return text.translate(ESCAPED)
