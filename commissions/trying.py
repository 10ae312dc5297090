"""What facts would earn that are not so: at other tiers, by another plan, by a sale that was not made. Nothing is written."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from commissions import events, plan_documents, settling, streams
from commissions.errors import PlanError
from commissions.models import Plan
from commissions.reckoning import Due, Fact, Nothing, Reckoner, Situation, Tier
from commissions.settling import Worth, units_of
from commissions.streams import Partners, Segment
from common.days import Period
from common.money import from_units
from common.periods import month_of, program_today, trailing_months
from common.templatetags.show import day as day_shown
from leads.models import Product, Sale
from partners.models import Partner
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


# --- One fact -------------------------------------------------------------------------------------

OF_A_SALE = (events.SALE.key, events.FIRST_SALE.key)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a trial changes in one currency: of the partner's month, before and with the fact; of what its other facts earn."""

    currency: str
    month_before: Decimal
    month_after: Decimal
    others: Decimal
    other_facts: int  # how many facts earn something else by it


@dataclass(frozen=True, slots=True)
class Trial:
    """What one fact would earn by a plan, whoever earns it, and what it changes beside."""

    plan: Plan
    partner: Partner
    results: tuple[Due | Nothing, ...]
    effects: tuple[Effect, ...]

    @property
    def dues(self) -> list[Due]:
        return [one for one in self.results if isinstance(one, Due)]


def try_sale(
    *, plan: Plan, partner: Partner, sold_on: date, amount: Decimal, currency: str, quantity: int = 1,
    cost: Decimal | None = None, recurring_amount: Decimal | None = None, product: Product | None = None,
    customer_name: str = "", kind: str = Sale.Kind.NEW, sourced: str = "",
) -> Trial:  # fmt: skip
    """What a sale that was not made would earn if `plan` (a draft too) were the one published last, by the very engine of the
    night: beside the partner's real facts, at the tier it holds on the day, by the rates of exchange there are.

    The sale is written in a transaction of its own that is rolled back, with all that triggers noted of it: nothing remains,
    and no night sees it. Raises PlanError for a plan that cannot be published, or that does not count on the day.
    """
    known = _with_plan(plan, sold_on)
    tomorrow = max(program_today(), sold_on) + timedelta(days=1)
    month = month_of(sold_on)
    looked_at = Partners(plan.program, tomorrow, {partner.pk: sold_on.replace(day=1)})
    before = _everything(looked_at, known)
    with transaction.atomic():
        made = Sale.objects.create(
            external_id=f"trial-{uuid4()}", partner=partner, sold_on=sold_on, amount=amount, currency=currency,
            quantity=quantity, cost=cost, recurring_amount=recurring_amount, product=product, customer_name=customer_name,
            kind=kind, sourced=sourced,
        ).pk  # fmt: skip
        after = _everything(looked_at, known)
        transaction.set_rollback(True)
    own = tuple(one for one in after if one.fact.event in OF_A_SALE and one.fact.id == made)
    rest = [one for one in after if not (one.fact.event in OF_A_SALE and one.fact.id == made)]
    return Trial(plan, partner, own, tuple(_effects(partner, month, before, own, rest)))


def try_fact(*, plan: Plan, partner: Partner, event: str, fact: int, terms_on: date) -> Trial:
    """What a fact of the partner would earn if `plan` (a draft too) were the one published last. `terms_on` is the day whose
    plan and tier count. Raises PlanError as `try_sale`, and where the partner has no such fact.
    """
    known = _with_plan(plan, terms_on)
    looked_at = Partners(plan.program, program_today() + timedelta(days=1), {partner.pk: terms_on})
    found = _everything(looked_at, known)
    own = tuple(one for one in found if (one.fact.event, one.fact.id) == (event, fact))
    if not own:
        raise PlanError(_("No rule of the plan is for this kind of fact, or the partner has it no more."))
    return Trial(plan, partner, own, ())


def _with_plan(plan: Plan, on: date) -> list[Segment]:
    known = streams.segments(plan.program, draft=plan)
    counts = next(one for one in known if one.plan == plan)
    if not counts.starts_on <= on < counts.ends_on:
        until = (
            _("until %(day)s") % {"day": day_shown(counts.ends_on - timedelta(days=1))}
            if counts.ends_on != streams.LAST_DAY
            else _("without end")
        )
        raise PlanError(
            _("On %(on)s another plan counts, or none: this one from %(day)s, %(until)s.")
            % {"on": day_shown(on), "day": day_shown(counts.starts_on), "until": until}
        )
    return known


def _everything(looked_at: Partners, known: Sequence[Segment]) -> list[Due | Nothing]:
    return [one for found in settling.settlements(looked_at, known) for _book, one in found.reckoned]


def _effects(
    partner: Partner, month: Period, before: Sequence[Due | Nothing], own: Sequence[Due | Nothing],
    rest: Sequence[Due | Nothing],
) -> Iterator[Effect]:  # fmt: skip
    def of_month(found: Sequence[Due | Nothing]) -> Counter[str]:
        sums: Counter[str] = Counter()
        for one in found:
            if isinstance(one, Due) and one.partner == partner.pk and one.fact.on in month:
                sums[one.currency] += one.amount
        return sums

    stood, would = _by_fact(before), _by_fact(rest)
    changed = {key: would.get(key, 0) - stood.get(key, 0) for key in {*stood, *would}}
    was, is_now = of_month(before), of_month([*own, *rest])
    currencies = {one.currency for one in own if isinstance(one, Due)} | {key[0] for key, off in changed.items() if off}
    for currency in sorted(currencies | set(was)):
        off = [amount for key, amount in changed.items() if key[0] == currency and amount]
        yield Effect(currency, from_units(was[currency]), from_units(is_now[currency]), from_units(sum(off)), len(off))


def _by_fact(found: Sequence[Due | Nothing]) -> Counter[tuple[str, str, int]]:
    sums: Counter[tuple[str, str, int]] = Counter()
    for one in found:
        if isinstance(one, Due):
            sums[one.currency, one.fact.event, one.fact.id] += one.amount
    return sums
