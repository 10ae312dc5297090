"""What was held and open before a night, for a range of enrollments: what `deciding` judges from. A fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Exists, OuterRef, Q, Subquery

from common.days import Period
from tiers import deciding
from tiers.evaluating import range_of
from tiers.models import (
    Award,
    Edition,
    Enrollment,
    Evaluation,
    Grace,
    Placement,
    Program,
    Proposal,
    Relief,
    Tier,
)

GRANTS = (Placement.Reason.GRANTED, Placement.Reason.MATCHED)
NIGHTS_OWN = (Placement.Reason.EARNED, Placement.Reason.LOST, Placement.Reason.ENDED)


@dataclass(frozen=True, slots=True)
class Night:
    """When and by which edition is judged. `previous` is the last day before whose night is done; `run_id` None for an
    evaluation outside a night, which gives what is earned at once and takes nothing."""

    program: Program
    edition: Edition
    day: date
    previous: date | None
    run_id: int | None = None

    @property
    def at_once(self) -> bool:
        return self.run_id is None


@dataclass(slots=True)
class Standing:
    """What one enrollment has on the night's day, before and after an earlier pass over it."""

    held: Placement | None = None
    before: Placement | None = None  # what an earlier pass over this day ended
    grant: Placement | None = None
    grace: Grace | None = None  # open, or closed by an earlier pass
    proposal: Proposal | None = None
    refused: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    reliefs: list[Period] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)

    def is_first_pass(self, night: Night) -> bool:
        """Whether the tier held is not what an earlier pass over this day gave."""
        held = self.held
        return (
            held is None or night.at_once or held.starts_on != night.day or held.author_id is not None
            or held.reason not in NIGHTS_OWN
        )  # fmt: skip

    def base(self, night: Night, entry: Tier, enrolled_on: date) -> "Base | None":
        """The tier to judge from: on a second pass over a day, what was held before the first."""
        if self.is_first_pass(night):
            return Base.of(self.held) if self.held else None
        if self.before is not None:
            return Base.of(self.before)
        return Base(entry, Placement.Reason.JOINED) if enrolled_on == night.day else None


@dataclass(frozen=True, slots=True)
class Base:
    tier: Tier
    reason: str
    holds_until: date | None = None
    note: str = ""
    author_id: int | None = None

    @classmethod
    def of(cls, placement: Placement) -> "Base":
        return cls(placement.tier, placement.reason, placement.holds_until, placement.note, placement.author_id)

    def as_held(self) -> deciding.Held:
        return deciding.Held(self.tier.code, self.tier.rank, self.holds_until, granted=self.reason in GRANTS)


def read(night: Night, enrollments: Sequence[Enrollment], tiers: Mapping[int, Tier]) -> dict[int, Standing]:
    """By enrollment. Six queries at most, whatever their number."""
    found = {one.pk: Standing() for one in enrollments}
    within = range_of(list(found))
    _read_placements(found, night, within, tiers)
    for grace in Grace.objects.filter(_open_or_closed_on(night.day), enrollment__id__range=within):
        if grace.enrollment_id in found:
            found[grace.enrollment_id].grace = grace
    _read_proposals(found, within)
    _read_reliefs(found, night, within)
    earned = Award.objects.filter(enrollment__id__range=within, origin=Award.Origin.EARNED)
    for award in earned.filter(Q(ends_on__isnull=True) | Q(ends_on=night.day)).order_by("id"):
        if award.enrollment_id in found:
            found[award.enrollment_id].awards.append(award)
    if night.edition.life.get("deadlines"):
        reached = Placement.objects.filter(enrollment__id__range=within, starts_on__lt=night.day).order_by()
        for pk, code in reached.values_list("enrollment_id", "tier__code").distinct():
            if pk in found:
                found[pk].reached.add(code)
    return found


def _read_placements(
    found: Mapping[int, Standing], night: Night, within: tuple[int, int], tiers: Mapping[int, Tier]
) -> None:
    rows = Placement.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=night.day) | Q(reason__in=GRANTS), enrollment__id__range=within
    )
    for placement in rows.order_by("starts_on"):
        if placement.enrollment_id not in found:
            continue
        placement.tier = tiers[placement.tier_id]
        one = found[placement.enrollment_id]
        if placement.ends_on is None:
            one.held = placement
        elif placement.ends_on == night.day:
            one.before = placement
        if placement.reason in GRANTS and placement.starts_on <= night.day:
            one.grant = placement


def _open_or_closed_on(day: date) -> Q:
    by_the_night = Q(closed_on=day, outcome__in=[Grace.Outcome.KEPT, Grace.Outcome.LOST])
    return Q(closed_on__isnull=True) | by_the_night


def _read_proposals(found: Mapping[int, Standing], within: tuple[int, int]) -> None:
    """Those open, and those refused of who was qualified for ever since: a refusal stands as long."""
    lapsed = Evaluation.objects.filter(
        enrollment=OuterRef("enrollment"), evaluated_on__gt=OuterRef("proposed_on"),
        earned__rank__lt=OuterRef("rank"),
    )  # fmt: skip
    asked = Tier.objects.filter(edition=OuterRef("evaluation__edition"), code=OuterRef("tier_code"))
    rows = (
        Proposal.objects.filter(enrollment__id__range=within)
        .annotate(rank=Subquery(asked.values("rank")[:1]))
        .filter(Q(state=Proposal.State.OPEN) | Q(state=Proposal.State.REFUSED) & ~Exists(lapsed))
    )
    for proposal in rows.order_by("id"):
        one = found.get(proposal.enrollment_id)
        if one is None:
            continue
        if proposal.state == Proposal.State.OPEN:
            one.proposal = proposal
        else:
            one.refused.add(proposal.tier_code)


def _read_reliefs(found: Mapping[int, Standing], night: Night, within: tuple[int, int]) -> None:
    rows = Relief.objects.filter(program=night.program).filter(
        Q(enrollment__isnull=True) | Q(enrollment__id__range=within)
    )
    for enrollment_id, starts_on, ends_on in rows.values_list("enrollment_id", "starts_on", "ends_on"):
        period = Period(starts_on, ends_on)
        if enrollment_id is None:
            for one in found.values():
                one.reliefs.append(period)
        elif enrollment_id in found:
            found[enrollment_id].reliefs.append(period)


def situation(
    night: Night, enrollment: Enrollment, one: Standing, base: Base | None, met: frozenset[str], kept: frozenset[str]
) -> deciding.Situation:
    grant, grace, held = one.grant, one.grace, one.held
    rose = not one.is_first_pass(night) and base is not None and held is not None and held.tier.rank > base.tier.rank
    rose_to = held.tier.rank if rose and held is not None else 0
    return deciding.Situation(
        day=night.day,
        previous=night.previous,
        enrolled_on=enrollment.starts_on,
        met=met,
        kept=kept,
        held=base.as_held() if base else None,
        grant=grant_of(grant) if grant else None,
        grace=deciding.OpenGrace(grace.tier_code, grace.starts_on, grace.ends_on, grace.warned_on) if grace else None,
        proposal=one.proposal.tier_code if one.proposal else None,
        refused=frozenset(one.refused),
        reached=frozenset(one.reached),
        reliefs=one.reliefs,
        at_once=night.at_once,
        rose_to=rose_to,
    )


def grant_of(placement: Placement) -> deciding.Grant:
    reason: deciding.Reason = "matched" if placement.reason == Placement.Reason.MATCHED else "granted"
    return deciding.Grant(placement.tier.code, reason, placement.holds_until)
