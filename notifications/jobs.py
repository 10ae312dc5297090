"""Scheduled: what a lost message or a dead worker left, retries, and the day's digests."""

from celery import shared_task

from notifications import tasks

SCHEDULE = {"tell": {"task": "notifications.jobs.tell", "schedule": 60.0}}


@shared_task
def tell() -> None:
    """Every minute: read the journal on and send what is due. Nothing to do costs a few queries."""
    tasks.tell_soon()
    tasks.send_soon()
