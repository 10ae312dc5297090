"""An invoice as facts, before it is a file: who, what, how it is taxed. Pure.

Amounts are those of the document: a credit note's are positive, its type says that they are given back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from babel.numbers import get_currency_precision

from invoices.rules import CENT, Terms, Totals, totals


class Kind(StrEnum):
    """EN 16931 BT-3, codes of UNTDID 1001."""

    INVOICE = "389"  # self-billed invoice
    CREDIT_NOTE = "261"  # self-billed credit note


@dataclass(frozen=True, slots=True)
class Side:
    """Supplier or customer, as the law names them on an invoice."""

    name: str
    street: str
    postal_code: str
    city: str
    country: str
    street2: str = ""
    registration_number: str = ""  # France: the SIREN, nine digits
    establishment_number: str = ""  # France: the SIRET, fourteen digits
    vat_number: str = ""
    legal_line: str = ""  # form, capital, register


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    amount: Decimal  # without tax; negative where the line lowers the document
    terms: Terms

    @property
    def price(self) -> Decimal:
        """Of one piece: never negative (BR-27). A line that lowers the document is minus one piece."""
        return abs(self.amount)


@dataclass(frozen=True, slots=True)
class Corrected:
    """An earlier document that lines of this one correct (BG-3)."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class Document:
    number: str
    kind: Kind
    issued_on: date
    due_on: date
    starts_on: date  # the days that it pays for
    ends_on: date  # not included
    currency: str
    language: str
    seller: Side
    buyer: Side
    lines: Sequence[Line]
    statement: str  # how the statement that it bills is named (BT-10 and BT-122)
    corrects: Sequence[Corrected] = ()

    @property
    def last_day(self) -> date:
        return self.ends_on - timedelta(days=1)

    @property
    def is_french(self) -> bool:
        """Under the commercial code of France, by either side."""
        return "FR" in (self.seller.country, self.buyer.country)

    @property
    def is_french_both(self) -> bool:
        return self.seller.country == self.buyer.country == "FR"

    @property
    def totals(self) -> Totals:
        return totals(((line.amount, line.terms) for line in self.lines), unit_of(self.currency))


def unit_of(currency: str) -> Decimal:
    """The smallest amount that an invoice in the currency names: its minor unit."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def fits_the_norm(currency: str) -> bool:
    """EN 16931 writes amounts with two decimals at most (BR-DEC-*): the dinars and rials of three do not fit."""
    return unit_of(currency) >= CENT
