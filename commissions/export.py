"""A statement as files: CSV, Excel and PDF, in the reader's language."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from itertools import islice
from typing import Any

from babel.numbers import get_currency_precision
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from commissions.models import Statement
from commissions.selectors import statement_sums, sums_in_words
from commissions.statement_rows import StatementRow, header, rows
from common import pdf
from common.money import round_to_minor_unit
from common.sheets import BOM, Echo, text_cell
from common.templatetags import show

LINES_IN_PDF = 1000  # more are not read on paper: the page says where they are
WIDTHS = (12, 16, 16, 32, 32, 14, 18, 8, 14, 10, 14, 14, 9, 12, 8)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How spreadsheets of a language expect it."""

    delimiter: str
    decimal_mark: str


DIALECTS = {"fr": Dialect(";", ",")}
ENGLISH = Dialect(",", ".")


def file_name(statement: Statement, ending: str) -> str:
    return f"{statement.partner.slug}-{statement.starts_on:%Y-%m}-{statement.currency}.{ending}"


def statement_csv(statement: Statement) -> Iterator[str]:
    """The lines of a statement in the reader's language, header first. Memory stays flat.

    What depends on the language is read now, not while the response is sent.
    """
    language = _language()
    return _csv(statement, header(), rows(statement, language), _("held"), DIALECTS.get(language, ENGLISH))


def _language() -> str:
    return (get_language() or "en").split("-")[0]


def _csv(
    statement: Statement, names: list[str], lines: Iterator[StatementRow], held: str, dialect: Dialect
) -> Iterator[str]:  # fmt: skip
    writer = csv.writer(Echo(), delimiter=dialect.delimiter, lineterminator="\r\n")
    yield BOM + writer.writerow(names)

    def amount(value: Decimal) -> str:
        rounded = round_to_minor_unit(value, statement.currency)
        return f"{rounded if rounded == value else value:f}".replace(".", dialect.decimal_mark)

    for row in lines:
        rate = f"{row.rate.normalize():f}".replace(".", dialect.decimal_mark)
        yield writer.writerow(
            [row.day.isoformat(), *_texts(row), row.plan_version, amount(row.base), rate, amount(row.before),
             amount(row.amount), statement.currency, row.line, held if row.is_held else ""]
        )  # fmt: skip


def _texts(row: StatementRow) -> list[str]:
    """What people wrote: never run as a formula."""
    return [text_cell(one) for one in (row.order, row.sale, row.product, row.customer, row.kind, row.tier)]


def statement_xlsx(statement: Statement) -> BytesIO:
    """An Excel workbook: what the statement comes to, then its lines. Written row by row: memory holds the packed file alone."""
    book = Workbook(write_only=True)
    bold = Font(bold=True)
    money = "#,##0" + ("." + "0" * places if (places := get_currency_precision(statement.currency)) else "")

    def cell(sheet: Any, value: Any, number_format: str = "", *, is_bold: bool = False) -> Any:
        made = WriteOnlyCell(sheet, value=value)
        if number_format:
            made.number_format = number_format
        if is_bold:
            made.font = bold
        return made

    summary = book.create_sheet(_("Statement"))
    summary.column_dimensions["A"].width, summary.column_dimensions["B"].width = 44, 20
    for label, value in (
        (_("Partner"), text_cell(statement.partner.name)),
        (_("Month"), show.month(statement.starts_on)),
        (_("Currency"), statement.currency),
        (_("State"), statement.get_state_display()),
    ):
        summary.append([label, value])
    for line in sums_in_words(statement):
        summary.append([cell(summary, line.label, is_bold=line.is_total), cell(summary, line.amount, money, is_bold=line.is_total)])  # fmt: skip
    sheet = book.create_sheet(_("Lines"))
    sheet.freeze_panes = "A2"
    for at, width in enumerate(WIDTHS):
        sheet.column_dimensions[chr(ord("A") + at)].width = width
    sheet.append([cell(sheet, name, is_bold=True) for name in header()])
    held = _("held")
    for row in rows(statement, _language()):
        sheet.append(
            [row.day, *_texts(row), row.plan_version, cell(sheet, row.base, money), cell(sheet, row.rate, "0.00##%"),
             cell(sheet, row.before, money), cell(sheet, row.amount, money), statement.currency, row.line,
             held if row.is_held else ""]
        )  # fmt: skip
    kept = BytesIO()
    book.save(kept)
    kept.seek(0)
    return kept


def statement_pdf(statement: Statement) -> bytes:
    """The statement on paper. Raises PdfError on a machine that cannot draw it."""
    found = list(islice(rows(statement, _language()), LINES_IN_PDF + 1))
    context = {
        "statement": statement, "VENDOR_NAME": settings.VENDOR_NAME, "sums": sums_in_words(statement),
        "counts": statement_sums(statement), "rows": found[:LINES_IN_PDF], "is_cut": len(found) > LINES_IN_PDF,
        "language": _language(),
    }  # fmt: skip
    return pdf.from_html(render_to_string("commissions/statement_pdf.html", context))
