"""A dry run: what an edition would make of the real partners and history, and what that costs. Nothing is placed or posted.

It measures as the night does, then judges each enrollment against the tier it held on the day, as a review would at which
tiers may be both given and lost, without grace, holds or excuses: what the rules come to, not when. Who would be proposed
for a tier stays, with a mark.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common import bulk
from tiers import deciding, evaluating, explaining, lexicon, rules, situations, steps
from tiers.models import Enrollment, Outcome, Placement, Run, Tier, TierBenefit
from tiers.placing import cut_enrollments

OUTCOME = ("run_id", "enrollment_id", "held", "would", "change", "proposed", "decided_by")
PERIODS_A_YEAR = {"year": 1, "half_year": 2, "quarter": 4, "month": 12, "": 1}


def judge(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Write what would become of a range of enrollments. A fixed number of queries; repeating replaces."""
    enrollments = list(
        Enrollment.objects.filter(program=run.program_id, id__range=bounds).in_force_on(run.day).order_by("id")
    )
    book = evaluating.read_book(run.edition)
    judged = evaluating.judge_all(book, run, enrollments)
    held, grants = _held_and_granted(run, [one.pk for one in enrollments])
    review = Review.of(book)
    outcomes = [
        _outcome(run, book, review, one, judged[one.pk], held.get(one.pk), grants.get(one.pk)) for one in enrollments
    ]
    Outcome.objects.filter(run=run, enrollment__id__range=bounds).delete()
    bulk.insert(Outcome, OUTCOME, outcomes)
    changes = Counter(change for _run, _enrollment, _held, _would, change, _proposed, _decided_by in outcomes)
    proposed = sum(1 for *_others, code, _decided_by in outcomes if code)
    return {
        "evaluated": len(outcomes), "would_rise": changes[1], "would_fall": changes[-1], "would_be_proposed": proposed
    }  # fmt: skip


def _held_and_granted(run: Run, ids: Sequence[int]) -> tuple[dict[int, deciding.Held], dict[int, deciding.Grant]]:
    """The tier each held on the run's day, and the latest that staff granted by then; of others in the range too. Two queries."""
    held: dict[int, deciding.Held] = {}
    grants: dict[int, deciding.Grant] = {}
    tiers = {tier.pk: tier for tier in Tier.objects.filter(edition__program=run.program_id)}
    placed = Placement.objects.filter(enrollment__id__range=evaluating.range_of(ids), starts_on__lte=run.day)
    rows = placed.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=run.day) | Q(reason__in=situations.GRANTS))
    for one in rows.order_by("starts_on"):
        one.tier = tiers[one.tier_id]
        if one.reason in situations.GRANTS:
            grants[one.enrollment_id] = situations.grant_of(one)
        if one.ends_on is None or one.ends_on > run.day:
            held[one.enrollment_id] = situations.Base.of(one).as_held()
    return held, grants


def _outcome(
    run: Run, book: evaluating.Book, review: "Review", enrollment: Enrollment, judged: evaluating.Judged,
    held: deciding.Held | None, grant: deciding.Grant | None,
) -> tuple[Any, ...]:  # fmt: skip
    """Values of OUTCOME."""
    level = book.rulebook.level(held.code) if held else None
    situation = deciding.Situation(
        day=run.day, previous=None, enrolled_on=enrollment.starts_on, met=judged.met, kept=judged.kept, held=held,
        grant=grant,
    )  # fmt: skip
    decision = review.decide(situation)
    would = _level(book.rulebook, decision, level, judged)
    change = 0 if level is None else (would.rank > level.rank) - (would.rank < level.rank)
    decided_by = _decided_by(book, judged, level, would, change)
    return run.pk, enrollment.pk, held.code if held else "", would.code, change, decision.propose or "", decided_by


@dataclass(frozen=True, slots=True)
class Review:
    """A review at which every tier of the edition may be given and lost that ever may."""

    ladder: list[rules.Level]
    life: deciding.Life

    @classmethod
    def of(cls, book: evaluating.Book) -> "Review":
        ladder = [replace(level, life=deciding.always(level.life)) for level in book.rulebook.levels]
        return cls(ladder, deciding.life_of(book.edition.life, book.edition.starts_on))

    def decide(self, situation: deciding.Situation) -> deciding.Decision:
        return deciding.at_a_review(self.ladder, self.life, situation)


def _level(
    book: rules.Rulebook, decision: deciding.Decision, held: rules.Level | None, judged: evaluating.Judged
) -> rules.Level:
    """The tier after the review. A tier that the edition does not have counts as what is earned once its grant is over."""
    moved = book.level(decision.move.code) if decision.move else None
    return moved or held or judged.earned


def _decided_by(
    book: evaluating.Book, judged: evaluating.Judged, held: rules.Level | None, would: rules.Level, change: int
) -> list[str]:
    """Keys of the measures that decide: for who falls, those missed of what would keep the tier; for who stays, those
    missed of the next one; for who rises, the one met most narrowly."""
    if change > 0 and would.earn is not None:
        met = [one for one in explaining.requirements(rules.check(would.earn, judged.facts)) if one.met]
        narrowest = min(met, key=_margin, default=None)
        return [] if narrowest is None else [_measure(narrowest)]
    if change < 0 and held is not None:
        asked = held.keep or held.earn
    else:
        asked = next((level.earn for level in book.rulebook.levels if level.rank > would.rank and level.earn), None)
    if asked is None:
        return []
    return sorted({_measure(one) for one in explaining.helping(rules.check(asked, judged.facts))})


def _measure(checked: rules.Checked) -> str:
    return checked.node.measure if isinstance(checked.node, rules.Requirement) else ""


def _margin(checked: rules.Checked) -> tuple[Fraction, str]:
    """How far over its threshold a met requirement is, in parts of the threshold."""
    threshold = Fraction(checked.threshold or 0)
    over = abs(Fraction(checked.figure or 0) - threshold)
    return (over / abs(threshold) if threshold else over, _measure(checked))


def register() -> None:
    steps.register(
        steps.Step(
            "judge", _("Judge by the edition"), 20, cut_enrollments, judge,
            ("evaluated", "would_rise", "would_fall", "would_be_proposed"), nights=False, dry_runs=True,
        )
    )  # fmt: skip


# --- What it found --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Move:
    """So many go from one tier (empty: none, or one the edition does not have) to another; `proposed`: and would be proposed
    for that one."""

    held: str
    would: str
    change: int
    count: int
    proposed: str = ""


@dataclass(frozen=True, slots=True)
class BenefitCost:
    """How many have a benefit by the tiers held and by those of the edition, and what that is a year where it is a quantity
    (money, in the program's currency, or pieces); None without limit or quantity."""

    name: str
    kind: str
    now: int
    then: int
    quantity_now: Decimal | None
    quantity_then: Decimal | None


def moves(run: Run) -> list[Move]:
    """From where to where, the lowest held first. One query."""
    rows = Outcome.objects.filter(run=run).order_by().values("held", "would", "change", "proposed")
    ranks = {tier.code: tier.rank for tier in run.edition.tiers.all()}
    found = [Move(**row) for row in rows.annotate(count=Count("id"))]
    return sorted(
        found, key=lambda one: (ranks.get(one.held, 0), one.held, ranks[one.would], ranks.get(one.proposed, 0))
    )


def deciding_measures(run: Run) -> list[tuple[str, int, int]]:
    """Which measures decide: its name, for how many who fall, for how many who stay below the next tier. Memory is flat."""
    falling: Counter[str] = Counter()
    staying: Counter[str] = Counter()
    rows = Outcome.objects.filter(run=run, change__lte=0).values_list("change", "decided_by")
    for change, keys in rows.iterator(chunk_size=10_000):
        (falling if change < 0 else staying).update(keys)
    names = {measure.key: str(measure.name) for measure in run.edition.measures.all()}
    keys = sorted(names, key=lambda key: (-falling[key], -staying[key], key))
    return [(names[key], falling[key], staying[key]) for key in keys if falling[key] or staying[key]]


def benefit_costs(run: Run) -> list[BenefitCost]:
    """What the benefits come to before and after, by tier codes: the held ones by the edition in force, the others by this
    one. Three queries."""
    before = Counter(dict(_by(run, "held")))
    after = Counter(dict(_by(run, "would")))
    in_force = run.program.editions.in_force_on(run.day).first()
    now = _given(in_force.pk if in_force else None)
    then = _given(run.edition_id)
    names = {**_names(now), **_names(then)}
    return [
        BenefitCost(
            name=name, kind=kind,
            now=sum(before[one.tier.code] for one in now if one.benefit_id == pk),
            then=sum(after[one.tier.code] for one in then if one.benefit_id == pk),
            quantity_now=_quantity([one for one in now if one.benefit_id == pk], before),
            quantity_then=_quantity([one for one in then if one.benefit_id == pk], after),
        )
        for pk, (name, kind) in names.items()
    ]  # fmt: skip


def _by(run: Run, field: str) -> Iterable[tuple[str, int]]:
    return Outcome.objects.filter(run=run).order_by().values_list(field).annotate(Count("id"))


def _given(edition_id: int | None) -> list[TierBenefit]:
    given = TierBenefit.objects.filter(tier__edition=edition_id).select_related("benefit", "tier")
    return list(given.order_by("benefit__position", "benefit", "tier__rank"))


def _names(given: list[TierBenefit]) -> dict[int, tuple[str, str]]:
    return {one.benefit_id: (str(one.benefit.name), one.benefit.kind) for one in given}


def _quantity(given: list[TierBenefit], holders: Counter[str]) -> Decimal | None:
    """A year's worth; None where no tier says how much."""
    counted = [
        one.quantity * PERIODS_A_YEAR[one.per] * holders[one.tier.code] for one in given if one.quantity is not None
    ]
    return sum(counted, Decimal(0)) if counted else None


# --- What other apps know of its cost -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cost:
    """A yearly cost that another app works out of a dry run's outcomes: `figures(run)` gives (now, then) as amounts in the
    program's currency, or None where it has no plan to work it out by."""

    key: str
    label: Any  # lazy text
    figures: Callable[[Run], tuple[Decimal, Decimal] | None]


_costs: dict[str, Cost] = {}


def register_cost(cost: Cost) -> None:
    if cost.key in _costs:
        raise ValueError(f"cost {cost.key!r} is registered twice")
    _costs[cost.key] = cost


def other_costs(run: Run) -> list[tuple[str, Decimal, Decimal]]:
    found = ((str(cost.label), cost.figures(run)) for _key, cost in sorted(_costs.items()))
    return [(label, *figures) for label, figures in found if figures is not None]


# --- As rows --------------------------------------------------------------------------------------


def rows(run: Run) -> Iterator[Sequence[str]]:
    """Every outcome as texts in the reader's language: partner's key and name, tier held, tier by the edition, change, what
    decides. What depends on the language is read now, the rows as they are asked for; memory is flat."""
    words = lexicon.read(run.edition)
    measures = {key: str(measure.name) for key, measure in words.measures.items()}
    tiers = {tier.code: str(tier.name) for tier in words.tiers}
    changes = {value: str(label) for value, label in Outcome.Change.choices}
    to_confirm = gettext("%(tier)s to be confirmed")
    values = (
        Outcome.objects.filter(run=run)
        .order_by("-change", "enrollment__partner__name", "id")
        .values_list(
            "enrollment__partner__external_id",
            "enrollment__partner__name",
            "held",
            "would",
            "change",
            "proposed",
            "decided_by",
        )  # fmt: skip
    )
    return (
        (
            key, name, tiers.get(held, held), tiers[would],
            "; ".join([changes[change], *([to_confirm % {"tier": tiers[proposed]}] if proposed else [])]),
            "; ".join(measures.get(one, one) for one in decided_by),
        )
        for key, name, held, would, change, proposed, decided_by in values.iterator(chunk_size=2000)
    )  # fmt: skip
