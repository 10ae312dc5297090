from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tiers import program_file
from tiers.models import Program


class Command(BaseCommand):
    help = "Write a program as a file that import_program reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--output", type=Path, help="the file to write (default: standard output)")

    def handle(self, *args: Any, slug: str, output: Path | None, **options: Any) -> None:
        program = Program.objects.filter(slug=slug).first()
        if program is None:
            known = ", ".join(Program.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no program “{slug}”. Programs: {known}.")
        text = program_file.export_program(program)
        if output is None:
            self.stdout.write(text, ending="")
        else:
            output.write_text(text, encoding="utf-8")
