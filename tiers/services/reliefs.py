"""Times in which tiers are not lost, and graces that are lifted."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from journal import services as journal
from tiers.errors import GraceClosedError, ReliefError
from tiers.models import Enrollment, Grace, Program, Relief


@transaction.atomic
def excuse(*, enrollment: Enrollment, starts_on: date, ends_on: date, reason: str, actor: User) -> Relief:
    """Nothing is lost by the enrollment from `starts_on` up to, not including, `ends_on`; a review in that time is held
    by the first night after it. Repeating returns the relief there is.

    Raises ReliefError without a reason and for an end that is not after the start.
    """
    relief = _relieve(enrollment.program, enrollment, starts_on, ends_on, reason, actor)
    return relief


@transaction.atomic
def extend_program(*, program: Program, starts_on: date, ends_on: date, reason: str, actor: User) -> Relief:
    """Nobody in the program loses a tier from `starts_on` up to, not including, `ends_on`. As `excuse` otherwise."""
    return _relieve(program, None, starts_on, ends_on, reason, actor)


def _relieve(
    program: Program, enrollment: Enrollment | None, starts_on: date, ends_on: date, reason: str, actor: User
) -> Relief:
    if not reason.strip():
        raise ReliefError(_("Say why: it stands in the journal."))
    if ends_on <= starts_on:
        raise ReliefError(_("It ends after it starts."))
    relief, created = Relief.objects.get_or_create(
        program=program, enrollment=enrollment, starts_on=starts_on, ends_on=ends_on, reason=reason.strip(),
        defaults={"author": actor},
    )  # fmt: skip
    if created:
        journal.record(
            verb="tiers.relief.given", subject=relief, actor=actor,
            partner_id=enrollment.partner_id if enrollment else None,
            after={
                "program": program.slug, "starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat(),
                "reason": reason.strip(),
            },
        )  # fmt: skip
    return relief


@transaction.atomic
def lift_grace(*, grace: Grace, on: date, note: str, actor: User) -> Grace:
    """End a grace without loss. Where the tier is still not kept at the next demotion review, another begins.

    Of two who decide at once, one wins. Raises ReliefError without a reason, GraceClosedError where it is over by now.
    """
    if not note.strip():
        raise ReliefError(_("Say why: it stands in the journal."))
    enrollment = Enrollment.objects.select_for_update(no_key=True).get(pk=grace.enrollment_id)
    lifted = {"closed_on": on, "outcome": Grace.Outcome.LIFTED}
    if not Grace.objects.filter(pk=grace.pk, closed_on__isnull=True).update(**lifted):
        raise GraceClosedError(_("This grace is over by now."))
    grace.refresh_from_db()
    journal.record(
        verb="tiers.grace.closed", subject=enrollment, actor=actor, partner_id=enrollment.partner_id,
        after={"tier": grace.tier_code, "outcome": Grace.Outcome.LIFTED.value, "note": note.strip()},
    )  # fmt: skip
    return grace
