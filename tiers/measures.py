"""Measures of facts: each measured for everyone in a program by one grouped statement into the run's work table.

A figure is `value` over `over` in the measure's unit. Nothing is read row by row, and no row comes to Python.
"""

from datetime import date
from fractions import Fraction
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from common.days import Period
from partners.models import Location
from tiers import compiling, windows
from tiers.compiling import Part, Plan
from tiers.errors import MeasureError
from tiers.filtering import Rates
from tiers.models import Bound, Enrollment, Measure, Measured, Program, Run
from tiers.units import dataset_of, scale_of, threshold_in_unit, unit_of
from tiers.vetting import check_definition, check_measure, exchange_rates

__all__ = [
    "check_definition",
    "check_measure",
    "dataset_of",
    "facts",
    "left_out",
    "measure_everyone",
    "rank_everyone",
    "scale_of",
    "threshold_in_unit",
    "unit_of",
    "window_of",
]
BATCH = 1000


def rates_of(measure: Measure, program: Program) -> Rates:
    """What one of each currency counts as in the program's; other currencies do not count."""
    return {program.currency: Fraction(1), **exchange_rates(measure.edition.exchange)}


def window_of(measure: Measure, day: date, enrolled_on: date | None = None) -> Period | None:
    """The days whose facts count on `day`, that day excluded; None for a stock.

    Raises MeasureError for a window that does not exist, or that depends on an enrollment where none is given.
    """
    window = measure.definition.get("window") or {}
    try:
        return windows.period(window, day, enrolled_on)
    except ValueError:
        raise MeasureError(_("window: there is no window %(window)s.") % {"window": dict(window)}) from None


def facts(measure: Measure, program: Program, day: date, enrolled_on: date | None = None) -> QuerySet[Any]:
    """The rows that count for `measure` on `day`, of every partner; for a window that depends on the enrollment, as they count
    for who is enrolled since `enrolled_on`. What the night groups is what a partner is shown.
    """
    return _plan(measure, program, day, window_of(measure, day, enrolled_on)).facts()


def left_out(measure: Measure, enrollment: Enrollment, day: date) -> tuple[QuerySet[Any], list[Part]]:
    """The partner's rows of the dataset that do not count for `measure` on `day`, and what a row must be to count.

    Of each row `fact_left_out` is the place in that list of the first thing that it is not. One query, when it is read.
    """
    period = window_of(measure, day, enrollment.starts_on)
    made = _plan(measure, enrollment.program, day, period)
    fails = Q(*(part.fails for part in made.parts), _connector=Q.OR) if made.parts else Q(pk__in=[])
    reason = Case(
        *(When(part.fails, then=Value(place)) for place, part in enumerate(made.parts)), output_field=IntegerField()
    )
    rows = made.reader.rows(made.stands_on).filter(fails, **{made.dataset.partner: enrollment.partner_id})
    return rows.annotate(fact_left_out=reason), made.parts


def _plan(measure: Measure, program: Program, day: date, period: Period | None) -> Plan:
    definition = measure.definition
    return compiling.plan(definition, dataset_of(definition), day, rates_of(measure, program), period, program.pk)


# --- Measuring everyone ---------------------------------------------------------------------------


def measure_everyone(measure: Measure, run: Run, *, is_new: bool = False) -> int:
    """Write the figure of every enrollment in force on the run's day to its work table; returns how many rows that is.

    A figure of zero is not written, unless the measure is split: its members are those with facts. The database moves the
    rows; none comes here. Repeating replaces; `is_new` says that the table has nothing of the measure, which saves looking. A
    fixed number of statements, a few more where the window depends on the enrollment.
    """
    if not is_new:
        _forget(run, measure)
    try:
        if windows.depends_on_enrollment(measure.definition.get("window") or {}):
            return _measure_by_enrollment(measure, run)
        return _measure_by_partner(measure, run)
    except EmptyResultSet:  # filters that no fact can pass
        return 0


def _measure_by_partner(measure: Measure, run: Run) -> int:
    """Grouped by partner first, then given to the enrollments: the facts meet no other table."""
    period = window_of(measure, run.day)
    made = _plan(measure, run.program, run.day, period)
    flat, params = compiling.flat(made)
    rows = f"SELECT fact_partner AS fact_key, facts.* FROM ({flat}) AS facts"  # noqa: S608  # made by the ORM
    months = str(windows.months_in(period)) if period and measure.definition["aggregate"] == "monthly_average" else "1"
    sql, params = compiling.grouped(made, rows, params, months=months)
    in_force, held = _in_force(run)
    member = "figures.fact_member" if measure.definition.get("by") else "''"
    source = f"({sql}) AS figures JOIN {_table(Enrollment)} AS enrolled ON enrolled.partner_id = figures.fact_key AND {in_force}"
    return _insert(measure, run, "enrolled.id", member, source, (*params, *held))


def _measure_by_enrollment(measure: Measure, run: Run) -> int:
    """Each enrollment's facts by the bounds of its own window: one for each day on which somebody enrolled."""
    try:
        period = _write_bounds(measure, run)
        if period is None:
            return 0
        made = _plan(measure, run.program, run.day, period)
        flat, params = compiling.flat(made, with_day=True)
        in_force, held = _in_force(run)
        rows = (
            f"SELECT enrolled.id AS fact_key, bound.months AS fact_months, facts.* FROM ({flat}) AS facts "  # noqa: S608
            f"JOIN {_table(Enrollment)} AS enrolled ON enrolled.partner_id = facts.fact_partner AND {in_force} "
            f"JOIN {_table(Bound)} AS bound ON bound.run_id = %s AND bound.measure_id = %s "
            "AND bound.enrolled_on = enrolled.starts_on "
            "AND facts.fact_day >= bound.starts_on AND facts.fact_day < bound.ends_on"
        )
        sql, params = compiling.grouped(made, rows, (*params, *held, run.pk, measure.pk), months="fact_months")
        member = "figures.fact_member" if measure.definition.get("by") else "''"
        return _insert(measure, run, "figures.fact_key", member, f"({sql}) AS figures", params)
    finally:
        Bound.objects.filter(run=run, measure=measure).delete()


def _write_bounds(measure: Measure, run: Run) -> Period | None:
    """The bounds of the window for each day on which an enrollment in force started; returns the period that holds them all."""
    days = Enrollment.objects.filter(program=run.program).in_force_on(run.day).values_list("starts_on", flat=True)
    averaged = measure.definition["aggregate"] == "monthly_average"
    bounds = []
    for enrolled_on in days.distinct().order_by("starts_on"):
        period = window_of(measure, run.day, enrolled_on)
        if period is not None and period.starts_on is not None and period.starts_on < period.ends_on:
            months = windows.months_in(period) if averaged else 0
            bounds.append(
                Bound(
                    run=run, measure=measure, enrolled_on=enrolled_on, starts_on=period.starts_on,
                    ends_on=period.ends_on, months=months,
                )
            )  # fmt: skip
    Bound.objects.bulk_create(bounds, batch_size=BATCH)
    if not bounds:
        return None
    return Period(min(one.starts_on for one in bounds), max(one.ends_on for one in bounds))


def rank_everyone(measure: Measure, ranked: Measure, run: Run, *, is_new: bool = False) -> int:
    """Write the place of every enrollment in force by the figure of `ranked`, which is measured already; returns how many.

    1 is the highest; equals share the better place, and who has no figure has 0. Figures are compared as whole part and rest,
    so that fractions which are equal tie. Repeating replaces, as `measure_everyone` does.
    """
    if not is_new:
        _forget(run, measure)
    definition = measure.definition
    country = "COALESCE(location.country, '')" if definition["within"] == "country" else "''"
    over = "many" if definition["as"] == "share" else "1"
    value, divisor = "COALESCE(figures.value, 0)", f"COALESCE(figures.{_quoted('over')}, 1)"
    in_force, held = _in_force(run)
    placed = (
        f"SELECT id, RANK() OVER (PARTITION BY country ORDER BY whole DESC, rest DESC) AS value, "  # noqa: S608
        f"COUNT(*) OVER (PARTITION BY country) AS many FROM ("
        f"SELECT enrolled.id, {country} AS country, {value} / {divisor} AS whole, "
        f"CAST({value} %% {divisor} AS double precision) / {divisor} AS rest "
        f"FROM {_table(Enrollment)} AS enrolled "
        f"LEFT JOIN {_table(Location)} AS location ON location.partner_id = enrolled.partner_id AND location.is_main = %s "
        f"LEFT JOIN {_table(Measured)} AS figures ON figures.enrollment_id = enrolled.id "
        f"AND figures.run_id = %s AND figures.measure_id = %s WHERE {in_force}) AS listed"
    )
    source = f"(SELECT id, value, {over} AS over_ FROM ({placed}) AS placed) AS figures"  # noqa: S608  # made above
    return _insert(measure, run, "figures.id", "''", source, (True, run.pk, ranked.pk, *held))


def _insert(measure: Measure, run: Run, key: str, member: str, source: str, params: tuple[Any, ...]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(Measured)} (run_id, enrollment_id, measure_id, member, value, {_quoted('over')}) "  # noqa: S608
            f"SELECT %s, {key}, %s, {member}, figures.value, figures.over_ FROM {source}"
            + ("" if measure.definition.get("by") else " WHERE figures.value <> 0"),
            [run.pk, measure.pk, *params],
        )
        return int(cursor.rowcount)


def _forget(run: Run, measure: Measure) -> None:
    Measured.objects.filter(run=run, measure=measure).delete()


def _in_force(run: Run) -> tuple[str, tuple[Any, ...]]:
    """The enrollments that a night of the program is about, as a condition on `enrolled`."""
    day = connection.ops.adapt_datefield_value(run.day)
    return (
        "enrolled.program_id = %s AND enrolled.starts_on <= %s AND (enrolled.ends_on IS NULL OR enrolled.ends_on > %s)",
        (run.program_id, day, day),
    )


def _table(model: Any) -> str:
    return _quoted(model._meta.db_table)


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))
