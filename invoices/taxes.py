"""What commissions asks about tax when it approves statements."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from commissions import taxes
from invoices import rules, selectors
from invoices.document import unit_of


@dataclass(frozen=True, slots=True)
class VatTerms(taxes.TaxTerms):
    """As the norm of invoices rounds, so that a statement and its document bear the same tax."""

    def tax_on(self, net: Decimal, currency: str) -> Decimal:
        return rules.tax_on(net, self.rate, unit_of(currency))


def terms_of(partner_ids: Collection[int], on: date) -> dict[int, taxes.TaxTerms]:
    """The terms of those partners whose legal details say them. Two queries."""
    vendor = selectors.vendor_identity(on)
    if vendor is None:
        return {}
    found: dict[int, taxes.TaxTerms] = {}
    for partner_id, identity in selectors.identities(partner_ids, on).items():
        terms = selectors.terms_between(identity, vendor, on)
        if isinstance(terms, rules.Terms):
            found[partner_id] = VatTerms(terms.rate, terms.mention.value)
    return found


def register() -> None:
    taxes.register(terms_of)
