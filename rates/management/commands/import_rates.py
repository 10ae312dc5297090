import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from imports.commands import read_mapping, take
from rates.imports import RateImporter, plain_mapping, source_of


class Command(BaseCommand):
    help = (
        "Import exchange rates: a file of the European Central Bank as it is (XML, CSV or zip), or a table of day, base, quote"
        " and value. All rows or none; a rate that is there already is left, a corrected one becomes a new version."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, help="eurofxref-*.xml, eurofxref*.zip, CSV (also .csv.gz) or Excel (.xlsx)"
        )
        parser.add_argument(
            "--source", default="", help="whose rates these are: a code (the ECB's files say it themselves)"
        )
        parser.add_argument("--mapping", type=Path, help="JSON that assigns columns (docs/imports.md)")

    def handle(self, *args: Any, file: Path, source: str, mapping: Path | None, **options: Any) -> None:
        if source and mapping:
            raise CommandError("Give a mapping or a source: a mapping says the source itself.")
        started = time.monotonic()
        report = take(RateImporter, file, read_mapping(mapping) if mapping else plain_mapping(_source(file, source)))
        self.stdout.write(
            f"{report.rows:,} rates in {time.monotonic() - started:.1f} s: {report.added:,} added, "
            f"{report.changed:,} corrected, {report.unchanged:,} unchanged."
        )


def _source(file: Path, asked: str) -> str:
    try:
        with file.open("rb") as opened:
            return source_of(opened, asked)
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error}") from error
