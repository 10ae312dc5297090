"""What a range of enrollments measured, and what that earns: shared by the night, dry runs and single evaluations.

Reads the work table that measures filled (tiers.measures), adds what conditions and rules over time read, and judges by
the pure rules. A fixed number of queries for any number of enrollments.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from django.db.models import OuterRef, Subquery

from common import bulk
from partners.models import Location
from tiers import definitions as defined
from tiers import figures, parsing, rules
from tiers.lexicon import Lexicon, read
from tiers.models import Edition, Enrollment, Evaluation, Measured, Placement, Run

# Traits of every partner, beside those that staff or an import gave it.
BUILT_IN = ("country", "country_group", "tier", "enrolled_on", "joined_on")
# What an evaluation says, by column, and all that is written of one.
SAID = ("earned_id", "measured", "traits", "verdicts")
COLUMNS = ("enrollment_id", "edition_id", "run_id", "evaluated_on", *SAID)


@dataclass(slots=True)
class Book:
    """An edition read once: its rules, and what evaluating them takes."""

    edition: Edition
    rulebook: rules.Rulebook
    definitions: dict[str, dict[str, Any]]
    units: dict[str, str]
    keys: dict[int, str]  # of measures of facts, by id, sorted
    split: frozenset[str]
    spans: dict[str, rules.Node]
    traits: frozenset[str]
    earn_rules: dict[str, rules.Node]
    made: tuple[str, ...]  # measures made of measures, each after its parts

    @classmethod
    def of(cls, lexicon: Lexicon, book: rules.Rulebook) -> "Book":
        definitions = lexicon.definitions
        return cls(
            edition=lexicon.edition,
            rulebook=book,
            definitions=definitions,
            units=lexicon.units,
            keys={one.pk: key for key, one in sorted(lexicon.measures.items()) if defined.is_stored(definitions[key])},
            split=frozenset(key for key, one in definitions.items() if "by" in one),
            spans=parsing.spans(book),
            traits=parsing.traits_read(book) | defined.traits_read(definitions),
            earn_rules=book.earn_rules(),
            made=figures.made_of_others(definitions),
        )


def read_book(edition: Edition) -> Book:
    """Three queries. Raises RuleError or MeasureError where the edition cannot be evaluated."""
    lexicon = read(edition)
    return Book.of(lexicon, lexicon.rulebook())


@dataclass(frozen=True, slots=True)
class Judged:
    """One enrollment: what was measured (of facts, as stored), all that rules read, and what that earns."""

    measured: dict[str, Any]
    facts: rules.Facts
    verdicts: dict[str, bool]
    earned: rules.Level
    met: frozenset[str]  # codes of tiers and distinctions whose earn rule is met
    kept: frozenset[str]  # codes of those that are kept by earn or keep rule

    @property
    def traits(self) -> dict[str, list[str]]:
        return {name: list(values) for name, values in sorted(self.facts.traits.items())}


def judge(
    book: Book,
    measured: dict[str, Any],
    traits: Mapping[str, tuple[str, ...]],
    history: Mapping[str, tuple[tuple[date, bool], ...]],
    day: date,
) -> Judged:
    """`measured` has the figure of each measure of facts by key, of a split one by member; absent is 0. Pure."""
    base = measured if not book.split else {key: value for key, value in measured.items() if key not in book.split}
    by_member = {key: measured.get(key, {}) for key in book.split}
    complete, split = figures.complete(book.definitions, base, by_member, traits, day, book.units, book.made)
    facts = rules.Facts(day, complete, split, traits, history, book.earn_rules)
    holders = book.rulebook.holders
    met = frozenset(one.code for one in holders if rules.earns(one, facts))
    kept = [one.code for one in holders if one.keep is not None and rules.is_met(one.keep, facts)]
    return Judged(
        measured=measured,
        facts=facts,
        verdicts={key: rules.is_met(node, facts) for key, node in book.spans.items()},
        earned=next(level for level in reversed(book.rulebook.levels) if level.code in met),
        met=met,
        kept=met.union(kept) if kept else met,
    )


# --- Reading --------------------------------------------------------------------------------------


def judge_all(book: Book, run: Run, enrollments: Sequence[Enrollment]) -> dict[int, Judged]:
    """What each enrollment measured in the run and what that earns. Four queries at most."""
    if not enrollments:
        return {}
    measured = _measured(book, run, enrollments)
    traits = traits_of(book, enrollments, run.day)
    history = history_of(book, [one.pk for one in enrollments], run.day)
    return {
        one.pk: judge(book, measured[one.pk], traits[one.pk], history.get(one.pk, {}), run.day) for one in enrollments
    }


def range_of(ids: Collection[int]) -> tuple[int, int]:
    """The least and the greatest: a range costs the database less than thousands of ids, though others' rows may be in it."""
    return (min(ids), max(ids)) if ids else (0, 0)


def _measured(book: Book, run: Run, enrollments: Sequence[Enrollment]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {one.pk: {} for one in enrollments}
    within = range_of([one.pk for one in enrollments])
    rows = Measured.objects.filter(run=run, enrollment__id__range=within).values_list(
        "enrollment_id", "measure_id", "member", "value", "over"
    )
    for enrollment_id, measure_id, member, value, over in rows.iterator(chunk_size=10_000):
        if enrollment_id not in found:
            continue
        figure = value if over == 1 else exact(Fraction(value, over))
        key = book.keys[measure_id]
        if key in book.split:
            found[enrollment_id].setdefault(key, {})[member] = figure
        else:
            found[enrollment_id][key] = figure
    return found


def exact(figure: Fraction) -> rules.Figure:
    return int(figure) if figure.denominator == 1 else figure


def traits_of(book: Book, enrollments: Sequence[Enrollment], day: date) -> dict[int, dict[str, tuple[str, ...]]]:
    """What the edition's conditions and tenures read of each enrollment's partner. Nothing else is read or stored.

    `tier` is the code held on the day before: the same however often a day is evaluated.
    """
    wanted = book.traits
    if not wanted:
        return {one.pk: {} for one in enrollments}
    ids = [one.pk for one in enrollments]
    main = Location.objects.filter(partner=OuterRef("partner"), is_main=True)
    wished = set(ids)
    rows = Enrollment.objects.filter(pk__range=range_of(ids)).values_list(
        "pk", "starts_on", "partner__joined_on", "partner__traits", Subquery(main.values("country")[:1])
    )
    held = held_before(ids, day) if wanted & {"tier", "tier_since"} else {}
    groups = book.edition.country_groups
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for pk, enrolled_on, joined_on, own, country in rows:
        if pk not in wished:
            continue
        tier, since = held.get(pk, ("", ""))
        every = {
            **{name: texts(value) for name, value in own.items()},
            "country": texts(country),
            "country_group": tuple(sorted(name for name, codes in groups.items() if country in codes)),
            "enrolled_on": (enrolled_on.isoformat(),),
            "joined_on": (joined_on.isoformat(),),
            "tier": texts(tier),
            "tier_since": texts(since),
        }
        found[pk] = {name: every[name] for name in sorted(wanted) if every.get(name)}
    return found


def texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(one) for one in value if one != "")
    return (str(value),) if value else ()


def held_before(ids: Collection[int], day: date) -> dict[int, tuple[str, str]]:
    """The tier's code, as held on the day before `day`, and the first day from which it was held without a break, through
    editions, holds and grants; of others in the range of `ids` too."""
    rows = Placement.objects.filter(enrollment__id__range=range_of(ids), starts_on__lt=day).order_by("starts_on")
    last: dict[int, tuple[str, date, date | None]] = {}
    for pk, code, starts_on, ends_on in rows.values_list("enrollment_id", "tier__code", "starts_on", "ends_on"):
        before = last.get(pk)
        goes_on = before is not None and before[0] == code and before[2] == starts_on
        last[pk] = (code, before[1] if before and goes_on else starts_on, ends_on)
    return {
        pk: (code, since.isoformat())
        for pk, (code, since, ends_on) in last.items()
        if ends_on is None or ends_on >= day
    }


def history_of(book: Book, ids: Sequence[int], day: date) -> dict[int, dict[str, tuple[tuple[date, bool], ...]]]:
    """The stored verdicts of the edition's rules over time, as rules.Facts takes them, of others in the range of `ids` too. No
    query where there are none."""
    if not book.spans:
        return {}
    found: dict[int, dict[str, list[tuple[date, bool]]]] = {}
    rows = Evaluation.objects.filter(enrollment__id__range=range_of(ids), evaluated_on__lt=day).order_by(
        "enrollment", "evaluated_on"
    )
    for enrollment_id, evaluated_on, verdicts in rows.values_list("enrollment_id", "evaluated_on", "verdicts"):
        for key in book.spans:
            if key in verdicts:
                found.setdefault(enrollment_id, {}).setdefault(key, []).append((evaluated_on, verdicts[key]))
    return {pk: {key: tuple(past) for key, past in by_key.items()} for pk, by_key in found.items()}


# --- Storing --------------------------------------------------------------------------------------


def as_stored(book: Book, measured: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as an evaluation keeps them: texts by key, keys sorted, every measure of facts; members with facts."""
    return {
        key: (
            {member: str(figure) for member, figure in sorted(measured.get(key, {}).items())}
            if key in book.split
            else str(measured.get(key, 0))
        )
        for key in book.keys.values()
    }


def from_stored(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of an evaluation, as rules compare them."""
    return {
        key: {member: exact(Fraction(text)) for member, text in value.items()}
        if isinstance(value, dict)
        else exact(Fraction(value))
        for key, value in stored.items()
    }


def _last_stored(enrollments: Sequence[Enrollment], day: date) -> dict[int, tuple[int, date, tuple[Any, ...]]]:
    """The newest stored evaluation of each up to and including `day`: its id, its day and what it says. One query."""
    latest = Evaluation.objects.filter(enrollment=OuterRef("pk"), evaluated_on__lte=day).order_by("-evaluated_on")
    in_range = Enrollment.objects.filter(pk__range=range_of([one.pk for one in enrollments])).order_by()
    rows = Evaluation.objects.filter(pk__in=in_range.values_list(Subquery(latest.values("pk")[:1]))).order_by()
    return {
        enrollment_id: (pk, evaluated_on, tuple(said))
        for enrollment_id, pk, evaluated_on, *said in rows.values_list("enrollment_id", "pk", "evaluated_on", *SAID)
    }


def store(book: Book, run: Run, enrollments: Sequence[Enrollment], judged: Mapping[int, Judged]) -> dict[int, int]:
    """The id of the evaluation that stands for each enrollment: the last one where nothing differs, else a new one, written
    here, in the place of one of the same day. A fixed number of queries; two where nothing is new."""
    last = _last_stored(enrollments, run.day)
    standing: dict[int, int] = {}
    new: list[tuple[Any, ...]] = []
    replaced: list[Evaluation] = []
    for enrollment in enrollments:
        one = judged[enrollment.pk]
        said = (one.earned.tier_id, as_stored(book, one.measured), one.traits, dict(sorted(one.verdicts.items())))
        pk, stored_on, before = last.get(enrollment.pk, (0, None, ()))
        if before == said:
            standing[enrollment.pk] = pk
        elif stored_on == run.day:
            fields = dict(zip(SAID, said, strict=True))
            replaced.append(Evaluation(pk=pk, edition_id=run.edition_id, run_id=run.pk, **fields))
            standing[enrollment.pk] = pk
        else:
            new.append((enrollment.pk, run.edition_id, run.pk, run.day, *said))
    if replaced:
        Evaluation.objects.bulk_update(replaced, ["edition", "run", *SAID], batch_size=500)
    if new:
        bulk.insert(Evaluation, COLUMNS, new)
        within = range_of([row[0] for row in new])
        made = Evaluation.objects.filter(evaluated_on=run.day, enrollment__id__range=within).order_by()
        standing |= dict(made.values_list("enrollment_id", "pk"))
    return standing
