"""What facts would earn that are not so: at other tiers, by another plan, by a sale that was not made. Nothing is written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from commissions import plan_documents, streams
from commissions.models import Plan
from commissions.reckoning import Due, Fact, Reckoner, Situation, Tier
from commissions.settling import Worth, units_of
from commissions.streams import Partners, Segment
from common.periods import trailing_months
from tiers.models import Program

TierOn = Callable[[date], Tier | None]


def plan_in_force(program: Program, on: date) -> Plan | None:
    plan = Plan.objects.in_force_on(on).filter(program=program).first()
    following = (
        Plan.objects.published().filter(program=program, starts_on__lte=on).order_by("-starts_on", "-version").first()
    )
    return plan if plan is not None and plan == following else None


def yearly(
    program: Program, plan: Plan, partners: Sequence[int], on: date, codes: Mapping[int, Sequence[str]]
) -> Iterator[tuple[int, str, dict[str, int]]]:
    """What the facts of the twelve months before `on` would pay each partner by the plan at each of its `codes`: partner, code, and
    ten-thousandths by currency. What goes to sponsors is left out. A fixed number of queries.
    """
    year = trailing_months(on, 12)
    start = year.starts_on or on
    segment = Segment(plan, plan_documents.read(plan), start, on, streams.rates_of(program, plan.starts_on))
    looked_at = Partners(program, on, dict.fromkeys(sorted(partners), start))
    worth = Worth()
    for partner, rows in streams.by_partner(streams.facts(looked_at, [segment], segment)):
        facts = [fact for _stream, fact in rows]
        for code in codes.get(partner, ()):
            yield partner, code, _sums(segment, worth, facts, partner, code)


def _sums(segment: Segment, worth: Worth, facts: list[Fact], partner: int, code: str) -> dict[str, int]:
    tier = (0, code)
    situation = Situation(partner=partner, tier_on=lambda _day: tier)
    reckoner = Reckoner(segment.book, worth.find, units_of)
    sums: dict[str, int] = {}
    for one in reckoner.reckon(facts, situation):
        if isinstance(one, Due) and one.partner == partner:
            sums[one.currency] = sums.get(one.currency, 0) + one.amount
    return sums
