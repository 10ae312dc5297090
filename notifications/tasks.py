"""After a commit that somebody is told of: read the journal on, and send. Repeating any of them does no harm."""

import math

from celery import current_app, shared_task

from notifications import sending, telling, webhooks

MOST = 400  # tasks that one call queues: what remains is queued a minute later


def tell_soon() -> None:
    """Queue what reads the journal on. Where there is no broker it is done here and now."""
    tell_people.delay()
    queue_calls.delay()


def send_soon() -> None:
    """Queue what sends: as many tasks as there are small batches due."""
    for _batch in range(_tasks(sending.due_mails(), sending.BATCH)):
        send_mails.delay()
    for _person in range(_tasks(sending.due_digests(), 1)):
        send_digest.delay()
    for endpoint in webhooks.endpoints_due():
        call_endpoint.delay(endpoint)


def _tasks(due: int, batch: int) -> int:
    needed = math.ceil(due / batch)
    return needed if current_app.conf.task_always_eager else min(needed, MOST)


@shared_task
def tell_people() -> None:
    if telling.tell_people():
        send_soon()


@shared_task
def queue_calls() -> None:
    if webhooks.queue_calls():
        send_soon()


@shared_task
def send_mails() -> None:
    sending.send_mails()


@shared_task
def send_digest() -> None:
    sending.send_digest()


@shared_task(soft_time_limit=10 * 60)  # an endpoint that answers drop by drop
def call_endpoint(endpoint_id: int) -> None:
    webhooks.call_endpoint(endpoint_id)
