"""A statement as CSV, streamed."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from commissions.models import Earning, Statement, StatementLine
from common.money import round_to_minor_unit
from common.sheets import BOM, Echo, text_cell


@dataclass(frozen=True, slots=True)
class Dialect:
    """How spreadsheets of a language expect it."""

    delimiter: str
    decimal_mark: str


DIALECTS = {"fr": Dialect(";", ",")}
ENGLISH = Dialect(",", ".")


def statement_csv(statement: Statement) -> Iterator[str]:
    """The lines of a statement in the reader's language, header first. Memory stays flat.

    What depends on the language is read now, not while the response is sent.
    """
    language = (get_language() or "en").split("-")[0]
    dialect = DIALECTS.get(language, ENGLISH)
    kinds = {value: str(label) for value, label in Earning.Kind.choices}
    header = [
        _("Day of the sale"), _("Order"), _("Sale"), _("Product"), _("Customer"), _("Kind"), _("Tier"), _("Plan version"),
        _("Net amount"), _("Rate"), _("Posted before"), _("Amount"), _("Currency"), _("Line"),
    ]  # fmt: skip
    return _rows(statement, header, kinds, language, dialect)


def _rows(
    statement: Statement, header: list[str], kinds: dict[str, str], language: str, dialect: Dialect
) -> Iterator[str]:
    writer = csv.writer(Echo(), delimiter=dialect.delimiter, lineterminator="\r\n")
    yield BOM + writer.writerow(header)
    lines = statement.lines.in_order().with_terms()
    for line in lines.iterator(chunk_size=2000):
        yield writer.writerow(_row(line, statement, kinds, language, dialect))


def _row(
    line: StatementLine, statement: Statement, kinds: dict[str, str], language: str, dialect: Dialect
) -> list[Any]:
    earning = line.earning
    sale = earning.sale if earning.sale.partner_id == statement.partner_id else None
    product = (
        sale.product.name.get(language, str(sale.product.name))
        if sale and sale.product
        else (str(sale.deal or "") if sale else "")
    )
    tier = earning.tier.name.get(language, str(earning.tier.name)) if earning.tier else ""

    def amount(value: Decimal) -> str:
        rounded = round_to_minor_unit(value, earning.currency)
        return f"{rounded if rounded == value else value:f}".replace(".", dialect.decimal_mark)

    rate = f"{earning.rate.normalize():f}".replace(".", dialect.decimal_mark)

    return [
        earning.earned_on.isoformat(), text_cell(sale.order_number if sale else ""),
        text_cell(sale.external_id if sale else ""), text_cell(product), text_cell(sale.customer_name if sale else ""),
        kinds[earning.kind], text_cell(tier), earning.plan.version if earning.plan else "", amount(earning.base),
        rate, amount(earning.before), amount(earning.amount), earning.currency, earning.pk,
    ]  # fmt: skip
