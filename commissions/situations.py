"""What reckoning knows of each partner beside its facts: tiers held by day, sponsors, shared sales, plan targets, payout currency."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Max, Q

from commissions.models import PayoutCurrency
from commissions.reckoning import SCALE, Book, Situation, Target, Tier
from commissions.streams import Partners
from leads.models import Split
from partners.models import Partner, Sponsorship
from records.models import PlanTarget
from tiers.models import Enrollment, Placement, Program

NOTHING = Decimal(0)
TierOn = Callable[[date], Tier | None]


@dataclass(slots=True)
class Held:
    """The tiers one partner held in a program, by day."""

    starts: list[date] = field(default_factory=list)
    spans: list[tuple[date | None, int, str]] = field(default_factory=list)  # ends_on, tier id, tier code

    def on(self, day: date) -> Tier | None:
        at = bisect_right(self.starts, day) - 1
        if at < 0:
            return None
        ends_on, tier_id, code = self.spans[at]
        return (tier_id, code) if ends_on is None or day < ends_on else None

    @property
    def last(self) -> Tier | None:
        """The last one that it held for a day at least."""
        for starts_on, (ends_on, tier_id, code) in zip(reversed(self.starts), reversed(self.spans), strict=True):
            if ends_on is None or starts_on < ends_on:
                return tier_id, code
        return None


def held_by_partner(program: Program, partners: Iterable[int] | tuple[int, int]) -> dict[int, Held]:
    """The tiers that each partner (of a range of ids, or of a list) held in the program, in one query."""
    which = {"range": partners} if isinstance(partners, tuple) else {"in": list(partners)}
    held: dict[int, Held] = {}
    placements = (
        Placement.objects.filter(
            enrollment__program=program, **{f"enrollment__partner__id__{how}": ids for how, ids in which.items()}
        )
        .order_by("starts_on")
        .values_list("enrollment__partner_id", "starts_on", "ends_on", "enrollment__ends_on", "tier_id", "tier__code")
    )
    for partner_id, starts_on, ends_on, enrollment_ends_on, tier_id, code in placements:
        ends = [day for day in (ends_on, enrollment_ends_on) if day is not None]
        own = held.setdefault(partner_id, Held())
        own.starts.append(starts_on)
        own.spans.append((min(ends) if ends else None, tier_id, code))
    return held


class Situations:
    """Of a range of partners, read once; only what the plans ask for. A fixed number of queries."""

    def __init__(self, partners: Partners, books: Sequence[Book]) -> None:
        rules = [rule for book in books for rule in book.rules]
        self._held = held_by_partner(partners.program, partners.bounds)
        self._sponsors: dict[int, list[tuple[date, date | None, int]]] = {}
        self._held_above: dict[int, Held] = {}
        if any(rule.level for rule in rules):
            self._read_sponsors(partners, max(rule.level for rule in rules))
        self._splits = _splits(partners)
        asks_targets = any(rule.banded and rule.banded.over == "target" for rule in rules)
        self._targets = _targets(partners) if asks_targets else {}
        self._paid_in = _paid_in(partners, self._held_above)
        self._left = _left(partners) if any(book.run_off_months for book in books) else {}

    def of(self, partner: int) -> Situation:
        held = self._held.get(partner, NOBODY)
        paid_in = self._paid_in.get(partner)
        return Situation(
            partner=partner, tier_on=held.on, left_on=self._left.get(partner),
            last_tier=held.last,
            sponsors_on=lambda day: self._sponsors_on(partner, day),
            sponsor_tier_on=lambda sponsor, day: self._held_above.get(sponsor, NOBODY).on(day),
            splits=self._splits.get(partner, {}), targets=self._targets.get(partner, ()),
            paid_in=(lambda day: _latest(paid_in, day)) if paid_in else _plan_currency,
            sponsor_paid_in=lambda sponsor, day: _latest(self._paid_in.get(sponsor, ()), day),
        )  # fmt: skip

    def _read_sponsors(self, partners: Partners, levels: int) -> None:
        rows = Sponsorship.objects.filter(partner__id__range=partners.bounds)
        above: set[int] = set()
        for _level in range(levels):
            found = set()
            for partner, sponsor, starts_on, ends_on in rows.order_by("starts_on").values_list(
                "partner_id", "sponsor_id", "starts_on", "ends_on"
            ):
                spans = self._sponsors.setdefault(partner, [])
                if (starts_on, ends_on, sponsor) not in spans:
                    spans.append((starts_on, ends_on, sponsor))
                found.add(sponsor)
            above |= found
            rows = Sponsorship.objects.filter(partner__in=found)
        self._held_above = {**dict.fromkeys(above, NOBODY), **held_by_partner(partners.program, above)}

    def _sponsors_on(self, partner: int, day: date) -> tuple[int, ...]:
        """The sponsor, its sponsor, and so on, without going in a circle."""
        chain: list[int] = []
        seen = {partner}
        while True:
            found = next(
                (sponsor for starts_on, ends_on, sponsor in self._sponsors.get(partner, ())
                 if starts_on <= day and (ends_on is None or day < ends_on)),
                None,
            )  # fmt: skip
            if found is None or found in seen:
                return tuple(chain)
            chain.append(found)
            seen.add(found)
            partner = found


NOBODY = Held()


def _plan_currency(day: date) -> str:
    return ""


def _latest(spans: Sequence[tuple[date, str]], day: date) -> str:
    found = ""
    for starts_on, currency in spans:
        if starts_on <= day:
            found = currency
    return found


def _splits(partners: Partners) -> dict[int, dict[int, list[tuple[int, int]]]]:
    """By the partner whose sale it is, then by sale: who shares it, by id, with its parts."""
    rows = Split.objects.filter(sale__partner__id__range=partners.bounds).order_by("sale_id", "partner_id")
    found: dict[int, dict[int, list[tuple[int, int]]]] = {}
    for owner, sale, partner, parts in rows.values_list("sale__partner_id", "sale_id", "partner_id", "parts"):
        found.setdefault(owner, {}).setdefault(sale, []).append((partner, parts))
    return found


def _targets(partners: Partners) -> dict[int, list[Target]]:
    found: dict[int, list[Target]] = {}
    rows = PlanTarget.objects.filter(partner__id__range=partners.bounds).order_by("starts_on", "key")
    for one in rows:
        amount = None if one.amount is None else int(one.amount * SCALE)
        quantity = None if one.quantity is None else int(one.quantity * SCALE)
        target = Target(one.key, one.starts_on, one.ends_on, amount, one.currency, quantity)
        found.setdefault(one.partner_id, []).append(target)
    return found


def _paid_in(partners: Partners, sponsors: Collection[int]) -> Mapping[int, list[tuple[date, str]]]:
    found: dict[int, list[tuple[date, str]]] = {}
    whose = Q(partner__id__range=partners.bounds) | Q(partner__in=list(sponsors))
    rows = PayoutCurrency.objects.filter(whose).order_by("starts_on")
    for partner, starts_on, currency in rows.values_list("partner_id", "starts_on", "currency"):
        found.setdefault(partner, []).append((starts_on, currency))
    return found


def _left(partners: Partners) -> dict[int, date]:
    """The day each left the program: the end of its last enrollment, where none is open."""
    rows = Enrollment.objects.filter(program=partners.program, partner__id__range=partners.bounds)
    open_ones = set(rows.filter(ends_on=None).values_list("partner_id", flat=True))
    ended = rows.order_by().values_list("partner_id").annotate(Max("ends_on"))
    return {partner: ends_on for partner, ends_on in ended if partner not in open_ones}


# --- Locks ---------------------------------------------------------------------------------------


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
