import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from common.periods import program_today
from tiers import night, steps
from tiers.models import Program, Run


class Command(BaseCommand):
    help = (
        "Run the night: measure, evaluate and place everyone, post what is owed, draft statements. "
        "Joins a night that is under way; a finished one is worked again, which changes nothing where no fact changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", type=date.fromisoformat, help="the day, as 2020-06-01 (default: today)")
        parser.add_argument("--program", help="the slug of one program (default: every program)")
        parser.add_argument("--keep-going", action="store_true", help="go on past a chunk that fails")
        parser.add_argument("--chunk-size", type=int, default=night.CHUNK_SIZE, help="enrollments in one transaction")

    def handle(
        self,
        *args: Any,
        as_of: date | str | None,
        program: str | None,
        keep_going: bool,
        chunk_size: int,
        **options: Any,
    ) -> None:
        if isinstance(as_of, str):
            as_of = date.fromisoformat(as_of)
        if chunk_size < 1:
            raise CommandError("--chunk-size must be at least 1.")
        day = as_of or program_today()
        programs = Program.objects.filter(slug=program) if program else Program.objects.all()
        if not programs:
            known = ", ".join(Program.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no program “{program or ''}”. Programs: {known}.")
        in_force = [one for one in programs.order_by("pk") if one.editions.in_force_on(day).exists()]
        if not in_force:
            raise CommandError(f"No program has a published edition in force on {day}.")
        failed = [run for run in (self.run_one(one, day, keep_going, chunk_size) for one in in_force) if run.error]
        if failed:
            raise CommandError("\n".join(f"{run}: {run.error}" for run in failed))

    def run_one(self, program: Program, day: date, keep_going: bool, chunk_size: int) -> Run:  # noqa: FBT001
        started = time.monotonic()
        run = night.start(program=program, day=day, keep_going=keep_going, chunk_size=chunk_size)
        labels = {step.key: str(step.label) for step in steps.of(run)}
        with tqdm(total=0, unit="chunk", leave=False, disable=None, bar_format="{desc} {bar} {n}/{total}") as bar:

            def show(current: Run) -> None:
                step = next((one for one in night.progress(current) if one.key == current.step), None)
                if step is not None:
                    bar.set_description(f"{program} {day}: {labels[step.key]}")
                    bar.total, bar.n = step.total or 0, step.done
                    bar.refresh()

            while run.state == Run.State.RUNNING:
                night.work(run.pk, show)
                run.refresh_from_db()
                if run.state == Run.State.RUNNING:  # others hold the rest: take over at once what they leave
                    time.sleep(0.2)
        # What this pass did; the run keeps the sum of all its passes.
        totals = ", ".join(f"{key} {value - run.carried.get(key, 0)}" for key, value in sorted(run.totals.items()))
        self.stdout.write(f"{program} {day} {run.state} in {time.monotonic() - started:.1f} s: {totals}")
        return run
