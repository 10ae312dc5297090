"""A measure of facts as SQL: its facts, and the one grouped statement that gives everyone's figure.

Facts come from the ORM as rows with the columns `fact_...`; grouping is written here, because sums must stay exact: amounts
are whole ten-thousandths, weights and exchange rates whole multiples of a common denominator that goes into `over`. Where
multiples are in play, PostgreSQL computes with numeric and SQLite with functions of this module, so that nothing is rounded or
runs over on the way.
"""
# ruff: noqa: S608  # statements are made of this module's own words; values are parameters

import sqlite3
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import NullIf

from common.days import Period
from tiers import windows
from tiers.datasets import Dataset
from tiers.filtering import SCALES, Rates, Reader, typed
from tiers.units import OF_NUMBERS


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a fact must be to count. `kind`: window, filter, currency, field (it has what is aggregated) or by (it has
    what splits). `document` is the filter, or the field's key.
    """

    kind: str
    document: Any
    holds: Q
    fails: Q


@dataclass(slots=True)
class Plan:
    """One measure on one day, read from its definition."""

    definition: dict[str, Any]
    dataset: Dataset
    reader: Reader
    dated: str | None  # the name of the day by which the window cuts
    stands_on: date
    parts: list[Part] = field(default_factory=list)

    @property
    def counts_amounts(self) -> bool:
        """Whether the figure depends on amounts, which count by their currency."""
        keys = [self.definition.get("field", "")] if self.definition["aggregate"] in OF_NUMBERS else []
        having = self.definition.get("having", {})
        keys += [having["field"]] if having.get("aggregate") == "sum" else []
        return "currency" in self.dataset.fields and any(self.reader.field(key).unit == "amount" for key in keys)

    def facts(self) -> QuerySet[Any]:
        """The rows that count, of every partner."""
        return self.reader.rows(self.stands_on).filter(*(part.holds for part in self.parts))


def plan(
    definition: dict[str, Any], dataset: Dataset, day: date, rates: Rates, period: Period | None, program_id: int
) -> Plan:
    """`period` is what the window comes to, where one bounds all facts. Raises MeasureError as filters do."""
    reader = Reader(dataset, day, rates, program_id=program_id)
    window = definition.get("window") or {}
    stands_on = windows.stock_day(window, day) if windows.is_stock(window) else day
    dated = reader.name(definition["dated_by"], "dated_by") if "dated_by" in definition else dataset.dated
    made = Plan(definition, dataset, reader, dated, stands_on)
    if period is not None and dated is not None:
        turned = reader.within(dated, period, turned=True)
        made.parts.append(Part("window", window, reader.within(dated, period), turned))
    for number, document in enumerate(definition.get("filters", [])):
        where = f"filters[{number}]"
        fails = reader.condition(document, where, turned=True)
        made.parts.append(Part("filter", document, reader.condition(document, where), fails))
    if made.counts_amounts:
        currency = reader.name("currency")
        known = Q(**{f"{currency}__in": list(rates)})
        made.parts.append(Part("currency", "currency", known, Q(**{f"{currency}__isnull": True}) | ~known))
    for kind, key in (("field", definition.get("field")), ("by", definition.get("by"))):
        if key:
            empty = reader.empty(key)
            made.parts.append(Part(kind, key, reader.condition({"field": key, "is": "not_empty"}, kind), empty))
    return made


# --- Columns of facts -----------------------------------------------------------------------------


def column_of(reader: Reader, key: str) -> Any:
    """A field as a column; an empty text is no value, like one that is not there."""
    name = F(reader.name(key))
    return NullIf(name, Value(""), output_field=TextField()) if reader.field(key).unit == "text" else name


def flat(made: Plan, *, with_day: bool = False) -> tuple[str, tuple[Any, ...]]:
    """The facts that count as rows of the columns that grouping reads. Raises EmptyResultSet where none can be."""
    definition, reader = made.definition, made.reader
    columns: dict[str, Any] = {"fact_partner": F(made.dataset.partner)}
    if with_day and made.dated is not None:
        columns["fact_day"] = F(made.dated)
    if definition.get("by"):
        columns["fact_member"] = reader.member(definition["by"])
    asked = {
        "fact_value": definition.get("field"),
        "fact_weight": definition.get("weights", {}).get("field"),
        "fact_cap": definition.get("caps", {}).get("field"),
        "fact_having": definition.get("having", {}).get("field"),
        "fact_currency": "currency" if made.counts_amounts else None,
    }
    columns |= {column: column_of(reader, key) for column, key in asked.items() if key}
    sql, params = made.facts().values(**columns).query.sql_with_params()
    return sql, tuple(params)


# --- Exact arithmetic, in the words of each database ----------------------------------------------


class Postgres:
    """Sums of bigint are numeric there; products are made numeric before."""

    def product(self, value: str, times: str) -> str:
        return f"{value}::numeric * {times}"

    def total(self, value: str, times: str | None = None) -> str:
        return f"SUM({self.product(value, times) if times else value})"

    def least(self, value: str, most: int) -> str:
        return f"LEAST({value}, {most})"

    def reaches(self, value: str, least: int) -> str:
        return f"{value} >= {least}"

    def lowest_terms(self, value: str, over: str) -> tuple[str, str]:
        shared = f"gcd({value}::numeric, {over}::numeric)"
        return f"div({value}::numeric, {shared})", f"div({over}::numeric, {shared})"


class Sqlite:
    """Its integers have 64 bits, and a product that has more turns into floating point without a word. Python's do not."""

    def product(self, value: str, times: str) -> str:
        return f"exact_product({value}, {times})"

    def total(self, value: str, times: str | None = None) -> str:
        return f"exact_sum({value}, {times or 1})"

    def least(self, value: str, most: int) -> str:
        return f"exact_least({value}, '{most}')"

    def reaches(self, value: str, least: int) -> str:
        return f"exact_least({value}, '{least}') = exact_least('{least}', '{least}')"

    def lowest_terms(self, value: str, over: str) -> tuple[str, str]:
        return f"exact_part({value}, {over}, 0)", f"exact_part({value}, {over}, 1)"


def exact() -> "Postgres | Sqlite":
    """How the database in use computes exactly; SQLite is taught its functions on this connection."""
    if connection.vendor == "postgresql":
        return Postgres()
    connection.ensure_connection()
    base: sqlite3.Connection = connection.connection
    base.create_function("exact_product", 2, lambda value, times: int(value) * int(times), deterministic=True)
    base.create_function("exact_least", 2, lambda one, other: _held(min(int(one), int(other))), deterministic=True)
    base.create_function("exact_part", 3, _part, deterministic=True)
    base.create_aggregate("exact_sum", 2, _Sum)  # type: ignore[arg-type]
    return Sqlite()


class _Sum:
    def __init__(self) -> None:
        self.total = 0

    def step(self, value: Any, times: Any) -> None:
        if value is not None:
            self.total += int(value) * int(times)

    def finalize(self) -> int | str:
        return _held(self.total)


def _held(value: int) -> int | str:
    """As text where 64 bits do not hold it."""
    return value if -(2**63) <= value < 2**63 else str(value)


def _part(value: Any, over: Any, which: int) -> int:
    """Numerator or denominator in lowest terms; one that 64 bits do not hold is an error of the statement."""
    shared = gcd(int(value), int(over))
    return int((value, over)[which]) // shared


# --- Grouping -------------------------------------------------------------------------------------


# Grouping by the different values first takes PostgreSQL twice as long (5 million sales: 14 s for 7 s).
COUNTED = {"count": "COUNT(*)", "distinct": "COUNT(DISTINCT fact_value)"}


@dataclass(frozen=True, slots=True)
class Multiples:
    """What each fact is multiplied by: a whole number by SQL, over a common denominator."""

    times: str | None
    over: int
    params: tuple[Any, ...] = ()


def multiples(made: Plan) -> Multiples:
    """From the exchange table and the weights. Without either, nothing is multiplied."""
    cases: list[tuple[str, dict[Any, Fraction], Fraction | None]] = []
    rates = made.reader.rates
    if made.counts_amounts and any(rate != 1 for rate in rates.values()):
        cases.append(("fact_currency", dict(rates), None))
    weights = made.definition.get("weights")
    if weights:
        found = made.reader.field(weights["field"])
        values = {
            key_value(found, weights["field"], key, "weights.values"): Fraction(str(weight))
            for key, weight in weights["values"].items()
        }
        cases.append(("fact_weight", values, Fraction(str(weights.get("others", 1)))))
    texts, over, params = [], 1, []
    for column, values, others in cases:
        shared = lcm(*(value.denominator for value in (*values.values(), *([others] if others is not None else []))))
        whens = " ".join(f"WHEN %s THEN {int(value * shared)}" for value in values.values())
        texts.append(f"CASE {column} {whens} ELSE {int((others or 0) * shared)} END")
        params += list(values)
        over *= shared
    return Multiples(" * ".join(texts) or None, over, tuple(params))


def key_value(found: Any, key: str, text: str, where: str) -> Any:
    """A key of `weights` or `caps` as the field holds it."""
    value = typed(found, key, text, where)
    return int(value) if isinstance(value, Fraction) else value


def grouped(made: Plan, facts: str, params: tuple[Any, ...], *, months: str = "1") -> tuple[str, tuple[Any, ...]]:
    """Figures by `fact_key` (and `fact_member`): rows of the keys, `value` and `over`.

    `facts` gives the columns of `flat` and `fact_key`; `months`, for monthly averages, a number or a column of it.
    """
    keys = "fact_key, fact_member" if made.definition.get("by") else "fact_key"
    return _Grouping(made, keys, months).statement(facts, params)


class _Grouping:
    def __init__(self, made: Plan, keys: str, months: str) -> None:
        self.definition, self.reader, self.keys, self.months = made.definition, made.reader, keys, months
        self.multiples = multiples(made)
        # Plain sums of plain amounts need no help: the database adds integers, and fails loudly where they run over.
        self.exact = exact() if self.multiples.times or "caps" in self.definition else None

    def statement(self, facts: str, params: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        aggregate = self.definition["aggregate"]
        if "caps" in self.definition:
            sql, params = self._capped(facts, params)
        elif "having" in self.definition:
            sql, params = self._distinct(facts, params, self.keys)
            sql = f"SELECT {self.keys}, COUNT(*) AS value, 1 AS over_ FROM ({sql}) AS found GROUP BY {self.keys}"
        elif aggregate == "median":
            sql, params = self._median(facts, params)
        elif aggregate == "distinct":
            # Grouped twice, which databases do by hashing; COUNT(DISTINCT) sorts the facts of every key.
            sql, params = self._distinct(facts, params, self.keys)
            sql = (
                f"SELECT {self.keys}, COUNT(fact_value) AS value, 1 AS over_ FROM ({sql}) AS found GROUP BY {self.keys}"
            )
        else:
            sql, params = self._plain(facts, params)
        return self._in_lowest_terms(sql), params

    def _plain(self, facts: str, params: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        aggregate, over, by = self.definition["aggregate"], str(self.multiples.over), self.keys
        if aggregate in COUNTED:
            value = COUNTED[aggregate]
        elif aggregate in ("min", "max"):
            value = f"{aggregate.upper()}({self._value()})"
        else:
            value = self._total("fact_value")
            if aggregate == "average":
                over = f"COUNT(*) * {over}"
            elif aggregate == "monthly_average":
                over = f"{self.months} * {over}"
                by = by if self.months.isdigit() else f"{by}, {self.months}"
        held = () if aggregate in COUNTED else self.multiples.params
        return (
            f"SELECT {self.keys}, {value} AS value, {over} AS over_ FROM ({facts}) AS facts GROUP BY {by}",
            (*held, *params),
        )

    def _median(self, facts: str, params: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """Of the facts in order the one in the middle, or the mean of the two."""
        placed = (
            f"SELECT {self.keys}, fact_made, ROW_NUMBER() OVER (PARTITION BY {self.keys} ORDER BY fact_made) AS fact_place, "
            f"COUNT(*) OVER (PARTITION BY {self.keys}) AS fact_many "
            f"FROM (SELECT {self.keys}, {self._value()} AS fact_made FROM ({facts}) AS facts) AS made"
        )
        return (
            f"SELECT {self.keys}, SUM(fact_made) AS value, COUNT(*) * {self.multiples.over} AS over_ FROM ({placed}) AS placed "
            f"WHERE fact_place IN ((fact_many + 1) / 2, (fact_many + 2) / 2) GROUP BY {self.keys}",
            (*self.multiples.params, *params),
        )

    def _distinct(self, facts: str, params: tuple[Any, ...], keys: str) -> tuple[str, tuple[Any, ...]]:
        """One row for each value of the field, of those that have enough facts."""
        having, held = "", ()
        if "having" in self.definition:
            asked = self.definition["having"]
            least = Fraction(str(asked["at_least"]))
            if asked["aggregate"] == "sum":
                least *= SCALES.get(self.reader.field(asked["field"]).unit, 1) * self.multiples.over
                total = self._total("fact_having")
                held = self.multiples.params
                having = (
                    self.exact.reaches(total, -int(-least // 1)) if self.exact else f"{total} >= {-int(-least // 1)}"
                )
            else:
                counted = "*" if asked["aggregate"] == "count" else "DISTINCT fact_having"
                having = f"COUNT({counted}) >= {-int(-least // 1)}"
            having = f" HAVING {having}"
        by = f"{keys}, fact_value"
        return f"SELECT {by} FROM ({facts}) AS facts GROUP BY {by}{having}", (*params, *held)

    def _capped(self, facts: str, params: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """Each value of the cap's field brings in what it has, or its cap."""
        aggregate, keys = self.definition["aggregate"], f"{self.keys}, fact_cap"
        if "having" in self.definition:
            source, params = self._distinct(facts, params, keys)
            value = "COUNT(*)"
        elif aggregate in COUNTED:
            value, source = COUNTED[aggregate], facts
        else:
            value, source, params = self._total("fact_value"), facts, (*self.multiples.params, *params)
        inner = f"SELECT {keys}, {value} AS fact_made FROM ({source}) AS facts GROUP BY {keys}"
        cases, held = self._caps()
        assert self.exact is not None  # noqa: S101  # caps always have it
        over = self.multiples.over if aggregate == "sum" else 1
        return (
            f"SELECT {self.keys}, {self.exact.total(cases)} AS value, {over} AS over_ "
            f"FROM ({inner}) AS brought GROUP BY {self.keys}",
            (*held, *params),
        )

    def _caps(self) -> tuple[str, tuple[Any, ...]]:
        caps, key = self.definition["caps"], self.definition["caps"]["field"]
        found = self.reader.field(key)
        scale = 1
        if self.definition["aggregate"] == "sum":
            scale = SCALES.get(self.reader.field(self.definition["field"]).unit, 1) * self.multiples.over
        assert self.exact is not None  # noqa: S101  # caps always have it
        whens, held = [], []
        for text, most in caps.get("values", {}).items():
            whens.append(f"WHEN fact_cap = %s THEN {self.exact.least('fact_made', int(Fraction(str(most)) * scale))}")
            held.append(key_value(found, key, text, "caps.values"))
        others = caps.get("others")
        rest = "fact_made" if others is None else self.exact.least("fact_made", int(Fraction(str(others)) * scale))
        return (f"CASE {' '.join(whens)} ELSE {rest} END" if whens else rest), tuple(held)

    def _value(self) -> str:
        times = self.multiples.times
        return self.exact.product("fact_value", times) if self.exact and times else "fact_value"

    def _total(self, column: str) -> str:
        if self.exact is not None:
            return self.exact.total(column, self.multiples.times)
        return f"SUM({column})"

    def _in_lowest_terms(self, sql: str) -> str:
        if self.exact is None:
            return sql
        value, over = self.exact.lowest_terms("value", "over_")
        return f"SELECT {self.keys}, {value} AS value, {over} AS over_ FROM ({sql}) AS made"
