"""Awards that staff give or another system knows of. Those that results earn are the night's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from imports.upsert import Outcome, as_json, keyed, there, upsert
from journal import services as journal
from tiers.errors import AwardError
from tiers.models import Award

KEYS: dict[str, tuple[str, ...]] = {
    Award.Origin.IMPORTED: ("external_id",),
    Award.Origin.GRANTED: ("partner_id", "code", "scope", "issuer", "starts_on"),
}
EMPTY: dict[str, Any] = {"grade": "", "scope": "", "issuer": "", "ends_on": None}


@dataclass(frozen=True, slots=True)
class Given:
    added: int
    changed: int
    unchanged: int


@transaction.atomic
def give_awards(
    *, awards: Sequence[Mapping[str, Any]], origin: Award.Origin, actor: User | None, reason: str = ""
) -> Given:
    """Give awards, granted by staff (with the reason) or as another system holds them (imported).

    Values by attribute name: `partner_id`, `code` and `starts_on`, and any of `grade`, `scope`, `issuer`, `ends_on`. An
    imported one has an `external_id`, by which it is known: one that differs is changed. A granted one is known by its
    partner, code, scope, issuer and first day: one that is there is left alone. Repeating changes nothing. A fixed number
    of statements, an entry in the journal for each. Raises AwardError, and then nothing was written.
    """
    if origin not in KEYS:
        raise AwardError(_("An award is earned by a night, not given so."))
    if origin == Award.Origin.GRANTED and not reason.strip():
        raise AwardError(_("Say why in a few words: whoever reads it later needs it."))
    rows = [{**EMPTY, **one, "origin": str(origin)} for one in awards]
    _expect(rows)
    kept = Award.objects.filter(origin=origin)
    key = KEYS[origin]
    if origin == Award.Origin.IMPORTED:
        outcome = upsert(rows, into=kept)
    else:
        held = there(rows, among=kept, key=key) if rows else {}
        new = [row for row in rows if keyed(row, key) not in held]
        author = {"author_id": actor and actor.pk, "note": reason.strip()}
        outcome = upsert([{**row, **author} for row in new], into=kept, key=key)
        outcome.unchanged = list(held)
    _tell(outcome, rows, key, actor, reason.strip())
    return Given(len(outcome.added), len(outcome.changed), len(outcome.unchanged))


def _expect(rows: Sequence[Mapping[str, Any]]) -> None:
    for place, row in enumerate(rows, start=1):
        try:
            Award(**row).clean_fields(exclude={"partner", "enrollment", "author"})
        except ValidationError as error:
            said = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            raise AwardError(_("Award %(place)s: %(said)s") % {"place": place, "said": said}) from error
        _expect_end(row["starts_on"], row["ends_on"])


def _expect_end(starts_on: date, ends_on: date | None) -> None:
    if ends_on is not None and ends_on <= starts_on:
        raise AwardError(
            _("It ends after it starts: not on %(end)s, as it starts on %(start)s.")
            % {"end": ends_on, "start": starts_on}
        )


def _tell(
    outcome: Outcome, rows: Sequence[Mapping[str, Any]], key: Sequence[str], actor: User | None, reason: str
) -> None:
    by_key = {keyed(row, key): row for row in rows}
    made = there([by_key[own] for own in outcome.added], among=Award.objects.all(), key=key) if outcome.added else {}
    why = {"reason": reason} if reason else {}
    journal.record_many(
        [
            journal.entry(
                verb="tiers.award.given", subject=made[own], actor=actor, partner_id=made[own].partner_id,
                after={**{name: as_json(value) for name, value in by_key[own].items() if value not in ("", None)}, **why},
            )
            for own in outcome.added
        ]
        + [
            journal.entry(
                verb="tiers.award.changed", subject=change.row, actor=actor,
                partner_id=change.row.partner_id, before=change.before, after=change.after,  # type: ignore[attr-defined]
            )
            for change in outcome.changed.values()
        ]
    )  # fmt: skip


@transaction.atomic
def end_award(*, award: Award, on: date, reason: str, actor: User | None) -> Award:
    """The award is held no more from `on`, and why. Repeating changes nothing.

    Raises AwardError for one that results earned, without a reason, and for a day that is not after its first.
    """
    if not reason.strip():
        raise AwardError(_("Say why in a few words: whoever reads it later needs it."))
    locked = _given(award)
    if locked.ends_on == on:
        return locked
    _expect_end(locked.starts_on, on)
    before, locked.ends_on = locked.ends_on, on
    locked.save(update_fields=["ends_on"])
    journal.record(
        verb="tiers.award.ended", subject=locked, actor=actor, partner_id=locked.partner_id,
        before={"ends_on": as_json(before)}, after={"ends_on": on.isoformat(), "reason": reason.strip()},
    )  # fmt: skip
    return locked


@transaction.atomic
def correct_award(*, award: Award, actor: User | None) -> Award:
    """Keep what staff corrected in an award that was granted or imported. Repeating changes nothing.

    Raises AwardError for one that results earned, and for an end that is not after its start.
    """
    _given(award)
    _expect_end(award.starts_on, award.ends_on)
    journal.save(row=award, actor=actor, partner_id=award.partner_id)
    return award


def _given(award: Award) -> Award:
    """The award, locked. Raises AwardError where the night decides about it."""
    locked = Award.objects.select_for_update(of=("self",), no_key=True).get(pk=award.pk)
    if locked.origin == Award.Origin.EARNED:
        raise AwardError(_("Results earned this award; its rule decides when it ends."))
    return locked
