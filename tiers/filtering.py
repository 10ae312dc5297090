"""Filters of measures as conditions of the database: what each keeps, and exactly what it leaves out.

A fact whose field is empty matches `empty`, `not` and `not_in` only. SQL's third value, “unknown”, is never negated: where a
filter is turned round, its leaves are, each with its empty facts, so that every fact is on one side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from django.db.models import Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Substr
from django.utils.translation import gettext as _

from common.days import Period
from common.money import SCALE, from_units
from tiers import windows
from tiers.datasets import Dataset, Field, field_of
from tiers.errors import MeasureError

Document = Mapping[str, Any]
Rates = Mapping[str, Fraction]  # what one of each currency counts as in the program's
GROUPS = ("all", "any", "none")
TURNED = {"not": "equal", "not_in": "in", "empty": "not_empty"}
RANGES = {"at_least": "gte", "more_than": "gt", "at_most": "lte", "less_than": "lt"}
OPERATORS = ("equal", "not", "in", "not_in", *RANGES, "empty", "not_empty", "within")
NUMBERS = ("amount", "decimal", "number")
SCALES: dict[str, int] = {"amount": SCALE, "decimal": SCALE}
# A bound between two whole numbers, as the whole number that bounds the same facts.
ROUNDED = {"gte": ceil, "lt": ceil, "gt": floor, "lte": floor}
MEMBER_LENGTH = 200  # of tiers.models.Measured.member
NOTHING = Q(pk__in=[])


def refused(where: str, message: str) -> MeasureError:
    return MeasureError(f"{where}: {message}")


@dataclass(slots=True)
class Reader:
    """Reads the filters of one measure on one day. Every refusal is a MeasureError that begins with the filter's place."""

    dataset: Dataset
    day: date
    rates: Rates
    expressions: dict[str, Any] = field(default_factory=dict)
    program_id: int | None = None

    def rows(self, stands_on: date) -> QuerySet[Any]:
        """The dataset's facts, with the names that conditions use. Call it after they are read."""
        rows: QuerySet[Any] = self.dataset.rows(stands_on).alias(**self.expressions).order_by()
        if self.dataset.program and self.program_id is not None:
            rows = rows.filter(**{self.dataset.program: self.program_id})
        return rows

    def name(self, key: str, where: str = "") -> str:
        """The name by which conditions and columns use a field."""
        found = self.field(key, where)
        if isinstance(found.path, str):
            return found.path
        known = {path: name for name, path in self.expressions.items()}
        name = known.get(found.path, f"fact_field{len(known)}")
        self.expressions[name] = found.path
        return name

    def field(self, key: str, where: str = "") -> Field:
        try:
            return field_of(self.dataset, key)
        except MeasureError as error:
            raise refused(where, str(error)) from None

    def member(self, key: str) -> Any:
        """The text that names a fact's member of a measure split by the field."""
        name, unit = self.name(key, "by"), self.field(key).unit
        if unit == "yes_no":
            return Case(When(Q(**{name: True}), then=Value("true")), default=Value("false"), output_field=TextField())
        return Substr(F(name) if unit == "text" else Cast(F(name), TextField()), 1, MEMBER_LENGTH)

    def condition(self, document: Document, where: str, *, turned: bool = False) -> Q:
        """What the filter keeps; with `turned`, all that it leaves out."""
        for group in GROUPS:
            if group in document:
                return self._group(group, document[group], f"{where}.{group}", turned=turned)
        operator = document.get("is", "equal")
        if operator not in OPERATORS:
            raise refused(
                where,
                _("a filter cannot compare with “%(is)s”; it can with: %(known)s.")
                % {"is": operator, "known": ", ".join(OPERATORS)},
            )
        if operator in TURNED:
            operator, turned = TURNED[operator], not turned
        key = str(document.get("field", ""))
        keeps = self._keeps(key, operator, document, where)
        if not turned:
            return keeps
        return self.empty(key) if operator == "not_empty" else self._unknown(key) | ~keeps

    def empty(self, key: str) -> Q:
        name = self.name(key)
        nothing = Q(**{f"{name}__isnull": True})
        return nothing | Q(**{name: ""}) if self.field(key).unit == "text" else nothing

    def _unknown(self, key: str) -> Q:
        """Where a comparison is neither true nor false: of an empty field, of an amount without a currency."""
        if self.field(key).unit == "amount" and "currency" in self.dataset.fields:
            return self.empty(key) | Q(**{f"{self.name('currency')}__isnull": True})
        return self.empty(key)

    def within(self, name: str, period: Period, *, turned: bool = False) -> Q:
        """The facts of a period by the day `name`, which may be empty."""
        bounds = {f"{name}__lt": period.ends_on}
        if period.starts_on is not None:
            bounds[f"{name}__gte"] = period.starts_on
        return Q(**{f"{name}__isnull": True}) | ~Q(**bounds) if turned else Q(**bounds)

    def _group(self, group: str, filters: list[Document], where: str, *, turned: bool) -> Q:
        if not filters:
            raise refused(where, _("a group holds one filter at least."))
        every = (group == "any") == turned
        leaves_turned = turned != (group == "none")
        found = [self.condition(one, f"{where}[{number}]", turned=leaves_turned) for number, one in enumerate(filters)]
        return Q(*found, _connector=Q.AND if every else Q.OR)

    def _keeps(self, key: str, operator: str, document: Document, where: str) -> Q:
        found, name = self.field(key, where), self.name(key, where)
        if operator == "not_empty":
            given = Q(**{f"{name}__isnull": False})
            return given & ~Q(**{name: ""}) if found.unit == "text" else given
        if operator == "within":
            return self._in_window(found, name, document, where)
        if operator in RANGES and found.unit in ("text", "yes_no"):
            raise refused(
                where,
                _("“%(field)s” cannot be compared with “%(is)s”: it is no number and no day.")
                % {"field": key, "is": operator},
            )
        value = document.get("value")
        if (operator == "in") != isinstance(value, list) or value == []:
            raise refused(where, _("“in” and “not_in” compare with a list, others with one value."))
        values = [typed(found, key, one, where) for one in (value if isinstance(value, list) else [value])]
        if found.unit in NUMBERS:
            return self._number(found, name, operator, values)
        if operator in RANGES:
            return Q(**{f"{name}__{RANGES[operator]}": values[0]})
        return Q(**{f"{name}__in": values}) if operator == "in" else Q(**{name: values[0]})

    def _in_window(self, found: Field, name: str, document: Document, where: str) -> Q:
        window = document.get("window", {})
        try:
            period = None if windows.depends_on_enrollment(window) else windows.period(window, self.day)
        except ValueError:
            period = None
        if period is None or found.unit != "day":
            raise refused(where, _("“within” takes a day field and a window that is the same for every enrollment."))
        return self.within(name, period)

    def _number(self, found: Field, name: str, operator: str, values: list[Fraction]) -> Q:
        """Amounts are compared in the program's currency: each currency of the exchange table with its own bound."""
        scale = SCALES.get(found.unit, 1)
        if found.unit != "amount" or "currency" not in self.dataset.fields:
            return self._compared(name, operator, [value * scale for value in values], scale)
        currency = self.name("currency")
        alternatives = [
            Q(**{currency: code}) & self._compared(name, operator, [value * scale / rate for value in values], scale)
            for code, rate in self.rates.items()
        ]
        return Q(*alternatives, _connector=Q.OR)

    def _compared(self, name: str, operator: str, values: list[Fraction], scale: int) -> Q:
        if operator in RANGES:
            lookup = RANGES[operator]
            return Q(**{f"{name}__{lookup}": _stored(ROUNDED[lookup](values[0]), scale)})
        whole = [_stored(int(value), scale) for value in values if value.denominator == 1]
        return Q(**{f"{name}__in": whole}) if whole else NOTHING


def typed(found: Field, key: str, value: Any, where: str) -> Any:
    """The value as the field holds it; numbers as exact fractions. Raises MeasureError for one that it cannot have."""
    result: Any = None
    if found.unit == "yes_no":
        result = value if isinstance(value, bool) else None
    elif found.unit == "text":
        result = value if isinstance(value, str) and value else None
    elif found.unit == "day":
        result = _day(value)
    else:
        result = number(value)
    if result is None or (found.choices is not None and result not in dict(found.choices)):
        raise refused(
            where, _("“%(value)s” is no value that field “%(field)s” can have.") % {"value": value, "field": key}
        )
    return result


def number(value: Any) -> Fraction | None:
    """The exact number of a document; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return Fraction(Decimal(str(value)))
    except (ArithmeticError, ValueError):
        return None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _stored(value: int, scale: int) -> int | Decimal:
    return value if scale == 1 else from_units(value)
