"""What became of payments: files of the bank read back, what staff say by hand, and failed ones put in the queue again."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from commissions import lifecycle
from commissions.models import Statement
from common.periods import program_today
from common.templatetags.show import money
from journal import services as journal
from payouts import bank_status, reasons, sealing
from payouts.bank_status import Notice, Outcome, StatusFileError
from payouts.errors import BankFileError, BatchError
from payouts.models import BankFile, PayeeAccount, PayoutBatch, PayoutItem
from payouts.rules import batch_named, message_id, settled_state
from payouts.services.accounts import tell_owners

ItemState = PayoutItem.State
ROWS_KEPT = 2_000  # of each list of a report; the counts are of all


class Effect(StrEnum):
    """What a notice does to its payment."""

    MATCHED = "matched"  # it changed the payment
    KNOWN = "known"  # the payment said so already
    UNDER_WAY = "under_way"  # it says nothing final
    UNMATCHED = "unmatched"  # no payment of ours


# What an outcome makes of a payment in a state; None: nothing, it is known. What is not here contradicts what is known.
BECOMES: Mapping[tuple[str, Outcome], str | None] = {
    ("under_way", Outcome.PAID): "paid",
    ("under_way", Outcome.FAILED): "failed",
    ("under_way", Outcome.RETURNED): "failed",  # it came back before anything said that it had left
    ("paid", Outcome.PAID): None,
    ("paid", Outcome.RETURNED): "returned",
    ("failed", Outcome.FAILED): None,
    ("failed", Outcome.RETURNED): None,
    ("returned", Outcome.PAID): None,
    ("returned", Outcome.RETURNED): None,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A payment and what became of it."""

    item: PayoutItem
    outcome: Outcome
    on: date
    reason: str = ""
    text: str = ""
    bank_reference: str = ""


@dataclass(slots=True)
class _Read:
    changes: list[Change] = field(default_factory=list)
    rows: dict[Effect, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)


# --- Files of the bank --------------------------------------------------------------------------------


def read_bank_file(*, content: bytes, name: str, actor: User) -> tuple[BankFile, bool]:
    """Take a pain.002 or camt.054: payments are paid, failed or returned as it says. Returns the file, and whether it is new.

    All of it or nothing. The same file again changes nothing and gives the first one back; another file that says the
    same lists it as known. What matches no payment of ours is listed and left alone. Raises BankFileError for what is not
    such a file, and for one that contradicts what is known: another amount, or a payment that never left.
    """
    limit = settings.BANK_FILE_MAX_BYTES
    if not 0 < len(content) <= limit:
        raise BankFileError(
            _("A file of the bank has between something and %(limit)s MB.") % {"limit": f"{limit / 2**20:,.0f}"}
        )
    mark = hashlib.sha256(content).hexdigest()
    if (before := BankFile.objects.filter(sha256=mark).first()) is not None:
        return before, False
    try:
        found = bank_status.read(content)
    except StatusFileError as error:
        raise BankFileError(_problem(error)) from None
    try:
        with transaction.atomic():
            return _take(found, content, mark, name, actor), True
    except IntegrityError:
        before = BankFile.objects.filter(sha256=mark).first()  # somebody sent it at the same moment
        if before is None:
            raise
        return before, False


def _problem(error: StatusFileError) -> str:
    said = {
        "not_xml": _("This is not a whole XML file: %(found)s."),
        "declares_a_type": _("The file declares a document type, which no bank does: it was not read."),
        "other_kind": _(
            "This is a “%(found)s”. A pain.002 (status of an order) or a camt.054 (bookings) is read here."
        ),
        "unknown_status": _("The file gives the status “%(found)s”, which is not known: nothing was read."),
        "not_an_amount": _("“%(found)s” stands where an amount should."),
        "not_a_day": _("“%(found)s” stands where a day should."),
        "not_a_number": _("“%(found)s” stands where a number should."),
        "too_many": _("The file has %(found)s notices, more than are read at once. Ask the bank for smaller files."),
    }
    return said[error.problem] % {"found": error.found}


def _take(found: bank_status.StatusFile, content: bytes, mark: str, name: str, actor: User) -> BankFile:
    read = _matched(found.notices)
    if read.wrong:
        named = " ".join(read.wrong[:5])
        more = len(read.wrong) - 5
        if more > 0:
            named += " " + ngettext("And %(count)s more.", "And %(count)s more.", more) % {"count": more}
        raise BankFileError(
            _("Nothing was read from this file: it contradicts what is known. %(named)s") % {"named": named}
        )
    kept = BankFile.objects.create(
        kind=BankFile.Kind(found.kind), name=name[-200:], message_id=found.message_id[:70],
        sealed=sealing.seal_file(content), sha256=mark, taken_by=actor, taken_at=timezone.now(),
        report={effect.value: read.rows[effect][:ROWS_KEPT] for effect in Effect}
        | {"counts": {effect.value: len(read.rows[effect]) for effect in Effect}},
    )  # fmt: skip
    journal.record(
        verb="payouts.bank_file.read", subject=kept, actor=actor,
        after={"kind": kept.kind, "sha256": mark, **kept.report["counts"]},
    )  # fmt: skip
    _apply(read.changes, actor)
    return kept


def _matched(notices: Sequence[Notice]) -> _Read:
    """Each notice beside its payment, or beside every payment of its order. Locks the batches it speaks of."""
    spoken_of = {batch_named(one.end_to_end_id or one.message_id) for one in notices} - {None}
    batches = {one.pk: one for one in _locked_batches(spoken_of)}
    items: dict[str, PayoutItem] = {}
    of_batch: dict[int, list[PayoutItem]] = defaultdict(list)
    for known in PayoutItem.objects.filter(batch__in=batches).select_related("account").order_by("pk"):
        items[known.end_to_end_id] = known
        if known.state != ItemState.CANCELLED:
            of_batch[known.batch_id].append(known)
    read = _Read()
    seen: dict[int, str] = {}  # what this very file has made of a payment so far
    for notice in notices:
        whole = None if notice.end_to_end_id else batches.get(batch_named(notice.message_id) or 0)
        item = items.get(notice.end_to_end_id)
        if whole is not None:
            _whole_order(read, notice, whole, of_batch[whole.pk], seen)
        elif item is not None:
            _one(read, notice, item, batches[item.batch_id], seen)
        else:
            read.rows[Effect.UNMATCHED].append(_row(notice))
    return read


def _whole_order(
    read: _Read, notice: Notice, batch: PayoutBatch, items: Sequence[PayoutItem], seen: dict[int, str]
) -> None:
    """A notice of an order counts for all its payments, if it speaks of as many and as much."""
    if (notice.count is not None and notice.count != batch.count) or (
        notice.amount is not None and notice.amount != batch.total
    ):
        read.wrong.append(
            _("The file speaks of %(count)s payments and %(amount)s for %(batch)s, which has %(own_count)s and %(own)s.")
            % {
                "count": "–" if notice.count is None else notice.count, "batch": message_id(batch.pk),
                "amount": "–" if notice.amount is None else money(notice.amount, batch.currency),
                "own_count": batch.count, "own": money(batch.total, batch.currency),
            }
        )  # fmt: skip
        return
    for item in items:
        _one(read, notice, item, batch, seen, of_whole=True)


def _one(
    read: _Read, notice: Notice, item: PayoutItem, batch: PayoutBatch, seen: dict[int, str], *, of_whole: bool = False
) -> None:
    if not of_whole and (wrong := _other_amount(notice, item)):
        read.wrong.append(wrong)
        return
    state = seen.get(item.pk, item.state)
    if batch.state not in PayoutBatch.LEFT or (state, notice.outcome) not in BECOMES:
        if notice.outcome is Outcome.UNDER_WAY and batch.state in PayoutBatch.LEFT:
            read.rows[Effect.UNDER_WAY].append(_row(notice, item))
            return
        read.wrong.append(
            _("%(id)s is “%(outcome)s” in the file, but “%(state)s” here.")
            % {"id": item.end_to_end_id, "outcome": outcome_shown(notice.outcome), "state": _state_shown(item, batch)}
        )
        return
    becomes = BECOMES[state, notice.outcome]
    if becomes is None:
        read.rows[Effect.KNOWN].append(_row(notice, item))
        return
    seen[item.pk] = becomes
    read.rows[Effect.MATCHED].append(_row(notice, item))
    read.changes.append(
        Change(item, notice.outcome, notice.on or program_today(), notice.reason, notice.text, notice.bank_reference)
    )


def _other_amount(notice: Notice, item: PayoutItem) -> str:
    if notice.amount is None or (notice.amount == item.amount and notice.currency in ("", item.currency)):
        return ""
    return _("%(id)s is %(amount)s in the file and %(own)s here.") % {
        "id": item.end_to_end_id, "amount": money(notice.amount, notice.currency or item.currency),
        "own": money(item.amount, item.currency),
    }  # fmt: skip


def outcome_shown(outcome: str) -> str:
    return {
        Outcome.UNDER_WAY: _("under way"), Outcome.PAID: _("paid"), Outcome.FAILED: _("failed"),
        Outcome.RETURNED: _("returned"),
    }[Outcome(outcome)]  # fmt: skip


def _state_shown(item: PayoutItem, batch: PayoutBatch) -> str:
    return str(batch.get_state_display() if batch.state not in PayoutBatch.LEFT else item.get_state_display())


def _row(notice: Notice, item: PayoutItem | None = None) -> dict[str, Any]:
    amount = notice.amount if item is None else item.amount
    return {
        "id": notice.end_to_end_id if item is None else item.end_to_end_id, "outcome": notice.outcome.value,
        "amount": None if amount is None else str(amount), "currency": notice.currency if item is None else item.currency,
        "reason": notice.reason, "text": notice.text[:300], "item": item.pk if item is not None else None,
    }  # fmt: skip


# --- By hand ------------------------------------------------------------------------------------------


@transaction.atomic
def settle_by_hand(
    *, batch: PayoutBatch, item_ids: Collection[int] | None, outcome: Outcome, on: date, reason: str = "", actor: User
) -> int:
    """What staff read at the bank, for a rail or a bank that sends no files: paid, failed or returned; None is all open ones.

    Repeating changes nothing. Returns how many changed. Raises BatchError for a batch that was not sent, for a day to come,
    and for a payment of which that cannot be said.
    """
    (locked,) = _locked_batches([batch.pk])
    if locked.state not in PayoutBatch.LEFT:
        raise BatchError(_("This batch was not sent: nothing of it can be paid yet."))
    if on > program_today():
        raise BatchError(_("That day is still to come."))
    if outcome is not Outcome.PAID and not reason.strip():
        raise BatchError(_("Say what the bank said: the partner reads it."))
    items = list(locked.items.exclude(state=ItemState.CANCELLED).select_related("account").order_by("pk"))
    chosen = [
        one for one in items if (one.state == ItemState.UNDER_WAY if item_ids is None else one.pk in set(item_ids))
    ]
    if wrong := [one for one in chosen if (one.state, outcome) not in BECOMES]:
        raise BatchError(
            _("%(id)s is “%(state)s”: that cannot be said of it.")
            % {"id": wrong[0].end_to_end_id, "state": wrong[0].get_state_display()}
        )
    code = "" if outcome is Outcome.PAID else reasons.BY_HAND
    changing = [one for one in chosen if BECOMES[one.state, outcome] is not None]
    _apply([Change(one, outcome, on, code, reason.strip()) for one in changing], actor)
    return len(changing)


@transaction.atomic
def requeue(*, items: Collection[PayoutItem], actor: User) -> int:
    """Failed and returned payments wait for the next batch. Repeating changes nothing. Returns how many statements.

    Raises BatchError where the partner has no account in force that the bank did not refuse.
    """
    fresh = PayoutItem.objects.filter(pk__in=[one.pk for one in items]).select_related("statement__partner")
    failed = [one for one in fresh if one.state in (ItemState.FAILED, ItemState.RETURNED)]
    waiting = [one for one in failed if one.statement.state == Statement.State.FAILED]
    usable = set(
        PayeeAccount.objects.in_force()
        .filter(flag="", partner__in={one.partner_id for one in waiting})
        .values_list("partner", "currency")
    )
    if lacking := [one for one in waiting if (one.partner_id, one.currency) not in usable]:
        named = ", ".join(str(one.statement.partner) for one in lacking[:3]) + ("…" if len(lacking) > 3 else "")
        raise BatchError(
            _("The bank refused the account of %(named)s: a new one has to be given and confirmed first.")
            % {"named": named}
        )
    return len(lifecycle.requeue([one.statement_id for one in waiting], actor=actor))


# --- What both do -------------------------------------------------------------------------------------


def _locked_batches(ids: Iterable[int | None]) -> list[PayoutBatch]:
    """In the order that everybody locks them; batches before statements."""
    return list(PayoutBatch.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk"))


def _apply(changes: Sequence[Change], actor: User) -> None:
    """Write what became of payments whose batches are locked: payments, statements, accounts, batches, in sets."""
    last: dict[int, Change] = {}
    for change in changes:  # a file may say paid, then returned, of one payment: each step is taken
        item, became = change.item, BECOMES[change.item.state, change.outcome]
        if became is None:
            continue
        item.state = became
        if became == ItemState.PAID:
            item.paid_on, item.bank_reference = change.on, change.bank_reference[:70]
        else:
            item.reason, item.reason_text = change.reason[:35], change.text[:300]
            item.returned_on = change.on if became == ItemState.RETURNED else None
        last[item.pk] = change
    items = [change.item for change in last.values()]
    fields = ["state", "paid_on", "returned_on", "bank_reference", "reason", "reason_text"]
    _mark_paid([one for one in items if one.paid_on is not None], actor)
    PayoutItem.objects.bulk_update(items, fields, batch_size=500)
    failed = [one for one in items if one.state != ItemState.PAID]
    _mark_failed(failed, actor)
    _flag([one for one in failed if reasons.is_of_account(one.reason)], actor)
    _close({one.batch_id for one in items}, actor)


def _mark_paid(items: Sequence[PayoutItem], actor: User) -> None:
    grouped: dict[tuple[int, date], list[int]] = defaultdict(list)
    states = dict(Statement.objects.filter(pk__in=[one.statement_id for one in items]).values_list("pk", "state"))
    for one in items:
        if one.paid_on is not None and states[one.statement_id] == Statement.State.SCHEDULED:
            grouped[one.batch_id, one.paid_on].append(one.statement_id)
    for (batch_id, day), ids in grouped.items():
        lifecycle.mark_paid(ids, paid_on=day, actor=actor, reference=message_id(batch_id))


def _mark_failed(items: Sequence[PayoutItem], actor: User) -> None:
    grouped: dict[str, list[int]] = defaultdict(list)
    for one in items:
        said = reasons.said(one.reason, one.reason_text) or _("the payment came back")
        grouped[said[:500]].append(one.statement_id)
    for reason, ids in grouped.items():
        lifecycle.mark_failed(ids, reason=reason, actor=actor)
    journal.record_many(
        journal.entry(
            verb=f"payouts.payment.{one.state}", subject=one, actor=actor, partner_id=one.partner_id,
            after={"amount": str(one.amount), "currency": one.currency, "reason": one.reason, "text": one.reason_text},
        )
        for one in items
    )  # fmt: skip


def _flag(items: Sequence[PayoutItem], actor: User) -> None:
    """Nothing more is paid to an account that the bank refused; the partner's owners are told."""
    codes = {one.account_id: one.reason or "NARR" for one in items}
    accounts = list(PayeeAccount.objects.filter(pk__in=codes, flag="").select_for_update(no_key=True).order_by("pk"))
    now = timezone.now()
    for account in accounts:
        account.flag, account.flagged_at = codes[account.pk], now
    journal.record_many(
        journal.entry(
            verb="payouts.account.flagged", subject=account, actor=actor, partner_id=account.partner_id,
            after={"account": account.mask, "currency": account.currency, "reason": account.flag},
        )
        for account in accounts
    )  # fmt: skip
    tell_owners(accounts, "flagged")
    PayeeAccount.objects.bulk_update(accounts, ["flag", "flagged_at"])


def _close(batch_ids: Collection[int], actor: User) -> None:
    states: dict[int, list[str]] = defaultdict(list)
    for batch_id, state in PayoutItem.objects.filter(batch__in=batch_ids).values_list("batch", "state"):
        states[batch_id].append(state)
    for batch in PayoutBatch.objects.filter(pk__in=batch_ids).order_by("pk"):
        state = settled_state(states[batch.pk])
        if state != batch.state:
            before, batch.state = batch.state, state
            batch.save(update_fields=["state"])
            journal.record(
                verb="payouts.batch.settled",
                subject=batch,
                actor=actor,
                before={"state": before},
                after={"state": state},
            )


def sent_and_returned(batch: PayoutBatch) -> tuple[Decimal, Decimal]:
    """What left with a batch, and what of it came back."""
    zero = Decimal(0)
    rows = list(batch.items.values_list("state", "amount"))
    sent = sum((amount for state, amount in rows if state in ("paid", "returned")), zero)
    return sent, sum((amount for state, amount in rows if state == "returned"), zero)
