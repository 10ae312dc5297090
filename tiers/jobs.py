"""Scheduled entry points of the night: start it at its hour, and pick up what a dead worker left."""

from functools import partial

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings
from django.db import OperationalError

from common.periods import program_today
from tiers import night
from tiers.models import Program, Run

SCHEDULE = {
    "start-nights": {"task": "tiers.jobs.start_nights", "schedule": crontab(hour=settings.NIGHT_HOUR, minute=0)},
    "resume-nights": {"task": "tiers.jobs.resume_nights", "schedule": 60.0},
}


@shared_task
def start_nights() -> None:
    """Nightly. Fixes the day once, so that work which runs past midnight agrees."""
    day = program_today()
    for program in Program.objects.order_by("pk"):
        if program.editions.in_force_on(day).exists():
            queue_work(night.start(program=program, day=day).pk)


@shared_task
def resume_nights() -> None:
    """Every minute. Runs that are under way get workers again; those that have enough lose nothing by more."""
    for run_id in Run.objects.filter(state=Run.State.RUNNING).values_list("pk", flat=True):
        queue_work(run_id)


def queue_work(run_id: int) -> None:
    """Ask settings.NIGHT_WORKERS workers to share a run."""
    _ask(run_id, settings.NIGHT_WORKERS)


def _ask(run_id: int, workers: int) -> None:
    for _worker in range(workers):
        work.delay(run_id)


@shared_task(acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def work(run_id: int) -> None:
    # Who finds a step's last chunks taken, leaves; who finishes the step asks for others again.
    night.work(run_id, on_step=partial(_ask, workers=settings.NIGHT_WORKERS - 1))
