"""Where an enrollment stands on a day, and what its last evaluation says of the next tier and of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max
from django.db.models.functions import TruncMonth

from tiers import cadence, explaining, lexicon, rules
from tiers.explaining import Case
from tiers.models import Edition, Enrollment, Evaluation, Placement, Run, Tier


@dataclass(frozen=True, slots=True)
class Standing:
    """`evaluation` is None while nothing was evaluated yet: then figures are those of a partner without facts."""

    enrollment: Enrollment
    placements: list[Placement]  # every one there is, newest first
    placement: Placement | None
    edition: Edition
    tiers: list[Tier]
    tier: Tier | None
    next_tier: Tier | None
    evaluations: list[Evaluation]  # the one that stands, then the last of each month before
    case: Case
    reach: rules.Checked | None
    keep: rules.Checked | None
    keeps_today: bool
    next_review_on: date | None

    @property
    def evaluation(self) -> Evaluation | None:
        return next(iter(self.evaluations), None)

    @property
    def to_lift(self) -> list[rules.Checked]:
        """The requirements of the next tier that would help and are not met, nearest to done first."""
        return sorted(explaining.helping(self.reach), key=lambda one: -_share(one))

    @property
    def lacking(self) -> int:
        """How many more requirements the next tier takes, at the least."""
        return explaining.lacking(self.reach)

    @property
    def reviewed_nightly(self) -> bool:
        return bool(demotion_of(self.edition, self.tier)["every"] == "day")


def demotion_of(edition: Edition, tier: Tier | None) -> Mapping[str, Any]:
    """When the tier may be lost."""
    own: Mapping[str, Any] = tier.life if tier else {}
    return own.get("demotion") or edition.life.get("demotion") or cadence.DAILY


def _share(checked: rules.Checked) -> float:
    node = checked.node
    if not isinstance(node, rules.Requirement) or checked.threshold is None:
        return 0.0
    return rules.progress(node.comparison, checked.figure or 0, checked.threshold)


def standing(*, enrollment: Enrollment, on: date, months: int = 1) -> Standing | None:
    """None where the program has no edition in force. The same number of queries whatever the data.

    `months` is how many of the evaluations that each closed a month are read, the one that stands among them.
    """
    edition = Edition.objects.filter(program_id=enrollment.program_id).in_force_on(on).first()
    if edition is None:
        return None
    edition.program = enrollment.program
    placements = list(Placement.objects.filter(enrollment=enrollment).select_related("tier").order_by("-starts_on"))
    placement = next((one for one in placements if one.is_in_force_on(on)), None)
    evaluations = _evaluations(enrollment, on, months)
    evaluation = next(iter(evaluations), None)
    words = lexicon.read(edition)
    case = explaining.case_for(words, enrollment, evaluation, on=measured_on(enrollment, evaluation, on))
    book, by_pk = case.book, {tier.pk: tier for tier in words.tiers}
    held = book.level(placement.tier.code) if placement else None
    above = [level for level in book.levels if level.rank > (held.rank if held else 0)]
    following = next((level for level in above if level.rank > 1 or held is None), None)
    reach = following.earn if following else None
    keep = (held.keep or held.earn) if held else None
    tier = by_pk[held.tier_id] if held else None
    return Standing(
        enrollment=enrollment,
        placements=placements,
        placement=placement,
        edition=edition,
        tiers=words.tiers,
        tier=tier,
        next_tier=by_pk[following.tier_id] if following else None,
        evaluations=evaluations,
        case=case,
        reach=rules.check(reach, case.facts) if reach else None,
        keep=rules.check(keep, case.facts) if keep else None,
        keeps_today=held is not None and rules.keeps(held, case.facts),
        next_review_on=cadence.next_review(demotion_of(edition, tier), on, enrollment.starts_on),
    )


def _evaluations(enrollment: Enrollment, on: date, months: int) -> list[Evaluation]:
    """The last one of each of the latest `months` that have any, newest first. One query."""
    stored = Evaluation.objects.filter(enrollment=enrollment, evaluated_on__lte=on)
    if months == 1:
        return list(stored.order_by("-evaluated_on")[:1])
    last = stored.order_by().values(month=TruncMonth("evaluated_on")).annotate(last=Max("evaluated_on")).values("last")
    return list(
        Evaluation.objects.filter(enrollment=enrollment, evaluated_on__in=last).order_by("-evaluated_on")[:months]
    )


def measured_on(enrollment: Enrollment, evaluation: Evaluation | None, on: date) -> date:
    """The day whose figures stand: that of the last night that was done, since what does not differ is not stored again."""
    last = (
        Run.objects.nights()
        .filter(program_id=enrollment.program_id, state=Run.State.DONE, day__lte=on)
        .order_by("-day")
        .values_list("day", flat=True)
        .first()
    )
    stored = evaluation.evaluated_on if evaluation else on
    return max(last, stored) if last else stored
