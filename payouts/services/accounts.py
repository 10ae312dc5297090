"""Payee accounts: asked for, confirmed by a second person, refused, withdrawn. Payer accounts: kept."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from common.periods import program_today
from journal import services as journal
from partners.models import Member, Partner
from payouts import bank_details, sealing
from payouts.bank_details import Details
from payouts.errors import AccountError
from payouts.models import BankFile, PayeeAccount, PayerAccount, PayoutFile, Rail
from payouts.rules import masked
from payouts.tasks import mail_account_news

State = PayeeAccount.State


@transaction.atomic
def ask_account(*, partner: Partner, details: Details, actor: User) -> PayeeAccount:
    """A new version of where the partner is paid in a currency, waiting for confirmation; every owner is told.

    An earlier version that waits is withdrawn. Asking again for what waits changes nothing. Raises AccountError for details
    that are wrong and for those that are in force already.
    """
    checked = bank_details.checked(details)
    versions = _locked_versions(partner.pk, checked.currency)
    mark = sealing.fingerprint(checked.number)
    waiting = next((one for one in versions if one.state == State.WAITING), None)
    in_force = next((one for one in versions if one.state == State.IN_FORCE), None)
    if waiting is not None and _is_same(waiting, checked, mark):
        return waiting
    if in_force is not None and not in_force.flag and _is_same(in_force, checked, mark):
        raise AccountError(_("This is the account that is in force already: there is nothing to change."), "number")
    if waiting is not None:
        _decide(waiting, State.WITHDRAWN, actor, _("Another account was given."))
    account = PayeeAccount.objects.create(
        partner=partner, currency=checked.currency, version=max((one.version for one in versions), default=0) + 1,
        rail=checked.rail, holder=checked.holder, country=checked.country, bank_name=checked.bank_name[:140],
        routing=checked.routing, bic=checked.bic, sealed=sealing.seal(checked.number), mask=masked(checked.number),
        fingerprint=mark, asked_by=actor, asked_at=timezone.now(),
    )  # fmt: skip
    before = _facts(in_force) if in_force is not None else {}
    _tell(account, "asked", actor, before=before)
    return account


@transaction.atomic
def confirm_account(*, account: PayeeAccount, actor: User) -> PayeeAccount:
    """From now on the partner is paid there, after the days that a new account waits; every owner is told.

    Repeating changes nothing. Raises AccountError for who asked for it, and where it no longer waits.
    """
    versions = _locked_versions(account.partner_id, account.currency)
    locked = next(one for one in versions if one.pk == account.pk)
    if locked.state == State.IN_FORCE:
        return locked
    _must_wait(locked)
    if locked.asked_by_id == actor.pk:
        raise AccountError(_("You asked for this account: a second person has to confirm it."))
    now, before = timezone.now(), {}
    for one in versions:
        if one.state == State.IN_FORCE:
            before = _facts(one)
            one.state = State.REPLACED
            one.save(update_fields=["state"])
    locked.usable_on = program_today() + timedelta(days=settings.PAYEE_COOL_DOWN_DAYS)
    locked.state, locked.decided_by, locked.decided_at = State.IN_FORCE, actor, now
    locked.save(update_fields=["state", "decided_by", "decided_at", "usable_on"])
    _tell(locked, "confirmed", actor, before=before)
    return locked


@transaction.atomic
def refuse_account(*, account: PayeeAccount, reason: str, actor: User) -> PayeeAccount:
    """It is not taken, and the partner reads why. Repeating changes nothing. Raises AccountError where it no longer waits."""
    locked = next(one for one in _locked_versions(account.partner_id, account.currency) if one.pk == account.pk)
    if locked.state == State.REFUSED:
        return locked
    _must_wait(locked)
    if not reason.strip():
        raise AccountError(_("Say why: the partner reads it."), "reason")
    _decide(locked, State.REFUSED, actor, reason.strip())
    _tell(locked, "refused", actor)
    return locked


@transaction.atomic
def withdraw_account(*, account: PayeeAccount, actor: User) -> PayeeAccount:
    """Who gave it takes it back. Repeating changes nothing. Raises AccountError where it no longer waits."""
    locked = next(one for one in _locked_versions(account.partner_id, account.currency) if one.pk == account.pk)
    if locked.state == State.WITHDRAWN:
        return locked
    _must_wait(locked)
    _decide(locked, State.WITHDRAWN, actor, "")
    _tell(locked, "withdrawn", actor)
    return locked


def _locked_versions(partner_id: int, currency: str) -> list[PayeeAccount]:
    """The partner's versions in a currency, under the partner's lock: two changes at once come one after the other."""
    Partner.objects.select_for_update(no_key=True).get(pk=partner_id)
    return list(PayeeAccount.objects.filter(partner=partner_id, currency=currency).order_by("version"))


def _must_wait(account: PayeeAccount) -> None:
    if account.state != State.WAITING:
        raise AccountError(
            _("This account no longer waits: it is “%(state)s”.") % {"state": account.get_state_display()}
        )


def _is_same(account: PayeeAccount, details: Details, mark: str) -> bool:
    return account.fingerprint == mark and (
        account.rail, account.holder, account.country, account.routing, account.bic, account.bank_name
    ) == (details.rail, details.holder, details.country, details.routing, details.bic, details.bank_name[:140])  # fmt: skip


def _decide(account: PayeeAccount, state: str, actor: User, reason: str) -> None:
    account.state, account.decided_by, account.decided_at, account.reason = state, actor, timezone.now(), reason
    account.save(update_fields=["state", "decided_by", "decided_at", "reason"])


def _facts(account: PayeeAccount) -> dict[str, Any]:
    """What the journal keeps of an account: never its number."""
    return {
        "currency": account.currency, "rail": account.rail, "holder": account.holder, "account": account.mask,
        "bic": account.bic, "version": account.version,
    }  # fmt: skip


def _tell(account: PayeeAccount, what: str, actor: User, before: dict[str, Any] | None = None) -> None:
    after = _facts(account)
    if account.reason:
        after["reason"] = account.reason
    if account.usable_on is not None:
        after["usable_on"] = account.usable_on.isoformat()
    journal.record(
        verb=f"payouts.account.{what}", subject=account, actor=actor, partner_id=account.partner_id, before=before or {},
        after=after,
    )  # fmt: skip
    tell_owners([account], what)


def tell_owners(accounts: Collection[PayeeAccount], what: str) -> None:
    """Mail every owner of their partners once it is committed; one mail that cannot be queued blocks no other."""
    by_partner = {one.partner_id: one.pk for one in accounts}
    owners = Member.objects.filter(partner__in=by_partner, role=Member.Role.OWNER, left_on__isnull=True)
    for member_id, partner_id in owners.order_by("pk").values_list("pk", "partner"):
        transaction.on_commit(partial(mail_account_news.delay, by_partner[partner_id], what, member_id), robust=True)


@transaction.atomic
def save_payer(*, payer: PayerAccount, actor: User) -> PayerAccount:
    """Keep an account that payouts leave from. Raises AccountError for details that are wrong.

    One that paid something keeps its number: another account is another row. The journal holds the mask.
    """
    if payer.rail == Rail.SEPA:
        iban = bank_details.iban_of(payer.iban)
        if payer.currency != bank_details.SEPA_CURRENCY:
            raise AccountError(_("SEPA transfers leave in euros."), "currency")
        bic = bank_details.bic_of(payer.bic) if payer.bic.strip() else iban.bic
        if bic is None:
            raise AccountError(_("Give the BIC of your bank: it is not found by the IBAN."), "bic")
        payer.iban, payer.bic = str(iban), str(bic)
    else:
        payer.iban = "".join(payer.iban.split()).upper()
        payer.bic = str(bank_details.bic_of(payer.bic)) if payer.bic.strip() else ""
    kept = PayerAccount.objects.select_for_update(no_key=True).filter(pk=payer.pk).first() if payer.pk else None
    identity = ("rail", "currency", "iban")
    if kept and kept.batches.exists() and any(getattr(kept, name) != getattr(payer, name) for name in identity):
        raise AccountError(
            _("Batches were paid from this account: add another one instead, and take this one out of use.")
        )
    before = _payer_facts(kept) if kept else {}
    payer.save()
    if before != _payer_facts(payer):
        journal.record(
            verb=f"payouts.payer.{'changed' if kept else 'added'}", subject=payer, actor=actor, before=before,
            after=_payer_facts(payer),
        )  # fmt: skip
    return payer


def _payer_facts(payer: PayerAccount) -> dict[str, Any]:
    return {
        "name": payer.name, "rail": payer.rail, "currency": payer.currency, "account": masked(payer.iban),
        "bic": payer.bic, "is_active": payer.is_active,
    }  # fmt: skip


def reseal_all() -> int:
    """Seal everything again under the newest key, a row at a time. Repeating is harmless. Returns how many were written."""
    written = 0
    for model in (PayeeAccount, PayoutFile, BankFile):
        for key in model._default_manager.order_by("pk").values_list("pk", flat=True).iterator():
            with transaction.atomic():
                row = model._default_manager.select_for_update().get(pk=key)
                kept = row.sealed
                again = sealing.reseal(kept.encode() if isinstance(kept, str) else bytes(kept))
                row.sealed = again.decode() if isinstance(kept, str) else again
                row.save(update_fields=["sealed"])
            written += 1
    return written
