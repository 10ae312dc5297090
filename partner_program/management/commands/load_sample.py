from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import ProgramError
from imports.commands import take
from leads.models import Sale
from partner_program import sample
from partners.models import Location, Partner


class Command(BaseCommand):
    help = (
        "Load the sample program, the published resellers with their sales, and made-up people around them. Repeatable."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--keep-dates", action="store_true",
            help="the published facts alone, undated by us, in a program whose levels ask for net sales only",
        )  # fmt: skip

    def handle(self, *args: Any, keep_dates: bool, **options: Any) -> None:
        try:
            program = sample.load(take, keep_dates=keep_dates)
        except ProgramError as refusal:
            raise CommandError(str(refusal)) from refusal
        unplaced = Location.objects.filter(accuracy=Location.Accuracy.UNKNOWN).count()
        self.stdout.write(
            f"{program}: {Partner.objects.count():,} partners ({unplaced} not placed on the map), "
            f"{Sale.objects.count():,} sale lines."
        )
