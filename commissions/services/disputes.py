"""Disputes: a partner opens, writes and withdraws; staff write and answer."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from commissions.adjusters import adjuster
from commissions.errors import DisputeError
from commissions.models import Dispute, DisputeMessage, Earning, Statement, StatementSettings
from commissions.situations import NOTHING
from commissions.statements import gather
from common import documents
from common.money import minor_unit
from common.periods import program_today
from common.templatetags.show import day as day_shown
from journal import services as journal
from partners.models import Partner

State = Dispute.State


@transaction.atomic
def open_dispute(
    *, earning: Earning, category: str, text: str, actor: User, expected: Decimal | None = None, document: File | None = None
) -> Dispute:  # fmt: skip
    """Question a line. Until it is answered, its statement is approved without it.

    A line may be questioned until the review of its statement ends; one that is on none yet, at any time. Raises
    DisputeError after that, where it is questioned already, and for an expected amount that is what the line says or is
    no amount of its currency; DocumentError for a document that is not taken.
    """
    partner = _lock(earning.partner_id)
    statement = Statement.objects.filter(lines__earning=earning).first()
    if refusal := why_closed(statement):
        raise DisputeError(refusal)
    if Dispute.objects.open().filter(earning=earning).exists():
        raise DisputeError(_("This line is questioned already: write to that dispute."))
    if not text.strip():
        raise DisputeError(_("Say what is wrong with this line."))
    if expected is not None and (expected == earning.amount or expected % minor_unit(earning.currency)):
        raise DisputeError(_("Write the amount that you expect instead, in whole cents or what %(currency)s has, or leave it out.") % {"currency": earning.currency})  # fmt: skip
    today = program_today()
    due_on = today + timedelta(days=StatementSettings.current().answer_days)
    dispute = Dispute.objects.create(
        earning=earning, partner=partner, category=category, expected=expected, opened_at=timezone.now(),
        opened_by=actor, due_on=due_on,
    )  # fmt: skip
    _append(dispute, actor, text, document, by_staff=False)
    _record("opened", dispute, actor, category=category, due_on=due_on.isoformat(), line=earning.pk,
            expected=None if expected is None else str(expected))  # fmt: skip
    return dispute


@transaction.atomic
def write_message(
    *, dispute: Dispute, text: str, actor: User, by_staff: bool, document: File | None = None
) -> DisputeMessage:
    """Add to an open dispute. Raises DisputeError where it is answered, or where nothing is said; DocumentError."""
    locked = _open(dispute)
    if not text.strip():
        raise DisputeError(_("Write something."))
    message = _append(locked, actor, text, document, by_staff=by_staff)
    _record("written", locked, actor, by_staff=by_staff)
    return message


@transaction.atomic
def withdraw_dispute(*, dispute: Dispute, actor: User) -> Dispute:
    """The partner no longer questions the line. Repeating changes nothing; raises DisputeError where it was answered."""
    locked = _locked(dispute)
    if locked.state == State.WITHDRAWN:
        return locked
    return _close(_open(dispute), State.WITHDRAWN, actor, "")


@transaction.atomic
def accept_dispute(*, dispute: Dispute, amount: Decimal, answer: str, actor: User) -> Dispute:
    """Grant `amount`, signed: an adjustment of today follows. In part where it is less than what was asked for.

    Raises DisputeError where it was answered already, for an amount of nothing, for more than was asked or the other way,
    where nobody posts adjustments, and to who opened it.
    """
    locked = _open(dispute)
    _not_ones_own(locked, actor)
    earning, asked = locked.earning, locked.asked
    if not amount or amount % minor_unit(earning.currency):
        raise DisputeError(_("Grant an amount that %(currency)s has, other than nothing.") % {"currency": earning.currency})  # fmt: skip
    if asked is not None and not (min(asked, NOTHING) <= amount <= max(asked, NOTHING)):
        raise DisputeError(_("Grant between nothing and the %(asked)s %(currency)s asked for.") % {"asked": asked, "currency": earning.currency})  # fmt: skip
    if asked is not None and amount != asked and not answer.strip():
        raise DisputeError(_("Say why it is not all: the partner reads it."))
    post = adjuster()
    if post is None:
        raise DisputeError(_("Nothing here posts adjustments to the ledger, so a dispute cannot be accepted."))
    locked.amount = amount
    locked.adjustment = post(
        partner=locked.partner, program=earning.program, amount=amount, currency=earning.currency,
        earned_on=program_today(), category="dispute", reason=(answer.strip() or str(locked.get_category_display()))[:500],
        author=locked.opened_by, approver=actor, about_earning=earning,
    )  # fmt: skip
    return _close(locked, State.ACCEPTED if asked in (None, amount) else State.PARTLY, actor, answer)


@transaction.atomic
def refuse_dispute(*, dispute: Dispute, answer: str, actor: User) -> Dispute:
    """The line stands, and why. Raises DisputeError where it was answered already, without a reason, and to who opened it."""
    locked = _open(dispute)
    _not_ones_own(locked, actor)
    if not answer.strip():
        raise DisputeError(_("Say why: the partner reads it."))
    return _close(locked, State.REFUSED, actor, answer)


def why_closed(statement: Statement | None) -> str:
    """Why the lines of a statement can no longer be questioned, as a sentence; empty where they can."""
    if statement is None or statement.state == Statement.State.DRAFT:
        return ""
    in_review = statement.approved_at is None and statement.state in (
        Statement.State.IN_REVIEW,
        Statement.State.BLOCKED,
    )
    if not in_review:
        return _("Its statement is not in review any more, so this line can no longer be questioned.")
    if statement.review_ends_on is not None and program_today() >= statement.review_ends_on:
        ended = day_shown(statement.review_ends_on - timedelta(days=1))
        return _("Its statement could be questioned until %(day)s.") % {"day": ended}
    return ""


def _close(locked: Dispute, state: State, actor: User, answer: str) -> Dispute:
    locked.state, locked.answer, locked.answered_at, locked.answered_by = state, answer.strip(), timezone.now(), actor
    locked.save()
    _record(
        state.value, locked, actor, answer=locked.answer, amount=None if locked.amount is None else str(locked.amount)
    )
    gather([locked.partner_id])
    return locked


def _append(
    dispute: Dispute, author: User, text: str, document: File | None, *, by_staff: bool
) -> DisputeMessage:  # fmt: skip
    name = documents.checked(document) if document is not None else ""
    return DisputeMessage.objects.create(
        dispute=dispute, author=author, by_staff=by_staff, text=text.strip(), document=document or "",
        document_name=name, at=timezone.now(),
    )  # fmt: skip


def _not_ones_own(dispute: Dispute, actor: User) -> None:
    if dispute.opened_by_id == actor.pk:
        raise DisputeError(_("Somebody else has to answer a dispute that you opened yourself."))


def _lock(partner_id: int) -> Partner:
    """Statements are approved, and drafts filled, under the partner's lock: what they hold and release follows disputes."""
    return Partner.objects.select_for_update(no_key=True).get(pk=partner_id)


def _locked(dispute: Dispute) -> Dispute:
    _lock(dispute.partner_id)
    related = Dispute.objects.select_related("earning__program", "partner", "opened_by")
    return related.select_for_update(no_key=True, of=("self",)).get(pk=dispute.pk)


def _open(dispute: Dispute) -> Dispute:
    locked = _locked(dispute)
    if not locked.is_open:
        raise DisputeError(_("This dispute is closed: %(state)s.") % {"state": locked.get_state_display().lower()})
    return locked


def _record(what: str, dispute: Dispute, actor: User, **after: Any) -> None:
    said = {name: value for name, value in after.items() if value not in (None, "")}
    journal.record(verb=f"commissions.dispute.{what}", subject=dispute, actor=actor, partner_id=dispute.partner_id,
                   after=said)  # fmt: skip
