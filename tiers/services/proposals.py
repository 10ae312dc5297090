"""What staff decide about partners that qualified for a tier to be confirmed."""

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from journal import services as journal
from tiers import cadence, selectors
from tiers.errors import ProposalError
from tiers.models import Edition, Enrollment, Placement, Proposal, Tier
from tiers.services.granting import close_what_is_open, place


@transaction.atomic
def confirm_proposal(*, proposal: Proposal, on: date, actor: User, note: str = "") -> Placement:
    """Give the tier that was proposed, from `on`, as earned: it is held as long as the edition says.

    Of two who decide at once, one wins. Raises ProposalError where it is decided or withdrawn by now, where the edition
    in force has no such tier, and where a tier as high is held; BackdatedPlacementError as `place`.
    """
    enrollment = (
        Enrollment.objects.select_for_update(no_key=True).select_related("program").get(pk=proposal.enrollment_id)
    )
    _decide(proposal, Proposal.State.CONFIRMED, actor, note)
    edition = selectors.edition_in_force(enrollment.program, on)
    tier = edition.tiers.filter(code=proposal.tier_code).first() if edition else None
    if edition is None or tier is None:
        raise ProposalError(
            _("The edition in force has no tier “%(tier)s” any more: refuse the proposal.")
            % {"tier": proposal.tier_code}
        )
    held = Placement.objects.in_force_on(on).filter(enrollment=enrollment).select_related("tier").first()
    if held is not None and _rank_in(edition, held.tier) >= tier.rank:
        raise ProposalError(_("It holds “%(tier)s” by now, which is as high.") % {"tier": held.tier})
    placement = place(
        enrollment=enrollment, tier=tier, on=on, reason=Placement.Reason.EARNED, actor=actor, note=note,
        holds_until=cadence.held_until(tier.holds, on),
    )  # fmt: skip
    placement.evaluation_id = proposal.evaluation_id
    placement.save(update_fields=["evaluation"])
    close_what_is_open(enrollment=enrollment, tier=tier, edition=edition, on=on, actor=actor)
    journal.record(
        verb="tiers.proposal.confirmed", subject=proposal, actor=actor, partner_id=enrollment.partner_id,
        after={"tier": proposal.tier_code, "on": on.isoformat(), "note": note},
    )  # fmt: skip
    return placement


@transaction.atomic
def refuse_proposal(*, proposal: Proposal, actor: User, note: str) -> Proposal:
    """Leave the partner in its tier. It is not proposed again before it has ceased to qualify, and qualified anew.

    Raises ProposalError without a reason, and where it is decided or withdrawn by now.
    """
    if not note.strip():
        raise ProposalError(_("Say why: the partner will ask."))
    _decide(proposal, Proposal.State.REFUSED, actor, note.strip())
    enrollment = Enrollment.objects.get(pk=proposal.enrollment_id)
    journal.record(
        verb="tiers.proposal.refused", subject=proposal, actor=actor, partner_id=enrollment.partner_id,
        after={"tier": proposal.tier_code, "note": note.strip()},
    )  # fmt: skip
    return proposal


def _decide(proposal: Proposal, state: Proposal.State, actor: User, note: str) -> None:
    """Compare and set: only an open proposal can be decided."""
    decided = {"state": state, "decided_at": timezone.now(), "decided_by": actor, "note": note}
    if not Proposal.objects.filter(pk=proposal.pk, state=Proposal.State.OPEN).update(**decided):
        proposal.refresh_from_db()
        raise ProposalError(_("This proposal is no longer open: %(state)s.") % {"state": proposal.get_state_display()})
    for name, value in decided.items():
        setattr(proposal, name, value)


def _rank_in(edition: Edition, tier: Tier) -> int:
    """The rank that a tier, maybe of an older edition, has in this one."""
    same = edition.tiers.filter(code=tier.code).first()
    return same.rank if same else tier.rank
