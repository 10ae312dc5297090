"""Column charts as SVG: geometry for the template components/columns.html and the tag that draws it. Pure.

Across, positions are percent of the width, so that text keeps its size on any screen; down, they are pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

HEIGHT = 200
TOP, BOTTOM = 18.0, 158.0  # of the plot, in pixels
LEFT, A_CHARACTER = 12.0, 2.2  # percent kept free for the scale: at least, and for each character of its longest label
STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Datum:
    """One column: what it is called under the axis, its value, and the sentence that says both."""

    label: str
    short_label: str  # for narrow screens
    value: Decimal
    says: str
    below: str = ""  # a second line under the label, as a year


@dataclass(frozen=True, slots=True)
class Column:
    datum: Datum
    x: str
    middle: str
    y: str
    width: str
    height: str
    is_negative: bool


@dataclass(frozen=True, slots=True)
class Gridline:
    y: str
    text_y: str
    label: str
    is_zero: bool


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Gridline, ...]
    left: str  # where the plot begins
    scale: str  # where the labels of the lines end
    height: int = HEIGHT


def columns(title: str, data: Sequence[Datum], scale: Callable[[Decimal], str]) -> Chart:
    """Columns from zero, up or down. `title` says what is shown; `scale` writes a value beside its line."""
    values = [one.value for one in data]
    step = tick(max(values, default=Decimal(0)), min(values, default=Decimal(0)))
    above = max(ceil(max(values, default=Decimal(0)) / step), 0)
    below = max(ceil(-min(values, default=Decimal(0)) / step), 0)
    if above + below == 0:
        above = 1
    pixels = Decimal(BOTTOM - TOP) / (step * (above + below))
    zero = Decimal(TOP) + step * above * pixels
    ticks = {t: scale(t) for t in (step * number for number in range(-below, above + 1))}
    left = max(LEFT, A_CHARACTER * max(map(len, ticks.values())))
    slot = (100 - left) / max(len(data), 1)
    return Chart(
        title=title,
        columns=tuple(_column(one, left + slot * at, slot, zero, pixels) for at, one in enumerate(data)),
        lines=tuple(
            Gridline(_px(zero - t * pixels), _px(zero - t * pixels + 4), label, t == 0) for t, label in ticks.items()
        ),
        left=f"{left:.1f}%",
        scale=f"{left - 1:.1f}%",
    )


def tick(highest: Decimal, lowest: Decimal) -> Decimal:
    """The distance of the lines: 1, 2, 2.5 or 5 times a power of ten, so that two to five lines cover the values."""
    span = max(highest, Decimal(0)) - min(lowest, Decimal(0))
    if span == 0:
        return Decimal(1)
    power = Decimal(1).scaleb((span / 4).adjusted())
    return next(step * power for step in STEPS if step * power >= span / 4)


def _column(datum: Datum, left: float, slot: float, zero: Decimal, pixels: Decimal) -> Column:
    reach = abs(datum.value) * pixels
    shown = max(reach, Decimal(2)) if datum.value else Decimal(0)  # a small amount is still seen
    return Column(
        datum=datum,
        x=f"{left + slot * 0.18:.3f}%",
        middle=f"{left + slot * 0.5:.3f}%",
        width=f"{slot * 0.64:.3f}%",
        y=_px(zero if datum.value < 0 else zero - shown),
        height=_px(shown),
        is_negative=datum.value < 0,
    )


def _px(value: Decimal) -> str:
    return f"{value:.1f}"
