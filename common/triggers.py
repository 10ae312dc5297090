"""Invariants that only a trigger can hold, on both databases: tables that only grow, rows that freeze.

A condition is SQL over OLD and NEW that both databases read. SQLite drops a table's triggers when a later migration
rebuilds the table, and cannot rebuild a table that another's trigger reads: such a migration drops the triggers first
(`turned`) and adds them again.
"""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

Code = Callable[[Any, BaseDatabaseSchemaEditor], None]


class Statements(Operation):
    """A migration operation of statements alone. RunPython would build every model anew for each, which takes seconds."""

    reduces_to_sql = False
    reversible = True

    def __init__(self, code: Code, reverse_code: Code) -> None:
        self.code, self.reverse_code = code, reverse_code

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models stay as they are."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.code(None, schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.reverse_code(None, schema_editor)

    def describe(self) -> str:
        return "Triggers"

    def turned(self) -> "Statements":
        """The same the other way round."""
        return Statements(self.reverse_code, self.code)


def refuse(table: str, events: tuple[str, ...], condition: str, message: str, name: str) -> Statements:
    """A migration operation: refuse `events` on rows of `table` for which `condition` holds, saying `message`.

    The statement raises IntegrityError and writes nothing. An INSERT has no OLD and a DELETE no NEW.
    """

    def create(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            editor.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {condition} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END IF; "
                "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
            )
            editor.execute(
                f"CREATE TRIGGER {name} BEFORE {' OR '.join(events)} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
        else:
            for event in events:
                editor.execute(
                    f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON {table} WHEN {condition} "
                    f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
                )

    def drop(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            editor.execute(f"DROP TRIGGER {name} ON {table}")
            editor.execute(f"DROP FUNCTION {name}()")
        else:
            for event in events:
                editor.execute(f"DROP TRIGGER {name}_{event.lower()}")

    return Statements(create, drop)


def append_only(table: str) -> Statements:
    """Rows of `table` are neither changed nor deleted."""
    return refuse(table, ("UPDATE", "DELETE"), "1 = 1", f"{table} is append-only", f"{table}_append_only")
