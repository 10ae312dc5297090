"""Trying, and trying again: what is due is claimed by putting it off, and settled when it is known what came of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications.models import Attempt

LEASE = timedelta(minutes=15)  # how long who claimed something has for it; more than a batch can take
LONGEST = 500  # characters of an error that are kept


def claim(due: QuerySet[Any], limit: int) -> list[int]:
    """Take up to `limit` rows that are due, the longest waiting first: their keys. Nobody else gets them before the lease ends.

    An attempt counts from here, so that what kills its worker each time is given up in the end too.
    """
    with transaction.atomic():
        free = due.select_for_update(skip_locked=True, of=("self",), no_key=True).order_by("due_at", "pk")
        keys = list(free.values_list("pk", flat=True)[:limit])
        if keys:
            own = due.model.objects.filter(pk__in=keys)
            own.update(attempts=F("attempts") + 1, due_at=timezone.now() + LEASE)
    return keys


def sent(rows: Sequence[Attempt], **fields: Any) -> None:
    _settle(rows, state=Attempt.State.SENT, done_at=timezone.now(), error="", **fields)


def drop(rows: Sequence[Attempt], why: str) -> None:
    _settle(rows, state=Attempt.State.DROPPED, done_at=timezone.now(), error=why)


def failed(
    rows: Sequence[Attempt], why: str, *, delays: Sequence[timedelta], is_final: bool = False, **fields: Any
) -> None:
    """Try again after the delay for as many attempts, or give up after the last. `is_final`: no later try can do better."""
    now = timezone.now()
    for attempts in {one.attempts for one in rows}:
        if is_final or attempts > len(delays):
            over: dict[str, Any] = {"state": Attempt.State.DEAD, "done_at": now}
        else:
            over = {"due_at": now + delays[attempts - 1]}
        _settle([one for one in rows if one.attempts == attempts], error=why[:LONGEST], **over, **fields)


def _settle(rows: Sequence[Attempt], **fields: Any) -> None:
    if rows:
        waiting = type(rows[0])._default_manager.filter(state=Attempt.State.WAITING)
        waiting.filter(pk__in=[one.pk for one in rows]).update(**fields)
