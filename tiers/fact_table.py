"""The facts that one measure counted for one partner, and those that it left out and why, as tables that any dataset fills."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from common.periods import Period
from common.templatetags import show
from tiers import measures, windows, wording
from tiers.compiling import Part
from tiers.datasets import Dataset, Field, field_of
from tiers.filtering import Reader, number
from tiers.models import Enrollment, Evaluation, Measure

NUMBERS = ("amount", "decimal", "number")


@dataclass(frozen=True, slots=True)
class Cell:
    label: str
    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class FactTable:
    """`rows` are dictionaries of columns, newest first where the facts are dated; `cells` words one of them."""

    measure: Measure
    dataset: Dataset
    window: Period | None
    rows: QuerySet[Any, dict[str, Any]]
    currency: str
    fields: dict[str, Field]  # by column
    member: str = ""
    is_dated: bool = False
    reasons: list[str] = field(default_factory=list)  # why a row is left out, by its `fact_left_out`

    @property
    def columns(self) -> list[tuple[str, bool]]:
        return [(cell.label, cell.is_number) for cell in self.cells({})]

    def cells(self, row: Mapping[str, Any]) -> list[Cell]:
        dated = [Cell(_("Day"), show.day_short(row.get("fact_day")), is_number=False)] if self.is_dated else []
        currency = row.get("fact_currency") or self.currency
        facts = [
            Cell(str(one.label), _text(one, row.get(column), currency), one.unit in NUMBERS)
            for column, one in self.fields.items()
        ]
        if not self.reasons:
            return dated + facts
        place = row.get("fact_left_out")
        return [*dated, *facts, Cell(_("Why not"), "" if place is None else self.reasons[place], is_number=False)]

    def figure(self, evaluation: Evaluation | None) -> str:
        """What the night made of these facts; nothing for a split measure of which no member is named."""
        stored: Any = evaluation.measured.get(self.measure.key, 0) if evaluation else 0
        if self.measure.definition.get("by"):
            if not self.member:
                return ""
            stored = stored.get(self.member, 0) if isinstance(stored, dict) else 0
        unit = measures.unit_of(self.measure.definition, {})
        return wording.figure_in(unit, Fraction(stored), self.currency)


def counted(measure: Measure, enrollment: Enrollment, day: date, member: str = "") -> FactTable:
    """The facts of `enrollment` that count for `measure` on `day`: the very rows that the night groups. Of a split measure
    those of one member, where it is named.
    """
    rows = measures.facts(measure, enrollment.program, day, enrollment.starts_on)
    dataset = measures.dataset_of(measure.definition)
    rows = rows.filter(**{dataset.partner: enrollment.partner_id})
    if member and (by := measure.definition.get("by")):
        reader = Reader(dataset, day, {})
        named = reader.member(by)
        rows = rows.alias(**reader.expressions).alias(fact_member=named).filter(fact_member=member)
    return _table(measure, enrollment, day, rows, member=member)


def left_out(measure: Measure, enrollment: Enrollment, day: date) -> FactTable:
    """The facts of the dataset that are the partner's and do not count, each with the first reason why."""
    rows, parts = measures.left_out(measure, enrollment, day)
    window = measures.window_of(measure, day, enrollment.starts_on)
    words = _Words(measures.dataset_of(measure.definition), enrollment.program.currency, day)
    reasons = [words.reason(part, window) for part in parts] or [""]
    return _table(measure, enrollment, day, rows, reasons=reasons)


def _table(
    measure: Measure,
    enrollment: Enrollment,
    day: date,
    rows: QuerySet[Any],
    *,
    member: str = "",
    reasons: list[str] | None = None,
) -> FactTable:
    dataset, definition = measures.dataset_of(measure.definition), measure.definition
    named = {
        **dataset.fields,
        **{key: field_of(dataset, key) for key in _named(definition) if key not in dataset.fields},
    }
    shown = {f"fact_{place}": one for place, (key, one) in enumerate(named.items()) if key != "currency"}
    columns = {column: _expression(one) for column, one in shown.items()}
    if "currency" in named:
        columns["fact_currency"] = _expression(named["currency"])
    dated = _expression(field_of(dataset, definition["dated_by"])) if "dated_by" in definition else None
    dated = dated or (F(dataset.dated) if dataset.dated else None)
    if dated is not None:
        columns["fact_day"] = dated
    kept = ("fact_left_out",) if reasons else ()
    order = ("-fact_day", "-pk") if dated is not None else ("-pk",)
    return FactTable(
        measure=measure,
        dataset=dataset,
        window=measures.window_of(measure, day, enrollment.starts_on),
        rows=rows.values(*kept, **columns).order_by(*order),
        currency=enrollment.program.currency,
        fields=shown,
        member=member,
        is_dated=dated is not None,
        reasons=reasons or [],
    )


def _expression(one: Field) -> Any:
    return F(one.path) if isinstance(one.path, str) else one.path


def _named(document: Any) -> Iterator[str]:
    """The fields that a definition names."""
    if isinstance(document, list):
        for one in document:
            yield from _named(one)
    elif isinstance(document, dict):
        for key, value in document.items():
            if key in ("field", "by", "dated_by") and isinstance(value, str):
                yield value
            elif key != "window":
                yield from _named(value)


# --- Why not --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Words:
    """What a fact must be to count, in the reader's language."""

    dataset: Dataset
    currency: str
    day: date

    def reason(self, part: Part, window: Period | None) -> str:
        if part.kind == "window":
            return _("Outside the days that count: %(days)s") % {"days": wording.window(window)}
        if part.kind == "currency":
            return _("Its currency is not in the exchange table")
        if part.kind == "filter":
            return _("Counts only with %(filter)s") % {"filter": self.filter(part.document)}
        return _("Without %(field)s") % {"field": field_of(self.dataset, part.document).label}

    def filter(self, document: Mapping[str, Any]) -> str:
        for group, joined in (("all", _("and")), ("any", _("or"))):
            if group in document:
                return f" {joined} ".join(self._inside(one) for one in document[group])
        if "none" in document:
            joined = f" {_('or')} ".join(self._inside(one) for one in document["none"])
            return _("not (%(filters)s)") % {"filters": joined}
        found = field_of(self.dataset, document["field"])
        return f"{found.label}: {self._says(found, document)}"

    def _inside(self, document: Mapping[str, Any]) -> str:
        says = self.filter(document)
        return f"({says})" if "all" in document or "any" in document else says

    def _says(self, found: Field, document: Mapping[str, Any]) -> str:
        operator, value = document.get("is", "equal"), document.get("value")
        values = [self._value(found, one) for one in (value if isinstance(value, list) else [value])]
        said = f" {_('or')} ".join(values)
        days = windows.period(document["window"], self.day) if operator == "within" else None
        return {
            "equal": said,
            "in": said,
            "not": _("not %(value)s") % {"value": said},
            "not_in": _("not %(value)s") % {"value": said},
            "at_least": _("at least %(value)s") % {"value": said},
            "more_than": _("more than %(value)s") % {"value": said},
            "at_most": _("at most %(value)s") % {"value": said},
            "less_than": _("less than %(value)s") % {"value": said},
            "empty": _("empty"),
            "not_empty": _("not empty"),
            "within": wording.window(days),
        }[operator]

    def _value(self, found: Field, value: Any) -> str:
        exact = number(value)
        if found.unit in NUMBERS and exact is not None:
            plain = Decimal(exact.numerator) / Decimal(exact.denominator)
            return show.money(plain, self.currency) if found.unit == "amount" else show.quantity(plain)
        if found.unit == "day" and isinstance(value, str):
            return show.day_short(date.fromisoformat(value))
        return _text(found, value, self.currency)


def _text(field: Field, value: Any, currency: str) -> str:
    if value is None or value == "":
        return ""
    if field.choices is not None:
        return str(dict(field.choices).get(value, value))
    if field.unit == "amount":
        return show.money(Decimal(value), currency)
    if field.unit == "day":
        return show.day_short(value)
    if field.unit == "yes_no":
        return _("yes") if value else _("no")
    return show.quantity(value) if field.unit in ("number", "decimal") else str(value)
