"""The night's first two steps: measure everyone, then evaluate and place them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common import bulk
from journal import services as journal
from journal.models import Entry
from tiers import (
    cadence,
    deciding,
    entitlements,
    evaluating,
    explaining,
    lexicon,
    measures,
    rules,
    situations,
    steps,
    windows,
)
from tiers.explaining import Case
from tiers.models import Award, Enrollment, Grace, Measure, Placement, Proposal, Run, Tier
from tiers.situations import Base, Night, Standing

COUNTS = ("evaluated", "moved_up", "moved_down", "proposed", "in_grace", "reminded", "awarded")
OVERDUE = "tiers.deadline.passed"
REMINDED = "tiers.review.reminded"
POSITION = 20  # among the steps of the night
BATCH = 1000
PLACED = ("enrollment_id", "starts_on", "tier_id", "reason", "holds_until", "note", "author_id", "evaluation_id")


def cut_measures(run: Run, chunk_size: int) -> Iterable[int]:
    """One chunk a measure: each is one statement for everyone. Those that look back furthest come first, since they take
    longest: workers who share them end together."""
    asked = [one for one in run.edition.measures.all() if "aggregate" in one.definition]
    return [
        one.pk for one in sorted(asked, key=lambda one: -windows.days_back(one.definition.get("window") or {}, run.day))
    ]


def measure(run: Run, measure_id: int) -> steps.Counts:
    one = Measure.objects.get(pk=measure_id)
    return {"measured": measures.measure_everyone(one, run, is_new=True)}


def cut_ranks(run: Run, chunk_size: int) -> Iterable[int]:
    """One chunk a rank: it reads what measures of facts came to for everyone."""
    return [one.pk for one in run.edition.measures.all() if "rank" in one.definition]


def rank(run: Run, measure_id: int) -> steps.Counts:
    one = Measure.objects.get(pk=measure_id)
    ranked = Measure.objects.get(edition=run.edition_id, key=one.definition["rank"])
    return {"measured": measures.rank_everyone(one, ranked, run, is_new=True)}


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
    """Evaluate a range of enrollments and give each the tier and the distinctions that the rules and the edition's life
    decide. A fixed number of queries.

    An evaluation is stored where it differs from the last one stored. An enrollment placed after the run's day is left
    alone: a night for an earlier day rewrites nothing. So is one that a person placed on that very day, until the next.
    """
    in_range = Enrollment.objects.filter(program=run.program_id, id__range=bounds).in_force_on(run.day)
    enrollments = list(in_range.select_for_update(of=("self",), no_key=True).order_by("id"))
    words = lexicon.read(run.edition)
    book = evaluating.Book.of(words, words.rulebook())
    judged = evaluating.judge_all(book, run, enrollments)
    evaluations = evaluating.store(book, run, enrollments, judged)
    night = Night(run.program, run.edition, run.day, run.previous_on, run.pk)
    return Placing(night, words, book.rulebook, enrollments, judged, evaluations).write()


class Placing:
    """One chunk's decisions, gathered, then written in bulk."""

    def __init__(
        self,
        night: Night,
        words: lexicon.Lexicon,
        book: rules.Rulebook,
        enrollments: Sequence[Enrollment],
        judged: Mapping[int, evaluating.Judged],
        evaluations: Mapping[int, int],
        actor: User | None = None,
    ) -> None:
        self.night, self.words, self.book, self.enrollments = night, words, book, enrollments
        self.judged, self.evaluations, self.actor = judged, evaluations, actor
        self.life = deciding.life_of(night.edition.life, night.edition.starts_on)
        self.tiers = {tier.pk: tier for tier in Tier.objects.filter(edition__program=night.program)}
        self.given = entitlements.codes_by_tier(night.program)
        self.levels = {level.code: level for level in book.levels}
        self.standings = situations.read(night, enrollments, self.tiers)
        self.counts = dict.fromkeys(COUNTS, 0)
        self.entries: list[journal.Line] = []
        self.closed: list[Placement] = []
        self.opened: list[tuple[Any, ...]] = []  # values of PLACED
        self.changed: list[Placement] = []
        self.dropped: list[Placement] = []
        self.graces: list[Grace] = []
        self.new_graces: list[Grace] = []
        self.withdrawn: list[Proposal] = []
        self.proposed: list[Proposal] = []
        self.awards: list[Award] = []
        self.new_awards: list[Award] = []
        self.gone_awards: list[Award] = []
        self.ended: list[Enrollment] = []
        self.once: list[tuple[Enrollment, str, dict[str, Any]]] = []

    def write(self) -> steps.Counts:
        self.counts["evaluated"] = len(self.enrollments)
        for enrollment in self.enrollments:
            self._decide(enrollment)
            if enrollment.ends_on != self.night.day:
                self._award(enrollment)
        self._write_placements()
        self._write_the_rest()
        self._tell_once()
        journal.record_many(self.entries)
        return self.counts

    # --- Deciding -----------------------------------------------------------------------------------

    def _decide(self, enrollment: Enrollment) -> None:
        day, one = self.night.day, self.standings[enrollment.pk]
        held = one.held
        by_person = held is not None and held.starts_on == day and held.author_id is not None
        if held is not None and (held.starts_on > day or (by_person and not self.night.at_once)):
            return
        judged = self.judged[enrollment.pk]
        base = one.base(self.night, self.tiers[self.book.levels[0].tier_id], enrollment.starts_on)
        situation = situations.situation(self.night, enrollment, one, base, judged.met, judged.kept)
        decision = deciding.decide(self.book.levels, self.life, situation)
        if decision.ends:
            self._end(enrollment, one)
        else:
            self._move(enrollment, one, base, decision)
        self._grace(enrollment, one, base, decision)
        self._propose(enrollment, one, decision)
        self.once += [(enrollment, OVERDUE, {"tier": code}) for code in decision.overdue]
        if decision.remind is not None and base is not None:
            review, code = decision.remind, base.tier.code
            self.counts["reminded"] += 1
            after = {"tier": code, "on": review.isoformat(), "days": (review - day).days}
            self.once.append((enrollment, REMINDED, {**after, "gaps": self._gaps(enrollment, code)}))

    def _move(self, enrollment: Enrollment, one: Standing, base: Base | None, decision: deciding.Decision) -> None:
        held, wanted = one.held, self._wanted(one, base, decision)
        if held is not None and self._is(held, wanted):
            return
        if (
            decision.move is None
            and held is not None
            and held.tier_id == wanted.tier.pk
            and one.is_first_pass(self.night)
        ):
            held.holds_until = wanted.holds_until
            self.changed.append(held)
            self._tell(
                enrollment, "tiers.placement.held", {}, {"tier": wanted.tier.code, "until": _iso(wanted.holds_until)}
            )
            return
        before, was = (held.tier.code, held.tier_id) if held is not None else (None, None)
        switched = entitlements.switched(self.given, was, wanted.tier.pk)
        self._put(enrollment, held, wanted)
        if wanted.tier.code != before or wanted.reason == Placement.Reason.ENDED:
            rank, was = wanted.tier.rank, base.tier.rank if base else 0
            if rank != was:
                self.counts["moved_up" if rank > was else "moved_down"] += 1
            after = {"tier": wanted.tier.code, "on": self.night.day.isoformat(), "reason": wanted.reason, **switched}
            self._tell(enrollment, "tiers.placement.changed", {"tier": before} if before else {}, after)
        elif switched:  # the same tier, which a new edition gives something else
            after = {"tier": wanted.tier.code, "on": self.night.day.isoformat(), **switched}
            self._tell(enrollment, "tiers.benefits.changed", {}, after)

    def _wanted(self, one: Standing, base: Base | None, decision: deciding.Decision) -> Base:
        """The tier to hold after the night: the one decided, or the one held, in the edition's own row of it."""
        move = decision.move
        if move is None:
            assert base is not None  # noqa: S101  # who holds nothing is always given a tier
            level = self.levels.get(base.tier.code)
            tier = self.tiers[level.tier_id] if level else base.tier
            return Base(tier, base.reason, decision.hold_until or base.holds_until, base.note, base.author_id)
        tier = self.tiers[self.levels[move.code].tier_id]
        if move.reason in situations.GRANTS and one.grant is not None:
            return Base(tier, move.reason, move.holds_until, one.grant.note, one.grant.author_id)
        return Base(tier, move.reason, move.holds_until, author_id=self.actor.pk if self.actor else None)

    def _is(self, held: Placement, wanted: Base) -> bool:
        return (held.tier_id, held.reason, held.holds_until) == (wanted.tier.pk, wanted.reason, wanted.holds_until)

    def _put(self, enrollment: Enrollment, held: Placement | None, wanted: Base) -> None:
        fields = {
            "tier_id": wanted.tier.pk, "reason": wanted.reason, "holds_until": wanted.holds_until, "note": wanted.note,
            "author_id": wanted.author_id, "evaluation_id": self.evaluations[enrollment.pk],
        }  # fmt: skip
        if held is not None and held.starts_on == self.night.day:
            for name, value in fields.items():
                setattr(held, name, value)
            self.changed.append(held)
            return
        if held is not None:
            self.closed.append(held)
        self.opened.append((enrollment.pk, self.night.day, *fields.values()))

    def _end(self, enrollment: Enrollment, one: Standing) -> None:
        """The enrollment is over: what it holds ends with it."""
        enrollment.ends_on = self.night.day
        self.ended.append(enrollment)
        if one.held is not None:
            (self.dropped if one.held.starts_on == self.night.day else self.closed).append(one.held)
        for award in one.awards:
            self._end_award(enrollment, award)
        before = {"tier": one.held.tier.code} if one.held else {}
        closed = entitlements.switched(self.given, one.held.tier_id if one.held else None, None)
        after = {"on": self.night.day.isoformat(), "reason": "deadline", **closed}
        self._tell(enrollment, "tiers.enrollment.ended", before, after)

    def _grace(self, enrollment: Enrollment, one: Standing, base: Base | None, decision: deciding.Decision) -> None:
        grace, day = one.grace, self.night.day
        if grace is not None:
            if decision.close_grace is not None:
                if grace.closed_on is None or grace.outcome != decision.close_grace:
                    grace.closed_on, grace.outcome = day, decision.close_grace
                    self.graces.append(grace)
                    self._tell(
                        enrollment, "tiers.grace.closed", {}, {"tier": grace.tier_code, "outcome": decision.close_grace}
                    )
            elif decision.warn or grace.closed_on is not None:
                grace.closed_on, grace.outcome = None, ""
                grace.warned_on = day if decision.warn else grace.warned_on
                self.graces.append(grace)
                if decision.warn:
                    after = {
                        "tier": grace.tier_code,
                        "ends_on": grace.ends_on.isoformat(),
                        "days": (grace.ends_on - day).days,
                    }
                    self._tell(enrollment, "tiers.grace.warned", {}, after)
        if decision.grace_until is not None and base is not None:
            code, until = base.tier.code, decision.grace_until
            self.new_graces.append(
                Grace(
                    enrollment=enrollment,
                    tier_code=code,
                    starts_on=day,
                    ends_on=until,
                    gaps=self._gaps(enrollment, code),
                )
            )
            self.counts["in_grace"] += 1
            self._tell(enrollment, "tiers.grace.started", {}, {"tier": code, "ends_on": until.isoformat()})

    def _gaps(self, enrollment: Enrollment, code: str) -> list[dict[str, Any]]:
        """What is missing to keep the tier: each requirement with its figure, threshold and gap as exact texts."""
        level = self.levels[code]
        rule = level.keep or level.earn
        if rule is None:
            return []
        facts = self.judged[enrollment.pk].facts
        case = Case(self.words, self.book, facts, enrollment.starts_on)
        return [
            {
                **explaining.explain_node(one, case),
                "name": dict(self.words.measures[one.node.measure].name),
                "unit": self.words.units[one.node.measure],
            }
            for one in explaining.helping(rules.check(rule, facts))
            if isinstance(one.node, rules.Requirement)
        ]

    def _propose(self, enrollment: Enrollment, one: Standing, decision: deciding.Decision) -> None:
        if decision.withdraw and one.proposal is not None:
            self.withdrawn.append(one.proposal)
            self._tell(enrollment, "tiers.proposal.withdrawn", {"tier": one.proposal.tier_code}, {})
        if decision.propose is not None:
            self.proposed.append(
                Proposal(
                    enrollment=enrollment, tier_code=decision.propose, evaluation_id=self.evaluations[enrollment.pk],
                    proposed_on=self.night.day,
                )
            )  # fmt: skip
            self.counts["proposed"] += 1
            self._tell(enrollment, "tiers.proposal.made", {}, {"tier": decision.propose})

    # --- Distinctions -------------------------------------------------------------------------------

    def _award(self, enrollment: Enrollment) -> None:
        judged, day = self.judged[enrollment.pk], self.night.day
        known = {award.code: award for award in self.standings[enrollment.pk].awards}
        for badge in self.book.badges:
            award, until = known.pop(badge.code, None), cadence.held_until(badge.holds, day)
            if award is None or award.ends_on is not None:
                if badge.code in judged.met:
                    self._give_award(enrollment, badge.code, award, until)
            elif badge.code not in judged.kept:
                if not self.night.at_once and (
                    award.holds_until is None or award.holds_until <= day or award.starts_on == day
                ):
                    self._end_award(enrollment, award)
            elif (
                badge.code in judged.met
                and until is not None
                and (award.holds_until is None or award.holds_until <= day)
            ):
                award.holds_until = until
                self.awards.append(award)
        if not self.night.at_once:
            for award in known.values():
                if award.ends_on is None and (award.holds_until is None or award.holds_until <= day):
                    self._end_award(enrollment, award)

    def _give_award(self, enrollment: Enrollment, code: str, ended: Award | None, until: Any) -> None:
        """Again, where an earlier pass over this day took it; else from this day on."""
        if ended is not None:
            ended.ends_on = None
            self.awards.append(ended)
        else:
            self.new_awards.append(
                Award(
                    partner_id=enrollment.partner_id, enrollment=enrollment, code=code, origin=Award.Origin.EARNED,
                    starts_on=self.night.day, holds_until=until,
                )
            )  # fmt: skip
            self.counts["awarded"] += 1
        self._tell(enrollment, "tiers.award.earned", {}, {"distinction": code})

    def _end_award(self, enrollment: Enrollment, award: Award) -> None:
        if award.ends_on is not None:
            return
        if award.starts_on == self.night.day:  # given by an earlier pass over this day
            self.gone_awards.append(award)
        else:
            award.ends_on = self.night.day
            self.awards.append(award)
        self._tell(enrollment, "tiers.award.ended", {"distinction": award.code}, {})

    # --- Writing ------------------------------------------------------------------------------------

    def _write_placements(self) -> None:
        day = self.night.day
        if self.dropped:
            Placement.objects.filter(pk__in=[one.pk for one in self.dropped]).delete()
        if self.closed:
            Placement.objects.filter(pk__in=[one.pk for one in self.closed]).update(ends_on=day)
        bulk.insert(Placement, PLACED, self.opened)
        if self.changed:
            fields = ["tier", "reason", "holds_until", "note", "author", "evaluation"]
            Placement.objects.bulk_update(self.changed, fields, batch_size=500)
        if self.ended:
            Enrollment.objects.filter(pk__in=[one.pk for one in self.ended]).update(ends_on=day)

    def _write_the_rest(self) -> None:
        if self.graces:
            Grace.objects.bulk_update(self.graces, ["closed_on", "outcome", "warned_on"], batch_size=500)
        Grace.objects.bulk_create(self.new_graces, batch_size=BATCH)
        if self.withdrawn:
            Proposal.objects.filter(pk__in=[one.pk for one in self.withdrawn]).update(state=Proposal.State.WITHDRAWN)
        Proposal.objects.bulk_create(self.proposed, batch_size=BATCH)
        if self.gone_awards:
            Award.objects.filter(pk__in=[one.pk for one in self.gone_awards]).delete()
        if self.awards:
            Award.objects.bulk_update(self.awards, ["ends_on", "holds_until"], batch_size=500)
        Award.objects.bulk_create(self.new_awards, batch_size=BATCH)

    def _tell_once(self) -> None:
        """Once a night, however often it runs: nothing but the journal remembers a deadline that passed, or a reminder."""
        if not self.once:
            return
        subjects = [journal.subject_of(enrollment) for enrollment, _verb, _after in self.once]
        entries = Entry.objects.filter(verb__in=(OVERDUE, REMINDED), subject__in=subjects)
        told = {
            (subject, verb, after.get("tier"))
            for subject, verb, after in entries.values_list("subject", "verb", "after")
            if after.get("run") == self.night.run_id
        }
        for enrollment, verb, after in self.once:
            if (journal.subject_of(enrollment), verb, after["tier"]) not in told:
                self._tell(enrollment, verb, {}, after)

    def _tell(self, enrollment: Enrollment, verb: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        if self.night.run_id is not None:
            after = {**after, "run": self.night.run_id}
        self.entries.append(
            journal.entry(
                verb=verb,
                subject=enrollment,
                actor=self.actor,
                partner_id=enrollment.partner_id,
                before=before,
                after=after,
            )
        )


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None


def register() -> None:
    steps.register(steps.Step("measure", _("Measure"), 10, cut_measures, measure, ("measured",), dry_runs=True))
    steps.register(steps.Step("rank", _("Rank"), 15, cut_ranks, rank, ("measured",), dry_runs=True))
    steps.register(steps.Step("place", _("Evaluate and place"), POSITION, cut_enrollments, place, COUNTS))
