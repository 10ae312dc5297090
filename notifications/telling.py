"""Entries of the journal become messages and deliveries: a fixed number of queries for any number of entries."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from common import bulk
from journal import notices
from journal.models import Entry
from journal.notices import How, Named, Notice
from notifications import audiences, outbox
from notifications.audiences import Audience, Said
from notifications.models import Attempt, Delivery, Message

logger = logging.getLogger(__name__)
MESSAGE = ("entry_id", "notice", "partner_id", "facts", "error", "created_at")
DELIVERY = ("message_id", "user_id", "channel", "state", "attempts", "due_at", "done_at", "error", "read_at")


def tell_people() -> int:
    """Write the deliveries of every entry since the last time. Returns how many entries that were. Repeating tells nobody twice."""
    return outbox.read(outbox.PEOPLE, notices.verbs(), tell)


def tell(entries: Sequence[Entry]) -> None:
    """Write messages and deliveries for entries, in the caller's transaction. What an entry said already is not said again.

    An entry whose notice cannot be made holds up no other: it is kept as a message with its error.
    """
    known = set(Message.objects.filter(entry__in=entries).values_list("entry_id", "notice"))
    said: list[Said] = []
    for notice in notices.NOTICES.values():
        own = [one for one in entries if one.verb in notice.verbs and (one.pk, notice.key) not in known]
        if own:
            said += _say(notice, own)
    if not said:
        return
    audience = audiences.read(said)
    told = [one for one in said if one.error or audience.of(one)]
    now = timezone.now()
    bulk.insert(
        Message, MESSAGE,
        ((one.entry.pk, one.notice.key, one.entry.partner_id, one.facts, one.error, now) for one in told),
    )  # fmt: skip
    rows = Message.objects.filter(entry__in=entries).values_list("entry_id", "notice", "pk")
    messages = {(entry, notice): pk for entry, notice, pk in rows}
    bulk.insert(Delivery, DELIVERY, _deliveries(told, audience, messages))


def _say(notice: Notice, entries: Sequence[Entry]) -> list[Said]:
    """What entries say as one notice: all at once, or one by one where one of them cannot."""
    try:
        with transaction.atomic():
            facts = notice.facts(entries)
            people = notice.to.people(entries) if isinstance(notice.to, Named) else {}
    except Exception as error:
        if len(entries) > 1:
            return [said for one in entries for said in _say(notice, [one])]
        logger.exception("notice %s of entry %s", notice.key, entries[0].pk)
        return [Said(entries[0], notice, {}, error=f"{type(error).__name__}: {error}")]
    return [Said(one, notice, facts[one.pk], people.get(one.pk, ())) for one in entries if one.pk in facts]


def _deliveries(
    told: Sequence[Said], audience: Audience, messages: dict[tuple[int, str], int]
) -> Iterator[tuple[Any, ...]]:
    recipients = [(one, person) for one in told if not one.error for person in audience.of(one)]
    choices = audiences.chosen({person.user_id for _one, person in recipients})
    now, digest = timezone.now(), audiences.next_digest()
    waiting, done = Attempt.State.WAITING.value, Attempt.State.SENT.value
    for one, person in recipients:
        message = messages[one.entry.pk, one.notice.key]
        if person.in_portal:
            yield (message, person.user_id, Delivery.Channel.PORTAL.value, done, 0, now, now, "", None)
        how = audiences.how_of(one.notice, person.user_id, choices)
        if how is How.AT_ONCE:
            yield (message, person.user_id, Delivery.Channel.MAIL.value, waiting, 0, now, None, "", None)
        elif how is How.DAILY:
            yield (message, person.user_id, Delivery.Channel.DIGEST.value, waiting, 0, digest, None, "", None)
