"""Putting partners in a program."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from journal import services as journal
from partners.models import Partner
from tiers import entitlements, selectors
from tiers.errors import NoEditionError
from tiers.models import Enrollment, Placement, Program, Tier

ENROLL_BATCH = 2000


@transaction.atomic
def enroll(*, partner: Partner, program: Program, on: date, actor: User | None = None) -> Enrollment:
    """Put the partner in the program from `on`, in the entry tier. Repeating returns the enrollment there is.

    Raises NoEditionError where the program has no published edition in force on that day.
    """
    entry_tier = _entry_tier(program, on)
    enrollment, created = Enrollment.objects.get_or_create(
        partner=partner, program=program, ends_on=None, defaults={"starts_on": on}
    )
    if created:
        Placement.objects.create(enrollment=enrollment, tier=entry_tier, starts_on=on, reason=Placement.Reason.JOINED)
        codes = entitlements.codes_given([entry_tier.pk])
        journal.record_many([_started(enrollment, entry_tier, codes, actor)])
    return enrollment


def enroll_all(*, program: Program, on: date | None = None, actor: User | None = None) -> int:
    """Enroll every active partner that is not in the program; returns how many. Repeating enrolls nobody twice.

    Each from the later of `on` and the day it joined; without `on` from the day it joined. Raises NoEditionError where
    no edition is in force on one of those days; then nobody is enrolled. Set-based: batches of ENROLL_BATCH.
    """
    enrolled = Enrollment.objects.filter(program=program, ends_on__isnull=True).values("partner")
    waiting = Partner.objects.filter(status=Partner.Status.ACTIVE).exclude(pk__in=enrolled).order_by("pk")
    total = 0
    with transaction.atomic():
        joined = list(waiting.values_list("pk", "joined_on"))
        entry_tiers = {day: _entry_tier(program, day) for day in {max(day, on) if on else day for _pk, day in joined}}
        codes = entitlements.codes_given({tier.pk for tier in entry_tiers.values()})
        for start in range(0, len(joined), ENROLL_BATCH):
            batch = [(pk, max(day, on) if on else day) for pk, day in joined[start : start + ENROLL_BATCH]]
            enrollments = Enrollment.objects.bulk_create(
                [Enrollment(partner_id=pk, program=program, starts_on=day) for pk, day in batch]
            )
            Placement.objects.bulk_create(
                [
                    Placement(
                        enrollment=one, tier=entry_tiers[one.starts_on], starts_on=one.starts_on,
                        reason=Placement.Reason.JOINED,
                    )
                    for one in enrollments
                ]
            )  # fmt: skip
            journal.record_many(_started(one, entry_tiers[one.starts_on], codes, actor) for one in enrollments)
            total += len(enrollments)
    return total


def _entry_tier(program: Program, day: date) -> Tier:
    edition = selectors.edition_in_force(program, day)
    if edition is None:
        raise NoEditionError(
            _("Program “%(program)s” has no published edition in force on %(day)s.") % {"program": program, "day": day}
        )
    return edition.tiers.get(rank=1)


def _started(enrollment: Enrollment, tier: Tier, codes: dict[int, list[str]], actor: User | None) -> journal.Line:
    return journal.entry(
        verb="tiers.enrollment.started", subject=enrollment, actor=actor, partner_id=enrollment.partner_id,
        after={"program": enrollment.program.slug, "on": enrollment.starts_on.isoformat(), "tier": tier.code}
        | entitlements.switched(codes, None, tier.pk),
    )  # fmt: skip
