"""What an evaluation means for the tier held: up, down, grace, proposals, deadlines. Pure functions over values.

A decision reads what was held before the night, what the night's figures meet and keep, and the edition's `life`
(docs/program-file.md, “Life of a tier”). Deciding the same again decides the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal, Protocol

from common.days import Period, add_months
from tiers import cadence

Reason = Literal["earned", "lost", "granted", "matched", "ended"]
Outcome = Literal["kept", "lost"]


class Rung(Protocol):
    """A tier of the edition, as rules.Level has it."""

    @property
    def code(self) -> str: ...
    @property
    def rank(self) -> int: ...
    @property
    def confirm(self) -> bool: ...
    @property
    def granted_only(self) -> bool: ...
    @property
    def holds(self) -> Mapping[str, Any]: ...
    @property
    def life(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Life:
    """An edition's `life` with its defaults filled in."""

    starts_on: date
    promotion: Mapping[str, Any] = field(default_factory=lambda: cadence.DAILY)
    demotion: Mapping[str, Any] = field(default_factory=lambda: cadence.DAILY)
    up_by: int | None = None
    down_by: int | None = None
    grace_months: int | None = None
    warn_days: tuple[int, ...] = ()
    newcomers_months: int = 0
    deadlines: tuple["Deadline", ...] = ()
    existing_from: date | None = None
    existing_at_anniversary: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    tier: str
    months: int
    then: Literal["warn", "end"]
    keep: bool = False


def life_of(document: Mapping[str, Any], starts_on: date) -> Life:
    """The `life` of an edition that starts on that day, as its document says."""
    grace, existing = document.get("grace", {}), document.get("existing", {})
    return Life(
        starts_on=starts_on,
        promotion=document.get("promotion", cadence.DAILY),
        demotion=document.get("demotion", cadence.DAILY),
        up_by=document.get("up_by"),
        down_by=document.get("down_by"),
        grace_months=grace.get("months"),
        warn_days=tuple(grace.get("warn_days", ())),
        newcomers_months=document.get("newcomers", {}).get("months", 0),
        deadlines=tuple(
            Deadline(one["tier"], one["months"], one["then"], one.get("keep", False))
            for one in document.get("deadlines", ())
        ),
        existing_from=date.fromisoformat(existing["from"]) if "from" in existing else None,
        existing_at_anniversary=existing.get("at") == "anniversary",
    )


@dataclass(frozen=True, slots=True)
class Held:
    """The tier held before the night. `rank` is the one it had in its own edition."""

    code: str
    rank: int
    holds_until: date | None = None
    granted: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """The latest tier that staff granted, also where a higher one was earned since. `until` None: until they end it."""

    code: str
    reason: Reason
    until: date | None = None

    def stands_on(self, day: date) -> bool:
        return self.until is None or self.until > day


@dataclass(frozen=True, slots=True)
class OpenGrace:
    code: str
    starts_on: date
    ends_on: date
    warned_on: date | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """One enrollment on the night of `day`. `previous` is the last day before it whose night is done.

    `met` has the codes of tiers whose earn rule is met, `kept` of those that are kept by either rule; `refused` those
    that staff refused to confirm and that were qualified for ever since; `reached` every tier held so far. `at_once` is
    an evaluation outside the night: what is earned is given as at a review, and nothing is lost. `rose_to`: the rank to
    which such an evaluation, or an earlier pass over this night, has lifted it already.
    """

    day: date
    previous: date | None
    enrolled_on: date
    met: frozenset[str]
    kept: frozenset[str]
    held: Held | None = None
    grant: Grant | None = None
    grace: OpenGrace | None = None
    proposal: str | None = None
    refused: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()
    reliefs: Sequence[Period] = ()
    at_once: bool = False
    rose_to: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """Another tier from this day on; the same one when a grant of it ended."""

    code: str
    reason: Reason
    holds_until: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write. Nothing set: everything stands as it is."""

    move: Move | None = None
    hold_until: date | None = None  # the tier held is earned anew, and held anew
    grace_until: date | None = None  # grace starts
    warn: bool = False
    remind: date | None = None  # the coming review, at which the tier is not kept as figures stand
    close_grace: Outcome | None = None
    propose: str | None = None
    withdraw: bool = False
    overdue: tuple[str, ...] = ()  # tiers whose deadline passed, to tell staff and partner
    ends: bool = False  # the enrollment is over


NOTHING = Decision()


def decide(ladder: Sequence[Rung], life: Life, one: Situation) -> Decision:
    """What the night of a day means for one enrollment. `ladder` has the edition's tiers, lowest first.

    Raises nothing: a tier that the edition no longer has gives way to what is earned, once no protection is left.
    """
    held = _rung(ladder, one.held.code) if one.held else None
    up, proposal = _rise(ladder, life, one, held)
    decision = _proposed(proposal, one)
    if up is not None:
        decision = replace(decision, move=up)
    elif one.held is not None:
        decision = _stay_or_fall(ladder, life, one, held, decision)
    decision = _close_grace(ladder, one, decision)
    decision = _reminded(ladder, life, one, held, decision)
    decision = _moot(ladder, one, decision)
    return _deadlines(ladder, life, one, decision)


# --- Up -------------------------------------------------------------------------------------------


def _rise(ladder: Sequence[Rung], life: Life, one: Situation, held: Rung | None) -> tuple[Move | None, "_Proposals"]:
    """The tier to rise to, and what stands to be confirmed above it.

    Who holds nothing yet, or a tier that is no more and not protected, gets what it earns whatever the calendar says.
    """
    unknown = one.held is not None and held is None
    if unknown and _is_protected(life, one):
        return None, _Proposals()
    from_rank = held.rank if held else 0
    steps = _candidates(ladder, one, from_rank, life.up_by if held else None)
    due = [rung for rung in steps if held is None or one.at_once or _promotion_is_due(life, one, rung)]
    free = next((rung for rung in due if not rung.confirm), None)
    above = [rung for rung in steps if rung.confirm and (free is None or rung.rank > free.rank)]
    proposals = _Proposals(tuple(rung.code for rung in above), next((rung.code for rung in above if rung in due), None))
    if free is None:
        return None, proposals
    reason: Reason = "lost" if unknown and one.held is not None and free.rank < one.held.rank else "earned"
    return Move(free.code, reason, cadence.held_until(free.holds, one.day)), proposals


def _promotion_is_due(life: Life, one: Situation, rung: Rung) -> bool:
    reviews = rung.life.get("promotion", life.promotion)
    return rung.rank <= one.rose_to or cadence.is_due(reviews, one.day, one.previous, one.enrolled_on)


def _candidates(ladder: Sequence[Rung], one: Situation, from_rank: int, up_by: int | None) -> list[Rung]:
    """Tiers above `from_rank` that what is met leads to, highest first: at most `up_by` steps up.

    Who meets a tier further up than that may take the highest step it is allowed, met or not.
    """
    above = [rung for rung in ladder if rung.rank > from_rank and not rung.granted_only]
    earned = [rung for rung in above if rung.code in one.met or rung.rank == 1]
    if up_by is not None and earned and len(above) > up_by:
        highest = above[up_by - 1]
        within = [rung for rung in earned if rung.rank <= highest.rank]
        earned = within if within == earned or highest in within else [*within, highest]
    return [rung for rung in reversed(earned) if not (rung.confirm and rung.code in one.refused)]


@dataclass(frozen=True, slots=True)
class _Proposals:
    """Tiers that are qualified for and wait to be confirmed, highest first; `due`: the highest that may be proposed tonight."""

    codes: tuple[str, ...] = ()
    due: str | None = None


def _proposed(proposals: _Proposals, one: Situation) -> Decision:
    if one.proposal is None:
        return Decision(propose=proposals.due) if proposals.due else NOTHING
    if one.proposal not in proposals.codes:
        return Decision(withdraw=True, propose=proposals.due)
    if proposals.due in proposals.codes[: proposals.codes.index(one.proposal)]:
        return Decision(withdraw=True, propose=proposals.due)
    return NOTHING


# --- Down -----------------------------------------------------------------------------------------


def _stay_or_fall(ladder: Sequence[Rung], life: Life, one: Situation, held: Rung | None, so_far: Decision) -> Decision:
    assert one.held is not None  # noqa: S101  # asked only of who holds a tier
    if held is None:
        return so_far
    ended = one.held.granted and not (one.held.holds_until is None or one.held.holds_until > one.day)
    due = ended or _demotion_is_due(life, one, held)
    if not due or one.at_once or _is_protected(life, one):
        return _warned(life, one, so_far)
    if is_kept(ladder, one, held):
        if ended:
            return replace(so_far, move=Move(held.code, "ended", _hold(held, one)))
        if held.rank > 1 and held.holds and held.code in one.met:
            return replace(so_far, hold_until=cadence.held_until(held.holds, one.day))
        return so_far
    if ended:
        lower = _lower(ladder, one, held, None)
        return replace(so_far, move=Move(lower.code, "ended", _hold(lower, one)))
    grace = one.grace if one.grace is not None and one.grace.code == held.code else None
    if grace is None and life.grace_months is not None:
        return replace(so_far, grace_until=add_months(one.day, life.grace_months))
    if grace is not None and one.day < grace.ends_on:
        return _warned(life, one, so_far)
    return replace(so_far, move=_fall(ladder, life, one, held))


def is_kept(ladder: Sequence[Rung], one: Situation, held: Rung) -> bool:
    """The tier is kept by its own rules, or by who earns a higher one."""
    return held.rank == 1 or held.code in one.kept or any(
        rung.rank > held.rank and rung.code in one.met and not rung.granted_only for rung in ladder
    )  # fmt: skip


def _fall(ladder: Sequence[Rung], life: Life, one: Situation, held: Rung) -> Move:
    lower = _lower(ladder, one, held, life.down_by)
    granted = one.grant if one.grant is not None and one.grant.stands_on(one.day) else None
    floor = _rung(ladder, granted.code) if granted else None
    if granted is not None and floor is not None and lower.rank <= floor.rank < held.rank:
        return Move(floor.code, granted.reason, granted.until)
    return Move(lower.code, "lost", _hold(lower, one))


def _lower(ladder: Sequence[Rung], one: Situation, held: Rung, down_by: int | None) -> Rung:
    """The highest tier below the one held that is kept or earned; not more than `down_by` steps down."""
    below = [rung for rung in reversed(ladder) if rung.rank < held.rank and not rung.granted_only]
    target = next(rung for rung in below if rung.rank == 1 or rung.code in one.kept or rung.code in one.met)
    if down_by is not None and len(below) > down_by and target.rank < below[down_by - 1].rank:
        return below[down_by - 1]
    return target


def _hold(rung: Rung, one: Situation) -> date | None:
    """A tier that is fallen to is held for its own time where its own results earn it."""
    return cadence.held_until(rung.holds, one.day) if rung.code in one.met else None


def demotion_of(life: Life, rung: Rung) -> Mapping[str, Any]:
    """When the tier may be lost."""
    reviews: Mapping[str, Any] = rung.life.get("demotion", life.demotion)
    return reviews


def _demotion_is_due(life: Life, one: Situation, held: Rung) -> bool:
    since = cadence.before_protection(one.previous, one.day, one.reliefs)
    return cadence.is_due(demotion_of(life, held), one.day, since, one.enrolled_on)


def _is_protected(life: Life, one: Situation) -> bool:
    """Nothing is lost tonight, whatever the results."""
    held = one.held
    if held is not None and held.granted and held.holds_until is None:
        return True
    return (
        (held is not None and held.holds_until is not None and held.holds_until > one.day)
        or any(one.day in relief for relief in one.reliefs)
        or one.day < add_months(one.enrolled_on, life.newcomers_months)
        or one.day < transition_ends(life, one.enrolled_on)
    )


def transition_ends(life: Life, enrolled_on: date) -> date:
    """From which day on the edition may take a tier from who was enrolled before it started."""
    if enrolled_on >= life.starts_on:
        return life.starts_on
    if life.existing_at_anniversary:
        return cadence.next_anniversary(life.starts_on - timedelta(days=1), enrolled_on)
    return life.existing_from or life.starts_on


# --- Without the calendar ------------------------------------------------------------------------


def at_a_review(ladder: Sequence[Rung], life: Life, one: Situation) -> Decision:
    """What a review would decide at which tiers may be given and lost, by the steps and confirmations of `life`: what the
    rules come to, not when. No newcomers, transition, deadlines, grace, holds or excuses; only what is never reviewed stays,
    and a tier that was granted. `ladder` is without reviews of its own, as `always` makes it."""
    granted = one.held is not None and one.held.granted
    held = one.held if granted or one.held is None else replace(one.held, holds_until=None)
    always_due = Life(date.min, _always(life.promotion), _always(life.demotion), life.up_by, life.down_by)
    return decide(ladder, always_due, replace(one, previous=None, held=held, grace=None, proposal=None, reliefs=()))


def always(own: Mapping[str, Any]) -> dict[str, Any]:
    """A tier's own reviews, each held whenever it is asked for."""
    return {kind: _always(reviews) for kind, reviews in own.items()}


def _always(reviews: Mapping[str, Any]) -> Mapping[str, Any]:
    return reviews if reviews["every"] == "never" else cadence.DAILY


# --- Reminders, grace and proposals ---------------------------------------------------------------


def _reminded(ladder: Sequence[Rung], life: Life, one: Situation, held: Rung | None, so_far: Decision) -> Decision:
    """Told so many days before the coming demotion review that the tier is not kept as figures stand.

    Days that fell due since the last night count as one. Grace has warnings of its own.
    """
    if held is None or one.held is None or so_far.move or so_far.grace_until or one.grace or one.at_once:
        return so_far
    reviews = demotion_of(life, held)
    review = cadence.next_review(reviews, one.day, one.enrolled_on)
    if review is None or not reviews.get("warn_days") or is_kept(ladder, one, held) or one.held.granted:
        return so_far
    due = [review - timedelta(days=days) for days in reviews["warn_days"]]
    is_due = any(day <= one.day and (one.previous is None or one.previous < day) for day in due)
    if not is_due or _is_protected(life, replace(one, day=review)):
        return so_far
    return replace(so_far, remind=review)


def _warned(life: Life, one: Situation, so_far: Decision) -> Decision:
    """Told again so many days before the end; several that fell due since the last time count as one."""
    grace = one.grace
    if grace is None or one.at_once or one.day >= grace.ends_on:
        return so_far
    due = [grace.ends_on - timedelta(days=days) for days in life.warn_days]
    passed = [day for day in due if grace.starts_on < day <= one.day]
    return replace(so_far, warn=bool(passed) and (grace.warned_on is None or grace.warned_on < max(passed)))


def _close_grace(ladder: Sequence[Rung], one: Situation, decision: Decision) -> Decision:
    grace = one.grace
    if grace is None:
        return decision
    after = decision.move.code if decision.move else one.held.code if one.held else ""
    rung = _rung(ladder, grace.code)
    if rung is None or after != grace.code:
        return replace(
            decision, close_grace="kept" if _rank(ladder, after) > _rank(ladder, grace.code) else "lost", warn=False
        )
    return replace(decision, close_grace="kept", warn=False) if is_kept(ladder, one, rung) else decision


def _moot(ladder: Sequence[Rung], one: Situation, decision: Decision) -> Decision:
    """A proposal of a tier that is not above what is held from tonight on is withdrawn."""
    code = decision.move.code if decision.move else one.held.code if one.held else None
    if one.proposal is None or decision.withdraw or code is None:
        return decision
    return replace(decision, withdraw=_rank(ladder, one.proposal) <= _rank(ladder, code))


# --- Deadlines ------------------------------------------------------------------------------------


def _deadlines(ladder: Sequence[Rung], life: Life, one: Situation, decision: Decision) -> Decision:
    """Deadlines of which the night is the first at or after the day; an end that was put off is held when it may be.

    A tier that is to be kept from its deadline on is overdue again on the night that takes it.
    """
    if not life.deadlines or one.at_once:
        return decision
    before = _rank(ladder, one.held.code) if one.held else 0
    now = _rank(ladder, decision.move.code) if decision.move else before
    best = max((before, now, *(_rank(ladder, code) for code in one.reached)))
    overdue: list[str] = []
    ends = False
    for deadline in life.deadlines:
        on = max(add_months(one.enrolled_on, deadline.months), transition_ends(life, one.enrolled_on))
        wanted = _rank(ladder, deadline.tier)
        if one.day < on or (now if deadline.keep else best) >= wanted:
            continue
        if deadline.then == "end":
            ends = ends or not _is_protected(life, one)
        elif one.previous is None or one.previous < on or (deadline.keep and before >= wanted):
            overdue.append(deadline.tier)
    if not ends:
        return replace(decision, overdue=tuple(overdue))
    return Decision(ends=True, close_grace="lost" if one.grace else None, withdraw=one.proposal is not None)


def _rung(ladder: Iterable[Rung], code: str) -> Rung | None:
    return next((rung for rung in ladder if rung.code == code), None)


def _rank(ladder: Iterable[Rung], code: str) -> int:
    rung = _rung(ladder, code)
    return rung.rank if rung else 0
