"""Triggers that note what changed: rows in one table lead to rows in another, by whatever door they came.

They are taken away before migrations and put back after: SQLite drops a table's triggers when it rebuilds it, and cannot rebuild a
table that another's trigger reads. On PostgreSQL a note is one statement for all rows that a statement changed; on SQLite
one for each row.
"""

# ruff: noqa: S608  # statements of our own words

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

OPERATIONS = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Note:
    """`rows` is a SELECT of what to note from `{rows}`, the rows of `table` that came or went; `changes` one from `{new}` and
    `{old}`, the same row twice, for those that changed in any of `watched`. Without `changes` a changed row is one that went and
    one that came. `target` is the table with its columns, `columns` those of `table` that the two read.
    """

    table: str
    columns: tuple[str, ...]
    watched: tuple[str, ...]
    target: str
    rows: str
    changes: str = ""
    operations: tuple[str, ...] = OPERATIONS

    def name(self, prefix: str) -> str:
        return f"{prefix}_{self.table}"


def install(prefix: str, notes: Sequence[Note]) -> None:
    """Put the triggers up; those that are there stay as they are."""
    known = _known(prefix)
    with connection.cursor() as cursor:
        for note in notes:
            if note.name(prefix) not in known:
                for statement in (
                    _postgres(prefix, note) if connection.vendor == "postgresql" else _sqlite(prefix, note)
                ):
                    cursor.execute(statement)


def uninstall(prefix: str) -> None:
    """Take down all of the prefix."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name in sorted(_known(prefix)):
                cursor.execute(f'DROP FUNCTION "{name}"() CASCADE')
        else:
            for name in _triggers(prefix):
                cursor.execute(f'DROP TRIGGER "{name}"')


def _known(prefix: str) -> set[str]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT proname FROM pg_proc WHERE starts_with(proname, %s) AND pronamespace = current_schema()::regnamespace",
                [f"{prefix}_"],
            )
            return {name for (name,) in cursor.fetchall()}
    return {name.rpartition("__")[0] for name in _triggers(prefix)}


def _triggers(prefix: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, %s) = %s",
                       [len(prefix) + 1, f"{prefix}_"])  # fmt: skip
        return [name for (name,) in cursor.fetchall()]


def _postgres(prefix: str, note: Note) -> list[str]:
    name = note.name(prefix)
    came = note.rows.format(rows="(SELECT * FROM new_rows)")
    went = note.rows.format(rows="(SELECT * FROM old_rows)")
    new, old = ", ".join(f"n.{one}" for one in note.watched), ", ".join(f"o.{one}" for one in note.watched)
    differ = f"new_rows n JOIN old_rows o ON o.id = n.id WHERE ({new}) IS DISTINCT FROM ({old})"
    if note.changes:
        pairs = ", ".join(f"n.{one} AS new_{one}, o.{one} AS old_{one}" for one in note.columns)
        changed = note.changes.format(pairs=f"(SELECT {pairs} FROM {differ})")
    else:
        changed = note.rows.format(rows=f"(SELECT n.* FROM {differ} UNION ALL SELECT o.* FROM {differ})")
    body = {"INSERT": came, "UPDATE": changed, "DELETE": went}
    branches = "".join(
        f"IF TG_OP = '{one}' THEN INSERT INTO {note.target} {body[one]}; END IF; " for one in note.operations
    )
    tables = {
        "INSERT": "REFERENCING NEW TABLE AS new_rows",
        "UPDATE": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "DELETE": "REFERENCING OLD TABLE AS old_rows",
    }
    return [
        f'CREATE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {branches} RETURN NULL; END $$',
        *(
            f'CREATE TRIGGER "{name}_{one.lower()}" AFTER {one} ON {note.table} {tables[one]} '
            f'FOR EACH STATEMENT EXECUTE FUNCTION "{name}"()'
            for one in note.operations
        ),
    ]


def _sqlite(prefix: str, note: Note) -> list[str]:
    def row(which: str) -> str:
        return f"(SELECT {', '.join(f'{which}.{one} AS {one}' for one in note.columns)})"

    if note.changes:
        pairs = ", ".join(f"NEW.{one} AS new_{one}, OLD.{one} AS old_{one}" for one in note.columns)
        changed = [note.changes.format(pairs=f"(SELECT {pairs})")]
    else:
        changed = [note.rows.format(rows=row("OLD")), note.rows.format(rows=row("NEW"))]
    differs = " OR ".join(f"NEW.{one} IS NOT OLD.{one}" for one in note.watched)
    body = {
        "INSERT": [note.rows.format(rows=row("NEW"))],
        "UPDATE": changed,
        "DELETE": [note.rows.format(rows=row("OLD"))],
    }
    return [
        f'CREATE TRIGGER "{note.name(prefix)}__{one.lower()}" AFTER {one} ON {note.table} FOR EACH ROW '
        + (f"WHEN {differs} " if one == "UPDATE" else "")
        + f"BEGIN {' '.join(f'INSERT INTO {note.target} {statement};' for statement in body[one])} END"
        for one in note.operations
    ]
