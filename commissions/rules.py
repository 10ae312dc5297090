"""What a sale earns. Pure; the same formula posts lines and explains them."""

from decimal import ROUND_HALF_EVEN, Decimal


def commission(base: Decimal, rate: Decimal, minor_unit: Decimal) -> Decimal:
    """`rate` of `base`, rounded once, half to even, to the currency's minor unit (0.01 for EUR).

    Odd in its base: a refund takes back exactly what the same sale gave.
    """
    return (base * rate).quantize(minor_unit, rounding=ROUND_HALF_EVEN)


def kind_of_line(number: int, due: Decimal) -> str:
    """A sale's first line is its commission; a later one reverses it when nothing is due any more, else adjusts it."""
    if number == 1:
        return "accrual"
    return "reversal" if due == 0 else "adjustment"
