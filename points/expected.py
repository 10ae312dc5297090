"""What a row of the points table should have brought by a day, compared with the ledger by the database: one statement a
row, so that what is settled stays there.

Facts of dated datasets bring points to the enrollment in force on their day, in the row's own days; their lines bear the
fact's day, so that a correction corrects that day. Of stocks counts what stands on the night: lines bear the day before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, Case, DateField, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Left
from django.utils.translation import gettext as _

from common.money import from_units
from points.models import PointEntry, PointRule
from points.rules import SCALE, Terms
from tiers import datasets, selectors
from tiers.datasets import Dataset
from tiers.errors import MeasureError
from tiers.filtering import Reader
from tiers.models import Enrollment, Run

ROWS_AT_ONCE = 2000
KEY_LENGTH = 200
EVERYONE = (0, 2**62)
ENDS = ("ends_on", "expires_on")  # the day field by which a fact ends, where its dataset has one
SCALED = ("amount", "decimal")

# Facts with their enrollment: that of the fact's day, for stocks that of the night.
JOINED = """
    SELECT enrolled.id AS enrollment, fact.point_key AS fact, {day} AS day, fact.point_end AS ends, fact.point_id AS id,
        {units} AS units, fact.point_each AS each
    FROM ({facts}) fact JOIN {enrollment} enrolled ON enrolled.partner_id = fact.point_partner
    WHERE enrolled.program_id = %(program)s AND enrolled.id BETWEEN %(first)s AND %(last)s
    AND {on} >= enrolled.starts_on AND (enrolled.ends_on IS NULL OR {on} < enrolled.ends_on)
    AND (fact.point_end IS NULL OR fact.point_end > {on})
"""
FIRST_OF_EACH = """
    SELECT * FROM (
        SELECT joined.*, ROW_NUMBER() OVER (PARTITION BY enrollment, fact ORDER BY day, id) AS place FROM joined
    ) placed WHERE place = 1
"""
# The running sum, and what each fact adds to it within the limit: what was over it is not taken back by a later refund
# twice, and the sum never depends on the order.
RUNNING = """
    SELECT one.*, {had} + CAST(SUM(one.{what}) OVER (
        PARTITION BY one.enrollment ORDER BY one.day, one.id ROWS UNBOUNDED PRECEDING) AS bigint) AS {what}_upto
    FROM {source} one {beside}
"""
WITHIN = """(CASE WHEN {what}_upto > {most} THEN {most} ELSE {what}_upto END
    - CASE WHEN {what}_upto - {what} > {most} THEN {most} ELSE {what}_upto - {what} END)"""
# Lines of grants and their differences; adjustments and claims are people's own.
LINES = (
    "FROM {entry} line WHERE line.kind IN ('grant', 'difference') AND line.enrollment_id BETWEEN %(first)s AND %(last)s"
)
LIVE = "line.granted_on < %(day)s AND (line.expires_on IS NULL OR line.expires_on > %(day)s)"
COMPARED = """
    SELECT enrollment, fact, day, ends, CAST(SUM(points - stood) AS bigint) AS points,
        CAST(SUM(units - units_stood) AS bigint) AS units, CAST(SUM(points) AS bigint) AS due,
        CAST(SUM(brings) AS bigint) AS brings, MAX(each) AS each
    FROM (
        SELECT enrollment, fact, {day} AS day, ends, points, units, brings, each, 0 AS stood, 0 AS units_stood FROM due
        UNION ALL
        SELECT line.enrollment_id, line.fact, {granted_on}, {expires_on}, 0, 0, 0, NULL, line.points, line.units
        {lines} AND line.rule_id = %(rule)s AND {counted}
    ) both_sides
    GROUP BY enrollment, fact, day, ends HAVING SUM(points - stood) <> 0
"""
NO_DAY = "CAST(NULL AS date)"


class Difference(NamedTuple):
    """What a fact should bring and what stands for it, where they differ.

    `points` and `units` are the difference; `due` is what it should bring now and `brings` the same before any limit;
    `each` is None where it should bring nothing. `lines` is how many lines the fact has under the row.
    """

    enrollment_id: int
    fact: str
    granted_on: date
    expires_on: date | None
    points: Decimal
    units: int
    due: Decimal
    brings: Decimal
    each: Decimal | None
    lines: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table on one night. `others` are the other rows of its code."""

    rule: PointRule
    terms: Terms
    dataset: Dataset
    run: Run
    others: tuple[int, ...]

    @property
    def is_stock(self) -> bool:
        return self.dataset.dated is None

    @property
    def grants(self) -> bool:
        """Whether it grants what a stock holds on this night: the day before is one of its own."""
        day = self.run.day - timedelta(days=1)
        return self.rule.starts_on <= day and (self.rule.ends_on is None or day < self.rule.ends_on)


def enrollments(row: Row) -> Iterator[int]:
    """Those with any difference, by id."""
    with_, found, params = _statement(row, EVERYONE)
    sql = f"{with_} SELECT DISTINCT enrollment FROM ({found}) found ORDER BY 1"  # noqa: S608  # our own text
    for (enrollment_id,) in _rows(sql, params):
        yield enrollment_id


def differences(row: Row, bounds: tuple[int, int]) -> Iterator[Difference]:
    """Those of a range of enrollments, by enrollment, day and fact."""
    with_, found, params = _statement(row, bounds)
    number = f"""COALESCE((SELECT MAX(line.number) FROM {_table(PointEntry)} line WHERE line.rule_id = %(rule)s
        AND line.enrollment_id = found.enrollment AND line.fact = found.fact
        AND line.kind IN ('grant', 'difference')), 0)"""  # noqa: S608  # our own text
    sql = f"""{with_} SELECT enrollment, fact, day, ends, points, units, due, brings, each, {number}
        FROM ({found}) found ORDER BY 1, 3, 2, 4"""  # noqa: S608
    for enrollment_id, fact, day, ends, points, units, due, brings, each, lines in _rows(sql, params):
        granted_on = _day(day) or row.run.day - timedelta(days=1)
        yield Difference(
            enrollment_id, fact, granted_on, _day(ends) or row.terms.expires_on(granted_on), from_units(points), units,
            from_units(due), from_units(brings), None if each is None else from_units(each), lines,
        )  # fmt: skip


def _statement(row: Row, bounds: tuple[int, int]) -> tuple[str, str, dict[str, Any]]:
    """What stands before the query, the differing facts, and the values of both."""
    params: dict[str, Any] = {
        "program": row.rule.program_id, "rule": row.rule.pk, "first": bounds[0], "last": bounds[1],
        "day": connection.ops.adapt_datefield_value(row.run.day),
    }  # fmt: skip
    steps = [("joined", _joined(row, bounds, params))]
    if row.terms.form == "distinct":
        steps.append(("first", FIRST_OF_EACH))
    if row.is_stock:
        steps.append(("open", _open(row, steps[-1][0])))
    steps += _limited(row, steps[-1][0])
    named = ", ".join(f"{name} AS ({sql})" for name, sql in steps)
    return f"WITH {named}", _compared(row), params


def _joined(row: Row, bounds: tuple[int, int], params: dict[str, Any]) -> str:
    facts, values = _facts(row, bounds).query.sql_with_params()
    names = [f"fact{number}" for number in range(len(values))]
    params |= dict(zip(names, values, strict=True))
    sql = facts.replace("%%", "%%%%") % tuple(f"%({name})s" for name in names)
    return JOINED.format(
        facts=sql, enrollment=_table(Enrollment), units=_units(row), day=NO_DAY if row.is_stock else "fact.point_day",
        on="%(day)s" if row.is_stock else "fact.point_day",
    )  # fmt: skip


def _facts(row: Row, bounds: tuple[int, int]) -> QuerySet[Any]:
    """The facts that match the row, of the partners of a range of enrollments."""
    dataset, terms, day = row.dataset, row.terms, row.run.day
    reader = Reader(dataset, day, rates(row.rule))
    matches = [reader.condition(one, "filters") for one in terms.filters]
    if dataset.dated is not None:
        last = min(day, row.rule.ends_on or day)
        matches.append(Q(**{f"{dataset.dated}__gte": row.rule.starts_on, f"{dataset.dated}__lt": last}))
    if bounds != EVERYONE:
        partners = Enrollment.objects.filter(program=row.rule.program_id, pk__range=bounds).values("partner_id")
        matches.append(Q(**{f"{dataset.partner}__in": partners}))
    shown: dict[str, Any] = {
        "point_partner": F(dataset.partner), "point_id": F("pk"), "point_key": Cast("pk", TextField()),
        "point_each": _each(row, reader), "point_end": Cast(Value(None), DateField()),
    }  # fmt: skip
    if dataset.dated is not None:
        shown["point_day"] = F(dataset.dated)
    if terms.with_fact and (ends := next((name for name in ENDS if name in dataset.fields), None)):
        shown["point_end"] = F(reader.name(ends))
    if terms.form == "distinct":
        matches.append(~reader.empty(terms.field))
        shown["point_key"] = Left(Cast(reader.name(terms.field), TextField()), KEY_LENGTH)
    if terms.form == "amount_of":
        matches.append(~reader.empty(terms.field))
        shown["point_amount"] = F(reader.name(terms.field))
        if reader.field(terms.field).unit == "amount":
            currency = reader.name("currency")
            matches.append(Q(**{f"{currency}__in": sorted(reader.rates)}))
            shown["point_currency"] = F(currency)
    return reader.rows(day).filter(*matches).values(**shown)


def _each(row: Row, reader: Reader) -> Any:
    """What each brings: the first multiplier whose filters match says."""
    default = Value(row.terms.points, output_field=BigIntegerField())
    cases = [
        When(Q(*(reader.condition(one, "multipliers") for one in when)), then=Value(points))
        for when, _times, points in row.terms.multiplied
    ]
    return Cast(Case(*cases, default=default, output_field=BigIntegerField()) if cases else default, BigIntegerField())


def rates(rule: PointRule) -> dict[str, Fraction]:
    """What one of each currency counts as: by the exchange table of the edition in force on the row's first day."""
    edition = selectors.edition_in_force(rule.program, rule.starts_on)
    table = getattr(edition, "exchange", None) or {}
    worth = {code: Fraction(str(one["is"])) / Fraction(str(one["amount"])) for code, one in table.items()}
    return {**worth, rule.program.currency: Fraction(1)}


def _units(row: Row) -> str:
    """How many times a fact brings: once, or its whole slices, toward zero."""
    if row.terms.form != "amount_of":
        return "1"
    unit = datasets.field_of(row.dataset, row.terms.field).unit
    if unit != "amount":
        scale = 1 if unit in SCALED else SCALE
        return f"(CAST(fact.point_amount AS bigint) * {scale} / {row.terms.per})"
    whens = " ".join(
        f"WHEN '{code}' THEN CAST(fact.point_amount AS bigint) * {share.numerator} / {share.denominator}"
        for code, share in sorted((code, rate / row.terms.per) for code, rate in rates(row.rule).items())
    )
    return f"CAST(CASE fact.point_currency {whens} END AS bigint)"


def _open(row: Row, source: str) -> str:
    """What of a stock the row may count: with the fact, what no other row of its code holds, and new facts only while it
    grants; without, what no row of its code ever granted."""
    entry = _table(PointEntry)
    others = f"SELECT 1 {LINES.format(entry=entry)} AND line.enrollment_id = one.enrollment AND line.fact = one.fact"
    if not row.terms.with_fact:
        return f"SELECT one.* FROM {source} one WHERE NOT EXISTS ({others} AND line.rule_id IN ({_ids(row.rule.pk, *row.others)}))"  # noqa: S608
    held = f"{others} AND {LIVE} AND line.rule_id {{which}} GROUP BY line.fact HAVING SUM(line.points) <> 0"
    own = "" if row.grants else f"AND EXISTS ({held.format(which='= %(rule)s')})"
    return (
        f"SELECT one.* FROM {source} one WHERE NOT EXISTS ({held.format(which=f'IN ({_ids(0, *row.others)})')}) {own}"  # noqa: S608
    )


def _limited(row: Row, source: str) -> list[tuple[str, str]]:
    """Units and points within the row's limits, as `due`."""
    beside = had_units = had_points = ""
    if row.is_stock and not row.terms.with_fact:
        # What it granted stands: only what is left may be granted now.
        beside = f"""LEFT JOIN (
            SELECT line.enrollment_id, CAST(SUM(line.units) AS bigint) AS units, CAST(SUM(line.points) AS bigint) AS points
            {LINES.format(entry=_table(PointEntry))} AND line.rule_id = %(rule)s GROUP BY line.enrollment_id
        ) had ON had.enrollment_id = one.enrollment"""
        had_units, had_points = "COALESCE(had.units, 0)", "COALESCE(had.points, 0)"
    units, points = "units", "units * each"
    steps = []
    if row.terms.occurrences is not None:
        steps.append(("run", RUNNING.format(had=had_units or "0", what="units", source=source, beside=beside)))
        source, units = "run", WITHIN.format(what="units", most=row.terms.occurrences)
    columns = "enrollment, fact, day, ends, id, each, units AS all_units"
    steps.append(("brought", f"SELECT {columns}, {units} AS units, {units} * each AS points FROM {source}"))  # noqa: S608
    source, points = "brought", "points"
    if row.terms.most is not None:
        steps.append(("capped", RUNNING.format(had=had_points or "0", what="points", source=source, beside=beside)))
        source, points = "capped", WITHIN.format(what="points", most=row.terms.most)
    due = (
        f"SELECT enrollment, fact, day, ends, each, units, all_units * each AS brings, {points} AS points FROM {source}"  # noqa: S608
    )
    return [*steps, ("due", due)]


def _compared(row: Row) -> str:
    ends = "line.expires_on" if row.terms.with_fact else NO_DAY
    if not row.is_stock:
        counted, granted_on = "line.granted_on < %(day)s", "line.granted_on"
    elif row.terms.with_fact:
        counted, granted_on = LIVE, NO_DAY
    else:
        counted, granted_on = "1 = 0", NO_DAY
    return COMPARED.format(
        day="day", granted_on=granted_on, expires_on=ends, counted=counted,
        lines=LINES.format(entry=_table(PointEntry)),
    )  # fmt: skip


def _ids(*keys: int) -> str:
    return ", ".join(str(key) for key in keys)


def _table(model: Any) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _day(value: Any) -> date | None:
    return value if value is None or isinstance(value, date) else date.fromisoformat(value)


def _rows(sql: str, params: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


def check(terms: Terms, currency: str) -> None:
    """Raises KeyError where there is no such dataset, MeasureError where the terms name what it does not have."""
    reader = Reader(datasets.get(terms.dataset), date(2000, 1, 1), {currency: Fraction(1)})
    for number, one in enumerate(terms.filters):
        reader.condition(one, f"filters[{number}]")
    for number, (when, _times, _points) in enumerate(terms.multiplied):
        for at, one in enumerate(when):
            reader.condition(one, f"multipliers[{number}].when[{at}]")
    if terms.form == "distinct":
        reader.field(terms.field, "each.distinct")
    elif terms.form == "amount_of" and reader.field(terms.field, "each.amount_of").unit not in (*SCALED, "number"):
        raise MeasureError(
            _("each.amount_of: “%(field)s” cannot be cut into slices: it is no number.") % {"field": terms.field}
        )
