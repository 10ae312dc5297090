"""Scheduled entry points of exchange rates: none unless `ECB_RATES_URL` is set."""

import logging
import tempfile

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings
from django.core.files.base import File

from imports import services as imports
from rates.ecb import MOST_BYTES
from rates.errors import FetchError
from rates.fetching import fetch
from rates.imports import KIND, plain_mapping
from rates.sources import ECB

logger = logging.getLogger(__name__)
# The bank publishes at about 16:00 of its working days; what a first try misses, the later ones bring.
SCHEDULE = {
    "fetch-exchange-rates": {"task": "rates.jobs.fetch_rates", "schedule": crontab(hour="17,19,22", minute="20")}
}


def schedule() -> dict[str, object]:
    return dict(SCHEDULE) if settings.ECB_RATES_URL else {}


@shared_task
def fetch_rates() -> None:
    """Bring in the file at `ECB_RATES_URL`: all of it or none; what is there already adds nothing.

    An address that does not answer is logged and tried at the next time; a file that is refused stands among the imports.
    """
    if not settings.ECB_RATES_URL:
        return
    with tempfile.TemporaryFile() as kept:
        try:
            name = fetch(settings.ECB_RATES_URL, kept, most=MOST_BYTES)
        except FetchError as error:
            logger.warning("exchange rates not fetched: %s", error)
            return
        kept.seek(0)
        imports.upload(kind=KIND, file=File(kept, name=name), mapping=plain_mapping(ECB), actor=None)
