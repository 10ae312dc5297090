"""Reads that span the models of the tier engine."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from accounts.models import User
from tiers.models import Edition, Enrollment, Placement, Program, Run, Tier, TierBenefit


def edition_in_force(program: Program, day: date) -> Edition | None:
    return Edition.objects.filter(program=program).in_force_on(day).first()


def programs_visible_to(user: User) -> QuerySet[Program]:
    """Staff see every program, anyone else the public ones and those that its partner is or was in."""
    if user.is_active and user.is_staff:
        return Program.objects.all()
    own = Enrollment.objects.visible_to(user).values("program")
    return Program.objects.filter(Q(is_public=True) | Q(pk__in=own))


def editions_visible_to(user: User) -> QuerySet[Edition]:
    """Staff see every edition, anyone else the published ones of programs that it sees."""
    if user.is_active and user.is_staff:
        return Edition.objects.all()
    return Edition.objects.published().filter(program__in=programs_visible_to(user))


def currencies() -> set[str]:
    """Those that programs are run in."""
    return set(Program.objects.order_by().values_list("currency", flat=True))


def last_night(program: Program, *, before: date) -> date | None:
    """The last day before `before` whose night is done."""
    done = Run.objects.nights().filter(program=program, day__lt=before, state=Run.State.DONE)
    return done.order_by("-day").values_list("day", flat=True).first()


def has_benefit(*, partner_id: int, code: str, on: date) -> bool:
    """Whether a tier that the partner holds on the day gives the benefit."""
    return partner_id in set(partners_with_benefit(code=code, on=on).filter(enrollment__partner_id=partner_id))


def partners_with_benefit(*, code: str, on: date) -> "QuerySet[Placement, int]":
    """The ids of the partners whose tier on the day gives the benefit, as a subquery."""
    return (
        Placement.objects.in_force_on(on)
        .filter(tier__tier_benefits__benefit__code=code)
        .values_list("enrollment__partner_id", flat=True)
    )


def tiers_giving(*, code: str, on: date) -> list[Tier]:
    """The tiers of editions in force that give the benefit, lowest first: which one to reach for it."""
    tiers: list[Tier] = []
    for program in Program.objects.all():
        edition = edition_in_force(program, on)
        if edition is not None:
            tiers += edition.tiers.filter(tier_benefits__benefit__code=code).order_by("rank")
    return tiers


def benefits_of(tier: Tier | None) -> list[TierBenefit]:
    """What a tier gives, in the program's order."""
    return benefits_by_tier([tier.pk])[tier.pk] if tier is not None else []


def benefits_by_tier(tiers: Iterable[int]) -> dict[int, list[TierBenefit]]:
    """What each of some tiers (by id) gives, in the program's order. One query."""
    found: dict[int, list[TierBenefit]] = {pk: [] for pk in tiers}
    given = TierBenefit.objects.filter(tier__in=found).select_related("benefit__program")
    for one in given.order_by("benefit__position", "benefit_id"):
        found[one.tier_id].append(one)
    return found
