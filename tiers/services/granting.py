"""Tiers that staff give and end."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from journal import services as journal
from tiers import entitlements, selectors
from tiers.errors import BackdatedPlacementError, GrantError
from tiers.models import Edition, Enrollment, Grace, Placement, Proposal, Tier
from tiers.situations import GRANTS


@transaction.atomic
def place(
    *,
    enrollment: Enrollment,
    tier: Tier,
    on: date,
    reason: Placement.Reason,
    actor: User | None = None,
    note: str = "",
    holds_until: date | None = None,
) -> Placement:
    """Make `tier` the enrollment's tier from the start of `on`, not lost before `holds_until`. Repeating changes nothing.

    A second tier on the same day replaces the first. Raises BackdatedPlacementError if the tier in force started after
    `on`: history that commissions were paid on is never rewritten.
    """
    # The enrollment row is the lock: two callers cannot both close the same placement.
    Enrollment.objects.select_for_update(no_key=True).get(pk=enrollment.pk)
    held = Placement.objects.current().filter(enrollment=enrollment).select_related("tier").first()
    before = {"tier": held.tier.code} if held else {}
    was = held.tier_id if held else None
    if held is not None and held.starts_on > on:
        raise BackdatedPlacementError(
            _("The tier in force started on %(held)s; a tier cannot start before that, on %(asked)s.")
            % {"held": held.starts_on, "asked": on}
        )
    fields = {
        "tier_id": tier.pk, "reason": reason, "note": note, "holds_until": holds_until,
        "author_id": actor.pk if actor else None,
    }  # fmt: skip
    if held is not None and all(getattr(held, name) == value for name, value in fields.items()):
        return held
    if held is not None and held.starts_on == on:
        placement = held
        for name, value in {**fields, "evaluation_id": None}.items():
            setattr(placement, name, value)
        placement.save(update_fields=[*fields, "evaluation_id"])
    else:
        if held is not None:
            held.ends_on = on
            held.save(update_fields=["ends_on"])
        placement = Placement.objects.create(enrollment=enrollment, starts_on=on, **fields)
    codes = entitlements.codes_given([tier.pk, *([was] if was else [])])
    journal.record(
        verb="tiers.placement.changed", subject=enrollment, actor=actor, partner_id=enrollment.partner_id, before=before,
        after={"tier": tier.code, "on": on.isoformat(), "reason": str(reason)}
        | ({"note": note} if note else {})
        | ({"until": holds_until.isoformat()} if holds_until else {})
        | entitlements.switched(codes, was, tier.pk),
    )  # fmt: skip
    return placement


@transaction.atomic
def grant(
    *,
    enrollment: Enrollment,
    tier: Tier,
    on: date,
    note: str,
    actor: User,
    ends_on: date | None = None,
    is_match: bool = False,
) -> Placement:
    """Give the enrollment a tier that it has not earned, for a reason, up to `ends_on` or until staff end it.

    `is_match`: since the partner holds the like elsewhere. No night takes it before its end; what is earned above it is
    given all the same. A grace is lifted, and a proposal of this tier or one below it withdrawn. Repeating changes nothing.
    Raises GrantError without a reason, for an end that is not after `on`, and for a tier that is not of the edition in
    force on that day; BackdatedPlacementError as `place`.
    """
    if not note.strip():
        raise GrantError(_("Say why the tier is granted: it stands in the partner’s history."))
    if ends_on is not None and ends_on <= on:
        raise GrantError(_("A grant ends after it starts."))
    edition = selectors.edition_in_force(enrollment.program, on)
    if edition is None or tier.edition_id != edition.pk:
        raise GrantError(_("Tier “%(tier)s” is not in the edition in force on %(day)s.") % {"tier": tier, "day": on})
    placement = place(
        enrollment=enrollment, tier=tier, on=on, actor=actor, note=note.strip(), holds_until=ends_on,
        reason=Placement.Reason.MATCHED if is_match else Placement.Reason.GRANTED,
    )  # fmt: skip
    close_what_is_open(enrollment=enrollment, tier=tier, edition=edition, on=on, actor=actor)
    return placement


def close_what_is_open(*, enrollment: Enrollment, tier: Tier, edition: Edition, on: date, actor: User | None) -> None:
    """A person gave `tier`: a grace is over, a proposal of it or of one below it is moot. In the caller's transaction."""
    graces = Grace.objects.filter(enrollment=enrollment, closed_on__isnull=True)
    if graces.update(closed_on=on, outcome=Grace.Outcome.LIFTED):
        journal.record(
            verb="tiers.grace.closed", subject=enrollment, actor=actor, partner_id=enrollment.partner_id,
            after={"outcome": Grace.Outcome.LIFTED.value},
        )  # fmt: skip
    below = edition.tiers.filter(rank__lte=tier.rank).values("code")
    proposals = Proposal.objects.filter(enrollment=enrollment, state=Proposal.State.OPEN, tier_code__in=below)
    if proposals.update(state=Proposal.State.WITHDRAWN):
        journal.record(
            verb="tiers.proposal.withdrawn", subject=enrollment, actor=actor, partner_id=enrollment.partner_id
        )


@transaction.atomic
def end_grant(*, enrollment: Enrollment, on: date, actor: User | None = None) -> Placement:
    """End the latest grant of a tier on `on`: the first night from then on decides by results. Repeating changes nothing.

    Raises GrantError where there is none in force on that day.
    """
    Enrollment.objects.select_for_update(no_key=True).get(pk=enrollment.pk)
    granted = Placement.objects.filter(enrollment=enrollment, reason__in=GRANTS, starts_on__lte=on)
    placement = granted.select_related("tier").order_by("-starts_on").first()
    if placement is None or (placement.holds_until is not None and placement.holds_until < on):
        raise GrantError(_("No granted tier is in force on %(day)s.") % {"day": on})
    if placement.holds_until == on:
        return placement
    before = {
        "tier": placement.tier.code,
        "until": placement.holds_until.isoformat() if placement.holds_until else None,
    }
    placement.holds_until = on
    placement.save(update_fields=["holds_until"])
    journal.record(
        verb="tiers.grant.ended", subject=enrollment, actor=actor, partner_id=enrollment.partner_id, before=before,
        after={"tier": placement.tier.code, "until": on.isoformat()},
    )  # fmt: skip
    return placement
