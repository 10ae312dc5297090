"""Two people at one table at once: one of them is told, and nothing is mixed."""

import pytest
from django.db import connection

from journal.models import Entry
from points import documents, services
from points.errors import PointTableChangedError
from tests.commissions.test_concurrency import at_once
from tests.points.facts import pointed_program, row

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


def test_of_two_that_keep_a_table_at_once_one_is_told() -> None:
    program = pointed_program(row())
    seen = documents.fingerprint(documents.rows(program))
    tables = [[row(points="400"), row("first")], [row(points="500"), row("second")]]

    def keep(table: list[dict[str, object]]) -> None:
        rows = [documents.row_asked(one) for one in table]
        services.set_point_rules(program=program, rows=rows, seen=seen)

    outcomes = at_once(lambda: keep(tables[0]), lambda: keep(tables[1]))
    (refused,) = [one for one in outcomes if one is not None]
    assert isinstance(refused, PointTableChangedError)
    kept = tables[outcomes.index(None)]
    assert documents.rows(program) == kept
    assert Entry.objects.filter(verb="points.table.set").latest("pk").after == {"rows": kept}


def test_of_two_files_at_once_the_table_is_one_of_them() -> None:
    program = pointed_program()
    tables = [[row(points="400"), row("first")], [row(points="500"), row("second")]]

    def keep(table: list[dict[str, object]]) -> None:
        services.set_point_rules(program=program, rows=[documents.row_asked(one) for one in table])

    assert at_once(lambda: keep(tables[0]), lambda: keep(tables[1])) == [None, None]
    assert documents.rows(program) in tables
