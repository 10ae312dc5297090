"""What the import commands of every app share."""

import json
import time
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from common.errors import ProgramError
from imports import kinds
from imports.engine import Importer, bring_in
from imports.errors import ImportRefusedError
from imports.report import Report


class ImportCommand(BaseCommand):
    """Bring a file in, with a bar. Bad rows are listed, and then nothing was written."""

    kind: ClassVar[str]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV (also .csv.gz) or Excel (.xlsx)")
        parser.add_argument("--mapping", type=Path, required=True, help="JSON that assigns columns (docs/imports.md)")

    def handle(self, *args: Any, file: Path, mapping: Path, **options: Any) -> None:
        started = time.monotonic()
        report = take(kinds.get(self.kind), file, read_mapping(mapping))
        for notice in report.notices_shown():
            self.stdout.write(notice)
        self.stdout.write(
            f"{report.rows:,} rows in {time.monotonic() - started:.1f} s: {report.added:,} added, "
            f"{report.changed:,} changed, {report.unchanged:,} unchanged."
        )


def read_mapping(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CommandError(f"The mapping cannot be read: {error}") from error
    except ValueError as error:
        raise CommandError(f"The mapping {path} is not JSON: {error}") from error


def take(importer: type[Importer], path: Path, mapping: Any) -> Report:
    """`bring_in` with a progress bar. Raises CommandError with every bad row that the report holds."""
    try:
        with path.open("rb") as file, tqdm(desc=importer.kind, unit=" rows", unit_scale=True, disable=None) as bar:

            def show(rows: int, total: int | None) -> None:
                bar.total = max(total or 0, rows)
                bar.update(rows - bar.n)

            return bring_in(importer=importer, file=file, file_name=path.name, mapping=mapping, progress=show)
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error}") from error
    except ImportRefusedError as refused:
        lines = [str(refused), *(f"  {one}" for one in refused.report.problems)]
        if more := refused.report.problem_count - len(refused.report.problems):
            lines.append(f"  and {more:,} more")
        raise CommandError("\n".join(lines)) from refused
    except ProgramError as refused:
        raise CommandError(str(refused)) from refused
