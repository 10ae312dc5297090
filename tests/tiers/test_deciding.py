"""What an evaluation means for the tier held, one row a clause of docs/program-file.md, “Life of a tier”."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.days import Period, add_months
from tiers.deciding import (
    Decision,
    Grant,
    Held,
    Life,
    Move,
    OpenGrace,
    Situation,
    always,
    at_a_review,
    decide,
    life_of,
)

DAY = date(2026, 7, 1)
EVE = date(2026, 6, 30)
LONG_AGO = date(2020, 1, 1)
QUARTERLY = {"every": "quarter"}
YEARLY = {"every": "year"}
MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Rung:
    code: str
    rank: int
    confirm: bool = False
    granted_only: bool = False
    holds: Mapping[str, Any] = field(default_factory=dict)
    life: Mapping[str, Any] = field(default_factory=dict)


def ladder(**over: dict[str, Any]) -> list[Rung]:
    """Four tiers, a to d."""
    return [Rung(code, rank, **over.get(code, {})) for rank, code in enumerate("abcd", start=1)]


def life(**document: Any) -> Life:
    return life_of(document, date(2016, 1, 1))


def at(holding: str | None = "b", met: str = "", kept: str = "", **over: Any) -> Situation:
    """A night that is a review of every quarter, of someone who holds a tier since long."""
    held = Held(holding, "abcd".index(holding) + 1) if holding in tuple("abcd") else None  # type: ignore[operator]
    fields = {"day": DAY, "previous": EVE, "enrolled_on": LONG_AGO, "held": held, **over}
    return Situation(met=frozenset(met) | {"a"}, kept=frozenset(kept + met) | {"a"}, **fields)


def holding(code: str, **over: Any) -> Held:
    return Held(code, "abcd".index(code) + 1, **over)


def moved(decision: Decision) -> str | None:
    return f"{decision.move.reason} {decision.move.code}" if decision.move else None


NOT_DUE = {"day": date(2026, 8, 15), "previous": date(2026, 8, 14)}
CLAUSES: list[tuple[str, dict[str, Any], dict[str, dict[str, Any]], Situation, str | None]] = [
    # Every night, when nothing is said.
    ("nothing changed", {}, {}, at("b", "b"), None),
    ("up to the highest earned, over one that is not", {}, {}, at("a", "bd"), "earned d"),
    ("down to the highest earned", {}, {}, at("d", "b"), "lost b"),
    ("down to the entry tier, which takes nothing", {}, {}, at("d"), "lost a"),
    ("kept by its keep rule", {}, {}, at("c", "b", "c"), None),
    ("kept by earning more, though not yet given", {"promotion": YEARLY}, {}, at("b", "d"), None),
    ("down to one that is kept, not earned", {}, {}, at("d", "", "bc"), "lost c"),
    ("a newcomer without a tier gets what it earns", {"promotion": {"every": "never"}}, {}, at(None, "bc"), "earned c"),
    ("the entry tier is never lost", {}, {}, at("a"), None),
    # Cadences.
    ("promotion is not due", {"promotion": QUARTERLY}, {}, at("a", "b", **NOT_DUE), None),
    ("promotion is due", {"promotion": QUARTERLY}, {}, at("a", "b"), "earned b"),
    ("demotion is not due", {"demotion": QUARTERLY}, {}, at("b", **NOT_DUE), None),
    ("demotion is due", {"demotion": QUARTERLY}, {}, at("b"), "lost a"),
    ("up every quarter, down every year: up", {"promotion": QUARTERLY, "demotion": YEARLY}, {}, at("b", "c"), "earned c"),
    ("up every quarter, down every year: not down", {"promotion": QUARTERLY, "demotion": YEARLY}, {}, at("b"), None),
    ("a review that did not run is made up for", {"demotion": QUARTERLY}, {},
     at("b", day=date(2026, 7, 9), previous=EVE), "lost a"),
    ("the first night of all reviews", {"demotion": QUARTERLY}, {}, at("b", **{**NOT_DUE, "previous": None}), "lost a"),
    ("never lost", {"demotion": {"every": "never"}}, {}, at("b", previous=None), None),
    ("lost at the anniversary of the enrollment", {"demotion": {"every": "anniversary"}}, {},
     at("b", enrolled_on=date(2022, 7, 1)), "lost a"),
    ("kept on any other day of the year", {"demotion": {"every": "anniversary"}}, {},
     at("b", enrolled_on=date(2022, 7, 2)), None),
    # Reviews of a tier's own.
    ("d is given yearly, others any night: not d", {}, {"d": {"life": {"promotion": YEARLY}}}, at("a", "bd"), "earned b"),
    ("d is given yearly: at its review", {}, {"d": {"life": {"promotion": YEARLY}}},
     at("a", "bd", day=date(2027, 1, 1), previous=date(2026, 12, 31)), "earned d"),
    ("d is given any night, others yearly", {"promotion": YEARLY}, {"d": {"life": {"promotion": {"every": "day"}}}},
     at("a", "bd"), "earned d"),
    ("d is lost yearly, others any night", {}, {"d": {"life": {"demotion": YEARLY}}}, at("d", "b"), None),
    ("d is lost yearly: a lower one any night", {}, {"d": {"life": {"demotion": YEARLY}}}, at("b"), "lost a"),
    ("d is lost yearly: at its review, to what is earned", {}, {"d": {"life": {"demotion": YEARLY}}},
     at("d", "b", day=date(2027, 1, 1), previous=date(2026, 12, 31)), "lost b"),
    ("d is lost any night, others yearly", {"demotion": YEARLY}, {"d": {"life": {"demotion": {"every": "day"}}}},
     at("d", "b"), "lost b"),
    ("a newcomer gets it whatever its reviews", {}, {"d": {"life": {"promotion": YEARLY}}}, at(None, "bd"), "earned d"),
    ("one step up, which is not due", {"up_by": 1}, {"b": {"life": {"promotion": YEARLY}}}, at("a", "bc"), None),
    ("what an evaluation gave today stays", {"promotion": YEARLY}, {}, at("a", "c", rose_to=3), "earned c"),
    ("and what it did not give waits for its review", {"promotion": YEARLY}, {}, at("a", "bd", rose_to=3), "earned b"),
    # Steps.
    ("up by one: the next tier, met or not", {"up_by": 1}, {}, at("a", "d"), "earned b"),
    ("up by two", {"up_by": 2}, {}, at("a", "d"), "earned c"),
    ("up by two, one is earned", {"up_by": 2}, {}, at("a", "b"), "earned b"),
    ("up by one steps over a tier by invitation", {"up_by": 1}, {"b": {"granted_only": True}}, at("a", "d"), "earned c"),
    ("down by one", {"down_by": 1}, {}, at("d"), "lost c"),
    ("down by two, one is enough", {"down_by": 2}, {}, at("d", "c"), "lost c"),
    ("down by one steps over a tier by invitation", {"down_by": 1}, {"c": {"granted_only": True}}, at("d"), "lost b"),
    # By invitation, to be confirmed.
    ("a tier by invitation is not earned", {}, {"c": {"granted_only": True}}, at("b", "bc"), None),
    ("who is to be confirmed waits", {}, {"c": {"confirm": True}}, at("b", "bc"), None),
    ("and gets what needs no confirmation below it", {}, {"d": {"confirm": True}}, at("a", "bcd"), "earned c"),
    ("falling to a tier that is confirmed for those who rise", {}, {"c": {"confirm": True}}, at("d", "c"), "lost c"),
    # Holds.
    ("held until later", {}, {}, at(held=holding("b", holds_until=DAY + MONTH)), None),
    ("held until today", {}, {}, at(held=holding("b", holds_until=DAY)), "lost a"),
    ("held, and up all the same", {}, {}, at(held=holding("b", holds_until=DAY + MONTH), met="c"), "earned c"),
    # Grants.
    ("granted without end", {}, {}, at(held=holding("d", granted=True), grant=Grant("d", "granted")), None),
    ("granted until later", {}, {},
     at(held=holding("d", granted=True, holds_until=DAY + MONTH), grant=Grant("d", "granted", DAY + MONTH)), None),
    ("a grant ended: what is earned", {"demotion": YEARLY}, {},
     at("x", "b", held=holding("d", granted=True, holds_until=DAY), grant=Grant("d", "granted", DAY)), "ended b"),
    ("a grant ended: it is earned by now", {"demotion": YEARLY}, {},
     at("x", "d", held=holding("d", granted=True, holds_until=DAY), grant=Grant("d", "matched", DAY)), "ended d"),
    ("a grant ended: no grace, no steps", {"grace": {"months": 3}, "down_by": 1}, {},
     at(held=holding("d", granted=True, holds_until=DAY), grant=Grant("d", "granted", DAY)), "ended a"),
    ("a grant ended in an excused time", {}, {},
     at(held=holding("d", granted=True, holds_until=DAY), reliefs=[Period(EVE, DAY + MONTH)]), None),
    ("above a grant: up", {}, {}, at(held=holding("b", granted=True), grant=Grant("b", "granted"), met="c"), "earned c"),
    ("above a grant: back to it, not below", {}, {}, at("d", "", grant=Grant("c", "matched", DAY + MONTH)), "matched c"),
    ("above a grant: to what is earned between", {}, {}, at("d", "c", grant=Grant("b", "granted")), "lost c"),
    ("above a grant that ended", {}, {}, at("d", "", grant=Grant("c", "granted", DAY)), "lost a"),
    # Protected times.
    ("in an excused time", {}, {}, at("b", reliefs=[Period(EVE, DAY + MONTH)]), None),
    ("after it", {}, {}, at("b", reliefs=[Period(EVE - MONTH, DAY)]), "lost a"),
    ("before it", {}, {}, at("b", reliefs=[Period(DAY + MONTH, DAY + 2 * MONTH)]), "lost a"),
    ("a review in it is held when it is over", {"demotion": QUARTERLY}, {},
     at("b", **NOT_DUE, reliefs=[Period(EVE, date(2026, 8, 15))]), "lost a"),
    ("no review was in it", {"demotion": QUARTERLY}, {},
     at("b", **NOT_DUE, reliefs=[Period(date(2026, 7, 2), date(2026, 8, 15))]), None),
    ("up in an excused time", {}, {}, at("b", "c", reliefs=[Period(EVE, DAY + MONTH)]), "earned c"),
    ("in its first months", {"newcomers": {"months": 6}}, {}, at("b", enrolled_on=date(2026, 1, 2)), None),
    ("after them", {"newcomers": {"months": 6}}, {}, at("b", enrolled_on=date(2026, 1, 1)), "lost a"),
    # A tier the edition no longer has.
    ("a tier that is no more", {"promotion": QUARTERLY}, {}, at(held=Held("old", 3), met="b", **NOT_DUE), "lost b"),
    ("one that gives way to a higher one", {}, {}, at(held=Held("old", 2), met="c"), "earned c"),
    ("one that is held", {}, {}, at(held=Held("old", 3, DAY + MONTH), met="b"), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "tiers", "one", "expected"), [row[1:] for row in CLAUSES], ids=[row[0] for row in CLAUSES]
)
def test_up_and_down(document: dict[str, Any], tiers: dict[str, Any], one: Situation, expected: str | None) -> None:
    assert moved(decide(ladder(**tiers), life(**document), one)) == expected


# --- Partners from before the edition -----------------------------------------------------------------

STARTS = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("existing", "enrolled_on", "day", "falls"),
    [
        ({}, "2020-08-15", "2026-06-01", True),
        ({"from": "2026-08-01"}, "2020-08-15", "2026-07-31", False),
        ({"from": "2026-08-01"}, "2020-08-15", "2026-08-01", True),
        ({"from": "2026-08-01"}, "2026-06-01", "2026-07-31", True),  # enrolled under it
        ({"at": "anniversary"}, "2020-08-15", "2026-08-14", False),
        ({"at": "anniversary"}, "2020-08-15", "2026-08-15", True),
        ({"at": "anniversary"}, "2020-06-01", "2026-06-01", True),  # its first day is an anniversary
        ({"at": "anniversary"}, "2026-05-31", "2027-05-30", False),
        ({"at": "anniversary"}, "2026-05-31", "2027-05-31", True),
    ],
)
def test_existing_partners_keep_what_they_hold_until_the_day(
    existing: dict[str, Any], enrolled_on: str, day: str, falls: bool
) -> None:
    own = life_of({"existing": existing} if existing else {}, STARTS)
    on = date.fromisoformat(day)
    one = at("c", "b", day=on, previous=on - timedelta(days=1), enrolled_on=date.fromisoformat(enrolled_on))
    assert moved(decide(ladder(), own, one)) == ("lost b" if falls else None)
    old = replace(one, held=Held("old", 3))
    assert moved(decide(ladder(), own, old)) == ("lost b" if falls else None)
    assert moved(decide(ladder(), own, replace(one, met=frozenset("abd")))) == "earned d"


# --- How long -----------------------------------------------------------------------------------------

HOLDS = {"c": {"holds": {"months": 13}}}


def test_a_tier_earned_is_held_for_its_time() -> None:
    assert decide(ladder(**HOLDS), life(), at("b", "c")).move == Move("c", "earned", date(2027, 8, 1))


@pytest.mark.parametrize(
    ("met", "kept", "expected"),
    [
        ("c", "", Decision(hold_until=date(2027, 8, 1))),  # earned anew: held as long again
        ("", "c", Decision()),  # kept by its keep rule: until the next review
        ("", "", Decision(move=Move("a", "lost"))),
    ],
)
def test_at_the_end_of_its_time_it_is_held_again_where_it_is_earned(met: str, kept: str, expected: Decision) -> None:
    assert decide(ladder(**HOLDS), life(), at(held=holding("c", holds_until=DAY), met=met, kept=kept)) == expected


def test_a_tier_that_is_fallen_to_is_held_for_its_time_where_it_is_earned() -> None:
    assert decide(ladder(**HOLDS), life(), at("d", "c")).move == Move("c", "lost", date(2027, 8, 1))
    assert decide(ladder(**HOLDS), life(), at("d", "", "c")).move == Move("c", "lost")


# --- Grace --------------------------------------------------------------------------------------------

REMIND: dict[str, Any] = {"demotion": {"every": "year", "warn_days": [90, 60, 30]}}
COMING = date(2027, 1, 1)
REMINDERS: list[tuple[str, dict[str, Any], dict[str, dict[str, Any]], Situation, date | None]] = [
    ("90 days before", {}, {}, at("b", day=date(2026, 10, 3), previous=date(2026, 10, 2)), COMING),
    ("the day before that", {}, {}, at("b", day=date(2026, 10, 2), previous=date(2026, 10, 1)), None),
    ("the day after", {}, {}, at("b", day=date(2026, 10, 4), previous=date(2026, 10, 3)), None),
    ("60 days before", {}, {}, at("b", day=date(2026, 11, 2), previous=date(2026, 11, 1)), COMING),
    ("30 days before", {}, {}, at("b", day=date(2026, 12, 2), previous=date(2026, 12, 1)), COMING),
    ("nights that did not run: once", {}, {}, at("b", day=date(2026, 12, 10), previous=date(2026, 9, 1)), COMING),
    ("the first night of all", {}, {}, at("b", day=date(2026, 12, 10), previous=None,
     reliefs=[Period(date(2026, 12, 1), date(2026, 12, 20))]), COMING),
    ("kept as figures stand", {}, {}, at("b", "", "b", day=date(2026, 10, 3), previous=date(2026, 10, 2)), None),
    ("the entry tier", {}, {}, at("a", day=date(2026, 10, 3), previous=date(2026, 10, 2)), None),
    ("held beyond the review", {}, {},
     at(held=holding("b", holds_until=date(2027, 1, 2)), day=date(2026, 10, 3), previous=date(2026, 10, 2)), None),
    ("held until the review", {}, {},
     at(held=holding("b", holds_until=COMING), day=date(2026, 10, 3), previous=date(2026, 10, 2)), COMING),
    ("granted", {}, {}, at(held=holding("b", granted=True, holds_until=COMING), day=date(2026, 10, 3),
     previous=date(2026, 10, 2)), None),
    ("excused at the review", {}, {}, at("b", day=date(2026, 10, 3), previous=date(2026, 10, 2),
     reliefs=[Period(date(2026, 12, 31), date(2027, 1, 2))]), None),
    ("a newcomer at the review", {"newcomers": {"months": 6}}, {}, at("b", day=date(2026, 10, 3),
     previous=date(2026, 10, 2), enrolled_on=date(2026, 7, 2)), None),
    ("in grace", {}, {}, at("b", day=date(2026, 10, 3), previous=date(2026, 10, 2),
     grace=OpenGrace("b", DAY, date(2027, 6, 1))), None),
    ("an evaluation between nights", {}, {}, at("b", day=date(2026, 10, 3), previous=date(2026, 10, 2), at_once=True), None),
    ("of a tier with reviews of its own", {}, {"b": {"life": {"demotion": {"every": "quarter", "warn_days": [30]}}}},
     at("b", day=date(2026, 9, 1), previous=date(2026, 8, 31)), date(2026, 10, 1)),
    ("and not by the edition's", {}, {"b": {"life": {"demotion": {"every": "quarter"}}}},
     at("b", day=date(2026, 11, 2), previous=date(2026, 11, 1)), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "tiers", "one", "review"), [row[1:] for row in REMINDERS], ids=[row[0] for row in REMINDERS]
)
def test_reminders_before_a_review(
    document: dict[str, Any], tiers: dict[str, Any], one: Situation, review: date | None
) -> None:
    assert decide(ladder(**tiers), life(**REMIND, **document), one) == Decision(remind=review)


def test_the_review_itself_reminds_of_nothing() -> None:
    one = at("b", day=COMING, previous=date(2026, 12, 31))
    assert decide(ladder(), life(**REMIND), one) == Decision(move=Move("a", "lost"))
    graceful = decide(ladder(), life(**REMIND, grace={"months": 3}), one)
    assert graceful == Decision(grace_until=date(2027, 4, 1))


GRACE = {"grace": {"months": 3, "warn_days": [60, 30, 7]}}
UNTIL = date(2026, 10, 1)


def in_grace(warned_on: date | None = None, code: str = "b", starts_on: date = DAY) -> OpenGrace:
    return OpenGrace(code, starts_on, add_months(starts_on, 3), warned_on)


def on(day: date, **over: Any) -> dict[str, Any]:
    return {"day": day, "previous": day - timedelta(days=1), **over}


GRACES: list[tuple[str, dict[str, Any], Situation, Decision]] = [
    ("the first miss starts it", {}, at("b"), Decision(grace_until=UNTIL)),
    ("kept: none", {}, at("b", "b"), Decision()),
    ("no review: none", {"demotion": YEARLY}, at("b"), Decision()),
    ("held: none", {}, at(held=holding("b", holds_until=DAY + MONTH)), Decision()),
    ("excused: none", {}, at("b", reliefs=[Period(EVE, UNTIL)]), Decision()),
    ("in it: nothing", {}, at("b", grace=in_grace(), **on(date(2026, 7, 20))), Decision()),
    ("60 days before its end", {}, at("b", grace=in_grace(), **on(date(2026, 8, 2))), Decision(warn=True)),
    ("that night again", {}, at("b", grace=in_grace(date(2026, 8, 2)), **on(date(2026, 8, 2))), Decision()),
    ("the night after", {}, at("b", grace=in_grace(date(2026, 8, 2)), **on(date(2026, 8, 3))), Decision()),
    ("30 days before", {}, at("b", grace=in_grace(date(2026, 8, 2)), **on(date(2026, 9, 1))), Decision(warn=True)),
    ("two that were missed are one", {}, at("b", grace=in_grace(), **on(date(2026, 9, 25))), Decision(warn=True)),
    ("a warning between reviews", {"demotion": YEARLY}, at("b", grace=in_grace(), **on(date(2026, 9, 24))),
     Decision(warn=True)),
    ("kept again", {}, at("b", "b", grace=in_grace(), **on(date(2026, 9, 1))), Decision(close_grace="kept")),
    ("kept again between reviews", {"demotion": YEARLY}, at("b", "b", grace=in_grace(), **on(date(2026, 9, 2))),
     Decision(close_grace="kept")),
    ("risen", {}, at("b", "c", grace=in_grace(), **on(date(2026, 9, 2))),
     Decision(move=Move("c", "earned"), close_grace="kept")),
    ("its end: lost", {}, at("b", grace=in_grace(), **on(UNTIL)), Decision(move=Move("a", "lost"), close_grace="lost")),
    ("the day before", {}, at("b", grace=in_grace(date(2026, 9, 24)), **on(date(2026, 9, 30))), Decision()),
    ("its end, and no review before next year", {"demotion": YEARLY}, at("b", grace=in_grace(), **on(UNTIL)), Decision()),
    ("that review", {"demotion": YEARLY}, at("b", grace=in_grace(), **on(date(2027, 1, 1))),
     Decision(move=Move("a", "lost"), close_grace="lost")),
    ("kept at its end", {}, at("b", "", "b", grace=in_grace(), **on(UNTIL)), Decision(close_grace="kept")),
    ("its end, excused", {}, at("b", grace=in_grace(), reliefs=[Period(DAY, date(2026, 11, 1))], **on(UNTIL)), Decision()),
    ("steps", {"down_by": 1}, at("d", grace=in_grace(code="d"), **on(UNTIL)),
     Decision(move=Move("c", "lost"), close_grace="lost")),
    ("of a tier that is held no more", {}, at("a", grace=in_grace()), Decision(close_grace="lost")),
    ("of a tier below", {}, at("c", "c", grace=in_grace()), Decision(close_grace="kept")),
]  # fmt: skip


@pytest.mark.parametrize(("document", "one", "expected"), [row[1:] for row in GRACES], ids=[row[0] for row in GRACES])
def test_grace(document: dict[str, Any], one: Situation, expected: Decision) -> None:
    assert decide(ladder(), life(**GRACE, **document), one) == expected


def test_a_grace_that_an_older_edition_gave_is_kept_to() -> None:
    assert decide(ladder(), life(), at("b", grace=in_grace(), **on(date(2026, 9, 1)))) == Decision()
    assert moved(decide(ladder(), life(), at("b", grace=in_grace(), **on(UNTIL)))) == "lost a"


# --- Proposals ----------------------------------------------------------------------------------------

CONFIRM = {"c": {"confirm": True}, "d": {"confirm": True}}
PROPOSALS: list[tuple[str, dict[str, Any], Situation, Decision]] = [
    ("the highest is proposed", {}, at("a", "cd"), Decision(propose="d")),
    ("and what needs none is given", {}, at("a", "bc"), Decision(move=Move("b", "earned"), propose="c")),
    ("it waits", {}, at("b", "bc", proposal="c"), Decision()),
    ("a higher one takes its place", {}, at("b", "bcd", proposal="c"), Decision(withdraw=True, propose="d")),
    ("not before a review", {"promotion": YEARLY}, at("b", "bcd", proposal="c"), Decision()),
    ("no review, no proposal", {"promotion": YEARLY}, at("b", "bc"), Decision()),
    ("no longer qualified", {}, at("b", "b", proposal="c"), Decision(withdraw=True)),
    ("no longer qualified, between reviews", {"promotion": YEARLY}, at("b", "b", proposal="c"), Decision(withdraw=True)),
    ("a lower one in its place", {}, at("b", "bc", proposal="d"), Decision(withdraw=True, propose="c")),
    ("held by now", {}, at("c", "c", proposal="c"), Decision(withdraw=True)),
    ("refused", {}, at("b", "bc", refused=frozenset("c")), Decision()),
    ("refused: a lower one", {}, at("b", "bcd", refused=frozenset("d")), Decision(propose="c")),
    ("one step up", {"up_by": 1}, at("b", "bd"), Decision(propose="c")),
    ("it keeps the tier held", {}, at("b", "c"), Decision(propose="c")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "one", "expected"), [row[1:] for row in PROPOSALS], ids=[row[0] for row in PROPOSALS]
)
def test_proposals(document: dict[str, Any], one: Situation, expected: Decision) -> None:
    assert decide(ladder(**CONFIRM), life(**document), one) == expected


YEARLY_D = {**CONFIRM, "d": {"confirm": True, "life": {"promotion": YEARLY}}}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (at("b", "bcd"), Decision(propose="c")),
        (at("b", "bcd", proposal="d"), Decision()),  # proposed at its review, and qualified for still
        (at("b", "bcd", proposal="c"), Decision()),
        (at("b", "bcd", proposal="c", day=date(2027, 1, 1)), Decision(withdraw=True, propose="d")),
        (at("b", "bd", proposal="c"), Decision(withdraw=True)),
    ],
)
def test_a_tier_is_proposed_at_its_own_reviews(one: Situation, expected: Decision) -> None:
    assert decide(ladder(**YEARLY_D), life(), one) == expected


# --- Without the calendar -----------------------------------------------------------------------------

AT_ALL_TIMES: list[tuple[str, dict[str, Any], dict[str, dict[str, Any]], Situation, Decision]] = [
    ("down, whatever the calendar", {"demotion": YEARLY}, {}, at("d", "b", **NOT_DUE), Decision(move=Move("b", "lost"))),
    ("up, whatever the calendar", {"promotion": YEARLY}, {}, at("b", "c", **NOT_DUE), Decision(move=Move("c", "earned"))),
    ("a tier's own calendar too", {}, {"c": {"life": {"promotion": YEARLY, "demotion": YEARLY}}}, at("c", "b"),
     Decision(move=Move("b", "lost"))),
    ("never is never", {"demotion": {"every": "never"}}, {}, at("d", "b"), Decision()),
    ("without grace", {"grace": {"months": 3}}, {}, at("c", "b"), Decision(move=Move("b", "lost"))),
    ("without holds, newcomers and excuses", {"newcomers": {"months": 240}}, {},
     at(held=holding("c", holds_until=DAY + MONTH), met="b", reliefs=[Period(EVE, DAY + MONTH)]),
     Decision(move=Move("b", "lost"))),
    ("before the first anniversary", {"demotion": {"every": "anniversary"}}, {}, at("c", "b", enrolled_on=EVE),
     Decision(move=Move("b", "lost"))),
    ("without deadlines", {"deadlines": [{"tier": "d", "months": 1, "then": "end"}]}, {},
     at("b", "b"), Decision()),
    ("by steps", {"up_by": 1, "down_by": 1}, {}, at("d", ""), Decision(move=Move("c", "lost"))),
    ("to be confirmed", {}, {"c": {"confirm": True}}, at("b", "bc"), Decision(propose="c")),
    ("granted without end", {}, {}, at(held=holding("d", granted=True), grant=Grant("d", "granted")), Decision()),
    ("granted, over since", {}, {}, at(held=holding("d", granted=True, holds_until=DAY), met="b"),
     Decision(move=Move("b", "ended"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "tiers", "one", "expected"), [row[1:] for row in AT_ALL_TIMES], ids=[row[0] for row in AT_ALL_TIMES]
)
def test_what_a_review_would_come_to(
    document: dict[str, Any], tiers: dict[str, Any], one: Situation, expected: Decision
) -> None:
    rungs = [replace(rung, life=always(rung.life)) for rung in ladder(**tiers)]
    # An edition that is still to come: no transition.
    assert at_a_review(rungs, life_of(document, date(2030, 1, 1)), one) == expected


# --- Deadlines ----------------------------------------------------------------------------------------


def until(then: str, months: int = 24) -> dict[str, Any]:
    return {"deadlines": [{"tier": "c", "months": months, "then": then}]}


DEADLINES: list[tuple[str, dict[str, Any], Situation, Decision]] = [
    ("the day", until("warn"), at("b", "b", enrolled_on=date(2024, 7, 1)), Decision(overdue=("c",))),
    ("the day before", until("warn"), at("b", "b", enrolled_on=date(2024, 7, 2)), Decision()),
    ("the night after", until("warn"), at("b", "b", enrolled_on=date(2024, 6, 30)), Decision()),
    ("its night did not run", until("warn"), at("b", "b", enrolled_on=date(2024, 6, 30), previous=date(2026, 6, 29)),
     Decision(overdue=("c",))),
    ("reached that night", until("end"), at("b", "c", enrolled_on=date(2024, 7, 1)), Decision(move=Move("c", "earned"))),
    ("reached before and lost", until("end"), at("b", "b", enrolled_on=date(2024, 7, 1), reached=frozenset("abc")),
     Decision()),
    ("a higher one is held", until("end"), at("d", "d", enrolled_on=date(2024, 7, 1)), Decision()),
    ("the end", until("end"), at("b", "b", enrolled_on=date(2024, 7, 1)), Decision(ends=True)),
    ("the end, later", until("end"), at("b", "b", enrolled_on=date(2024, 5, 1)), Decision(ends=True)),
    ("not in an excused time", until("end"),
     at("b", "b", enrolled_on=date(2024, 7, 1), reliefs=[Period(EVE, DAY + MONTH)]), Decision()),
    ("not under a grant", until("end"), at(held=holding("b", granted=True), met="b", enrolled_on=date(2024, 7, 1)),
     Decision()),
    ("what is open closes", until("end"),
     at("b", "b", enrolled_on=date(2024, 7, 1), grace=in_grace(starts_on=EVE), proposal="d"),
     Decision(ends=True, close_grace="lost", withdraw=True)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "one", "expected"), [row[1:] for row in DEADLINES], ids=[row[0] for row in DEADLINES]
)
def test_deadlines(document: dict[str, Any], one: Situation, expected: Decision) -> None:
    assert decide(ladder(), life(**document), one) == expected


KEEP: dict[str, Any] = {"deadlines": [{"tier": "c", "months": 24, "then": "warn", "keep": True}]}
KEEP_OR_END: dict[str, Any] = {"deadlines": [{"tier": "c", "months": 24, "then": "end", "keep": True}]}
KEPT: list[tuple[str, dict[str, Any], Situation, Decision]] = [
    ("not reached by the day", KEEP, at("b", "b", enrolled_on=date(2024, 7, 1)), Decision(overdue=("c",))),
    ("reached before the day, and lost", KEEP,
     at("b", "b", enrolled_on=date(2024, 7, 1), reached=frozenset("abc")), Decision(overdue=("c",))),
    ("held on the day", KEEP, at("c", "c", enrolled_on=date(2024, 7, 1)), Decision()),
    ("told once, not every night", KEEP, at("b", "b", reached=frozenset("c")), Decision()),
    ("lost after the day", KEEP, at("d", "b"), Decision(move=Move("b", "lost"), overdue=("c",))),
    ("lost before the day", KEEP, at("d", "b", enrolled_on=date(2025, 7, 1)), Decision(move=Move("b", "lost"))),
    ("a higher one lost, kept all the same", KEEP, at("d", "c"), Decision(move=Move("c", "lost"))),
    ("lost after the day: the end", KEEP_OR_END, at("c", "b"), Decision(ends=True)),
    ("not held after the day: the end", KEEP_OR_END, at("b", "b", reached=frozenset("c")), Decision(ends=True)),
    ("in grace it is kept still", {**KEEP_OR_END, "grace": {"months": 3}}, at("c", "b"),
     Decision(grace_until=date(2026, 10, 1))),
]  # fmt: skip


@pytest.mark.parametrize(("document", "one", "expected"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_a_tier_to_be_kept_from_its_deadline_on(document: dict[str, Any], one: Situation, expected: Decision) -> None:
    assert decide(ladder(), life(**document), one) == expected


def test_a_deadline_counts_from_the_start_of_the_edition_for_who_was_long_enrolled() -> None:
    own = life_of(until("warn"), DAY)
    assert decide(ladder(), own, at("b", "b")).overdue == ("c",)
    assert decide(ladder(), own, at("b", "b", **on(date(2026, 7, 2)))).overdue == ()


# --- At once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("met", "expected"), [("c", Decision(move=Move("c", "earned"))), ("b", Decision()), ("", Decision())]
)
def test_an_evaluation_between_nights_gives_and_takes_nothing_away(met: str, expected: Decision) -> None:
    document = {"promotion": YEARLY, **GRACE, **until("end", months=1)}
    assert decide(ladder(), life(**document), at("b", met, at_once=True)) == expected


# --- Always -------------------------------------------------------------------------------------------

codes = st.frozensets(st.sampled_from("abcd"))
documents = st.fixed_dictionaries(
    {},
    optional={
        "promotion": st.sampled_from([QUARTERLY, YEARLY, {"every": "never"}]),
        "demotion": st.sampled_from([QUARTERLY, YEARLY, {"every": "never"}]),
        "up_by": st.integers(1, 3),
        "down_by": st.integers(1, 3),
        "grace": st.just({"months": 3, "warn_days": [30]}),
        "newcomers": st.just({"months": 6}),
    },
)
flags = st.fixed_dictionaries({code: st.fixed_dictionaries({}, optional={
    "confirm": st.booleans(), "granted_only": st.booleans(), "holds": st.just({"months": 12}),
    "life": st.fixed_dictionaries({}, optional={
        "promotion": st.sampled_from([QUARTERLY, YEARLY]), "demotion": st.sampled_from([QUARTERLY, {**YEARLY, "warn_days": [60]}])}),
    }) for code in "bcd"})  # fmt: skip
situations = st.builds(
    lambda met, kept, held, **over: Situation(day=DAY, met=met | {"a"}, kept=kept | met | {"a"}, held=held, **over),
    codes, codes, st.none() | st.builds(holding, st.sampled_from("abcd"), holds_until=st.none() | st.just(DAY + MONTH)),
    previous=st.sampled_from([None, EVE, DAY - MONTH]), enrolled_on=st.sampled_from([LONG_AGO, date(2026, 3, 1)]),
    grace=st.none() | st.builds(OpenGrace, st.sampled_from("bcd"), st.just(LONG_AGO), st.sampled_from([DAY, DAY + MONTH])),
    proposal=st.none() | st.sampled_from("bcd"), refused=codes, reliefs=st.sampled_from([(), (Period(EVE, DAY + MONTH),)]),
)  # fmt: skip


@given(documents, flags, situations)
def test_what_always_holds(document: dict[str, Any], tiers: dict[str, Any], one: Situation) -> None:
    rungs = ladder(**tiers)
    by_code = {rung.code: rung for rung in rungs}
    decision = decide(rungs, life(**document), one)
    if decision.move is not None:
        to = by_code[decision.move.code]
        assert not to.granted_only
        if one.held is not None and to.rank < one.held.rank:
            assert one.held.code not in one.kept
            assert not one.reliefs
            assert one.held.holds_until is None
        if one.held is None or to.rank > one.held.rank:
            assert not to.confirm
        # What was decided stands: another look at the same night moves nobody on.
        after = replace(one, held=Held(to.code, to.rank, decision.move.holds_until), grace=None, proposal=None)
        again = decide(rungs, life(**{**document, "up_by": 9, "down_by": 9, "grace": {"months": 3}}), after)
        assert again.move is None or {"up_by", "down_by"} & set(document)
    assert decision.propose is None or by_code[decision.propose].confirm
    assert decision.propose is None or decision.propose not in one.refused
    assert decision.propose is None or one.proposal is None or decision.withdraw
    assert not decision.withdraw or one.proposal is not None
    assert decision.close_grace is None or one.grace is not None
    assert decision.remind is None or (
        decision.remind > DAY and decision.move is None and one.held.code not in one.kept
    )  # type: ignore[union-attr]
    assert decide(rungs, life(**document), one) == decision
