"""Arithmetic of pay. Pure, exact, and odd: what a negative base takes back is what the same positive one gave.

Amounts are whole ten-thousandths of the currency's unit (common.money) or exact fractions of those.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Number = int | Fraction


def half_even(numerator: int, denominator: int) -> int:
    """The nearest whole number of a fraction with a positive denominator; half-way to the even one."""
    whole, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
        whole += 1
    return whole


def rounded(exact: Number, unit: int) -> int:
    """To the nearest multiple of `unit` (100 where the currency has cents), half to even."""
    return half_even(exact.numerator, exact.denominator * unit) * unit


def kind_of_line(*, is_first: bool, due: int, adds: bool = False) -> str:
    """The first line of what a rule pays for a fact is its commission (a bonus where the rule adds); a later one reverses
    it when nothing is due any more, else adjusts it."""
    if is_first:
        return "bonus" if adds else "accrual"
    return "reversal" if due == 0 else "adjustment"


@dataclass(frozen=True, slots=True)
class Bands:
    """Rates by how far a running total has come. `starts` are ascending and begin with 0; `rates` belong to each."""

    starts: tuple[Fraction, ...]
    rates: tuple[Fraction, ...]

    def rate_at(self, total: Number) -> Fraction:
        """The rate of the band that holds the total; a bound belongs to the band above it. The lowest below 0."""
        return self.rates[max(bisect_right(self.starts, total) - 1, 0)]

    def up_to(self, total: Number) -> Fraction:
        """What everything up to the total comes to, each part at its own band's rate. Below 0 the lowest rate counts."""
        if total <= 0:
            return total * self.rates[0]
        come = Fraction(0)
        for number, (start, rate) in enumerate(zip(self.starts, self.rates, strict=True)):
            if start >= total:
                break
            end = self.starts[number + 1] if number + 1 < len(self.starts) else total
            come += (min(end, total) - start) * rate
        return come

    def parts(self, before: Number, after: Number) -> list[tuple[Fraction, Number]]:
        """The rates at which the way from one total to another is paid, each with its part; parts are negative on the way down."""
        low, high = min(before, after), max(before, after)
        sign = 1 if after >= before else -1
        found: list[tuple[Fraction, Number]] = []
        for number, rate in enumerate(self.rates):
            start = self.starts[number] if number else min(low, 0)
            end = self.starts[number + 1] if number + 1 < len(self.starts) else max(high, start)
            part = min(high, end) - max(low, start)
            if part > 0:
                found.append((rate, sign * part))
        return found


@dataclass(frozen=True, slots=True)
class Limits:
    """At least and at most, of a size: a negative amount is held the same way on its side of zero. Nothing stays nothing."""

    least: Fraction | None = None
    most: Fraction | None = None

    def held(self, amount: Number) -> Number:
        size: Number = amount if amount >= 0 else -amount
        if size == 0:
            return 0
        if self.least is not None and size < self.least:
            size = self.least
        if self.most is not None and size > self.most:
            size = self.most
        return size if amount > 0 else -size


def shares(amount: int, parts: Sequence[int], unit: int) -> list[int]:
    """An amount in multiples of `unit` divided by parts: largest remainder first, the earlier one where they are equal.

    The shares add up to the amount (Hare's method of largest remainders).
    """
    sign, whole, total = (-1 if amount < 0 else 1), abs(amount) // unit, sum(parts)
    given = [whole * part // total for part in parts]
    order = sorted(range(len(parts)), key=lambda place: (-(whole * parts[place] % total), place))
    for place in order[: whole - sum(given)]:
        given[place] += 1
    return [sign * one * unit for one in given]


def taken_back(due: int, of: int, taken_before: int, taken: int, unit: int) -> int:
    """What a refund takes back of `due`, that a base `of` earned: its share of it, so that refunds that take back the whole base
    take back exactly the whole. `taken_before` and `taken` are the bases taken back before and with it, from 0 to `of`.
    """
    if of == 0:
        return 0
    sign = 1 if of > 0 else -1
    before = half_even(due * taken_before * sign, abs(of) * unit) * unit
    return before - half_even(due * taken * sign, abs(of) * unit) * unit
