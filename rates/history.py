"""A pair over time, to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.lines import Line, Point, line
from common.periods import program_today
from common.templatetags import show
from rates.models import Rate
from rates.rules import Found, shortened
from rates.selectors import RateBook

SPANS: dict[str, tuple[Any, int]] = {
    "quarter": (gettext_lazy("3 months"), 92), "year": (gettext_lazy("1 year"), 366),
    "five": (gettext_lazy("5 years"), 1827), "ten": (gettext_lazy("10 years"), 3653),
}  # fmt: skip
EVERY_DAY_FOR = 400  # longer spans show a rate a month


@dataclass(frozen=True, slots=True)
class Row:
    on: date
    value: str
    made_of: str


@dataclass(frozen=True, slots=True)
class Seen:
    chart: Line | None
    rows: list[Row]  # newest first
    is_monthly: bool
    newest: str
    lowest: str
    highest: str


def history(*, source: str, base: str, quote: str, span: str) -> Seen:
    """What one unit of `base` was in `quote`, to the newest published day: daily, or at the end of each month."""
    days = SPANS[span][1]
    published = Rate.objects.filter(source=source, on__lte=program_today()).order_by("-on")
    last = published.values_list("on", flat=True).first() or program_today()
    first = last - timedelta(days=days)
    book = RateBook(source)
    book.load([base, quote], first, last)
    monthly = days > EVERY_DAY_FOR
    found = {
        one.on: one for on in _days(first, last, monthly=monthly) if (one := book.find(base, quote, on)) is not None
    }
    rates = [found[on] for on in sorted(found)]
    values = [shortened(one.value) for one in rates]
    points = [
        Point(one.on, value, f"{show.day(one.on)}: {shown(value)}") for one, value in zip(rates, values, strict=True)
    ]
    title = _("One %(base)s in %(quote)s") % {"base": base, "quote": quote}
    return Seen(
        chart=line(title, points, scale=shown, day=show.month if monthly else show.day_short),
        rows=[Row(one.on, shown(shortened(one.value)), _made_of(one)) for one in reversed(rates)],
        is_monthly=monthly,
        newest=shown(values[-1]) if values else "",
        lowest=shown(min(values)) if values else "",
        highest=shown(max(values)) if values else "",
    )


def _days(first: date, last: date, *, monthly: bool) -> Iterator[date]:
    for number in range((last - first).days + 1):
        on = first + timedelta(days=number)
        if not monthly or on == last or (on + timedelta(days=1)).day == 1:
            yield on


def _made_of(found: Found) -> str:
    return " · ".join(f"{part.base}/{part.quote} {shown(part.value)}" for part in found.parts)


def shown(value: Decimal | Fraction) -> str:
    """A rate as the reader writes it, with all of its digits."""
    exact = shortened(value) if isinstance(value, Fraction) else value
    return format_decimal(exact.normalize(), "#,##0.##########", locale=show.locale(), decimal_quantization=False)
