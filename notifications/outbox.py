"""The journal read on from where a reader stopped: each entry is handed over in the transaction that moves the reader past it.

So what is written about an entry (deliveries, calls) is there exactly when the entry is behind the reader: a process that
dies between two batches loses nothing and repeats nothing.
"""

from collections.abc import Callable, Collection, Sequence

from django.db import connection, transaction
from django.db.models import Max

from journal.models import Entry
from notifications.models import Reader

BATCH = 1000  # entries a transaction
PEOPLE, WEBHOOKS = "people", "webhooks"

_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()
      AND relation = 'journal_entry'::regclass
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def read(
    name: str, verbs: Collection[str], hand_over: Callable[[Sequence[Entry]], object], *, batch: int = BATCH
) -> int:
    """Hand every new entry with one of `verbs` to `hand_over`, in order, `batch` at a time; returns how many.

    Any number may call at once: they take turns by the reader's row, and what one handed over the next does not see.
    Entries that a transaction under way may still precede wait for its end, and for the next call after it.
    """
    Reader.objects.get_or_create(name=name)
    handed = 0
    while True:
        with transaction.atomic():
            reader = Reader.objects.select_for_update().get(pk=name)
            until = _complete_until(reader)
            new = Entry.objects.filter(pk__gt=reader.position, pk__lte=until, verb__in=verbs).order_by("pk")
            entries = list(new[:batch])
            if entries:
                hand_over(entries)
            is_moved = until > reader.position
            reader.position = entries[-1].pk if len(entries) == batch else max(until, reader.position)
            reader.save()
        handed += len(entries)
        if not is_moved:
            return handed


def _complete_until(reader: Reader) -> int:
    """The last id that is complete: no transaction that is still open can commit an entry at or below it.

    Whoever writes an entry holds its lock on the table from before the entry's id is drawn until its transaction ends.
    So when all who held one after a horizon was read have ended, everything up to the horizon is there, or never will be.
    """
    if connection.vendor != "postgresql":  # SQLite has one writer at a time: ids are committed in order
        return _newest(reader)
    if reader.waits_for:
        if _writers().intersection(reader.waits_for):
            return reader.position
        reader.waits_for = []
    if reader.horizon <= reader.position:
        reader.horizon = _newest(reader)
        if reader.horizon > reader.position:
            reader.waits_for = sorted(_writers())
    return reader.position if reader.waits_for else max(reader.horizon, reader.position)


def _newest(reader: Reader) -> int:
    return Entry.objects.aggregate(newest=Max("pk"))["newest"] or reader.position


def _writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS)
        return {row[0] for row in cursor.fetchall()}
