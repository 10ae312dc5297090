"""What settling reads, partner after partner, in a fixed number of statements for any range of partners: facts, and what stands."""
# ruff: noqa: S608  # statements are made of this module's own words; values are parameters

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from heapq import merge
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Case, DateField, Exists, F, IntegerField, Min, OuterRef, Q, Subquery, Value, When

from commissions import events, plan_documents
from commissions.models import Earning, Plan, Terms, Unsettled
from commissions.reckoning import Book, Fact
from tiers import selectors
from tiers.filtering import Rates, Reader
from tiers.models import Program
from tiers.vetting import exchange_rates

ROWS_AT_ONCE = 2000
LAST_DAY = date.max


@dataclass(frozen=True, slots=True)
class Segment:
    """The days on which one plan is in force: from `starts_on` up to, not including, `ends_on`."""

    plan: Plan
    book: Book
    starts_on: date
    ends_on: date
    rates: Rates  # in which amounts of conditions are compared


def segments(program: Program, *, draft: Plan | None = None) -> list[Segment]:
    """The published plans of a program by the days they count, in time; with `draft` as if that were published last.

    Of plans that start on one day the highest version counts; a plan counts until the next one starts, or it ends.
    """
    plans = {plan.starts_on: plan for plan in Plan.objects.published().filter(program=program).order_by("version")}
    if draft is not None:
        plans[draft.starts_on] = draft
    starts = sorted(plans)
    found = []
    for starts_on, following in pairwise([*starts, LAST_DAY]):
        plan = plans[starts_on]
        ends_on = min(plan.ends_on or LAST_DAY, following)
        found.append(Segment(plan, plan_documents.read(plan), starts_on, ends_on, rates_of(program, starts_on)))
    return found


def rates_of(program: Program, on: date) -> Rates:
    """By the exchange table of the edition in force on the plan's first day."""
    edition = selectors.edition_in_force(program, on)
    return {program.currency: Fraction(1), **(exchange_rates(edition.exchange) if edition else {})}


# --- Whom ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Partners:
    """Partners of a program to be looked at on a day: facts before it alone, of each partner those since a day of its own."""

    program: Program
    day: date
    since: Mapping[int, date]

    @property
    def bounds(self) -> tuple[int, int]:
        return (min(self.since), max(self.since)) if self.since else (0, 0)

    def sql(self, known: Sequence[Segment]) -> tuple[str, list[Any]]:
        """partner_id, since. Where a plan's totals run, since the day on which that plan came into force."""
        widened = {partner: _widened(day, known) for partner, day in self.since.items()}
        if connection.vendor == "postgresql":
            rows = "SELECT * FROM unnest(%s::bigint[], %s::date[]) AS looked_at(partner_id, since)"
            return rows, [list(widened), list(widened.values())]
        pairs = json.dumps([[partner, day.isoformat()] for partner, day in widened.items()])
        return (
            "SELECT json_extract(value, '$[0]') AS partner_id, json_extract(value, '$[1]') AS since FROM json_each(%s)",
            [pairs],
        )


def _widened(since: date, known: Sequence[Segment]) -> date:
    for one in known:
        if one.book.runs and one.starts_on <= since < one.ends_on:
            return one.starts_on
    return since


def widened(partners: Partners, known: Sequence[Segment]) -> Partners:
    """The same partners, each since a day before which none of its facts or lines belongs to one that is looked at.

    A fact that moved from one day to another and earned the same has its lines on the day before: both are looked at, or neither.
    Two queries.
    """
    apart = _apart(partners)
    since = {}
    for partner, day in partners.since.items():
        first = _widened(day, known)
        for before, after in sorted(apart.get(partner, ()), reverse=True):
            if before < first <= after:
                first = _widened(before, known)
        since[partner] = first
    return Partners(partners.program, partners.day, since)


def _apart(partners: Partners) -> dict[int, set[tuple[date, date]]]:
    """By partner the days of lines and of their facts, the earlier one first, where these differ; of facts that are no more, and
    still stand, the day of the line and the end of time.
    """
    lines = Earning.objects.filter(program=partners.program).exclude(event="manual").order_by()
    days = []
    for key, event in events.EVENTS.items():
        column = event.columns(with_customers=False)["pay_terms_on"]
        fact = event.dataset.rows(partners.day).filter(pk=OuterRef("fact")).annotate(pay_terms_on=column)
        days.append(When(event=key, then=Subquery(fact.values("pay_terms_on")[:1])))
    now_on = Case(*days, default=None, output_field=DateField())
    later = Earning.objects.filter(
        fact=OuterRef("fact"), event=OuterRef("event"), program=OuterRef("program"), owner=OuterRef("owner"),
        number__gt=OuterRef("number"),
    )  # fmt: skip
    found: dict[int, set[tuple[date, date]]] = {}
    for own in (
        lines.filter(partner__id__range=partners.bounds, owner=F("partner")),
        lines.filter(~Q(owner=F("partner")), owner__id__range=partners.bounds),
    ):
        moved = own.annotate(now_on=now_on).filter(~Q(now_on=F("terms_on")) | Q(now_on=None))
        stands = Q(now_on__isnull=False) | ~Q(before=-1 * F("amount")) & ~Exists(later)
        for owner, line_on, fact_on in moved.filter(stands).values_list("owner_id", "terms_on", "now_on").distinct():
            if owner in partners.since:
                other = fact_on or LAST_DAY
                found.setdefault(owner, set()).add((min(line_on, other), max(line_on, other)))
    return found


def unsettled(program: Program, day: date) -> Iterator[int]:
    """The partners that something changed for, by id."""
    rows = Unsettled.objects.filter(program=program, since__lt=day).order_by("partner_id")
    yield from rows.values_list("partner_id", flat=True).distinct().iterator(chunk_size=10_000)


def take_unsettled(program: Program, day: date, bounds: tuple[int, int]) -> Partners:
    """The partners of a range that something changed for, as no longer so: in the transaction that settles them.

    Taken before anything is read: what comes in while they are settled is for the next night.
    """
    sql = (
        f"DELETE FROM {table(Unsettled)} WHERE program_id = %s AND since < %s AND partner_id BETWEEN %s AND %s "
        "RETURNING partner_id, since"
    )
    since: dict[int, date] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, [program.pk, connection.ops.adapt_datefield_value(day), *bounds])
        for partner, found in cursor.fetchall():
            one = _date(found)
            since[partner] = min(since.get(partner, one), one)
    return Partners(program, day, dict(sorted(since.items())))


def still_to_come(partners: Partners, known: Sequence[Segment]) -> dict[int, date]:
    """Of these partners, those with facts on the day or after it: since when they are to be looked at then. Two queries an event.

    A fact that was moved there after it had been paid is looked at since the day it was paid for.
    """
    found: dict[int, date] = {}

    def keep(partner: int, first: date) -> None:
        if partner in partners.since:
            found[partner] = min(found.get(partner, first), first)

    for key in sorted({rule.event for segment in known for rule in segment.book.rules}):
        event = events.of(key)
        columns = event.columns(with_customers=False)
        rows = event.dataset.rows(partners.day).annotate(pay_on=columns["pay_on"], pay_terms_on=columns["pay_terms_on"])
        if event.dataset.program is not None:
            rows = rows.filter(**{event.dataset.program: partners.program.pk})
        to_come = Q(pay_on__gte=partners.day) | Q(pay_terms_on__gte=partners.day)
        later = rows.filter(to_come, **_within(event, partners.bounds)).order_by()
        for row in later.values_list(event.dataset.partner).annotate(Min("pay_terms_on")):
            keep(*row)
        lines = Earning.objects.filter(program=partners.program, event=key, owner__id__range=partners.bounds)
        paid = lines.filter(fact__in=later.values("pk"), terms_on__lt=partners.day).order_by()
        for row in paid.values_list("owner_id").annotate(Min("terms_on")):
            keep(*row)
    return found


def _within(event: events.Event, bounds: tuple[int, int]) -> dict[str, Any]:
    return {f"{event.dataset.partner}__gte": bounds[0], f"{event.dataset.partner}__lte": bounds[1]}


# --- Facts ---------------------------------------------------------------------------------------


def facts(partners: Partners, known: Sequence[Segment], segment: Segment) -> list[Iterator[tuple[int, Fact]]]:
    """A stream for each event that the plan pays for, by partner and day."""
    paid = sorted({rule.event for rule in segment.book.rules})
    return [_of_event(partners, known, segment, events.of(key)) for key in paid]


def _of_event(
    partners: Partners, known: Sequence[Segment], segment: Segment, event: events.Event
) -> Iterator[tuple[int, Fact]]:
    sql, params = _facts(partners, segment, event)
    whom, whose = partners.sql(known)
    sql = (
        f"SELECT fact.* FROM ({sql}) fact JOIN ({whom}) whom ON whom.partner_id = fact.pay_partner "
        "AND fact.pay_terms_on >= whom.since ORDER BY fact.pay_partner, fact.pay_terms_on, fact.pay_id"
    )
    key = event.key
    days = connection.vendor == "postgresql"
    for row in rows_of(sql, [*params, *whose]):
        (
            partner,
            pk,
            on,
            terms_on,
            currency,
            net,
            margin,
            recurring,
            quantity,
            customer,
            since,
            refund,
            sale,
            at,
            met,
        ) = row
        if not days:
            on, terms_on, since, at = _date(on), _date(terms_on), _date(since), _time(at)
        yield partner, Fact(key, pk, on, terms_on, currency, met, net, margin, recurring, quantity, customer, since,
                            refund, sale, at)  # fmt: skip


def _facts(partners: Partners, segment: Segment, event: events.Event) -> tuple[str, list[Any]]:
    book = segment.book
    own = [(bit, one) for bit, (key, one) in enumerate(book.conditions) if key == event.key]
    reader = Reader(event.dataset, partners.day, segment.rates, program_id=partners.program.pk)
    matches = [(bit, reader.condition(one, "when")) for bit, one in own]
    met: Any = Value(0, output_field=IntegerField())
    for bit, condition in matches:
        held = Case(When(condition, then=Value(1 << bit)), default=Value(0), output_field=IntegerField())
        met = held if bit == own[0][0] else met + held
    timed = bool(book.run_off_months) or any(rule.months for rule in book.rules)
    columns = event.columns(with_customers=timed)
    rows = reader.rows(partners.day).annotate(**columns, pay_met=met)
    within = {
        "pay_terms_on__gte": segment.starts_on, "pay_terms_on__lt": min(segment.ends_on, partners.day),
        "pay_on__lt": partners.day,
        **_within(event, partners.bounds),
    }  # fmt: skip
    sql, params = rows.filter(Q(**within)).values_list(*columns, "pay_met").query.sql_with_params()
    return sql, list(params)


def by_partner(found: Sequence[Iterator[tuple[int, Any]]]) -> Iterator[tuple[int, list[tuple[int, Any]]]]:
    """Streams by partner as one: each partner with its items, and the place of the stream that each is from."""
    placed = [_placed(place, stream) for place, stream in enumerate(found)]
    for partner, rows in groupby(merge(*placed, key=itemgetter(0)), key=itemgetter(0)):
        yield partner, [(place, one) for _partner, place, one in rows]


def _placed(place: int, stream: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, int, Any]]:
    return ((partner, place, one) for partner, one in stream)


# --- What stands ---------------------------------------------------------------------------------


class Stood(NamedTuple):
    """A line of the ledger, as settling looks at it. Amounts are ten-thousandths."""

    event: str
    fact: int
    partner: int
    rule: str
    currency: str
    number: int
    due: int  # before + amount
    on: date
    terms_on: date
    available_on: date
    sale: int | None
    detail: Any


STOOD = """
    SELECT line.owner_id, line.event, line.fact, line.partner_id, terms.rule, line.currency, line.number,
        line.before + line.amount, line.earned_on, line.terms_on, line.available_on, line.sale_id, {detail}
    FROM {earning} line JOIN {terms} terms ON terms.id = line.terms_id JOIN ({whom}) whom ON {joined}
    WHERE line.program_id = %s AND line.event <> 'manual' AND line.terms_on >= whom.since
"""
OWN = "line.partner_id = whom.partner_id AND line.owner_id = line.partner_id"
OF_OTHERS = "line.owner_id = whom.partner_id AND line.owner_id <> line.partner_id"


def stood(partners: Partners, known: Sequence[Segment]) -> Iterator[tuple[int, Stood]]:
    """The lines of facts of these partners by owner, fact and number, whoever earns by them."""
    whom, params = partners.sql(known)
    detail = "line.detail" if connection.vendor == "sqlite" else "line.detail::text"
    halves = [
        STOOD.format(earning=table(Earning), terms=table(Terms), whom=whom, joined=joined, detail=detail)
        for joined in (OWN, OF_OTHERS)
    ]
    sql = f"{' UNION ALL '.join(halves)} ORDER BY 1, 2, 3, 7"
    convert = connection.vendor != "postgresql"
    for owner, *row in rows_of(sql, [*params, partners.program.pk] * 2):
        line = Stood(*row)
        if convert:
            line = line._replace(
                on=_date(line.on), terms_on=_date(line.terms_on), available_on=_date(line.available_on)
            )
        yield owner, line


# --- Rows ----------------------------------------------------------------------------------------


def table(model: Any) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def rows_of(sql: str, params: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows as the database sends them: not all at once."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, list(params))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


def _date(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _time(value: Any) -> Any:
    """An instant as SQLite keeps it: in UTC, without saying so."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
