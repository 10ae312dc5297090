"""Which VAT a commission invoice bears, and its totals. Pure: days, countries and amounts in, terms and sums out.

In self-billing the partner is the supplier and the vendor the customer, though the vendor writes the document. A
commission is a service to a business, so it is taxed where the customer is (Directive 2006/112/EC, art. 44).
`docs/invoices.md` has the sources and worked figures.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

VAT_FILE = Path(__file__).parent / "data" / "vat.json"
CENT = Decimal("0.01")
ZERO = Decimal(0)


class Status(StrEnum):
    """How a supplier stands towards VAT."""

    NORMAL = "normal"
    SMALL = "small"  # exempt as a small enterprise: France CGI art. 293 B, elsewhere art. 284 of the Directive
    EXEMPT = "exempt"  # exempt for what it does, with the mention that it gives


class Category(StrEnum):
    """EN 16931 BT-118, codes of UNTDID 5305."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    OUTSIDE = "O"


class Mention(StrEnum):
    """What the document says about its tax; `invoices.texts` has the words."""

    STANDARD = "standard"
    ZERO_RATED = "zero-rated"
    SMALL = "small-enterprise"
    SMALL_FRANCE = "small-enterprise-fr"
    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse-charge"
    REVERSE_CHARGE_IMPORTED = "reverse-charge-imported"
    OUTSIDE = "outside-eu"


class Missing(StrEnum):
    """What a decision about tax lacks."""

    RATE = "rate"
    PARTNER_VAT_NUMBER = "partner-vat-number"
    VENDOR_VAT_NUMBER = "vendor-vat-number"
    EXEMPTION_MENTION = "exemption-mention"


class MissingForTaxError(Exception):
    """Nothing may be guessed about tax: `missing` says what a person has to give."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(missing.value)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Taxed:
    """One side of an invoice, as far as its tax asks."""

    country: str  # ISO 3166
    vat_number: str = ""  # with its country prefix; empty for none
    status: Status = Status.NORMAL
    exemption: str = ""  # the mention that an exempt supplier gives
    exemption_code: str = ""  # its VATEX code, where there is one


@dataclass(frozen=True, slots=True)
class Terms:
    """How commissions of one supplier to one customer are taxed on a day."""

    category: Category
    rate: Decimal  # a fraction
    mention: Mention
    vatex: str = ""  # EN 16931 BT-121; empty where none is asked
    exemption: str = ""  # the supplier's own words, for Mention.EXEMPT


@cache
def _table() -> dict[str, Any]:
    return json.loads(VAT_FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def _for_vat(country: str) -> str:
    return str(_table()["treated_as"].get(country, country))


def in_eu(country: str, on: date) -> bool:
    """Whether the country is of the EU's VAT territory on the day."""
    starts_on, ends_on = _table()["members"].get(_for_vat(country), (None, None))
    return starts_on is not None and starts_on <= on.isoformat() and (ends_on is None or on.isoformat() < ends_on)


def standard_rate(country: str, on: date) -> Decimal | None:
    """The country's standard rate on the day, as a fraction; None where the file has none."""
    rates = [rate for starts_on, rate in _table()["rates"].get(_for_vat(country), ()) if starts_on <= on.isoformat()]
    return Decimal(rates[-1]) if rates else None


def tax_terms(*, partner: Taxed, vendor: Taxed, on: date) -> Terms:
    """The terms of a commission that `partner` supplies to `vendor` on the day.

    Raises MissingForTaxError where a rate, a VAT number or an exemption's mention is missing.
    """
    if _for_vat(partner.country) == _for_vat(vendor.country):
        return _domestic(partner, on)
    if not in_eu(vendor.country, on):
        return Terms(Category.OUTSIDE, ZERO, Mention.OUTSIDE, "VATEX-EU-O")
    if not in_eu(partner.country, on):
        # Art. 196 makes the customer liable here too; the supplier has no VAT number of the EU, so the norm's category
        # of reverse charge, which asks for one (BR-AE-02), does not fit.
        return Terms(Category.OUTSIDE, ZERO, Mention.REVERSE_CHARGE_IMPORTED, "VATEX-EU-O")
    if partner.status == Status.EXEMPT:
        return _exempt(partner)
    # A small enterprise's exemption ends at its border: towards another member state the customer owes the tax, and the
    # supplier has a VAT number for it (art. 214 (1) (e); CGI art. 286 ter, 5°).
    if not partner.vat_number:
        raise MissingForTaxError(Missing.PARTNER_VAT_NUMBER)
    if not vendor.vat_number:
        raise MissingForTaxError(Missing.VENDOR_VAT_NUMBER)
    return Terms(Category.REVERSE_CHARGE, ZERO, Mention.REVERSE_CHARGE, "VATEX-EU-AE")


def _domestic(partner: Taxed, on: date) -> Terms:
    if partner.status == Status.EXEMPT:
        return _exempt(partner)
    if partner.status == Status.SMALL:
        if _for_vat(partner.country) == "FR":
            return Terms(Category.EXEMPT, ZERO, Mention.SMALL_FRANCE, "VATEX-FR-FRANCHISE")
        return Terms(Category.EXEMPT, ZERO, Mention.SMALL)
    rate = standard_rate(partner.country, on)
    if rate is None:
        raise MissingForTaxError(Missing.RATE)
    if rate == 0:
        return Terms(Category.ZERO, ZERO, Mention.ZERO_RATED)
    if not partner.vat_number:
        raise MissingForTaxError(Missing.PARTNER_VAT_NUMBER)
    return Terms(Category.STANDARD, rate, Mention.STANDARD)


def _exempt(partner: Taxed) -> Terms:
    if not partner.exemption:
        raise MissingForTaxError(Missing.EXEMPTION_MENTION)
    return Terms(Category.EXEMPT, ZERO, Mention.EXEMPT, partner.exemption_code, partner.exemption)


def tax_on(base: Decimal, rate: Decimal, unit: Decimal = CENT) -> Decimal:
    """The tax of a base: base times rate, rounded once, half away from zero, to the currency's minor unit.

    EN 16931 BR-CO-17 rounds to two decimals; the norm's own validation rounds the absolute value with XPath's `round`,
    which takes a half up. 0.125 is 0.13 and -0.125 is -0.13, so a credit note mirrors its invoice.
    """
    return (base * rate).quantize(unit, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """A row of the VAT breakdown (BG-23): lines of one category and rate."""

    terms: Terms
    base: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    net: Decimal  # BT-106 and BT-109
    tax: Decimal  # BT-110
    gross: Decimal  # BT-112
    groups: tuple[TaxGroup, ...]


def totals(lines: Iterable[tuple[Decimal, Terms]], unit: Decimal = CENT) -> Totals:
    """Sums of an invoice by the norm: tax by category and rate from the sum of its lines (BR-CO-17), then summed (BR-CO-14)."""
    groups = tuple(
        TaxGroup(terms, base, tax_on(base, terms.rate, unit))
        for terms, base in (
            (of_group[0][1], sum((amount for amount, _terms in of_group), ZERO))
            for of_group in _by_terms(lines)
        )
    )  # fmt: skip
    net = sum((one.base for one in groups), ZERO)
    tax = sum((one.tax for one in groups), ZERO)
    return Totals(net, tax, net + tax, groups)


def _by_terms(lines: Iterable[tuple[Decimal, Terms]]) -> list[Sequence[tuple[Decimal, Terms]]]:
    def key(line: tuple[Decimal, Terms]) -> tuple[str, Decimal, str, str]:
        terms = line[1]
        return terms.category, -terms.rate, terms.vatex, terms.exemption

    return [list(of_group) for _key, of_group in groupby(sorted(lines, key=key), key=key)]
