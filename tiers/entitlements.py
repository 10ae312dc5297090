"""What partners may use: the benefits that their tiers give on a day, how much of each, and how much is left.

Other apps ask `entitlement`; pages list `entitlements`. Uses are written by tiers.services.use_benefit.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from common.money import ZERO
from common.periods import add_months
from common.texts import Texts
from tiers import selectors, windows
from tiers.models import Benefit, BenefitUse, Enrollment, Placement, Program, Tier, TierBenefit


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an enrollment may use of a benefit on a day.

    `quantity` and `left` are None for what has no limit; `per` is empty for what is given once while the tier is held.
    `used` are the uses from `starts_on` up to, not including, `ends_on` (None: while the tier is held). Where nothing is
    given, quantity and left are zero, and `benefit` and `enrollment` may be None.
    """

    given: bool
    benefit: Benefit | None = None
    enrollment: Enrollment | None = None
    tier: Tier | None = None
    terms: Texts | str = ""
    quantity: Decimal | None = ZERO
    per: str = ""
    used: Decimal = ZERO
    left: Decimal | None = ZERO
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def code(self) -> str:
        return self.benefit.code if self.benefit else ""

    @property
    def currency(self) -> str:
        """That of the program for money, else empty."""
        is_money = self.benefit is not None and self.benefit.kind == Benefit.Kind.MONEY
        return self.enrollment.program.currency if is_money and self.enrollment else ""

    @property
    def share_left(self) -> float:
        """0 to 1; 1 where there is no limit."""
        return float(self.left / self.quantity) if self.left is not None and self.quantity else float(self.left is None)


NOTHING = Entitlement(given=False)


@dataclass(frozen=True, slots=True)
class _Held:
    """The tier that an enrollment holds on a day, from when on without a break, and up to when where it ended since."""

    tier: Tier
    starts_on: date
    ends_on: date | None


def entitlement(*, partner_id: int, code: str, on: date) -> Entitlement:
    """What the partner may use of the benefit on the day, in whichever of its programs leaves most.

    `given` is false where no tier that it holds gives it. A fixed number of queries.
    """
    enrollments = Enrollment.objects.filter(partner_id=partner_id).in_force_on(on).select_related("program")
    found = entitlements_of(enrollments, on=on, code=code)
    offered = [one for each in found.values() for one in each]
    return max(offered, key=lambda one: (one.left is None, one.left or ZERO), default=NOTHING)


def entitlements(
    *,
    enrollment: Enrollment,
    on: date,
    code: str = "",
    placements: Sequence[Placement] | None = None,
    given: Mapping[int, Sequence[TierBenefit]] | None = None,
) -> list[Entitlement]:
    """The benefits that the enrollment's tier gives on the day, in the program's order; of one `code` at most one.

    Three queries, or two where nothing is given; one less where the caller has all its placements with their tiers, one less
    where it has what the tier held on the day gives, by tier.
    """
    held = None if placements is None else {enrollment.pk: placements}
    found = entitlements_of([enrollment], on=on, code=code, placements=held, given=given)
    return found.get(enrollment.pk, [])


def entitlements_of(
    enrollments: Iterable[Enrollment],
    *,
    on: date,
    code: str = "",
    placements: Mapping[int, Sequence[Placement]] | None = None,
    given: Mapping[int, Sequence[TierBenefit]] | None = None,
) -> dict[int, list[Entitlement]]:
    """The same for many enrollments, by id: three queries, whatever their number."""
    own = {one.pk: one for one in enrollments if one.starts_on <= on and (one.ends_on is None or one.ends_on > on)}
    held = _held(_placements(own) if placements is None else placements, on, own)
    offered = selectors.benefits_by_tier({one.tier.pk for one in held.values()}) if given is None else given
    rows = {
        pk: [row for row in offered.get(one.tier.pk, ()) if code in ("", row.benefit.code)] for pk, one in held.items()
    }
    periods = {(pk, row.benefit_id): _period(row.per, one, on) for pk, one in held.items() for row in rows[pk]}
    used = _used(periods)
    return {
        pk: [_of(own[pk], one.tier, row, used[pk, row.benefit_id], periods[pk, row.benefit_id]) for row in rows[pk]]
        for pk, one in held.items()
    }


def codes_given(tiers: Iterable[int]) -> dict[int, list[str]]:
    """The codes of the benefits that each tier gives, by its id, in the program's order. One query."""
    rows = TierBenefit.objects.filter(tier__in=list(tiers)).order_by("benefit__position", "benefit_id")
    found: dict[int, list[str]] = {}
    for tier_id, code in rows.values_list("tier_id", "benefit__code"):
        found.setdefault(tier_id, []).append(code)
    return found


def codes_by_tier(program: Program) -> dict[int, list[str]]:
    """The same for every tier of every edition of a program."""
    return codes_given(Tier.objects.filter(edition__program=program).values_list("pk", flat=True))


def switched(codes: Mapping[int, Sequence[str]], before: int | None, after: int | None) -> dict[str, list[str]]:
    """What going from one tier (by id, None for none) to another `opens` and `closes`; what nothing changes is left out."""
    had, has = (codes.get(one, ()) if one is not None else () for one in (before, after))
    opens, closes = [one for one in has if one not in had], [one for one in had if one not in has]
    return ({"opens": opens} if opens else {}) | ({"closes": closes} if closes else {})


def _placements(enrollments: Iterable[int]) -> dict[int, list[Placement]]:
    found: dict[int, list[Placement]] = {}
    for row in Placement.objects.filter(enrollment__in=list(enrollments)).select_related("tier"):
        found.setdefault(row.enrollment_id, []).append(row)
    return found


def _held(found: Mapping[int, Sequence[Placement]], on: date, among: Container[int]) -> dict[int, _Held]:
    """A tier is held on as long as each placement follows the one before with the same code: a new reason, a longer hold or
    a new edition's row of it is no break."""
    held = {}
    for pk, rows in found.items():
        placements = sorted(rows, key=lambda one: (one.starts_on, one.pk))
        at = next(
            (n for n, one in enumerate(placements) if one.starts_on <= on and (not one.ends_on or one.ends_on > on)),
            None,
        )
        if at is None or pk not in among:
            continue
        first = last = at
        while first and _goes_on(placements[first - 1], placements[first]):
            first -= 1
        while last + 1 < len(placements) and _goes_on(placements[last], placements[last + 1]):
            last += 1
        held[pk] = _Held(placements[at].tier, placements[first].starts_on, placements[last].ends_on)
    return held


def _goes_on(one: Placement, following: Placement) -> bool:
    return one.ends_on == following.starts_on and one.tier.code == following.tier.code


def _period(per: str, held: _Held, on: date) -> tuple[date, date | None]:
    if not per:
        return held.starts_on, held.ends_on
    months = windows.MONTHS[per]
    start = windows.start_of(on, months, 1)
    return start, add_months(start, months)


def _used(periods: Mapping[tuple[int, int], tuple[date, date | None]]) -> dict[tuple[int, int], Decimal]:
    """How much was used of each (enrollment, benefit) in its period. One query, summed by day."""
    used = dict.fromkeys(periods, ZERO)
    if not periods:
        return used
    uses = BenefitUse.objects.filter(
        enrollment__in={pk for pk, _benefit in periods}, benefit__in={benefit for _pk, benefit in periods},
        used_on__gte=min(start for start, _end in periods.values()),
    ).order_by()  # fmt: skip
    for pk, benefit, day, quantity in uses.values_list("enrollment", "benefit", "used_on").annotate(Sum("quantity")):
        start, end = periods.get((pk, benefit), (date.max, None))
        if start <= day and (end is None or day < end):
            used[pk, benefit] += quantity
    return used


def _of(
    enrollment: Enrollment, tier: Tier, row: TierBenefit, used: Decimal, period: tuple[date, date | None]
) -> Entitlement:
    return Entitlement(
        given=True, benefit=row.benefit, enrollment=enrollment, tier=tier, terms=row.terms, quantity=row.quantity,
        per=row.per, used=used, left=None if row.quantity is None else max(row.quantity - used, ZERO),
        starts_on=period[0], ends_on=period[1],
    )  # fmt: skip
