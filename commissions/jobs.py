"""Long work that staff start."""

from celery import shared_task
from django.db import OperationalError

from commissions import plan_trials


@shared_task(acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def try_plan(trial_id: int) -> None:
    """Work a dry run of a plan to its end. Repeating changes nothing."""
    plan_trials.work(trial_id)


def queue_trial(trial_id: int) -> None:
    try_plan.delay(trial_id)
