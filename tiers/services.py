"""Every write of the tier engine that a person or another app asks for. The night's own are in `placing`."""

from collections.abc import Mapping
from copy import copy
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.utils.translation import gettext as _

from accounts.models import User
from journal import services as journal
from journal.models import Entry
from partners.models import Partner
from tiers import checking, documents, selectors
from tiers.errors import BackdatedPlacementError, EditionFrozenError, MeasureError, NoEditionError, RuleError
from tiers.models import (
    Attestation,
    Benefit,
    Distinction,
    Edition,
    Enrollment,
    Measure,
    Placement,
    Program,
    Tier,
    TierBenefit,
)

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
        journal.record_many([_started(enrollment, program, entry_tier, actor)])
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
            journal.record_many(_started(one, program, entry_tiers[one.starts_on], actor) for one in enrollments)
            total += len(enrollments)
    return total


def _entry_tier(program: Program, day: date) -> Tier:
    edition = selectors.edition_in_force(program, day)
    if edition is None:
        raise NoEditionError(
            _("Program “%(program)s” has no published edition in force on %(day)s.") % {"program": program, "day": day}
        )
    return edition.tiers.get(rank=1)


def _started(enrollment: Enrollment, program: Program, tier: Tier, actor: User | None) -> Entry:
    return journal.entry(
        verb="tiers.enrollment.started", subject=enrollment, actor=actor, partner_id=enrollment.partner_id,
        after={"program": program.slug, "on": enrollment.starts_on.isoformat(), "tier": tier.code},
    )  # fmt: skip


@transaction.atomic
def place(
    *, enrollment: Enrollment, tier: Tier, on: date, reason: Placement.Reason, actor: User | None = None
) -> Placement:
    """Make `tier` the enrollment's tier from the start of `on`. Repeating changes nothing.

    A second tier on the same day replaces the first. Raises BackdatedPlacementError if the tier in force started after
    `on`: history that commissions were paid on is never rewritten.
    """
    # The enrollment row is the lock: two callers cannot both close the same placement.
    Enrollment.objects.select_for_update(no_key=True).get(pk=enrollment.pk)
    held = Placement.objects.current().filter(enrollment=enrollment).select_related("tier").first()
    before = {"tier": held.tier.code} if held else {}
    if held is not None and held.starts_on > on:
        raise BackdatedPlacementError(
            _("The tier in force started on %(held)s; a tier cannot start before that, on %(asked)s.")
            % {"held": held.starts_on, "asked": on}
        )
    if held is not None and held.tier_id == tier.pk and held.reason == reason:
        return held
    if held is not None and held.starts_on == on:
        held.tier, held.reason, held.evaluation = tier, reason, None
        held.save(update_fields=["tier", "reason", "evaluation"])
        placement = held
    else:
        if held is not None:
            held.ends_on = on
            held.save(update_fields=["ends_on"])
        placement = Placement.objects.create(enrollment=enrollment, tier=tier, starts_on=on, reason=reason)
    journal.record(
        verb="tiers.placement.changed", subject=enrollment, actor=actor, partner_id=enrollment.partner_id,
        before=before, after={"tier": tier.code, "on": on.isoformat(), "reason": str(reason)},
    )  # fmt: skip
    return placement


def check_edition(edition: Edition) -> None:
    """Raises RuleError, with every problem and its place, for an edition that could not be evaluated."""
    ranks = list(edition.tiers.order_by("rank").values_list("rank", flat=True))
    if not ranks or ranks != list(range(1, len(ranks) + 1)):
        raise RuleError(_("Edition “%(edition)s” needs tiers ranked 1, 2, 3… without a gap.") % {"edition": edition})
    problems = list(checking.problems(documents.edition(edition), edition.program.currency, ""))
    if problems:
        raise RuleError("\n".join(problems))


@transaction.atomic
def publish_edition(*, edition: Edition, actor: User | None = None) -> Edition:
    """Put a draft in force from its `starts_on`; from then on nothing of it changes. Repeating changes nothing.

    Raises RuleError or MeasureError where it could not be evaluated, EditionFrozenError where it is retired or another
    one is published from the same day.
    """
    locked = Edition.objects.select_for_update().get(pk=edition.pk)
    if locked.state == Edition.State.PUBLISHED:
        return locked
    same_day = Edition.objects.published().filter(program=locked.program_id, starts_on=locked.starts_on)
    if locked.state == Edition.State.RETIRED or same_day.exists():
        raise EditionFrozenError(
            _("An edition of this program is already published from %(day)s: choose another day.")
            % {"day": locked.starts_on}
        )
    check_edition(locked)
    locked.state = Edition.State.PUBLISHED
    locked.save(update_fields=["state"])
    journal.record(
        verb="tiers.edition.published", subject=locked, actor=actor,
        after={"program": locked.program.slug, "edition": locked.name, "starts_on": locked.starts_on.isoformat()},
    )  # fmt: skip
    return locked


@transaction.atomic
def attest(
    *,
    enrollment: Enrollment,
    kind: str,
    title: str,
    starts_on: date,
    ends_on: date | None = None,
    document: Any = "",
    author: User | None = None,
    is_made_up: bool = False,
) -> Attestation:
    """Record a fact that a person vouches for, with a document (a file) where there is one. Repeating records it again."""
    attestation = Attestation.objects.create(
        enrollment=enrollment, kind=kind, title=title, starts_on=starts_on, ends_on=ends_on,
        document=document, author=author, is_made_up=is_made_up,
    )  # fmt: skip
    journal.record(
        verb="tiers.attestation.given", subject=attestation, actor=author, partner_id=enrollment.partner_id,
        after={"kind": kind, "title": title, "starts_on": starts_on.isoformat()},
    )  # fmt: skip
    return attestation


# --- Drafts ---------------------------------------------------------------------------------------

Part = Edition | Tier | Distinction | Measure | TierBenefit


@transaction.atomic
def save_program(*, program: Program, actor: User | None = None) -> Program:
    """Keep a program's own texts and settings, a new one too. Repeating changes nothing."""
    journal.save(row=program, actor=actor)
    return program


@transaction.atomic
def save_benefit(*, benefit: Benefit, actor: User | None = None) -> Benefit:
    """Keep the words of what a program's tiers may give, of a new one too. Repeating changes nothing."""
    journal.save(row=benefit, actor=actor)
    return benefit


@transaction.atomic
def save_draft(*, part: Part, actor: User | None = None) -> None:
    """Keep an edition that is a draft, or a part of one. Repeating changes nothing.

    Raises EditionFrozenError where the edition is published.
    """
    _lock_draft(part)
    journal.save(row=part, actor=actor)


@transaction.atomic
def remove_from_draft(*, part: Tier | Distinction | Measure | TierBenefit, actor: User | None = None) -> None:
    """Take a part out of a draft, with what it holds. Raises EditionFrozenError where the edition is published,
    MeasureError for a measure that rules ask about."""
    _lock_draft(part)
    if isinstance(part, Measure) and (asked := documents.asked_about(part)):
        raise MeasureError(
            _("“%(measure)s” is asked about by “%(other)s”: change that first.")
            % {"measure": part.name, "other": asked}
        )
    journal.record(verb=f"{part._meta.label_lower}.removed", subject=part, actor=actor, before={"name": str(part)})
    part.delete()


def _lock_draft(part: Part) -> None:
    edition_id = part.pk if isinstance(part, Edition) else _edition_id(part)
    edition = Edition.objects.select_for_update(no_key=True).filter(pk=edition_id).first()
    if edition is not None and edition.state != Edition.State.DRAFT:
        raise EditionFrozenError(
            _("“%(edition)s” is published and never changes. Copy it to a new draft instead.") % {"edition": edition}
        )


def _edition_id(part: Tier | Distinction | Measure | TierBenefit) -> int:
    return part.edition_id if isinstance(part, Tier | Distinction | Measure) else part.tier.edition_id


@transaction.atomic
def copy_edition(*, edition: Edition, name: str, starts_on: date, actor: User | None = None) -> Edition:
    """A new draft with the same tiers, distinctions, benefits, measures and rules. A fixed number of queries.

    Raises EditionFrozenError where the program has an edition of that name.
    """
    if Edition.objects.filter(program=edition.program_id, name=name).exists():
        raise EditionFrozenError(_("There is an edition “%(name)s” already: choose another name.") % {"name": name})
    draft = Edition.objects.create(
        program_id=edition.program_id, name=name, starts_on=starts_on, notes=edition.notes, life=edition.life,
        country_groups=edition.country_groups, exchange=edition.exchange,
    )  # fmt: skip
    tiers = _copy(Tier.objects.filter(edition=edition), edition=draft)
    for parts in (Measure, Distinction):
        _copy(parts.objects.filter(edition=edition), edition=draft)
    _copy(TierBenefit.objects.filter(tier__edition=edition), {"tier_id": tiers})
    journal.record(
        verb="tiers.edition.copied", subject=draft, actor=actor,
        after={"program": edition.program.slug, "edition": name, "from": edition.name},
    )  # fmt: skip
    return draft


def _copy(
    rows: QuerySet[Any], renewed: Mapping[str, Mapping[Any, Any]] | None = None, **over: Any
) -> dict[int | None, int | None]:
    """Copies of `rows`, with the keys in `renewed` exchanged by those mappings. Returns old keys with new ones."""
    originals = list(rows.order_by("pk"))
    copies = []
    for original in originals:
        copied = copy(original)
        copied.pk, copied._state = None, ModelState()
        for name, value in over.items():
            setattr(copied, name, value)
        for name, keys in (renewed or {}).items():
            setattr(copied, name, keys.get(getattr(original, name)))
        copies.append(copied)
    rows.model._default_manager.bulk_create(copies)
    return {None: None} | {old.pk: new.pk for old, new in zip(originals, copies, strict=True)}
