"""The facts that measures may read. Apps above register theirs from their own `datasets.py`, at start-up.

A dataset is a queryset of dated facts, each belonging to one partner. A measure filters it, cuts it to a window and
groups it by partner; nothing is read row by row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from tiers.errors import MeasureError

# Of amounts (money, beside a field `currency`) and decimals the database holds ten-thousandths (common.money.AmountField).
Unit = Literal["text", "amount", "decimal", "number", "day", "yes_no"]


@dataclass(frozen=True, slots=True)
class Field:
    """A column that filters and aggregates may name. `path` is its ORM path in the dataset's queryset, or an expression
    (`KT("attributes__product")` for a text inside a JSON column).
    """

    path: Any
    label: Any  # lazy text
    unit: Unit
    choices: Any = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """`rows(day)` are the facts as they stand on `day`, annotated where a field needs it; `partner` is the ORM path to
    the partner's id; `dated` the path of the day by which windows cut, or None for a stock (the rows of the day).

    `program` is the path of the program's id where a fact belongs to one: measures of another do not see it. `days` names
    other day fields by which a measure may be dated instead; `extra` gives the field of a name that `fields`
    does not have ("attr:product"), or None.
    """

    key: str
    label: Any  # lazy text
    rows: Callable[[date], QuerySet[Any]]
    partner: str
    dated: str | None
    fields: dict[str, Field] = field(default_factory=dict)
    days: tuple[str, ...] = ()
    program: str | None = None
    extra: Callable[[str], Field | None] | None = None


_registered: dict[str, Dataset] = {}


def register(dataset: Dataset) -> None:
    """Offer a dataset to measures. A second one under the same key is a mistake in the code: ValueError."""
    if dataset.key in _registered:
        raise ValueError(f"dataset {dataset.key!r} is registered twice")
    _registered[dataset.key] = dataset


def get(key: str) -> Dataset:
    """Raises KeyError when nobody registered it."""
    return _registered[key]


def every() -> list[Dataset]:
    return sorted(_registered.values(), key=lambda dataset: dataset.key)


def field_of(dataset: Dataset, name: str) -> Field:
    """Raises MeasureError, naming the fields there are."""
    found = dataset.fields.get(name) or (dataset.extra(name) if dataset.extra else None)  # noqa: S610  # not a queryset's
    if found is None:
        raise MeasureError(
            _("Dataset “%(dataset)s” has no field “%(field)s”; it has: %(known)s.")
            % {"dataset": dataset.key, "field": name, "known": ", ".join(sorted(dataset.fields))}
        )
    return found
