"""What was missing to keep a tier, from the figures that a grace or a reminder stored."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.templatetags import show


def gap_in_words(gap: Mapping[str, Any], currency: str) -> str:
    """ "Net sales: $30,000 (of $50,000)": what is missing of what is asked."""
    names = gap["name"]
    name = names.get(get_language() or "en") or next(iter(names.values()), gap["measure"])
    missing, threshold = (_figure(gap[part], gap["unit"], currency) for part in ("missing", "threshold"))
    return _("%(measure)s: %(missing)s of %(threshold)s") % {
        "measure": name, "missing": missing, "threshold": threshold
    }  # fmt: skip


def _figure(text: str, unit: str, currency: str) -> str:
    exact = Fraction(text)
    if unit == "amount":
        return show.money_short(Decimal(exact.numerator) / exact.denominator, currency)
    if unit in ("ratio", "share"):
        return show.percent(exact)
    return show.quantity(Decimal(exact.numerator) / exact.denominator)
