"""Exchange rates from files: tables with a mapping, and the files of the European Central Bank as they are."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, BinaryIO, ClassVar

from django.utils.translation import gettext_lazy

from imports import kinds
from imports.engine import Importer, Row
from imports.fields import BadValueError, Field, Reading, capitals, code, day, number, text
from imports.reading import Options, Table, open_table
from rates import ecb, rules, services
from rates.errors import SAYS
from rates.models import Rate, RateSource
from rates.selectors import CURRENCIES, known_sources
from rates.sources import ECB, MANUAL

KIND = "rates"


def rate(cell: str, reading: Reading) -> Decimal:
    value = number(cell, reading)
    if problem := rules.value_problem(value):
        raise BadValueError(str(SAYS[problem]))
    return value


class RateImporter(Importer):
    """A rate that is there with another value gets a new version; nothing is changed."""

    kind: ClassVar[str] = KIND
    label: ClassVar[Any] = gettext_lazy("Exchange rates")
    position: ClassVar[int] = 100
    model: ClassVar[type[Rate]] = Rate
    identity: ClassVar[tuple[str, ...]] = ("source", "base", "quote", "day")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("day", gettext_lazy("The day it was published."), day, required=True),
        Field("base", gettext_lazy("One unit of this currency (ISO 4217)…"), capitals(text(Rate, "base")), required=True),
        Field("quote", gettext_lazy("…in units of this one."), capitals(text(Rate, "quote")), required=True),
        Field("value", gettext_lazy("The rate: above zero, ten decimals at most."), rate, required=True),
        Field("source", gettext_lazy("Who published it; “manual” where it is not mapped."), code(RateSource, "code"), empty=MANUAL),
    )  # fmt: skip

    @classmethod
    def open(cls, file: BinaryIO, options: Options) -> AbstractContextManager[Table]:
        return ecb.open_file(file) if ecb.is_ecb_file(file) else open_table(file, options)

    def check(self, rows: list[Row]) -> None:
        for row in rows:
            row.values.setdefault("source", MANUAL)
        known = known_sources(row.values["source"] for row in rows)
        for row in rows:
            values = row.values
            for name, problem in rules.pair_problems(values["base"], values["quote"], CURRENCIES).items():
                self.refuse(row, name, str(SAYS[problem]))
            if values["source"] not in known:
                self.refuse(row, "source", str(SAYS["unknown_source"]))

    def save(self, rows: list[Row]) -> None:
        taken = services.publish_file(rates=list(_rates(rows)), actor=self.actor)
        self.report.added += taken.added
        self.report.changed += taken.changed
        self.report.unchanged += taken.unchanged


def _rates(rows: list[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        values = row.values
        yield {
            "source_id": values["source"], "base": values["base"], "quote": values["quote"], "on": values["day"],
            "value": values["value"],
        }  # fmt: skip


def plain_mapping(source: str) -> dict[str, Any]:
    """The mapping of a file whose columns are named as the fields are, as the ECB's are read too."""
    columns = {name: {"column": name} for name in ecb.HEADER}
    return {"fields": {**columns, "source": {"constant": source}}}


def source_of(file: BinaryIO, asked: str = "") -> str:
    """Whose rates a file holds where nobody says: the ECB's are known by their form, others are entered by hand."""
    return asked or (ECB if ecb.is_ecb_file(file) else MANUAL)


def register() -> None:
    kinds.register(RateImporter)
