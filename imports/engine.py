"""Bring a file in: every row or none, in batches, each a fixed number of queries.

An importer says which fields there are, checks a batch and saves it. It is asked to save only while no bad row was met;
after the first one, the rest of the file is only checked, so that every bad row is reported at once.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO, ClassVar

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from imports import mapping as mappings
from imports.errors import ImportRefusedError
from imports.fields import BadValueError, Field, OpenFields
from imports.mapping import Source
from imports.reading import Options, Table, open_table
from imports.report import Report
from imports.seen import Seen
from journal import services as journal

BATCH = 2000

Progress = Callable[[int, int | None], None]  # rows read, rows in all (about) where known


@dataclass(slots=True)
class Row:
    line: int
    values: dict[str, Any]
    raw: dict[str, tuple[str, str]]  # by field: the column and the text that it came from
    is_bad: bool = False


@dataclass(slots=True)
class Importer(ABC):
    """One kind of import, at work on one file. `mapped` names the fields that the file fills; others are left as they are."""

    kind: ClassVar[str]
    label: ClassVar[Any]
    position: ClassVar[int] = 0  # among the kinds, as people see them
    fields: ClassVar[Sequence[Field]]
    open_fields: ClassVar[OpenFields | None] = None  # that the vendor names
    identity: ClassVar[tuple[str, ...]] = ("external_id",)  # the fields by which a row is known
    model: ClassVar[type[models.Model]]

    mapped: frozenset[str]
    report: Report
    actor: User | None = None
    known: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, file: BinaryIO, options: Options) -> AbstractContextManager[Table]:
        """The file as a table. A kind that reads files of another form looks for them here."""
        return open_table(file, options)

    @abstractmethod
    def check(self, rows: list[Row]) -> None:
        """Turn keys into rows of the database and refuse what does not hold together. Writes nothing."""

    @abstractmethod
    def save(self, rows: list[Row]) -> None:
        """Write a batch of good rows and count them in the report."""

    def refuse(self, row: Row, name: str, reason: str) -> None:
        column, value = row.raw.get(name, (name, ""))
        row.is_bad = True
        self.report.refuse(row.line, column, value, reason)


def bring_in(
    *,
    importer: type[Importer],
    file: BinaryIO,
    file_name: str,
    mapping: Any,
    actor: User | None = None,
    progress: Progress | None = None,
) -> Report:
    """Take all rows of `file`, or none. Repeating changes nothing.

    Rows are matched by external id, or what else identifies their kind: a new one is added, one that differs in a mapped
    field is changed, with a journal entry. Raises MappingError, FileError, or ImportRefusedError, whose report lists the
    bad rows.
    """
    plan = mappings.read(mapping, importer.fields, importer.open_fields)
    report = Report()
    work = importer(mapped=frozenset(plan.columns), report=report, actor=actor)
    try:
        with importer.open(file, plan.options) as table, transaction.atomic(), Seen() as seen:
            sources = plan.bind(table.header)
            for rows in _batches(table, sources, report):
                _take(work, rows, seen)
                if progress is not None:
                    progress(report.rows, table.total)
            _conclude(report, importer.kind, file_name, actor)
    except IntegrityError as error:
        raise ImportRefusedError(
            _("The database refused the file, and nothing was written: %(error)s") % {"error": error}, report
        ) from error
    return report


def _take(work: Importer, rows: list[Row], seen: Seen) -> None:
    good = [row for row in rows if not row.is_bad]
    by_line = {row.line: row for row in good}
    named = work.identity[0] if len(work.identity) == 1 else ""
    for _one, line, first in seen.add([(_known_by(row, work.identity), row.line) for row in good]):
        work.refuse(by_line[line], named, _("stands on line %(line)s already") % {"line": first})
    work.check(good)
    if not work.report.problem_count:
        work.save(good)


def _known_by(row: Row, identity: Sequence[str]) -> str:
    if len(identity) == 1:
        return str(row.values[identity[0]])
    return json.dumps([str(row.values.get(name, "")) for name in identity])


def _batches(table: Table, sources: Sequence[Source], report: Report) -> Iterator[list[Row]]:
    rows = table.rows
    while batch := list(islice(rows, BATCH)):
        read = []
        for line, cells, problem in batch:
            report.rows += 1
            if problem:
                report.refuse(line, "", "", problem)
            else:
                read.append(_row(line, cells, sources, report))
        yield read


def _row(line: int, cells: Sequence[str], sources: Sequence[Source], report: Report) -> Row:
    row = Row(line, {}, {})
    for source in sources:
        row.raw[source.field.name] = (source.label, source.raw(cells))
        try:
            row.values[source.field.name] = source.value(cells)
        except BadValueError as error:
            row.is_bad = True
            report.refuse(line, source.label, source.raw(cells), str(error))
    return row


def _conclude(report: Report, kind: str, file_name: str, actor: User | None) -> None:
    if report.problem_count:
        raise ImportRefusedError(
            ngettext(
                "%(count)s row or value is bad; nothing was written.",
                "%(count)s rows or values are bad; nothing was written.",
                report.problem_count,
            )
            % {"count": report.problem_count},
            report,
        )
    if report.added or report.changed:
        journal.record(
            verb="imports.file.taken", subject=f"imports.{kind}:{file_name}"[:120], actor=actor,
            after={"rows": report.rows, "added": report.added, "changed": report.changed},
        )  # fmt: skip
