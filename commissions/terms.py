"""The terms in force on a day: which plan, which tier, which rate."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from commissions.models import Plan, Rule
from partners.models import Partner
from tiers.models import Enrollment, Placement, Program

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sale of one day is paid at. `why_zero` is a code where it is paid nothing (see selectors)."""

    plan_id: int | None
    tier_id: int | None
    rate: Decimal
    why_zero: str = ""


@dataclass(slots=True)
class Held:
    """The tiers one partner held in a program, by day."""

    starts: list[date] = field(default_factory=list)
    spans: list[tuple[date | None, int, str]] = field(default_factory=list)  # ends_on, tier id, tier code

    def on(self, day: date) -> tuple[int, str] | None:
        at = bisect_right(self.starts, day) - 1
        if at < 0:
            return None
        ends_on, tier_id, code = self.spans[at]
        return (tier_id, code) if ends_on is None or day < ends_on else None


class PlanBook:
    """The published plans of a program with their rates, read once."""

    def __init__(self, program: Program) -> None:
        self.plans = list(Plan.objects.published().filter(program=program).order_by("-starts_on", "-version"))
        self.rates: dict[int, dict[str, Decimal]] = {plan.pk: {} for plan in self.plans}
        for plan_id, code, rate in Rule.objects.filter(plan__in=self.plans).values_list("plan_id", "tier_code", "rate"):
            self.rates[plan_id][code] = rate

    def plan_on(self, day: date) -> Plan | None:
        """The latest to start on or before the day, the highest version among those; it may have ended."""
        for plan in self.plans:
            if plan.starts_on <= day:
                return plan if plan.ends_on is None or day < plan.ends_on else None
        return None

    def rate(self, plan_id: int | None, tier_code: str | None) -> Decimal:
        """What the plan pays to a tier: 0 without a plan, without a tier, and where the plan names no rate for it."""
        return NOTHING if plan_id is None or tier_code is None else self.rates[plan_id].get(tier_code, NOTHING)

    def terms(self, day: date, held: Held | None, *, enrolled: bool = True) -> Terms:
        plan = self.plan_on(day)
        if plan is None:
            return Terms(None, None, NOTHING, "no_plan")
        tier = held.on(day) if held is not None and enrolled else None
        if tier is None:
            return Terms(plan.pk, None, NOTHING, "no_tier")
        rate = self.rates[plan.pk].get(tier[1])
        if rate is None:
            return Terms(plan.pk, tier[0], NOTHING, "no_rate")
        return Terms(plan.pk, tier[0], rate, "" if rate else "zero_rate")


def held_by_partner(program: Program, first_id: int, last_id: int) -> dict[int, Held]:
    """The tiers that each partner in a range of ids held in the program, in one query."""
    held: dict[int, Held] = {}
    placements = (
        Placement.objects.filter(enrollment__program=program, enrollment__partner__id__range=(first_id, last_id))
        .order_by("starts_on")
        .values_list("enrollment__partner_id", "starts_on", "ends_on", "enrollment__ends_on", "tier_id", "tier__code")
    )
    for partner_id, starts_on, ends_on, enrollment_ends_on, tier_id, code in placements:
        ends = [day for day in (ends_on, enrollment_ends_on) if day is not None]
        own = held.setdefault(partner_id, Held())
        own.starts.append(starts_on)
        own.spans.append((min(ends) if ends else None, tier_id, code))
    return held


def lock_enrollments(program: Program, first_id: int, last_id: int) -> None:
    """Hold the enrollments of a range of partners, in order: nobody else moves or pays them meanwhile."""
    locked = Enrollment.objects.filter(program=program, partner__id__range=(first_id, last_id)).order_by("id")
    list(locked.select_for_update(no_key=True).values_list("id"))


def lock_partners(first_id: int, last_id: int) -> None:
    """Hold a range of partners, in order, so that two programs' nights do not draft the same statement at once."""
    list(
        Partner.objects.filter(pk__range=(first_id, last_id))
        .order_by("id")
        .select_for_update(no_key=True)
        .values_list("id")
    )
