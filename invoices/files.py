"""Stored documents on their way out: one, or a month of them."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date

from django.db.models import QuerySet
from django.http import HttpResponse

from common.periods import add_months
from common.sheets import BOM, text_cell
from invoices.models import Invoice, InvoiceFile

FILES_AT_ONCE = 20
COLUMNS = ("number", "type", "issued_on", "due_on", "partner", "partner_name", "statement", "currency", "net", "tax", "gross",
           "vat_category", "vat_rate", "sha256")  # fmt: skip


def download(invoice: Invoice) -> HttpResponse:
    """The stored bytes, to download: never shown by the browser as a page of this site."""
    content = bytes(InvoiceFile.objects.only("pdf").get(pk=invoice.pk).pdf)
    return HttpResponse(
        content, content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{invoice.file_name}"', "X-Content-Type-Options": "nosniff"},
    )  # fmt: skip


def of_month(month: date) -> QuerySet[Invoice]:
    """The documents issued in the month that begins on `month`."""
    return Invoice.objects.filter(issued_on__gte=month, issued_on__lt=add_months(month, 1))


class _Outlet:
    """What the archive writes to: holds what was not handed on yet."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def write(self, part: bytes) -> int:
        self.waiting.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing is kept back."""

    def take(self) -> bytes:
        taken, self.waiting = b"".join(self.waiting), []
        return taken


def archive(month: date) -> Iterator[bytes]:
    """A ZIP of the month's documents as they are stored, and a table of them, piece by piece: memory stays flat."""
    outlet, table = _Outlet(), io.StringIO()
    rows = csv.writer(table)
    rows.writerow(COLUMNS)
    files = InvoiceFile.objects.filter(invoice__in=of_month(month)).select_related("invoice__partner")
    # The bytes are compressed already: storing them again costs nothing.
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as zipped:  # type: ignore[call-overload]  # it only writes
        for file in files.order_by("invoice__issued_on", "pk").iterator(chunk_size=FILES_AT_ONCE):
            invoice = file.invoice
            zipped.writestr(invoice.file_name, bytes(file.pdf))
            rows.writerow(_row(invoice))
            yield outlet.take()
        zipped.writestr("documents.csv", BOM + table.getvalue())
    yield outlet.take()


def _row(invoice: Invoice) -> list[str]:
    return [
        invoice.number, invoice.kind, invoice.issued_on.isoformat(), invoice.due_on.isoformat(),
        invoice.partner.external_id, text_cell(invoice.partner.name), str(invoice.statement_id), invoice.currency,
        f"{invoice.net:f}", f"{invoice.tax:f}", f"{invoice.gross:f}", invoice.tax_category, f"{invoice.tax_rate:f}",
        invoice.sha256,
    ]  # fmt: skip
