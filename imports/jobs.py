"""Scheduled entry points of imports."""

from celery import shared_task

from imports import running, tasks

SCHEDULE = {"resume-imports": {"task": "imports.jobs.resume_imports", "schedule": 60.0}}


@shared_task
def resume_imports() -> None:
    """Every minute. Queues again what a dead worker left; an import that is finished or under way is left as it is."""
    for import_id in running.left_behind():
        tasks.run_import.delay(import_id)
