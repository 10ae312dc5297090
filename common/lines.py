"""A line over days as SVG: geometry for a template. Pure.

Across, positions are percent of the width; the line itself is drawn in a box of 100 by 100 that stretches with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from common.charts import STEPS

HEIGHT = 240
TOP, BOTTOM = 14.0, 196.0  # of the plot, in pixels
LEFT, A_CHARACTER = 10.0, 1.3  # percent kept free for the scale
MOST_LABELS = 6


@dataclass(frozen=True, slots=True)
class Point:
    on: date
    value: Decimal
    says: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of the scale (`at` in pixels down) or of the days (`at` in percent across)."""

    at: str
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Line:
    title: str
    path: str  # in the stretched box
    dots: tuple[tuple[str, str, str], ...]  # percent across, pixels down, what it says
    scale: tuple[Mark, ...]
    days: tuple[Mark, ...]
    left: str
    width: str
    scale_at: str
    top: str = f"{TOP:.1f}"
    depth: str = f"{BOTTOM - TOP:.1f}"
    height: int = HEIGHT


def line(
    title: str, points: Sequence[Point], *, scale: Callable[[Decimal], str], day: Callable[[date], str]
) -> Line | None:
    """The values over their days, on a scale that fits them and need not begin at zero. None of nothing.

    `scale` writes a value beside its line, `day` a day under the plot.
    """
    if not points:
        return None
    low, high, step = _span([one.value for one in points])
    ticks = [low + step * number for number in range(int((high - low) / step) + 1)]
    labels = [scale(one) for one in ticks]
    left = max(LEFT, A_CHARACTER * max(map(len, labels)))
    first, last = points[0].on, points[-1].on
    days = max((last - first).days, 1)

    def across(on: date) -> float:
        return (on - first).days / days if last > first else 0.5

    def down(value: Decimal) -> float:
        return float((high - value) / (high - low))

    def pixels(value: Decimal) -> float:
        return TOP + down(value) * (BOTTOM - TOP)

    placed = [(across(one.on), one) for one in points]
    return Line(
        title=title,
        path="M" + " L".join(f"{100 * x:.2f} {100 * down(one.value):.2f}" for x, one in placed),
        dots=tuple((f"{left + x * (98 - left):.2f}%", f"{pixels(one.value):.1f}", one.says) for x, one in placed),
        scale=tuple(Mark(f"{pixels(value):.1f}", label) for value, label in zip(ticks, labels, strict=True)),
        days=tuple(
            Mark(f"{left + across(on) * (98 - left):.2f}%", day(on), anchor) for on, anchor in _labelled(points)
        ),
        left=f"{left:.2f}%",
        width=f"{98 - left:.2f}%",
        scale_at=f"{left - 1:.2f}%",
    )


def _span(values: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal]:
    """The lowest and highest line, and the distance between lines: 1, 2, 2.5 or 5 times a power of ten."""
    low, high = min(values), max(values)
    reach = high - low or abs(high) / 10 or Decimal(1)
    power = Decimal(1).scaleb((reach / 4).adjusted())
    step = next(one * power for one in STEPS if one * power >= reach / 4)
    below = (low / step).to_integral_value(ROUND_FLOOR) * step
    above = (high / step).to_integral_value(ROUND_CEILING) * step
    return below, above if above > below else below + step, step


def _labelled(points: Sequence[Point]) -> list[tuple[date, str]]:
    """Some of the days, evenly among them; the first and the last are written inwards."""
    number = min(MOST_LABELS, len(points))
    if number == 1:
        return [(points[0].on, "middle")]
    chosen = [points[round(at * (len(points) - 1) / (number - 1))].on for at in range(number)]
    anchors = ["start", *["middle"] * (number - 2), "end"]
    return list(zip(chosen, anchors, strict=True))
