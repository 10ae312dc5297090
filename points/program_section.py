"""The points table in program files."""

from collections.abc import Iterator
from typing import Any

from accounts.models import User
from points import documents, services, table
from points.errors import PointTableError
from tiers import program_file
from tiers.models import Program


def check(rows: list[dict[str, Any]], document: program_file.Document) -> Iterator[str]:
    return table.in_file(rows, document["currency"])


def load(program: Program, rows: list[dict[str, Any]], actor: User | None) -> None:
    """Raises ProgramFileError, with every problem, for rows that would rewrite what was granted."""
    try:
        services.set_point_rules(program=program, rows=[documents.row_asked(row) for row in rows], actor=actor)
    except PointTableError as refusal:
        raise program_file.ProgramFileError([f"{one.path}: {one.says}" for one in refusal.problems]) from None


def register() -> None:
    program_file.register_section(program_file.Section("points", table.SCHEMA, check, load, documents.rows))
