"""What tax stands on a statement. Who knows it registers above; without anybody, none does."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from common.money import ZERO, round_to_minor_unit


@dataclass(frozen=True, slots=True)
class TaxTerms:
    """`rate` is a fraction (0.2); `mention` the code of what the document says about it."""

    rate: Decimal
    mention: str

    def tax_on(self, net: Decimal, currency: str) -> Decimal:
        """Rounded once, half to even, to the currency's minor unit."""
        return round_to_minor_unit(net * self.rate, currency)


NO_TAX = TaxTerms(ZERO, "")
TermsOf = Callable[[Collection[int], date], Mapping[int, TaxTerms]]
_registered: list[TermsOf] = []


def register(terms_of: TermsOf) -> None:
    """`terms_of(partner_ids, on)` gives the terms of those partners it knows; asked when statements are approved, in their
    transaction. Registering again changes nothing; where two know a partner, the later one counts."""
    if terms_of not in _registered:
        _registered.append(terms_of)


def terms(partner_ids: Collection[int], on: date) -> dict[int, TaxTerms]:
    """The terms of each of the partners on a day; `NO_TAX` for those that nobody knows."""
    found = dict.fromkeys(partner_ids, NO_TAX)
    for terms_of in _registered:
        found.update(terms_of(partner_ids, on))
    return found
