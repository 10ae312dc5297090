"""The terms of one row of the points table, read from its document: what each fact brings, and for how long. Pure.

Points are integers of ten-thousandths here, as the database keeps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from common.days import add_months

SCALE = 10_000
WITH_FACT = "with_fact"
Form = Literal["fact", "amount_of", "distinct", "tenure"]


@dataclass(frozen=True, slots=True)
class Terms:
    """`points` is what each brings, `multiplied` what it brings where the filters of a multiplier match, in order.

    `field` is the field of the `amount_of` and `distinct` forms, `per` the size of a slice in ten-thousandths.
    `months` or `days` after its grant a grant expires; `with_fact` while the fact stands; else never.
    """

    dataset: str
    filters: tuple[dict[str, Any], ...]
    form: Form
    field: str
    per: int
    points: int
    multiplied: tuple[tuple[tuple[dict[str, Any], ...], Decimal, int], ...]
    months: int
    days: int
    with_fact: bool
    occurrences: int | None
    most: int | None

    def expires_on(self, granted_on: date) -> date | None:
        """The first day on which a grant of `granted_on` no longer counts, where the grant's day alone says so."""
        if self.months:
            return add_months(granted_on, self.months)
        return granted_on + timedelta(days=self.days) if self.days else None

    def earliest_live(self, day: date) -> date | None:
        """Grants before this day are over on `day`; None where none is over by its age."""
        if self.days:
            return day - timedelta(days=self.days - 1)
        if not self.months:
            return None
        first = add_months(day, -self.months) - timedelta(days=3)
        while add_months(first, self.months) <= day:
            first += timedelta(days=1)
        return first


def units(value: Any) -> int:
    """A number of a program file in ten-thousandths. Raises ValueError for more than four decimals."""
    scaled = Decimal(str(value)) * SCALE
    if scaled != int(scaled):
        raise ValueError(f"{value} has more than four decimals")
    return int(scaled)


def terms(document: Mapping[str, Any]) -> Terms:
    """Raises ValueError where a multiplied value would need more than four decimals, which nothing rounds."""
    each = document.get("each", "fact")
    form: Form = "fact"
    field, per = "", 0
    if isinstance(each, dict):
        if "amount_of" in each:
            form, field, per = "amount_of", each["amount_of"], units(each["per"])
        elif "distinct" in each:
            form, field = "distinct", each["distinct"]
        else:
            form = "tenure"
    points = units(document["points"])
    multiplied = []
    for one in document.get("multipliers", ()):
        times = Decimal(str(one["times"]))
        if points * times != int(points * times):
            raise ValueError(f"{document['points']} × {one['times']} has more than four decimals")
        multiplied.append((tuple(one["when"]), times, int(points * times)))
    expires, at_most = document.get("expires", {}), document.get("at_most", {})
    span = expires if isinstance(expires, dict) else {}
    return Terms(
        dataset=document.get("dataset", ""), filters=tuple(document.get("filters", ())), form=form, field=field, per=per,
        points=points, multiplied=tuple(multiplied), months=span.get("months", 0), days=span.get("days", 0),
        with_fact=expires == WITH_FACT, occurrences=at_most.get("occurrences"),
        most=units(at_most["points"]) if "points" in at_most else None,
    )  # fmt: skip
