"""Many rows into a table at once: COPY on PostgreSQL, one prepared statement elsewhere."""

import io
from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import Field

ROWS_A_COPY = 20_000


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert `rows`, each holding values for `columns` (field names), in the caller's transaction; returns how many.

    Values are what the fields take (Decimal, date, a foreign key's id under its attname). Defaults and keys are the
    database's: name every column that has none there. Memory stays flat: rows are read as they are sent.
    """
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in columns]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    here = connections[DEFAULT_DB_ALIAS]  # not the proxy: it is asked for every value
    prepare = [field.get_db_prep_save for field in fields]
    sent = 0
    batch: list[Sequence[Any]] = []
    for row in rows:
        batch.append([one(value, here) for one, value in zip(prepare, row, strict=True)])
        if len(batch) == ROWS_A_COPY:
            sent += _send(table, names, batch)
            batch = []
    return sent + (_send(table, names, batch) if batch else 0)


def _send(table: str, names: str, batch: list[Sequence[Any]]) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            text = io.StringIO("".join("\t".join(map(_copy_text, row)) + "\n" for row in batch))
            cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", text)
        else:
            marks = ", ".join(["%s"] * len(batch[0]))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", batch)  # noqa: S608  # our own names
    return len(batch)


def _copy_text(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return str(value)
    adapted = getattr(value, "adapted", value)  # a JSON value arrives wrapped for psycopg2
    text = str(adapted if not hasattr(value, "dumps") else value.dumps(adapted))
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
