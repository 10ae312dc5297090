"""Reads that span the models of the tier engine."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from common.periods import Period, add_months
from tiers import measures, rules
from tiers.models import (
    Edition,
    Enrollment,
    Evaluation,
    Measure,
    Placement,
    Program,
    Rule,
    Run,
    Tier,
    TierBenefit,
)

REVIEW_MONTHS = {Edition.Review.MONTHLY: 1, Edition.Review.QUARTERLY: 3, Edition.Review.YEARLY: 12}


def edition_in_force(program: Program, day: date) -> Edition | None:
    return Edition.objects.filter(program=program).in_force_on(day).first()


def currencies() -> set[str]:
    """Those that programs are run in."""
    return set(Program.objects.order_by().values_list("currency", flat=True))


def base_measures(edition: Edition) -> list[Measure]:
    """The measures of an edition that read facts; ratios are made of them."""
    return [one for one in edition.measures.all() if one.aggregate != Measure.Aggregate.RATIO]


def rulebook(edition: Edition) -> rules.Rulebook:
    """The edition's rules as pure values: four queries, whatever their number."""
    by_id = {measure.pk: measure for measure in edition.measures.all()}
    tree: dict[tuple[int, str], Rule] = {}
    children: dict[int, list[Rule]] = {}
    for rule in Rule.objects.filter(tier__edition=edition).order_by("position", "id"):
        if rule.parent_id is None:
            tree[rule.tier_id, rule.purpose] = rule
        else:
            children.setdefault(rule.parent_id, []).append(rule)

    def node(rule: Rule | None) -> rules.Node | None:
        return None if rule is None else _node(rule, children, by_id)

    levels = tuple(
        rules.Level(tier.pk, tier.rank, tier.code, node(tree.get((tier.pk, "earn"))), node(tree.get((tier.pk, "keep"))))
        for tier in edition.tiers.order_by("rank")
    )
    ratios = {
        measure.key: (by_id[measure.numerator_id].key, by_id[measure.denominator_id].key)
        for measure in by_id.values()
        if measure.numerator_id is not None and measure.denominator_id is not None
    }
    return rules.Rulebook(levels, ratios)


def _node(rule: Rule, children: dict[int, list[Rule]], by_id: dict[int, Measure]) -> rules.Node:
    if rule.measure_id is not None and rule.threshold is not None:
        measure = by_id[rule.measure_id]
        threshold = measures.threshold_in_unit(measure, rule.threshold)
        return rules.Requirement(rule.pk, measure.key, rule.comparison, threshold)  # type: ignore[arg-type]
    below = tuple(_node(child, children, by_id) for child in children.get(rule.pk, []))
    return rules.Group(rule.pk, rule.kind, below, rule.at_least or 0)  # type: ignore[arg-type]


def last_review(edition: Edition, day: date) -> date:
    """The review day on or before `day`: the first of the month, quarter or year; `day` itself when nightly."""
    if edition.review == Edition.Review.NIGHTLY:
        return day
    months = REVIEW_MONTHS[Edition.Review(edition.review)]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def next_review(edition: Edition, day: date) -> date:
    """The first review day after `day`."""
    if edition.review == Edition.Review.NIGHTLY:
        return date.fromordinal(day.toordinal() + 1)
    return add_months(last_review(edition, day), REVIEW_MONTHS[Edition.Review(edition.review)])


def is_review(program: Program, edition: Edition, day: date) -> bool:
    """Whether tiers may be lost on the night of `day`: no night since the last review day has been done."""
    since = last_review(edition, day)
    return not Run.objects.filter(program=program, day__gte=since, day__lt=day, state=Run.State.DONE).exists()


def held_tier(*, partner_id: int, on: date) -> Iterable[Placement]:
    """The placements that a partner holds on a day, one per program."""
    return (
        Placement.objects.in_force_on(on)
        .filter(enrollment__partner_id=partner_id)
        .select_related("tier", "enrollment__program")
    )


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
    given = TierBenefit.objects.filter(tier=tier).select_related("benefit").order_by("benefit__position")
    return list(given) if tier is not None else []


def other_programs(enrollment: Enrollment, on: date) -> list[Enrollment]:
    """The partner's other enrollments in force on the day."""
    others = Enrollment.objects.filter(partner=enrollment.partner_id).in_force_on(on).exclude(pk=enrollment.pk)
    return list(others.select_related("program").order_by("id"))


@dataclass(frozen=True, slots=True)
class ExplainedRequirement:
    """A requirement with the figure it met or missed. Figures are in the measure's unit (see rules)."""

    rule_id: int
    measure: Measure
    requirement: rules.Requirement
    figure: rules.Figure
    parts: tuple[int, int] | None  # numerator and denominator of a ratio
    met: bool
    window: Period | None
    share: float


@dataclass(frozen=True, slots=True)
class ExplainedGroup:
    rule_id: int
    kind: str
    needed: int
    met: bool
    met_children: int
    children: tuple["Explained", ...]


Explained = ExplainedRequirement | ExplainedGroup


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an enrollment stands on a day, and what its last evaluation says of the next tier and of its own."""

    enrollment: Enrollment
    placement: Placement | None
    edition: Edition
    tiers: list[Tier]
    tier: Tier | None
    next_tier: Tier | None
    evaluation: Evaluation | None
    reach: Explained | None
    keep: Explained | None
    keeps_today: bool
    next_review_on: date
    opens: list[TierBenefit]

    @property
    def to_lift(self) -> list[ExplainedRequirement]:
        """The requirements of the next tier that would help and are not met, nearest to done first."""
        return sorted(helping(self.reach), key=lambda one: -one.share)

    @property
    def lacking(self) -> int:
        """How many more requirements the next tier takes, at the least."""
        return lacking(self.reach)


def helping(explained: Explained | None) -> list[ExplainedRequirement]:
    """Requirements not met that their group still needs: nothing below a group that is met already."""
    if explained is None or explained.met:
        return []
    if isinstance(explained, ExplainedRequirement):
        return [explained]
    return [one for child in explained.children for one in helping(child)]


def lacking(explained: Explained | None) -> int:
    """The least number of further requirements that would meet the tree."""
    if explained is None or explained.met:
        return 0
    if isinstance(explained, ExplainedRequirement):
        return 1
    open_ones = sorted(lacking(child) for child in explained.children if not child.met)
    met = len(explained.children) - len(open_ones)
    return sum(open_ones[: explained.needed - met])


def requirements(explained: Explained | None) -> list[ExplainedRequirement]:
    """Every requirement of an explained tree, in order."""
    if explained is None:
        return []
    if isinstance(explained, ExplainedRequirement):
        return [explained]
    return [one for child in explained.children for one in requirements(child)]


def figures_of(evaluation: Evaluation | None) -> dict[str, rules.Figure]:
    """What an evaluation measured, as rules compare it."""
    measured = evaluation.measured if evaluation else {}
    return {key: int(value) for key, value in measured.items()}


def explain(
    edition: Edition, book: rules.Rulebook, node: rules.Node | None, figures: dict[str, rules.Figure], day: date
) -> Explained | None:
    """A rule tree with what came of each node, its measures and windows. Reads the measures once (cached on `edition`)."""
    if node is None:
        return None
    by_key = {measure.key: measure for measure in edition.measures.all()}
    return _explained(rules.check(node, rules.with_ratios(book, figures)), book, by_key, figures, day)


def _explained(
    checked: rules.Checked,
    book: rules.Rulebook,
    by_key: dict[str, Measure],
    figures: dict[str, rules.Figure],
    day: date,
) -> Explained:
    node = checked.node
    if isinstance(node, rules.Group):
        children = tuple(_explained(child, book, by_key, figures, day) for child in checked.children)
        met = sum(child.met for child in children)
        return ExplainedGroup(node.rule_id, node.kind, node.needed, checked.met, met, children)
    measure, figure = by_key[node.measure], checked.figure or 0
    parts, windowed = None, measure
    if node.measure in book.ratios:
        above, below = book.ratios[node.measure]
        parts, windowed = (int(figures.get(above, 0)), int(figures.get(below, 0))), by_key[above]
    return ExplainedRequirement(
        rule_id=node.rule_id, measure=measure, requirement=node, figure=figure, parts=parts, met=checked.met,
        window=measures.window_of(windowed, day), share=rules.progress(node, figure),
    )  # fmt: skip


def standing(*, enrollment: Enrollment, on: date) -> Standing | None:
    """None where the program has no edition in force. The same number of queries whatever the data."""
    edition = (
        Edition.objects.filter(program_id=enrollment.program_id)
        .in_force_on(on)
        .prefetch_related("measures__numerator", "measures__denominator")
        .first()
    )
    if edition is None:
        return None
    book = rulebook(edition)
    tiers = list(edition.tiers.order_by("rank"))
    placement = (
        Placement.objects.in_force_on(on)
        .filter(enrollment=enrollment)
        .select_related("tier")
        .order_by("-starts_on")
        .first()
    )
    evaluation = (
        Evaluation.objects.filter(enrollment=enrollment, evaluated_on__lte=on).order_by("-evaluated_on").first()
    )
    held = book.level(placement.tier.code) if placement else None
    above = [level for level in book.levels if level.rank > (held.rank if held else 0)]
    following = next((level for level in above if level.rank > 1 or held is None), None)
    figures = figures_of(evaluation)
    measured_on = evaluation.evaluated_on if evaluation else on
    complete = rules.with_ratios(book, figures)
    by_pk = {tier.pk: tier for tier in tiers}
    return Standing(
        enrollment=enrollment,
        placement=placement,
        edition=edition,
        tiers=tiers,
        tier=by_pk[held.tier_id] if held else None,
        next_tier=by_pk[following.tier_id] if following else None,
        evaluation=evaluation,
        reach=explain(edition, book, following.earn if following else None, figures, measured_on),
        keep=explain(edition, book, (held.keep or held.earn) if held else None, figures, measured_on),
        keeps_today=held is not None and rules.keeps(held, complete),
        next_review_on=next_review(edition, on),
        opens=benefits_of(by_pk[following.tier_id] if following else None),
    )
