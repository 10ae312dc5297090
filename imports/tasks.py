"""After-commit work: an uploaded file is worked by whichever worker is free."""

from celery import shared_task

from imports import running


@shared_task
def run_import(import_id: int) -> None:
    running.run(import_id)
