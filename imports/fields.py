"""What an import can fill, and how the text of a cell becomes a value."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.money import MAX_AMOUNT, to_units
from common.names import LONGEST_TEXT, is_name, split
from common.periods import add_months

WHOLE = re.compile(r"[+-]?\d{1,18}")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
SPACES = re.compile(r"[\s\u00a0\u202f']")
FIRST_YEAR, LAST_YEAR = 1900, 2199


class BadValueError(ValueError):
    """A cell cannot be read; the message says why, to a person."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the mapping says this column is written."""

    format: str = ""
    decimal: str = ""  # "," or "."; a point is read as one in any case
    shift_months: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the product that a column may fill.

    `empty` is its value where the cell is empty and the mapping gives no default; a required field has none.
    """

    name: str
    help: Any  # lazy text
    read: Callable[[str, Reading], Any]
    required: bool = False
    empty: Any = ""


@dataclass(frozen=True, slots=True)
class OpenFields:
    """Fields that the vendor names itself, written in a mapping as this prefix and a name: "attr:product"."""

    prefix: str
    help: Any  # lazy text
    read: Callable[[str, Reading], Any]
    taken: frozenset[str] = frozenset()  # names that mean something else already

    def field(self, name: str) -> Field | None:
        """None where `name` is not such a field."""
        own = name.removeprefix(self.prefix)
        if own == name or own in self.taken or not is_name(own):
            return None
        return Field(name, self.help, self.read)

    def named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of `values` that are such fields, by the vendor's names."""
        return {name.removeprefix(self.prefix): value for name, value in values.items() if name.startswith(self.prefix)}


def text(model: type[models.Model], column: str) -> Callable[[str, Reading], str]:
    """Text that fits the model's column: its length, its choices and its validators."""
    field: Any = model._meta.get_field(column)
    longest = field.max_length
    choices = {str(value) for value, _label in (field.choices or ())}
    checks = [check for check in field.validators if getattr(check, "code", "") != "max_length"]

    def read(cell: str, reading: Reading) -> str:
        value = cell.lower() if choices else cell
        if choices and value not in choices:
            raise BadValueError(_("is not one of %(choices)s") % {"choices": ", ".join(sorted(choices))})
        if longest and len(value) > longest:
            raise BadValueError(_("is longer than %(longest)s characters") % {"longest": longest})
        for check in checks:
            try:
                check(value)
            except ValidationError as error:
                raise BadValueError(" ".join(error.messages)) from error
        return value

    return read


def capitals(read: Callable[[str, Reading], str]) -> Callable[[str, Reading], str]:
    return lambda cell, reading: read(cell.upper(), reading)


def code(model: type[models.Model], column: str) -> Callable[[str, Reading], str]:
    """Codes are small letters, digits and hyphens: "Site Audit" and "site-audit" are one."""
    fits = text(model, column)

    def read(cell: str, reading: Reading) -> str:
        value = slugify(cell)
        if not value:
            raise BadValueError(_("is not a code: small letters, digits and hyphens"))
        return fits(value, reading)

    return read


def short_text(cell: str, reading: Reading) -> str:
    return _short(cell)


def short_texts(cell: str, reading: Reading) -> str | list[str]:
    """One text, or several with | between them."""
    value = split(cell)
    for one in [value] if isinstance(value, str) else value:
        _short(one)
    return value


def _short(value: str) -> str:
    if len(value) > LONGEST_TEXT:
        raise BadValueError(_("is longer than %(longest)s characters") % {"longest": LONGEST_TEXT})
    return value


def key(cell: str, reading: Reading) -> str:
    """The key of another row, as that row's own import wrote it."""
    return cell


def number(cell: str, reading: Reading) -> Decimal:
    """Any number, exactly as it is written."""
    try:
        return Decimal(_number(cell, reading))
    except InvalidOperation:
        raise BadValueError(_("is not a number")) from None


def amount(cell: str, reading: Reading) -> Decimal:
    try:
        value = Decimal(_number(cell, reading))
    except InvalidOperation:
        raise BadValueError(_("is not an amount")) from None
    if not value.is_finite() or abs(value) > MAX_AMOUNT:
        raise BadValueError(_("is not an amount that this system can hold"))
    try:
        to_units(value)
    except ValidationError as error:
        raise BadValueError(_("has more than four decimals")) from error
    return value


def _number(cell: str, reading: Reading) -> str:
    """The digits with a point before decimals. "1,234" is refused where the mapping does not say what its comma is."""
    bare = SPACES.sub("", cell)
    if reading.decimal == ",":
        return bare.replace(".", "").replace(",", ".")
    if not THOUSANDS.fullmatch(bare):
        return bare
    if not reading.decimal and bare.count(",") == 1 and "." not in bare:
        raise BadValueError(_("has a comma that may mean thousands or decimals: say “decimal” in the mapping"))
    return bare.replace(",", "")


def whole(*, least: int | None = None, most: int = 2**31 - 1) -> Callable[[str, Reading], int]:
    def read(cell: str, reading: Reading) -> int:
        bare = SPACES.sub("", cell)
        if not WHOLE.fullmatch(bare):
            raise BadValueError(_("is not a whole number"))
        value = int(bare)
        if (least is not None and value < least) or abs(value) > most:
            raise BadValueError(
                _("is not from %(least)s to %(most)s") % {"least": -most if least is None else least, "most": most}
            )
        return value

    return read


def degrees(most: int) -> Callable[[str, Reading], float]:
    def read(cell: str, reading: Reading) -> float:
        try:
            value = float(_number(cell, reading))
        except ValueError:
            raise BadValueError(_("is not a number")) from None
        if not -most <= value <= most:
            raise BadValueError(_("is not from %(least)s to %(most)s") % {"least": -most, "most": most})
        return value

    return read


def day(cell: str, reading: Reading) -> date:
    """A day, by the mapping's format, else 2020-05-31, with or without a time of day (which is left out)."""
    try:
        found = datetime.strptime(cell, reading.format) if reading.format else datetime.fromisoformat(cell)  # noqa: DTZ007
    except ValueError:
        expected = reading.format or "2020-05-31"
        raise BadValueError(_("is not a date written as %(expected)s") % {"expected": expected}) from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise BadValueError(_("is not a date from %(first)s to %(last)s") % {"first": FIRST_YEAR, "last": LAST_YEAR})
    return add_months(found.date(), reading.shift_months) if reading.shift_months else found.date()
