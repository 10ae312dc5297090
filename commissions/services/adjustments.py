"""Money that a person adds or takes: proposed by one, decided by another, posted once."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from commissions import events
from commissions.errors import AdjustmentError
from commissions.models import Adjustment, Earning, Posting
from commissions.sealing import Digest
from common.money import minor_unit, to_units
from journal import services as journal
from partners.models import Partner
from tiers.models import Program

Category, State = Adjustment.Category, Adjustment.State
KINDS = {
    Category.BONUS: Earning.Kind.BONUS,
    Category.REIMBURSEMENT: Earning.Kind.REIMBURSEMENT,
}  # of the others: an adjustment


@transaction.atomic
def propose_adjustment(
    *, partner: Partner, program: Program, category: str, reason: str, amount: Decimal, currency: str, earned_on: date,
    author: User, about: Earning | None = None,
) -> Adjustment:  # fmt: skip
    """Ask for an amount, signed, to be posted: nothing is until another person approves it. Each call proposes another.

    Raises AdjustmentError for an amount that the currency does not have, nothing, no reason, or a line of another partner.
    """
    if not reason.strip():
        raise AdjustmentError(_("Say why: the partner reads it on its statement."))
    if not amount or amount % minor_unit(currency):
        raise AdjustmentError(_("Give an amount that %(currency)s has, other than nothing.") % {"currency": currency})
    if about is not None and about.partner_id != partner.pk:
        raise AdjustmentError(_("That line of the ledger is another partner’s."))
    made = Adjustment.objects.create(
        partner=partner, program=program, category=category, reason=reason.strip(), amount=amount, currency=currency,
        earned_on=earned_on, about=about, author=author,
    )  # fmt: skip
    journal.record(
        verb="commissions.adjustment.proposed", subject=made, actor=author, partner_id=partner.pk, after=_said(made)
    )
    return made


@transaction.atomic
def decide_adjustment(*, adjustment: Adjustment, approver: User, approve: bool, answer: str = "") -> Adjustment:
    """Approve a proposed adjustment, which posts one line of the ledger, or refuse it with an answer that says why.

    Repeating the same decision changes nothing; so do two people who press at once. Raises AdjustmentError to its author, for
    one that was decided the other way, and for a refusal without an answer.
    """
    locked = (
        Adjustment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("partner", "program")
        .get(pk=adjustment.pk)
    )
    wanted = State.POSTED if approve else State.REFUSED
    if locked.state == wanted:
        return locked
    if locked.state != State.PROPOSED:
        raise AdjustmentError(_("It was decided meanwhile: %(state)s.") % {"state": locked.get_state_display()})
    if locked.author_id == approver.pk:
        raise AdjustmentError(_("You proposed it, so another person has to decide it."))
    if not approve and not answer.strip():
        raise AdjustmentError(_("Say why it is refused: who proposed it reads it."))
    locked.state, locked.approver, locked.decided_at = wanted, approver, timezone.now()
    locked.answer = answer.strip()
    locked.save(update_fields=["state", "approver", "decided_at", "answer"])
    after = _said(locked)
    if approve:
        after["earning"] = _post(locked, approver).pk
    journal.record(
        verb=f"commissions.adjustment.{wanted}", subject=locked, actor=approver, partner_id=locked.partner_id,
        before={"state": State.PROPOSED.value}, after=after,
    )  # fmt: skip
    return locked


@transaction.atomic
def post_adjustment(
    *, partner: Partner, program: Program, amount: Decimal, currency: str, earned_on: date, category: str, reason: str,
    author: User, approver: User, about_earning: Earning | None = None,
) -> Earning:  # fmt: skip
    """Propose and approve at once, where two people have agreed already: a dispute that was accepted. Each call posts another
    line. Raises AdjustmentError as both do.
    """
    made = propose_adjustment(
        partner=partner, program=program, category=category, reason=reason, amount=amount, currency=currency,
        earned_on=earned_on, about=about_earning, author=author,
    )  # fmt: skip
    decide_adjustment(adjustment=made, approver=approver, approve=True)
    return line_of(made)


def line_of(adjustment: Adjustment) -> Earning:
    """The line that an approved adjustment posted. One query."""
    return Earning.objects.get(event=events.MANUAL, fact=adjustment.pk, program=adjustment.program_id)


def _post(adjustment: Adjustment, approver: User) -> Earning:
    """One line in a posting of its own: of no plan, so no terms; the whole of its amount. Nights look at lines of facts alone."""
    posting = Posting.objects.create(program=adjustment.program, author=approver, posted_at=timezone.now())
    line = Earning.objects.create(
        partner=adjustment.partner, owner=adjustment.partner, program=adjustment.program, event=events.MANUAL,
        fact=adjustment.pk, number=1, kind=KINDS.get(Category(adjustment.category), Earning.Kind.ADJUSTMENT),
        earned_on=adjustment.earned_on, terms_on=adjustment.earned_on, available_on=adjustment.earned_on, posting=posting,
        base=adjustment.amount, rate=Decimal(1), before=Decimal(0), amount=adjustment.amount, currency=adjustment.currency,
    )  # fmt: skip
    digest = Digest()
    digest.add(
        line.partner_id, line.owner_id, line.program_id, line.event, line.fact, line.number, line.kind, line.earned_on,
        line.terms_on, line.available_on, "", to_units(line.base), 1_000_000, 0, to_units(line.amount), line.currency, "",
    )  # fmt: skip
    posting.lines, posting.digest = digest.lines, digest.hexdigest()
    posting.save(update_fields=["lines", "digest"])
    return line


def _said(adjustment: Adjustment) -> dict[str, Any]:
    return {
        "category": adjustment.category, "reason": adjustment.reason, "amount": str(adjustment.amount),
        "currency": adjustment.currency, "earned_on": adjustment.earned_on.isoformat(),
        "about": adjustment.about_id, "state": adjustment.state, "answer": adjustment.answer,
    }  # fmt: skip
