"""The night's first two steps: measure everyone, then evaluate and place them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from journal import services as journal
from journal.models import Entry
from tiers import measures, rules, selectors, steps
from tiers.models import Enrollment, Evaluation, Measure, Measured, Placement, Run, Tier

MOVES = (Placement.Reason.EARNED, Placement.Reason.LOST)


def cut_measures(run: Run, chunk_size: int) -> Iterable[int]:
    """One chunk a measure: each is one statement for everyone."""
    return [measure.pk for measure in selectors.base_measures(run.edition)]


def measure(run: Run, measure_id: int) -> steps.Counts:
    one = Measure.objects.get(pk=measure_id)
    return {"measured": measures.measure_everyone(one, program=run.program, day=run.day, run_id=run.pk)}


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
    latest = Evaluation.objects.filter(enrollment=OuterRef("pk"), evaluated_on__lte=run.day).order_by("-evaluated_on")
    enrollments = list(
        in_range.select_for_update(of=("self",), no_key=True)
        .annotate(last_evaluation=Subquery(latest.values("pk")[:1]))
        .order_by("id")
    )
    keys = {one.pk: one.key for one in selectors.base_measures(run.edition)}
    figures: dict[int, dict[str, rules.Figure]] = {enrollment.pk: {} for enrollment in enrollments}
    for enrollment_id, measure_id, value in (
        Measured.objects.filter(run=run, enrollment__id__range=bounds).values_list("enrollment_id", "measure_id", "value")
    ):  # fmt: skip
        if enrollment_id in figures:
            figures[enrollment_id][keys[measure_id]] = value
    return _Placing(run, enrollments, figures, keys).write()


class _Placing:
    """One chunk's decisions, gathered, then written in bulk."""

    def __init__(
        self, run: Run, enrollments: list[Any], figures: dict[int, dict[str, rules.Figure]], keys: dict[int, str]
    ) -> None:
        self.run, self.enrollments, self.figures, self.keys = run, enrollments, figures, sorted(keys.values())
        self.book = selectors.rulebook(run.edition)
        self.tiers = {tier.pk: tier for tier in Tier.objects.filter(edition__program=run.program_id)}
        self.complete = {one.pk: rules.with_ratios(self.book, figures[one.pk]) for one in enrollments}
        self.earned = {pk: rules.highest_earned(self.book, complete) for pk, complete in self.complete.items()}
        ids = [enrollment.pk for enrollment in enrollments]
        self.last = Evaluation.objects.in_bulk([one.last_evaluation for one in enrollments if one.last_evaluation])
        self.open: dict[int, Placement] = {}
        self.before: dict[int, Placement] = {}  # what ended on this very day, when the day is run again
        for placement in (
            Placement.objects.filter(enrollment__in=ids).exclude(ends_on__lt=run.day)
        ):  # fmt: skip
            placement.tier = self.tiers[placement.tier_id]
            if placement.ends_on is None:
                self.open[placement.enrollment_id] = placement
            elif placement.ends_on == run.day:
                self.before[placement.enrollment_id] = placement

    def write(self) -> steps.Counts:
        evaluations = self._evaluate()
        closed: list[Placement] = []
        opened: list[Placement] = []
        changed: list[Placement] = []
        entries: list[Entry] = []
        counts = {"evaluated": len(self.enrollments), "moved_up": 0, "moved_down": 0}
        for enrollment in self.enrollments:
            held, base = self._held(enrollment)
            if held is not None and (held.starts_on > self.run.day or held.reason == Placement.Reason.GRANTED):
                continue
            level = self._decide(enrollment, base)
            up = base is None or level.rank >= base.tier.rank
            reason = Placement.Reason.EARNED if up else Placement.Reason.LOST
            evaluation = evaluations[enrollment.pk]
            same = held is not None and self.tiers[level.tier_id].code == held.tier.code
            if same and held is not None and held.tier_id == level.tier_id:
                continue
            if held is not None and held.starts_on == self.run.day:
                held.tier_id, held.reason, held.evaluation = level.tier_id, reason, evaluation
                changed.append(held)
            else:
                if held is not None:
                    held.ends_on = self.run.day
                    closed.append(held)
                opened.append(
                    Placement(
                        enrollment=enrollment,
                        tier_id=level.tier_id,
                        starts_on=self.run.day,
                        evaluation=evaluation,
                        reason=reason if not same else base.reason if base else reason,
                    )  # fmt: skip
                )
            if not same:
                if base is None or level.rank != base.tier.rank:
                    counts["moved_up" if up else "moved_down"] += 1
                entries.append(self._entry(enrollment, held, level))
        Placement.objects.filter(pk__in=[one.pk for one in closed]).update(ends_on=self.run.day)
        Placement.objects.bulk_create(opened, batch_size=1000)
        if changed:
            Placement.objects.bulk_update(changed, ["tier", "reason", "evaluation"], batch_size=500)
        journal.record_many(entries)
        return counts

    def _held(self, enrollment: Enrollment) -> tuple[Placement | None, Placement | None]:
        """The open placement, and the one to judge from: on a second pass over a day, what was held before the first."""
        held = self.open.get(enrollment.pk)
        if held is not None and held.starts_on == self.run.day and held.reason in MOVES:
            return held, self.before.get(enrollment.pk)
        return held, held

    def _decide(self, enrollment: Enrollment, base: Placement | None) -> rules.Level:
        return rules.decide(
            self.book, self.complete[enrollment.pk], earned=self.earned[enrollment.pk],
            held=self.book.level(base.tier.code) if base else None, is_review=self.run.is_review,
        )  # fmt: skip

    def _evaluate(self) -> dict[int, Evaluation]:
        """The evaluation that stands for each enrollment today: the last one where nothing differs, else a new one."""
        standing: dict[int, Evaluation] = {}
        new: list[Evaluation] = []
        for enrollment in self.enrollments:
            figures = self.figures[enrollment.pk]
            earned = self.earned[enrollment.pk].tier_id
            measured = {key: str(figures.get(key, 0)) for key in self.keys}
            last = self.last.get(enrollment.last_evaluation) if enrollment.last_evaluation else None
            if last is not None and last.earned_id == earned and last.measured == measured:
                standing[enrollment.pk] = last
                continue
            new.append(
                Evaluation(
                    enrollment=enrollment,
                    edition_id=self.run.edition_id,
                    run=self.run,
                    evaluated_on=self.run.day,
                    earned_id=earned,
                    measured=measured,
                )  # fmt: skip
            )
        Evaluation.objects.bulk_create(
            new, batch_size=1000, update_conflicts=True, unique_fields=["enrollment", "evaluated_on"],
            update_fields=["edition", "run", "earned", "measured"],
        )  # fmt: skip
        standing.update({one.enrollment_id: one for one in new})
        return standing

    def _entry(self, enrollment: Enrollment, held: Placement | None, level: rules.Level) -> Entry:
        return journal.entry(
            verb="tiers.placement.changed",
            subject=enrollment,
            partner_id=enrollment.partner_id,
            before={"tier": held.tier.code} if held else {},
            after={"tier": level.code, "on": self.run.day.isoformat(), "run": self.run.pk},
        )


def register() -> None:
    steps.register(steps.Step("measure", _("Measure"), 10, cut_measures, measure, ("measured",)))
    steps.register(
        steps.Step(
            "place", _("Evaluate and place"), 20, cut_enrollments, place, ("evaluated", "moved_up", "moved_down")
        )
    )
