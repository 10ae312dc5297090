"""The lines of a statement as its files show them: one reading for CSV, Excel and PDF."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from commissions.models import Earning, Statement, StatementLine

AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class StatementRow:
    day: date
    order: str
    sale: str
    product: str
    customer: str
    kind: str
    tier: str
    plan_version: int | str
    base: Decimal
    rate: Decimal
    before: Decimal
    amount: Decimal
    line: int
    is_held: bool


def header() -> list[str]:
    """The names of a file's columns, in the reader's language."""
    return [
        _("Day of the sale"), _("Order"), _("Sale"), _("Product"), _("Customer"), _("Kind"), _("Tier"), _("Plan version"),
        _("Net amount"), _("Rate"), _("Posted before"), _("Amount"), _("Currency"), _("Line"), _("Held"),
    ]  # fmt: skip


def rows(statement: Statement, language: str) -> Iterator[StatementRow]:
    """In the order of the page, texts in `language`; memory stays flat. Another partner's sale is not named."""
    lines = statement.lines.in_order().with_terms().select_related("hold")
    kinds = {value: str(label) for value, label in Earning.Kind.choices}
    return _rows(lines.iterator(chunk_size=AT_ONCE), statement, language, kinds)


def _rows(
    lines: Iterator[StatementLine], statement: Statement, language: str, kinds: dict[str, str]
) -> Iterator[StatementRow]:  # fmt: skip
    for line in lines:
        earning = line.earning
        sale = earning.sale if earning.sale and earning.sale.partner_id == statement.partner_id else None
        product = earning.event_name if earning.sale is None else ""
        if sale is not None:
            name = sale.product.name if sale.product else None
            product = name.get(language, str(name)) if name else str(sale.deal or "")
        yield StatementRow(
            day=earning.earned_on, order=sale.order_number if sale else "", sale=sale.external_id if sale else "",
            product=product, customer=sale.customer_name if sale else "", kind=kinds[earning.kind],
            tier=earning.tier.name.get(language, str(earning.tier.name)) if earning.tier else "",
            plan_version=earning.plan.version if earning.plan else "", base=earning.base, rate=earning.rate,
            before=earning.before, amount=earning.amount, line=earning.pk, is_held=hasattr(line, "hold"),
        )  # fmt: skip
