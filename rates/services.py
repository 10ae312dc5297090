"""Every write of exchange rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from common import bulk
from common.texts import in_every_language
from journal import services as journal
from rates import rules
from rates.errors import RateError
from rates.models import Rate, RateSource
from rates.selectors import IDENTITY, problems
from rates.sources import BUILT_IN

COLUMNS = ("source", "base", "quote", "on", "version", "value", "imported_at", "imported_by")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rates that were given: new ones, new versions of corrected ones, and those that stood so already."""

    added: int
    changed: int
    unchanged: int


@transaction.atomic
def publish_rates(*, rates: Sequence[Mapping[str, Any]], actor: User | None) -> Taken:
    """Append rates that a person or a machine sent: `source_id`, `base`, `quote`, `on` and `value` of each.

    One that stands with this value already is left; one with another value gets its next version, and the rows before it
    stay. A journal entry for each that was appended. Repeating appends nothing. A fixed number of statements. Raises
    RateError, and then nothing was written.
    """
    appended = _append(rates, actor)
    journal.record_many(appended.entries(actor))
    return appended.taken(len(rates))


@transaction.atomic
def publish_file(*, rates: Sequence[Mapping[str, Any]], actor: User | None) -> Taken:
    """As `publish_rates`, of a file, whose import is an entry of its own: here the corrected ones alone are told."""
    appended = _append(rates, actor)
    journal.record_many(appended.entries(actor, only_corrected=True))
    return appended.taken(len(rates))


@dataclass(frozen=True, slots=True)
class _Appended:
    rows: list[tuple[tuple[Any, ...], Decimal | None, Decimal]]  # which rate, its value before, its value

    def taken(self, given: int) -> Taken:
        corrected = sum(before is not None for _own, before, _value in self.rows)
        return Taken(len(self.rows) - corrected, corrected, given - len(self.rows))

    def entries(self, actor: User | None, *, only_corrected: bool = False) -> list[journal.Line]:
        return [
            journal.entry(
                verb="rates.rate.added" if before is None else "rates.rate.corrected", subject=_subject(own), actor=actor,
                before={} if before is None else {"value": rules.plain(before)}, after={"value": rules.plain(value)},
            )
            for own, before, value in self.rows
            if before is not None or not only_corrected
        ]  # fmt: skip


def _append(rates: Sequence[Mapping[str, Any]], actor: User | None) -> _Appended:
    if wrong := problems(rates):
        raise RateError(wrong)
    _open(sorted({rate["source_id"] for rate in rates}))
    held = _held(rates)
    now, by = timezone.now(), None if actor is None else actor.pk
    appended: list[tuple[tuple[Any, ...], Decimal | None, Decimal]] = []
    rows: list[tuple[Any, ...]] = []
    for rate in rates:
        own = tuple(rate[name] for name in IDENTITY)
        version, value = held.get(own, (0, None))
        if value != rate["value"]:
            appended.append((own, value, rate["value"]))
            rows.append((*own, version + 1, rate["value"], now, by))
    bulk.insert(Rate, COLUMNS, rows)
    return _Appended(appended)


def _open(codes: Sequence[str]) -> None:
    """Sources that need no setting up are there from now on; all are locked: two imports cannot make one version twice."""
    RateSource.objects.bulk_create(
        (
            RateSource(code=code, name=in_every_language(BUILT_IN[code][0]), base=BUILT_IN[code][1])
            for code in codes
            if code in BUILT_IN
        ),
        ignore_conflicts=True,
    )
    list(RateSource.objects.select_for_update(no_key=True).filter(pk__in=codes).order_by("pk"))


def _held(rates: Sequence[Mapping[str, Any]]) -> dict[tuple[Any, ...], tuple[int, Decimal]]:
    """The latest version and value of the pairs and days that are given: one query."""
    alike = Rate.objects.filter(**{f"{name}__in": {rate[name] for rate in rates} for name in IDENTITY})
    rows = alike.order_by("version").values_list(*IDENTITY, "version", "value")
    return {tuple(own): (version, value) for *own, version, value in rows}


def _subject(own: Sequence[Any]) -> str:
    source, base, quote, on = own
    return f"rates.rate:{source} {base}/{quote} {on.isoformat()}"


def save_source(*, source: RateSource, actor: User | None) -> None:
    """Keep a source that staff named or renamed. Repeating changes nothing. What crosses stored stays as it is."""
    journal.save(row=source, actor=actor)
