import shutil
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from accounts.models import User
from commissions import lifecycle
from commissions.models import Statement
from commissions.services import approve_statements, issue_statements
from common.periods import add_months, program_today
from partner_program import sample, sample_payouts
from partner_program.management.commands.serve import run_until_stopped
from tiers.models import Run

HISTORY_MONTHS = 12

ANNOUNCEMENT = """
The partner program runs on http://localhost:{port}/        (Ctrl-C stops it; `make demo` starts it again in seconds)

  Prospects    http://localhost:{port}/            the program; http://localhost:{port}/partners/ finds a partner
  Partners     http://localhost:{port}/portal/     sign in as partner@demo.example
  Staff        http://localhost:{port}/admin/      sign in as staff@demo.example
  Machines     http://localhost:{port}/api/v1/

  The password of both is: demo-partner-program
"""


class Command(BaseCommand):
    help = "Prepare the demo (database, sample program and data, its nights) where that was not done, and start it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="delete the demo's database and files first")
        parser.add_argument("--prepare-only", action="store_true", help="prepare, and start nothing")

    def handle(self, *args: Any, port: int, reset: bool, prepare_only: bool, **options: Any) -> None:
        if reset:
            self.reset()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        if not self.is_loaded():
            self.load()
        if not prepare_only:
            run_until_stopped(self, port=port, bind="127.0.0.1", announce=ANNOUNCEMENT.format(port=port))

    def is_loaded(self) -> bool:
        """False in the middle of a first start that was interrupted, too: loading goes on where it stopped."""
        nights = Run.objects.nights().filter(state=Run.State.DONE).count()
        has_sample = User.objects.filter(email=sample.STAFF).exists()
        return nights >= HISTORY_MONTHS or (nights > 0 and not has_sample)

    def load(self) -> None:
        """Sample data, a night at the start of each of the last months for a history, then last night.

        Statements are issued and paid but for the last two months': one is in review, one waits for staff.
        """
        call_command("load_sample")
        today = program_today()
        month = today.replace(day=1)
        for back in range(HISTORY_MONTHS - 1, -1, -1):
            day = add_months(month, -back)
            if day < today:
                call_command("night", as_of=day.isoformat())
        call_command("night", as_of=today.isoformat())
        staff = User.objects.get(email=sample.STAFF)
        issued = paid = 0
        own = Statement.objects.filter(ends_on__lt=month)
        for starts_on in own.order_by("starts_on").values_list("starts_on", flat=True).distinct():
            ended = add_months(starts_on, 1)
            drafts = own.filter(starts_on=starts_on, state=Statement.State.DRAFT)
            issued += issue_statements(seen=dict(drafts.values_list("pk", "total")), actor=staff)
            if ended < add_months(month, -1):
                paid += self._pay(starts_on, staff)
        in_review = Statement.objects.filter(state=Statement.State.IN_REVIEW).select_related("partner")
        sample_payouts.give_accounts(in_review, staff=staff)
        self.stdout.write(f"{issued:,} statements issued, {paid:,} of them paid; the last month's wait for staff.")

    def _pay(self, starts_on: date, staff: User) -> int:
        """Approve a month's statements and pay what comes to something, in the middle of the month after."""
        of_month = Statement.objects.filter(starts_on=starts_on)
        seen = dict(of_month.filter(state=Statement.State.IN_REVIEW).values_list("pk", "total"))
        approve_statements(seen=seen, actor=staff)
        approved = of_month.filter(state=Statement.State.APPROVED).values_list("pk", flat=True)
        if add_months(starts_on, 3) == program_today().replace(day=1):
            return sample_payouts.pay_month(list(approved), staff=staff)
        scheduled = lifecycle.schedule(list(approved), actor=staff)
        paid_on = add_months(starts_on, 1).replace(day=15)
        return len(lifecycle.mark_paid(scheduled, paid_on=paid_on, actor=staff, reference=f"{starts_on:%Y-%m}"))

    def reset(self) -> None:
        database = settings.DATABASES["default"]
        if not database["ENGINE"].endswith("sqlite3"):
            raise CommandError("--reset deletes the SQLite database of the demo; DATABASE_URL names another database.")
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            (settings.BASE_DIR / (str(database["NAME"]) + suffix)).unlink(missing_ok=True)
        for folder in ("broker", "mail", "media"):
            shutil.rmtree(settings.VAR_DIR / folder, ignore_errors=True)
