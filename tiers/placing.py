"""The night's first two steps: measure everyone, then evaluate and place them."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from journal import services as journal
from journal.models import Entry
from tiers import cadence, evaluating, measures, rules, steps
from tiers.models import Enrollment, Measure, Placement, Run, Tier

MOVES = (Placement.Reason.EARNED, Placement.Reason.LOST)


def cut_measures(run: Run, chunk_size: int) -> Iterable[int]:
    """One chunk a measure: each is one statement for everyone."""
    return [one.pk for one in run.edition.measures.all() if "aggregate" in one.definition]


def measure(run: Run, measure_id: int) -> steps.Counts:
    one = Measure.objects.get(pk=measure_id)
    return {"measured": measures.measure_everyone(one, run)}


def cut_enrollments(run: Run, chunk_size: int) -> Iterable[tuple[int, int]]:
    """Ranges of enrollment ids, both ends included, that hold `chunk_size` enrollments each."""
    ids = (
        Enrollment.objects.filter(program=run.program_id)
        .in_force_on(run.day)
        .order_by("id")
        .values_list("id", flat=True)
    )
    return steps.ranges(ids.iterator(chunk_size=10_000), chunk_size)


def place(run: Run, bounds: tuple[int, int]) -> steps.Counts:
    """Evaluate a range of enrollments and give each the tier that the rules decide. A fixed number of queries.

    An evaluation is stored where it differs from the last one stored. A tier granted by staff stands. An enrollment
    placed after the run's day is left alone: a night for an earlier day rewrites nothing.
    """
    in_range = Enrollment.objects.filter(program=run.program_id, id__range=bounds).in_force_on(run.day)
    enrollments = list(in_range.select_for_update(of=("self",), no_key=True).order_by("id"))
    book = evaluating.read_book(run.edition)
    judged = evaluating.judge_all(book, run, enrollments)
    evaluations = evaluating.store(book, run, enrollments, judged)
    tiers = {tier.pk: tier for tier in Tier.objects.filter(edition__program=run.program_id)}
    open_, before = _held(enrollments, run, tiers)
    life = run.edition.life
    closed: list[Placement] = []
    opened: list[Placement] = []
    changed: list[Placement] = []
    entries: list[Entry] = []
    counts = {"evaluated": len(enrollments), "moved_up": 0, "moved_down": 0}
    for enrollment in enrollments:
        held = open_.get(enrollment.pk)
        first = held is not None and held.starts_on == run.day and held.reason in MOVES
        base = before.get(enrollment.pk) if first else held
        if held is not None and (held.starts_on > run.day or held.reason == Placement.Reason.GRANTED):
            continue
        due = cadence.is_due(life.get("demotion") or cadence.DAILY, run.day, run.previous_on, enrollment.starts_on)
        one = judged[enrollment.pk]
        level = _decide(book.rules, one, book.rules.level(base.tier.code) if base else None, due=due)
        up = base is None or level.rank >= base.tier.rank
        same = held is not None and tiers[level.tier_id].code == held.tier.code
        if same and held is not None and held.tier_id == level.tier_id:
            continue
        reason = Placement.Reason.EARNED if up else Placement.Reason.LOST
        evaluation = evaluations[enrollment.pk]
        if held is not None and held.starts_on == run.day:
            held.tier_id, held.reason, held.evaluation = level.tier_id, reason, evaluation
            changed.append(held)
        else:
            if held is not None:
                closed.append(held)
            opened.append(
                Placement(
                    enrollment=enrollment, tier_id=level.tier_id, starts_on=run.day, evaluation=evaluation,
                    reason=base.reason if same and base else reason,
                )
            )  # fmt: skip
        if not same:
            if base is None or level.rank != base.tier.rank:
                counts["moved_up" if up else "moved_down"] += 1
            entries.append(_entry(run, enrollment, held, level))
    Placement.objects.filter(pk__in=[one.pk for one in closed]).update(ends_on=run.day)
    Placement.objects.bulk_create(opened, batch_size=1000)
    if changed:
        Placement.objects.bulk_update(changed, ["tier", "reason", "evaluation"], batch_size=500)
    journal.record_many(entries)
    return counts


def _held(
    enrollments: list[Enrollment], run: Run, tiers: dict[int, Tier]
) -> tuple[dict[int, Placement], dict[int, Placement]]:
    """The open placement of each, and what ended on this very day, when the day is run again."""
    open_: dict[int, Placement] = {}
    before: dict[int, Placement] = {}
    ids = [enrollment.pk for enrollment in enrollments]
    for placement in Placement.objects.filter(enrollment__in=ids).exclude(ends_on__lt=run.day):
        placement.tier = tiers[placement.tier_id]
        if placement.ends_on is None:
            open_[placement.enrollment_id] = placement
        elif placement.ends_on == run.day:
            before[placement.enrollment_id] = placement
    return open_, before


def _decide(book: rules.Rulebook, judged: evaluating.Judged, held: rules.Level | None, *, due: bool) -> rules.Level:
    if held is None or judged.earned.rank >= held.rank:
        return judged.earned
    if not due:
        return held
    return next(level for level in reversed(book.levels) if level.rank <= held.rank and level.code in judged.kept)


def _entry(run: Run, enrollment: Enrollment, held: Placement | None, level: rules.Level) -> Entry:
    return journal.entry(
        verb="tiers.placement.changed",
        subject=enrollment,
        partner_id=enrollment.partner_id,
        before={"tier": held.tier.code} if held else {},
        after={"tier": level.code, "on": run.day.isoformat(), "run": run.pk},
    )


def register() -> None:
    steps.register(steps.Step("measure", _("Measure"), 10, cut_measures, measure, ("measured",), dry_runs=True))
    steps.register(
        steps.Step(
            "place", _("Evaluate and place"), 20, cut_enrollments, place, ("evaluated", "moved_up", "moved_down")
        )
    )
