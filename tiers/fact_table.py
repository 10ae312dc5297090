"""The facts that one measure counted for one partner, as a table that any dataset fills."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from common.periods import Period
from common.templatetags import show
from tiers import measures, wording
from tiers.datasets import Dataset, Field
from tiers.models import Enrollment, Evaluation, Measure


@dataclass(frozen=True, slots=True)
class Cell:
    label: str
    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class FactTable:
    """`rows` are dictionaries by field key, newest first where the dataset is dated; `cells` words one of them."""

    measure: Measure
    dataset: Dataset
    window: Period | None
    rows: QuerySet[Any, dict[str, Any]]
    currency: str

    @property
    def columns(self) -> list[tuple[str, bool]]:
        return [(cell.label, cell.is_number) for cell in self.cells({})]

    def cells(self, row: Mapping[str, Any]) -> list[Cell]:
        dated = [Cell(_("Day"), show.day_short(row.get("fact_day")), is_number=False)] if self.dataset.dated else []
        currency = row.get("fact_currency") or self.currency
        return dated + [
            Cell(str(field.label), _text(field, row.get(f"fact_{key}"), currency), field.unit in ("amount", "number"))
            for key, field in self.dataset.fields.items()
            if key != "currency"
        ]

    def figure(self, evaluation: Evaluation | None) -> str:
        """What the night made of these facts."""
        value = int(evaluation.measured.get(self.measure.key, 0)) if evaluation else 0
        return wording.figure_in(measures.unit_of(self.measure.definition, {}), value, self.currency)


def counted(measure: Measure, enrollment: Enrollment, day: date) -> FactTable:
    """The facts of `enrollment` that count for `measure` on `day`: the very rows that the night groups."""
    dataset = measures.dataset_of(measure)
    values: dict[str, Any] = {f"fact_{key}": F(field.path) for key, field in dataset.fields.items()}
    if dataset.dated:
        values["fact_day"] = F(dataset.dated)
    rows = measures.facts(measure, enrollment.program, day).filter(**{dataset.partner: enrollment.partner_id})
    order = [f"-{dataset.dated}", "-pk"] if dataset.dated else ["-pk"]
    return FactTable(
        measure=measure,
        dataset=dataset,
        window=measures.window_of(measure, day),
        rows=rows.order_by(*order).values(**values),
        currency=enrollment.program.currency,
    )


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
    return show.quantity(value) if field.unit == "number" else str(value)
