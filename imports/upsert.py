"""Add what is new, change what differs, leave the rest: a fixed number of statements for any number of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils import timezone

from common import bulk


@dataclass(frozen=True, slots=True)
class Change:
    """A row that differed: its key in the database, and what it held and holds, as JSON."""

    row: models.Model
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(slots=True)
class Outcome:
    added: list[Any] = field(default_factory=list)  # keys, in the order given
    changed: dict[Any, Change] = field(default_factory=dict)  # by key
    unchanged: list[Any] = field(default_factory=list)


def there(
    rows: Sequence[Mapping[str, Any]], *, among: models.QuerySet[Any], key: Sequence[str] = ("external_id",)
) -> dict[Any, Any]:
    """The rows of `among` that share the `key` (attribute names) of one of `rows`, by it: one query."""
    wanted = {keyed(row, key) for row in rows}
    alike = among.filter(**{f"{name}__in": {row[name] for row in rows} for name in key})
    held = ((keyed(vars(one), key), one) for one in alike)
    return {own: one for own, one in held if own in wanted}


def keyed(row: Mapping[str, Any], key: Sequence[str]) -> Any:
    """What a row is known by: one value, or a tuple of several."""
    return row[key[0]] if len(key) == 1 else tuple(row[name] for name in key)


def upsert(
    rows: Sequence[Mapping[str, Any]], *, into: models.QuerySet[Any], key: str | Sequence[str] = "external_id"
) -> Outcome:
    """Write `rows` (values by attribute name, the same names in each) into the rows of `into` that share their `key`.

    Columns that the rows do not name keep their value, or take their default where the row is new. Rows that exist are
    locked until the caller's transaction ends.
    """
    outcome = Outcome()
    if not rows:
        return outcome
    model = into.model
    names = (key,) if isinstance(key, str) else key
    held = there(rows, among=into.select_for_update(of=("self",), no_key=True), key=names)
    new: list[Mapping[str, Any]] = []
    for row in rows:
        own = keyed(row, names)
        found = held.get(own)
        if found is None:
            new.append(row)
            outcome.added.append(own)
        elif differing := [name for name, value in row.items() if getattr(found, name) != value]:
            outcome.changed[own] = _change(found, row, differing)
        else:
            outcome.unchanged.append(own)
    _insert(model, new)
    _update(model, list(outcome.changed.values()), list(rows[0]))
    return outcome


def _change(found: models.Model, row: Mapping[str, Any], differing: Sequence[str]) -> Change:
    before = {name: as_json(getattr(found, name)) for name in differing}
    for name in differing:
        setattr(found, name, row[name])
    return Change(found, before, {name: as_json(row[name]) for name in differing})


def as_json(value: Any) -> Any:
    """A value as the journal keeps it: amounts and days as text."""
    return value if value is None or isinstance(value, bool | int | float | str | dict | list) else str(value)


def _insert(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    fields = [one for one in model._meta.concrete_fields if not one.primary_key]
    now = timezone.now()
    defaults = {
        one.attname: now
        if getattr(one, "auto_now", False) or getattr(one, "auto_now_add", False)
        else one.get_default()
        for one in fields
    }
    names = [one.attname for one in fields]
    bulk.insert(
        model,
        [one.name for one in fields],
        ([row[name] if name in row else defaults[name] for name in names] for row in rows),
    )


def _update(model: type[models.Model], changes: Sequence[Change], names: Sequence[str]) -> None:
    if not changes:
        return
    stamped = [one.attname for one in model._meta.concrete_fields if getattr(one, "auto_now", False)]
    fields = {one.attname: one.name for one in model._meta.concrete_fields}
    model._default_manager.bulk_create(
        [change.row for change in changes],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=[fields[name] for name in (*names, *stamped)],
    )
