"""The Celery application. Scheduled jobs live in each app's `jobs.py`, after-commit work in `tasks.py`."""

import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.exceptions import OperationalError

__all__ = ["OperationalError", "app"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_program.settings")

app = Celery("partner_program")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks(related_name="jobs")
app.autodiscover_tasks(related_name="tasks")


@app.on_after_finalize.connect
def collect_schedules(sender: Celery, **_kwargs: object) -> None:
    """Each app names its schedule beside the jobs it runs."""
    from imports import jobs as import_jobs  # noqa: PLC0415  # Django's apps are loaded only now
    from notifications import jobs as notification_jobs  # noqa: PLC0415
    from rates import jobs as rate_jobs  # noqa: PLC0415
    from tiers import jobs as tier_jobs  # noqa: PLC0415

    sender.conf.beat_schedule = {
        **tier_jobs.SCHEDULE, **import_jobs.SCHEDULE, **notification_jobs.SCHEDULE, **rate_jobs.schedule()
    }  # fmt: skip


@setup_logging.connect
def use_django_logging(**_kwargs: object) -> None:
    """Keep Celery from configuring logs itself: Django's LOGGING applies to workers too."""
    settings.LOGGING  # noqa: B018  # reading it loads Django's settings, which configure logging
