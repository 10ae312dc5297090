"""Tests that commit empty the database between them. SQLite does so by DELETE, which triggers of frozen rows refuse;
so the triggers step aside for exactly that one transaction. (PostgreSQL truncates, which fires no row trigger.)
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.db.backends.sqlite3.base import DatabaseWrapper


@pytest.fixture(autouse=True, scope="session")
def let_flush_through() -> Iterator[None]:
    operations = DatabaseWrapper.ops_class
    flush = operations.execute_sql_flush

    def flush_without_triggers(self: Any, sql_list: Any) -> None:
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _sql in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            flush(self, sql_list)
            for _name, sql in triggers:
                cursor.execute(sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", flush_without_triggers)
        yield
