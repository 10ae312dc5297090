from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tiers import program_file


class Command(BaseCommand):
    help = "Make a program of a file, or bring it up to the file (docs/program-file.md). All of it or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            program = program_file.import_program(file)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except program_file.ProgramFileError as error:
            raise CommandError(
                f"{file} was not imported:\n" + "\n".join(f"- {one}" for one in error.problems)
            ) from error
        self.stdout.write(f"{program} ({program.slug}): {program.editions.count()} edition(s).")
