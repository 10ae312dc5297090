"""What leaves: batches built, approved by a second person, made into one file once, sent, or cancelled before."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from commissions import lifecycle
from commissions.models import Statement
from common.money import ZERO
from common.periods import program_today
from common.templatetags.show import day as day_shown
from common.templatetags.show import money
from invoices.services import issuing
from journal import services as journal
from partners.models import Partner
from payouts import sealing, selectors, sepa, transfer_list
from payouts.errors import BatchError
from payouts.models import PayerAccount, PayoutBatch, PayoutFile, PayoutItem, Rail
from payouts.rules import bank_day_from, creditor_reference, end_to_end_id, is_bank_day, message_id

State, ItemState = PayoutBatch.State, PayoutItem.State
MAX_ITEMS = 5_000


@transaction.atomic
def build_batch(
    *, payer: PayerAccount, execute_on: date, statement_ids: Collection[int], actor: User
) -> PayoutBatch:  # fmt: skip
    """A draft that pays these statements, each to its partner's account in force.

    A fixed number of queries. Raises BatchError, and builds nothing, where one of them cannot be paid: it says which and
    why. Two batches built at once never share a statement: the second is refused.
    """
    ids = sorted(set(statement_ids))
    _must_be_payable_day(payer.rail, execute_on)
    if not payer.is_active:
        raise BatchError(_("This account is out of use: choose another one to pay from."))
    if not 1 <= len(ids) <= MAX_ITEMS:
        raise BatchError(_("A batch has between one and %(most)s payments.") % {"most": MAX_ITEMS})
    list(Statement.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    found = selectors.candidates(rail=payer.rail, currency=payer.currency, execute_on=execute_on, statement_ids=ids)
    _all_ready(found, ids)
    batch = PayoutBatch.objects.create(
        payer=payer, rail=payer.rail, currency=payer.currency, execute_on=execute_on, count=len(found),
        total=sum((one.statement.total for one in found), ZERO), built_by=actor, built_at=timezone.now(),
    )  # fmt: skip
    before = PayoutItem.objects.filter(statement__in=ids).order_by().values_list("statement").annotate(Max("attempt"))
    attempts = dict(before)
    try:
        PayoutItem.objects.bulk_create([_item(batch, one, attempts.get(one.statement.pk, 0) + 1) for one in found])
    except IntegrityError:  # where the database has no row locks to wait for
        raise BatchError(_("Some of these statements are in another batch by now. Look at the list again.")) from None
    journal.record(
        verb="payouts.batch.built", subject=batch, actor=actor, after={**_facts(batch), "statements": len(found)}
    )
    return batch


def _must_be_payable_day(rail: str, day: date) -> None:
    if day < program_today():
        raise BatchError(_("The execution day has passed: choose today or later."))
    if rail == Rail.SEPA and not is_bank_day(day):
        raise BatchError(
            _("Banks do not settle on %(day)s; the next bank day is %(next)s.")
            % {"day": day_shown(day), "next": day_shown(bank_day_from(day))}
        )


def _all_ready(found: Sequence[selectors.Candidate], ids: Collection[int]) -> None:
    if len(found) < len(ids):
        raise BatchError(_("Some of these statements no longer wait for payment. Look at the list again."))
    if refused := [one for one in found if one.obstacle]:
        named = "; ".join(f"{one.statement}: {one.says}" for one in refused[:3])
        raise BatchError(_("Nothing was built: %(named)s") % {"named": named + ("; …" if len(refused) > 3 else "")})


def _item(batch: PayoutBatch, one: selectors.Candidate, attempt: int) -> PayoutItem:
    statement = one.statement
    return PayoutItem(
        batch=batch, statement=statement, partner_id=statement.partner_id, account=one.account, attempt=attempt,
        amount=statement.total, currency=statement.currency, remittance=_remittance(statement),
        end_to_end_id=end_to_end_id(batch.pk, statement.pk, attempt),
    )  # fmt: skip


def _remittance(statement: Statement) -> str:
    """What the payee reads on its account: a creditor reference, or the statement in words (settings.PAYOUT_REMITTANCE)."""
    if settings.PAYOUT_REMITTANCE == "reference":
        return creditor_reference(f"ST{statement.pk}")
    return f"{settings.VENDOR_NAME} {statement.starts_on:%Y-%m} ST{statement.pk}"[:140]


@transaction.atomic
def take_out(*, batch: PayoutBatch, item_ids: Collection[int], actor: User) -> PayoutBatch:
    """Payments that do not leave with this draft; their statements may go in another. Repeating changes nothing."""
    locked = _locked(batch)
    if locked.state != State.DRAFT:
        raise BatchError(_("Only a draft can be changed; this batch is “%(state)s”.") % {"state": _shown(locked)})
    out = list(locked.items.filter(pk__in=item_ids, state=ItemState.UNDER_WAY))
    if not out:
        return locked
    PayoutItem.objects.filter(pk__in=[one.pk for one in out]).update(state=ItemState.CANCELLED)
    locked.count -= len(out)
    locked.total -= sum((one.amount for one in out), ZERO)
    if not locked.count:
        locked.state = State.CANCELLED
    locked.save(update_fields=["count", "total", "state"])
    journal.record(
        verb="payouts.batch.changed", subject=locked, actor=actor,
        after={**_facts(locked), "taken_out": [one.end_to_end_id for one in out]},
    )  # fmt: skip
    return locked


@transaction.atomic
def approve_batch(*, batch: PayoutBatch, actor: User, seen_total: Decimal) -> PayoutBatch:
    """By a second person: its statements are scheduled, and its file is made, once.

    `seen_total` is the sum that was looked at. Repeating changes nothing. Raises BatchError for who built it, for a sum
    that changed, and where a payment can no longer be made; StatementStateError where a statement is elsewhere by now.
    """
    locked = _locked(batch)
    if locked.state not in (State.DRAFT, State.CANCELLED):
        return locked
    if locked.state == State.CANCELLED:
        raise BatchError(_("This batch was cancelled."))
    if locked.built_by_id == actor.pk:
        raise BatchError(_("You built this batch: a second person has to approve it."))
    if locked.total != seen_total:
        raise BatchError(
            _("The batch changed while you looked at it: it comes to %(total)s now. Look at it again.")
            % {"total": money(locked.total, locked.currency)}
        )
    _must_be_payable_day(locked.rail, locked.execute_on)
    items = _open_items(locked)
    _still_right(locked, items)
    ids = [one.statement_id for one in items]
    if len(lifecycle.schedule(ids, actor=actor)) < len(ids):
        raise BatchError(_("Some of these statements are scheduled elsewhere. Cancel this batch and build it again."))
    # What the night has not written yet: what is paid has its document, or waits for it in a list that staff see.
    issuing.issue_for([one.statement for one in items], on=program_today(), actor=actor)
    now = timezone.now()
    locked.state, locked.approved_by, locked.approved_at = State.APPROVED, actor, now
    locked.save(update_fields=["state", "approved_by", "approved_at"])
    made = _make_file(locked, items, now)
    journal.record(
        verb="payouts.batch.approved", subject=locked, actor=actor,
        after={**_facts(locked), "file": made.name, "sha256": made.sha256},
    )  # fmt: skip
    return locked


def _open_items(batch: PayoutBatch) -> list[PayoutItem]:
    return list(
        batch.items.filter(state=ItemState.UNDER_WAY).select_related("account", "statement__partner").order_by("pk")
    )


def _still_right(batch: PayoutBatch, items: Sequence[PayoutItem]) -> None:
    """Partners, accounts and amounts are as on the day the batch was built."""
    if len(items) != batch.count or sum((one.amount for one in items), ZERO) != batch.total:
        raise BatchError(_("The payments of this batch do not add up to it. Cancel it and build it again."))
    wrong = [
        one
        for one in items
        if not one.account.is_usable_on(batch.execute_on)
        or one.amount != one.statement.total
        or one.statement.partner.status == Partner.Status.SUSPENDED
    ]
    if wrong:
        named = ", ".join(str(one.statement) for one in wrong[:3]) + ("…" if len(wrong) > 3 else "")
        raise BatchError(
            ngettext(
                "The partner, the account or the amount of %(count)s payment changed since: %(named)s.",
                "The partners, the accounts or the amounts of %(count)s payments changed since: %(named)s.",
                len(wrong),
            ) % {"count": len(wrong), "named": named}
            + " " + _("Take them out, or cancel the batch and build it again.")
        )  # fmt: skip


def _make_file(batch: PayoutBatch, items: Sequence[PayoutItem], now: datetime) -> PayoutFile:
    """Exactly once: a batch has one file (one-to-one), made in the transaction that approves it."""
    payer = batch.payer
    order = sepa.Order(
        message_id=message_id(batch.pk), created_at=timezone.localtime(now).replace(tzinfo=None),
        execute_on=batch.execute_on, debtor=sepa.Debtor(payer.name, payer.iban, payer.bic), currency=batch.currency,
        transfers=[_transfer(one) for one in items],
    )  # fmt: skip
    try:
        if batch.rail == Rail.SEPA:
            content, ending = sepa.write(order, settings.PAIN_001_VERSION), "xml"
        else:
            content = transfer_list.write(order, {one.end_to_end_id: one.account for one in items})
            ending = "csv"
    except sepa.SepaError as error:
        raise BatchError(_("The file of this batch cannot be made: %(why)s.") % {"why": error}) from error
    return PayoutFile.objects.create(
        batch=batch, name=f"{order.message_id}.{ending}", sealed=sealing.seal_file(content), size=len(content),
        sha256=hashlib.sha256(content).hexdigest(), made_at=now,
    )  # fmt: skip


def _transfer(item: PayoutItem) -> sepa.Transfer:
    account = item.account
    is_reference = item.remittance.startswith("RF") and item.remittance.isalnum()
    return sepa.Transfer(
        end_to_end_id=item.end_to_end_id, name=account.holder, iban=account.number(), bic=account.bic,
        amount=item.amount, reference=item.remittance if is_reference else "",
        text="" if is_reference else item.remittance,
    )  # fmt: skip


@transaction.atomic
def send_batch(*, batch: PayoutBatch, actor: User) -> PayoutBatch:
    """Pay: the file is given out for the bank, and from now on the batch cannot be cancelled. Repeating changes nothing.

    Raises BatchError for a batch that is not approved, whose day has passed, or that pays an account no longer in force.
    """
    locked = _locked(batch)
    if locked.state in PayoutBatch.LEFT:
        return locked
    if locked.state != State.APPROVED:
        raise BatchError(_("Only an approved batch can be paid; this one is “%(state)s”.") % {"state": _shown(locked)})
    _must_be_payable_day(locked.rail, locked.execute_on)
    _still_right(locked, _open_items(locked))
    locked.state, locked.sent_by, locked.sent_at = State.SENT, actor, timezone.now()
    locked.save(update_fields=["state", "sent_by", "sent_at"])
    journal.record(verb="payouts.batch.sent", subject=locked, actor=actor, after=_facts(locked))
    return locked


@transaction.atomic
def open_file(*, batch: PayoutBatch, actor: User) -> tuple[str, bytes]:
    """The name and the bytes of a sent batch's file: the same ones every time. Each download is in the journal."""
    locked = _locked(batch)
    if locked.state not in PayoutBatch.LEFT:
        raise BatchError(
            _("The file is given out when the batch is paid; this one is “%(state)s”.") % {"state": _shown(locked)}
        )
    kept = locked.file
    content = sealing.unseal_file(bytes(kept.sealed))
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        raise BatchError(_("The stored file is not the one that was made: do not use it, and tell who runs this site."))
    journal.record(
        verb="payouts.file.downloaded", subject=locked, actor=actor, after={"file": kept.name, "sha256": kept.sha256}
    )
    return kept.name, content


@transaction.atomic
def cancel_batch(*, batch: PayoutBatch, actor: User, reason: str) -> PayoutBatch:
    """Nothing of it leaves: its statements are approved again. Repeating changes nothing. Raises BatchError once it was sent."""
    locked = _locked(batch)
    if locked.state == State.CANCELLED:
        return locked
    if locked.state not in (State.DRAFT, State.APPROVED):
        raise BatchError(
            _("This batch went to the bank: it cannot be cancelled here. Ask the bank, and read its answer back.")
        )
    if not reason.strip():
        raise BatchError(_("Say why it is cancelled."))
    items = list(locked.items.filter(state=ItemState.UNDER_WAY).order_by("pk"))
    if locked.state == State.APPROVED:
        lifecycle.unschedule([one.statement_id for one in items], actor=actor)
    PayoutItem.objects.filter(pk__in=[one.pk for one in items]).update(state=ItemState.CANCELLED)
    before, locked.state = locked.state, State.CANCELLED
    locked.save(update_fields=["state"])
    journal.record(
        verb="payouts.batch.cancelled", subject=locked, actor=actor, before={"state": before},
        after={**_facts(locked), "reason": reason.strip()},
    )  # fmt: skip
    return locked


def _locked(batch: PayoutBatch) -> PayoutBatch:
    return PayoutBatch.objects.select_for_update(no_key=True, of=("self",)).select_related("payer").get(pk=batch.pk)


def _shown(batch: PayoutBatch) -> str:
    return batch.get_state_display()


def _facts(batch: PayoutBatch) -> dict[str, object]:
    return {
        "message": message_id(batch.pk), "count": batch.count, "total": str(batch.total), "currency": batch.currency,
        "execute_on": batch.execute_on.isoformat(),
    }  # fmt: skip
