"""The one way into the journal."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models, transaction
from django.utils import timezone

from accounts.models import User
from common import bulk
from journal import notices
from journal.models import Entry


class Line(NamedTuple):
    """An entry to be written by `record_many`: the columns of Entry."""

    at: datetime
    actor_id: int | None
    verb: str
    subject: str
    partner_id: int | None
    before: dict[str, Any]
    after: dict[str, Any]


def subject_of(row: models.Model) -> str:
    """How the journal names a row: "leads.lead:12"."""
    return f"{row._meta.label_lower}:{row.pk}"


def entry(
    *,
    verb: str,
    subject: models.Model | str,
    actor: User | None = None,
    partner_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Line:
    """An entry that is not written yet, for `record_many`. Values of `before` and `after` must be JSON (dates and amounts as text)."""
    return Line(
        at=timezone.now(),
        actor_id=actor.pk if actor else None,
        verb=verb,
        subject=subject if isinstance(subject, str) else subject_of(subject),
        partner_id=partner_id,
        before=before or {},
        after=after or {},
    )


def record(**fields: Any) -> Entry:
    """Append one entry, in the caller's transaction; the fields are those of `entry`. Repeating appends again."""
    made = Entry(**entry(**fields)._asdict())
    made.save(force_insert=True)
    notices.tell_after_commit([made.verb])
    return made


def record_many(entries: Iterable[Line]) -> None:
    """Append entries in bulk, in the caller's transaction."""
    written: set[str] = set()
    bulk.insert(Entry, Line._fields, _noting(entries, written))
    notices.tell_after_commit(written)


def _noting(entries: Iterable[Line], verbs: set[str]) -> Iterator[Line]:
    for one in entries:
        verbs.add(one.verb)
        yield one


@transaction.atomic
def save(*, row: models.Model, actor: User | None, partner_id: int | None = None) -> bool:
    """Save a row that a person edited, with an entry that says what differs. Repeating changes and appends nothing.

    The verb is "app.model.created" or "app.model.changed". Returns whether anything was written. Only for rows without
    rules of their own; a service that has some calls this after them.
    """
    kept = type(row)._default_manager.select_for_update(no_key=True).filter(pk=row.pk).first() if row.pk else None
    fields = [field.attname for field in row._meta.concrete_fields if not field.primary_key]
    differing = [name for name in fields if kept is None or getattr(kept, name) != getattr(row, name)]
    if kept is not None and not differing:
        return False
    row.save()
    record(
        verb=f"{row._meta.label_lower}.{'changed' if kept else 'created'}", subject=row, actor=actor, partner_id=partner_id,
        before={name: _as_json(getattr(kept, name)) for name in differing} if kept else {},
        after={name: _as_json(getattr(row, name)) for name in differing},
    )  # fmt: skip
    return True


def _as_json(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str | dict | list) else str(value)
