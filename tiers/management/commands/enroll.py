from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import ProgramError
from tiers.models import Program
from tiers.services import enroll_all


class Command(BaseCommand):
    help = "Enroll every active partner that is not in the program yet, in its entry tier. Repeatable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--program", required=True, help="the program's slug")
        parser.add_argument(
            "--on",
            type=date.fromisoformat,
            help="the first day, as 2026-01-01; without it, the day each partner joined",
        )

    def handle(self, *args: Any, program: str, on: date | None, **options: Any) -> None:
        found = Program.objects.filter(slug=program).first()
        if found is None:
            known = ", ".join(Program.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no program “{program}”. Programs: {known}.")
        try:
            count = enroll_all(program=found, on=on)
        except ProgramError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{count} partners enrolled in {found}.")
