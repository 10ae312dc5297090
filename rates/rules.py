"""What an exchange rate is, and which one holds for two currencies on a day. Pure, and exact: nothing is rounded."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, Self

MAX_AGE_DAYS = 7  # a weekend and a long run of holidays take the last rate before them
DIGITS, DECIMALS = 20, 10  # of a stored rate
SIGNIFICANT = 15  # digits that both databases keep
ONE = Fraction(1)

Pair = tuple[str, str]  # two currencies in the order of the alphabet, whichever way round they are quoted
Problem = Literal["not_positive", "too_large", "too_fine", "too_long", "unknown_currency", "same_currency"]


@dataclass(frozen=True, slots=True)
class Published:
    """One unit of `base` is `value` units of `quote` on the day `on`. `rate_id` is its row."""

    base: str
    quote: str
    value: Decimal
    on: date
    rate_id: int

    def as_json(self) -> dict[str, Any]:
        return {
            "base": self.base, "quote": self.quote, "value": plain(self.value), "on": self.on.isoformat(),
            "rate": self.rate_id,
        }  # fmt: skip

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        return cls(
            said["base"], said["quote"], Decimal(said["value"]), date.fromisoformat(said["on"]), int(said["rate"])
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The rate from one currency into another: an amount in the first, times `value`, is the amount in the second.

    `on` is the day the rate was published: of a cross the older day of its two, of a currency into itself the day asked.
    `parts` are the published rates it is made of, none of a currency into itself.
    """

    value: Fraction
    on: date
    source: str
    parts: tuple[Published, ...]

    def as_json(self) -> dict[str, Any]:
        """For the explanation of a ledger line. The same rate gives the same text on every database; nothing is rounded."""
        return {
            "source": self.source, "on": self.on.isoformat(), "value": str(self.value),
            "parts": [part.as_json() for part in self.parts],
        }  # fmt: skip

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        parts = tuple(Published.from_json(part) for part in said["parts"])
        return cls(Fraction(said["value"]), date.fromisoformat(said["on"]), said["source"], parts)


@dataclass(frozen=True, slots=True)
class Series:
    """What was published of a pair, oldest first, one rate a day."""

    days: list[date]
    rates: list[Published]

    def newest(self, on: date, max_age_days: int) -> Published | None:
        """The newest one of `on` or before, if it is not older than so many days."""
        at = bisect_right(self.days, on)
        if at == 0 or (on - self.days[at - 1]).days > max_age_days:
            return None
        return self.rates[at - 1]


def pair_of(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def series_by_pair(published: Iterable[Published], through: str) -> dict[Pair, Series]:
    """The rates by pair. Of several versions of a day the last one given holds, so give them by version.

    Where a source quotes a pair both ways on one day, the one of its own base holds, else the one whose base comes first in
    the alphabet: what is found from one currency into another is then always the inverse of the way back.
    """
    by_pair: dict[Pair, dict[date, Published]] = {}
    for rate in published:
        pair = pair_of(rate.base, rate.quote)
        days = by_pair.setdefault(pair, {})
        held = days.get(rate.on)
        if held is None or held.base == rate.base or rate.base == (through if through in pair else pair[0]):
            days[rate.on] = rate
    return {pair: Series(sorted(days), [days[on] for on in sorted(days)]) for pair, days in by_pair.items()}


def find(
    series: Mapping[Pair, Series], *, source: str, through: str, from_currency: str, to_currency: str, on: date,
    max_age_days: int,
) -> Found | None:  # fmt: skip
    """The rate on a day: published of the pair, either way round; else a cross through the source's base."""
    if from_currency == to_currency:
        return Found(ONE, on, source, ())

    def leg(one: str, other: str) -> Published | None:
        held = series.get(pair_of(one, other))
        return held.newest(on, max_age_days) if held else None

    if (direct := leg(from_currency, to_currency)) is not None:
        return Found(_from(from_currency, direct), direct.on, source, (direct,))
    first, second = leg(from_currency, through), leg(through, to_currency)
    if first is None or second is None:
        return None
    value = _from(from_currency, first) * _from(through, second)
    return Found(value, min(first.on, second.on), source, (first, second))


def _from(currency: str, rate: Published) -> Fraction:
    value = Fraction(rate.value)
    return value if rate.base == currency else 1 / value


def value_problem(value: Decimal) -> Problem | None:
    """What forbids a number to be a rate. Every rate that passes comes back from both databases digit for digit."""
    if not value.is_finite() or value <= 0:
        return "not_positive"
    bare = value.normalize()
    _sign, digits, exponent = bare.as_tuple()
    if bare.adjusted() >= DIGITS - DECIMALS:
        return "too_large"
    if not isinstance(exponent, int) or -exponent > DECIMALS:
        return "too_fine"
    return "too_long" if len(digits) > SIGNIFICANT else None


def pair_problems(base: str, quote: str, known: frozenset[str]) -> dict[str, Problem]:
    """By field, what forbids two codes to be a pair of currencies."""
    found: dict[str, Problem] = {
        name: "unknown_currency" for name, code in (("base", base), ("quote", quote)) if code not in known
    }
    return found or ({"quote": "same_currency"} if base == quote else {})


def plain(value: Decimal) -> str:
    """A rate's digits, without idle zeros and without an exponent."""
    return format(value.normalize(), "f")


def shortened(value: Fraction, digits: int = 6) -> Decimal:
    """To show: so many significant digits, half to even. Never to compute with."""
    whole = Decimal(value.numerator) / Decimal(value.denominator)
    return whole.quantize(Decimal(1).scaleb(min(whole.adjusted() - digits + 1, 0)))
