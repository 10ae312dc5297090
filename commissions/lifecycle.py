"""The life of a statement after its review: one table of moves, each made by compare and set over a set.

Every function takes the keys of statements and moves all of them, or none: in one transaction, with a journal entry for
each that moved, and returns the keys that moved. Those that are there already are left alone, so repeating changes
nothing. StatementStateError names those that are elsewhere.

`services.statements` issues and approves; what pays (batches, bank files) calls `schedule`, `mark_paid` and `mark_failed`.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from commissions.errors import StatementStateError
from commissions.models import Statement
from commissions.statements import gather
from journal import services as journal
from partners.models import Partner

State = Statement.State
MOVES: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.IN_REVIEW}),
    State.IN_REVIEW: frozenset({State.APPROVED, State.CARRIED, State.BLOCKED}),
    State.APPROVED: frozenset({State.SCHEDULED, State.BLOCKED, State.CANCELLED}),
    State.SCHEDULED: frozenset({State.APPROVED, State.PAID, State.FAILED}),
    State.PAID: frozenset({State.FAILED}),  # the bank sent it back
    State.FAILED: frozenset({State.APPROVED, State.CARRIED, State.CANCELLED}),
    State.BLOCKED: frozenset(
        {State.IN_REVIEW, State.APPROVED, State.CANCELLED}
    ),  # where it came from; cancelled once approved
    State.CANCELLED: frozenset(),
    State.CARRIED: frozenset(),
}
NAMED = 3  # statements that a refusal names


def schedule(ids: Collection[int], *, actor: User | None) -> list[int]:
    """Approved ones are in a payment now. What was scheduled before is not among the keys returned: it is in another one."""
    return _move(ids, State.SCHEDULED, "scheduled", actor=actor, leaving=[State.APPROVED])


def unschedule(ids: Collection[int], *, actor: User | None) -> list[int]:
    """Out of the payment, before it was sent: approved again."""
    return _move(ids, State.APPROVED, "unscheduled", actor=actor, leaving=[State.SCHEDULED])


def mark_paid(ids: Collection[int], *, paid_on: date, actor: User | None, reference: str = "") -> list[int]:
    """The money left, or arrived, on `paid_on`; `reference` is the payment's."""
    changed = {"paid_on": paid_on, "payment_reference": reference}
    return _move(ids, State.PAID, "paid", actor=actor, leaving=[State.SCHEDULED], changed=changed)


def mark_failed(ids: Collection[int], *, reason: str, actor: User | None) -> list[int]:
    """The bank refused it, or sent back what was paid."""
    changed = {"reason": reason, "paid_on": None}
    return _move(ids, State.FAILED, "failed", actor=actor, leaving=[State.SCHEDULED, State.PAID], changed=changed)


def requeue(ids: Collection[int], *, actor: User | None) -> list[int]:
    """A failed one waits for the next payment."""
    changed = {"reason": "", "payment_reference": ""}
    return _move(ids, State.APPROVED, "requeued", actor=actor, leaving=[State.FAILED], changed=changed)


def block(ids: Collection[int], *, reason: str, actor: User | None) -> list[int]:
    """Stopped by staff, in review or approved, until it is released."""
    leaving = [State.IN_REVIEW, State.APPROVED]
    return _move(ids, State.BLOCKED, "blocked", actor=actor, leaving=leaving, changed={"reason": reason})


@transaction.atomic
def release(ids: Collection[int], *, actor: User | None) -> list[int]:
    """Where it was before it was blocked: in review, or approved."""
    rows = _locked(ids)
    approved = [one.pk for one in rows if one.approved_at is not None]
    reviewed = [one.pk for one in rows if one.approved_at is None]
    moved = []
    for keys, to in ((approved, State.APPROVED), (reviewed, State.IN_REVIEW)):
        moved += _move(keys, to, "released", actor=actor, leaving=[State.BLOCKED], changed={"reason": ""})
    return sorted(moved)


def cancel(ids: Collection[int], *, reason: str, actor: User | None) -> list[int]:
    """Nothing will be paid by it; what it came to goes on the partner's next statement. Only once it was approved, and never
    while it is paid or being paid: what the bank sent back has failed."""
    leaving = [State.APPROVED, State.BLOCKED, State.FAILED]
    changed = {"reason": reason}
    return _move(ids, State.CANCELLED, "cancelled", actor=actor, leaving=leaving, changed=changed, approved=True)


def carry(ids: Collection[int], *, reason: str, actor: User | None) -> list[int]:
    """A failed one is not tried again: what it came to goes on the partner's next statement."""
    return _move(ids, State.CARRIED, "carried", actor=actor, leaving=[State.FAILED], changed={"reason": reason})


def facts(one: Statement) -> dict[str, Any]:
    """What the journal says of a statement."""
    return {"amount": str(one.total), "currency": one.currency, "month": one.starts_on.isoformat()}


def elsewhere(rows: Collection[Statement]) -> StatementStateError:
    named = ", ".join(f"{one} ({one.get_state_display()})" for one in list(rows)[:NAMED])
    more = "…" if len(rows) > NAMED else ""
    return StatementStateError(
        _("Nothing was done: these statements are in another state by now: %(named)s.") % {"named": named + more},
        states={one.pk: one.state for one in rows},
    )


@transaction.atomic
def _move(
    ids: Collection[int], to: State, verb: str, *, actor: User | None, leaving: Collection[State],
    changed: Mapping[str, Any] | None = None, approved: bool = False,
) -> list[int]:  # fmt: skip
    ends = not MOVES[to]
    if ends:  # its money goes on a draft, which the night fills under the partner's lock
        lock_partners_of(ids)
    rows = _locked(ids)
    others = [one for one in rows if one.state != to and one.state not in leaving]
    if approved:
        others += [one for one in rows if one.state in leaving and one.approved_at is None]
    if others:
        raise elsewhere(others)
    moving = [one for one in rows if one.state in leaving]
    keys = [one.pk for one in moving]
    if not keys:
        return []
    written = Statement.objects.filter(pk__in=keys, state__in=leaving).update(state=to, **(changed or {}))
    if written != len(keys):  # where the database has no row locks
        raise elsewhere(moving)
    said = {name: value.isoformat() if isinstance(value, date) else value for name, value in (changed or {}).items()}
    journal.record_many(
        journal.entry(
            verb=f"commissions.statement.{verb}", subject=one, actor=actor, partner_id=one.partner_id,
            before={"state": one.state}, after={**facts(one), **said},
        )
        for one in moving
    )  # fmt: skip
    if ends:
        gather({one.partner_id for one in moving})
    return keys


def lock_partners_of(ids: Collection[int]) -> list[int]:
    """Hold the partners of statements, in order, so that no night fills their drafts meanwhile; their keys."""
    chosen = Statement.objects.filter(pk__in=ids).order_by().values("partner")
    held = Partner.objects.filter(pk__in=chosen).select_for_update(no_key=True).order_by("pk")
    return list(held.values_list("pk", flat=True))


def _locked(ids: Collection[int]) -> list[Statement]:
    """The statements, in the order that everybody locks them. Raises StatementStateError for a key that names none."""
    wanted = set(ids)
    rows = list(Statement.objects.filter(pk__in=wanted).select_for_update(no_key=True).order_by("pk"))
    if missing := wanted - {one.pk for one in rows}:
        raise StatementStateError(
            _("Nothing was done: some of these statements do not exist."), states=dict.fromkeys(missing, "")
        )
    return rows
