"""A measure (dataset, aggregate, filters, window) compiled to one grouped statement for everyone in a program."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import connection
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from common.periods import Period
from tiers import datasets, windows
from tiers.datasets import Dataset, Field
from tiers.errors import MeasureError
from tiers.models import Enrollment, Measure, Measured, Program

LOOKUPS = {
    "equal": "exact", "in": "in", "at_least": "gte", "more_than": "gt", "at_most": "lte", "less_than": "lt",
}  # fmt: skip
# Aggregates of a field's values, which must be numbers or amounts.
OF_A_NUMBER = {"sum": Sum, "min": Min, "max": Max}
NEGATED = {"not": "exact", "not_in": "in"}


def dataset_of(measure: Measure) -> Dataset:
    try:
        return datasets.get(measure.definition["dataset"])
    except KeyError:
        known = ", ".join(dataset.key for dataset in datasets.every())
        raise MeasureError(
            _("Measure “%(key)s” reads a dataset “%(dataset)s” that does not exist; there are: %(known)s.")
            % {"key": measure.key, "dataset": measure.definition["dataset"], "known": known}
        ) from None


def field_of(measure: Measure, name: str) -> Field:
    dataset = dataset_of(measure)
    try:
        return dataset.fields[name]
    except KeyError:
        raise MeasureError(
            _("Dataset “%(dataset)s” has no field “%(field)s”; it has: %(known)s.")
            % {"dataset": dataset.key, "field": name, "known": ", ".join(sorted(dataset.fields))}
        ) from None


def unit_of(definition: dict[str, Any], definitions: Any) -> str:
    if "ratio" in definition:
        return "ratio"
    measure = Measure(definition=definition)
    if definition["aggregate"] in OF_A_NUMBER and field_of(measure, definition["field"]).unit == "amount":
        return "amount"
    return "count"


def window_of(measure: Measure, day: date) -> Period | None:
    """The days whose facts count on `day`, that day excluded; None for a stock, which is read as it stands on the day.

    Raises MeasureError for a window that does not exist or does not fit the dataset.
    """
    try:
        period = (
            None
            if windows.is_stock(measure.definition["window"])
            else windows.period(measure.definition["window"], day)
        )
    except ValueError:
        period, fits = None, False
    else:
        fits = (period is not None) == (dataset_of(measure).dated is not None)
    if not fits:
        raise MeasureError(
            _("Measure “%(key)s” has a window that does not fit dataset “%(dataset)s”: %(window)s.")
            % {"key": measure.key, "dataset": measure.definition["dataset"], "window": measure.definition.get("window")}
        )
    return period


def facts(measure: Measure, program: Program, day: date) -> QuerySet[Any]:
    """The rows that count for `measure` on `day`, of every partner. What the night groups is what a partner is shown.

    Amounts in another currency than the program's do not count.
    """
    dataset = dataset_of(measure)
    rows = dataset.rows(day)
    if unit_of(measure.definition, {}) == "amount" and "currency" in dataset.fields:
        rows = rows.filter(**{dataset.fields["currency"].path: program.currency})
    for condition in measure.definition.get("filters", []):
        rows = rows.filter(_condition(measure, condition))
    period = window_of(measure, day)
    if period is not None:
        rows = rows.filter(**{f"{dataset.dated}__lt": period.ends_on})
        if period.starts_on is not None:
            rows = rows.filter(**{f"{dataset.dated}__gte": period.starts_on})
    return rows


def grouped(measure: Measure, program: Program, day: date) -> QuerySet[Any]:
    """One row per partner with facts: (its id, the figure), as one statement."""
    figure: Any
    if measure.definition["aggregate"] == "count":
        figure = Count("pk")
    elif measure.definition["aggregate"] == "distinct":
        figure = Count(field_of(measure, measure.definition.get("field", "")).path, distinct=True)
    elif measure.definition["aggregate"] in OF_A_NUMBER:
        figure = OF_A_NUMBER[measure.definition["aggregate"]](
            field_of(measure, measure.definition.get("field", "")).path
        )
    else:
        raise MeasureError(_("Measure “%(key)s” is a ratio: its two sides are measured.") % {"key": measure.key})
    rows = facts(measure, program, day).order_by()
    by_partner: QuerySet[Any] = rows.values(measured_partner=F(dataset_of(measure).partner)).annotate(
        measured_figure=figure
    )
    return by_partner


def measure_everyone(measure: Measure, *, program: Program, day: date, run_id: int) -> int:
    """Write the figure of every enrollment in force on `day` to the run's work table; returns how many are not zero.

    The database moves the rows; none comes here. Repeating replaces.
    """
    quote = connection.ops.quote_name
    sql, params = grouped(measure, program, day).query.sql_with_params()
    measured, enrollment = quote(Measured._meta.db_table), quote(Enrollment._meta.db_table)
    on = connection.ops.adapt_datefield_value(day)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {measured} WHERE run_id = %s AND measure_id = %s",  # noqa: S608  # our own table names
            [run_id, measure.pk],
        )
        cursor.execute(
            f"INSERT INTO {measured} (run_id, enrollment_id, measure_id, member, value, over) "  # noqa: S608
            f"SELECT %s, enrolled.id, %s, '', facts.measured_figure, 1 FROM ({sql}) AS facts "
            f"JOIN {enrollment} AS enrolled ON enrolled.partner_id = facts.measured_partner "
            "WHERE enrolled.program_id = %s AND enrolled.starts_on <= %s "
            "AND (enrolled.ends_on IS NULL OR enrolled.ends_on > %s) AND facts.measured_figure <> 0",
            [run_id, measure.pk, *params, program.pk, on, on],
        )
        return int(cursor.rowcount)


def check_definition(definition: dict[str, Any], definitions: Any, *, currency: str, exchange: Any) -> None:
    """Raises MeasureError where the measure names what does not exist. Reads no facts."""
    if "aggregate" not in definition:
        return
    measure = Measure(definition=definition)
    window_of(measure, date(2000, 1, 1))
    if definition["aggregate"] in (*OF_A_NUMBER, "distinct"):
        field = field_of(measure, definition.get("field", ""))
        if definition["aggregate"] in OF_A_NUMBER and field.unit not in ("amount", "number"):
            raise MeasureError(
                _("Field “%(field)s” cannot be added up or compared: it is not a number.")
                % {"field": definition["field"]}
            )
    for condition in definition.get("filters", []):
        _condition(measure, condition)


def _condition(measure: Measure, condition: dict[str, Any]) -> Q:
    """A comparison of a field, or `all` / `any` of such, to any depth."""
    for group, joined in (("all", Q.AND), ("any", Q.OR)):
        if group in condition:
            return Q(*(_condition(measure, one) for one in condition[group]), _connector=joined)
    operator = condition.get("is", "equal")
    field = field_of(measure, str(condition.get("field", "")))
    lookup = LOOKUPS.get(operator) or NEGATED.get(operator)
    if lookup is None:
        raise MeasureError(
            _("A filter cannot compare with “%(is)s”; it can with: %(known)s.")
            % {"is": operator, "known": ", ".join([*LOOKUPS, *NEGATED])}
        )
    value = condition.get("value")
    given = value if isinstance(value, list) else [value]
    typed = [_typed(field, one, condition) for one in given]
    matches = Q(**{f"{field.path}__{lookup}": typed if lookup == "in" else typed[0]})
    return ~matches if operator in NEGATED else matches


def _typed(field: Field, value: Any, condition: dict[str, Any]) -> Any:
    typed: Any = None
    if field.unit == "text":
        typed = value if isinstance(value, str) else None
    elif field.unit == "yes_no":
        typed = value if isinstance(value, bool) else None
    elif field.unit == "day":
        typed = parse_date(value) if isinstance(value, str) else None
    elif not isinstance(value, bool) and isinstance(value, int | str):
        try:
            typed = Decimal(value)
        except InvalidOperation:
            typed = None
    if typed is None or (field.choices is not None and typed not in dict(field.choices)):
        raise MeasureError(
            _("“%(value)s” is no value that field “%(field)s” can have.")
            % {"value": value, "field": condition.get("field")}
        )
    return typed
