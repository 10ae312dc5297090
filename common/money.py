"""Exact money.

An amount is a Decimal in Python. In the database it is an integer of ten-thousandths of the currency's unit, because
SQLite would add decimals as floating point; four places hold the minor unit of every ISO 4217 currency. Sums are
exact on both databases.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

PLACES = 4
SCALE = 10**PLACES
ZERO = Decimal(0)
MAX_AMOUNT = Decimal(2**63 - 1).scaleb(-PLACES)


@lru_cache(maxsize=256)
def minor_unit(currency: str) -> Decimal:
    """The smallest payable amount of an ISO 4217 currency: 0.01 for EUR, 1 for JPY, 0.001 for TND."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def round_to_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """Half to even (IEEE 754 and ISO 80000-1, rule B), so that roundings of many lines do not drift."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_EVEN)


def to_units(amount: Decimal) -> int:
    """The integer that the database stores. Raises ValidationError for more than four decimals."""
    scaled = amount.scaleb(PLACES)
    units = int(scaled)
    if units != scaled:
        raise ValidationError(_("%(amount)s has more than four decimals."), params={"amount": amount})
    return units


def from_units(units: int) -> Decimal:
    return Decimal(units).scaleb(-PLACES)


class AmountField(models.BigIntegerField):
    """A Decimal amount whose currency stands in a column beside it.

    `Sum()` over it is exact and comes back as a Decimal. Arithmetic between two F() expressions of it needs
    `output_field=AmountField()`, or the database's integer comes back.
    """

    description = _("Exact amount of money")
    _pyi_private_set_type: Decimal | int | str | Combinable  # type: ignore[assignment]
    _pyi_private_get_type: Decimal  # type: ignore[assignment]  # what queries give, for the type checker

    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-PLACES)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise ValidationError(_("“%(value)s” is not an amount."), params={"value": value}) from None

    def get_prep_value(self, value: Any) -> int | None:
        amount = self.to_python(value)
        return None if amount is None else to_units(amount)

    @property
    def validators(self) -> list[Any]:
        return [*self._validators, within_range]  # type: ignore[attr-defined]

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs: Any) -> Any:
        return models.Field.formfield(
            self, **{"form_class": forms.DecimalField, "max_digits": 18, "decimal_places": PLACES, **kwargs}
        )


def within_range(amount: Decimal) -> None:
    if abs(amount) > MAX_AMOUNT:
        raise ValidationError(_("%(amount)s is larger than any amount this system holds."), params={"amount": amount})
