"""Invoices that partners send: they fit their statement, and what is inside the PDF says the same."""

import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from pypdf import PdfWriter

from commissions.models import Statement
from common.errors import DocumentError
from common.periods import program_today
from invoices.errors import UploadError
from invoices.models import InvoiceSettings, UploadedInvoice
from invoices.selectors import held_from_payment, to_send
from invoices.services import decide_upload, issue_for, send_invoice
from tests.commissions.facts import holding
from tests.factories import make_staff
from tests.invoices.facts import STANDARD, approved, document, identified, pdf_of, program_that_pays, vendor, xml_of

pytestmark = pytest.mark.django_db
D = Decimal
TODAY = program_today()


def plain() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    return _bytes(writer)


def holding_xml(xml: bytes) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("factur-x.xml", xml)
    return _bytes(writer)


def locked() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    return _bytes(writer)


def _bytes(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.fixture
def statement() -> Statement:
    """Of 98.77 and 19.75 of tax, of a partner without a mandate."""
    vendor()
    program = program_that_pays()
    partner = holding(program)
    identified(partner)
    return approved(partner, program, "987.70")


def send(statement: Statement, content: bytes | None = None, name: str = "invoice.pdf", **over: Any) -> UploadedInvoice:
    given = {"number": "F-2026-7", "issued_on": TODAY, "net": D("98.77"), "tax": D("19.75"), **over}
    file = SimpleUploadedFile(name, plain() if content is None else content)
    return send_invoice(statement=statement, document=file, actor=None, **given)


def test_a_plain_pdf_that_fits_waits_for_staff(statement: Statement) -> None:
    sent = send(statement)
    assert (sent.state, sent.gross, sent.currency, sent.profile) == ("submitted", D("118.52"), "EUR", "")
    assert list(to_send(statement.partner)) == []


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"net": D("98.76")}, "€98.77 without tax, the invoice to €98.76"), ({"tax": D(0)}, "€19.75 of tax"),
        ({"issued_on": TODAY + timedelta(days=1)}, "dated after today"), ({"content": b"%PDF-1.7 broken"}, "cannot be read"),
        ({"content": b""}, "0.0 MB"), ({"content": b"<html>"}, "no document that is taken"),
        ({"content": b"\x89PNG\r\n\x1a\n", "name": "a.png"}, "as a PDF"), ({"content": locked()}, "protected by a password"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    statement: Statement, over: dict[str, Any], says: str
) -> None:
    with pytest.raises((UploadError, DocumentError), match=says):
        send(statement, **over)
    assert not UploadedInvoice.objects.exists()


def test_each_statement_has_one_and_each_number_stands_once(statement: Statement) -> None:
    first = send(statement)
    with pytest.raises(UploadError, match="has its invoice already"):
        send(statement, number="F-2026-8")
    decide_upload(upload=first, accept=False, actor=make_staff(), reason="The address is wrong")
    second = send(statement)  # a number that was refused may be used again
    assert second.state == "submitted"
    with pytest.raises(IntegrityError), transaction.atomic():
        UploadedInvoice.objects.filter(pk=first.pk).update(number="other")


def test_a_number_of_another_statement_is_refused(statement: Statement) -> None:
    send(statement)
    program = statement.lines.first().earning.program  # type: ignore[union-attr]
    other = approved(statement.partner, program, "987.70", on=date(2026, 4, 10))
    with pytest.raises(UploadError, match="F-2026-7 before"):
        send(other)


def test_the_electronic_invoice_inside_is_compared(statement: Statement) -> None:
    made = document(("98.77", STANDARD), number="F-2026-7")
    sent = send(statement, pdf_of(made))
    assert sent.profile == "Factur-X en16931"


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"number": "F-2026-8"}, "is of invoice F-2026-8"), ({"currency": "USD"}, "is in USD"),
        ({"lines": ("98.76",)}, "says 98.76 where you wrote 98.77"),
    ],
)  # fmt: skip
def test_an_electronic_invoice_that_says_otherwise_is_refused(
    statement: Statement, over: dict[str, Any], says: str
) -> None:
    lines = [(amount, STANDARD) for amount in over.pop("lines", ("98.77",))]
    made = document(*lines, **{"number": "F-2026-7", **over})
    with pytest.raises(UploadError, match=says):
        send(statement, holding_xml(xml_of(made)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda xml: xml.replace(b"ram:LineID", b"ram:RowID"),
        lambda xml: xml[:-20],
        lambda xml: xml.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1),
        lambda xml: b"<other/>",
    ],
)
def test_xml_that_is_not_valid_is_refused_and_not_passed_over(statement: Statement, spoil: Any) -> None:
    """The library's reader takes a PDF with broken XML for one without."""
    xml = xml_of(document(("98.77", STANDARD), number="F-2026-7"))
    with pytest.raises(UploadError, match="no valid electronic invoice"):
        send(statement, holding_xml(spoil(xml)))


def test_staff_decide_once_and_payment_may_wait_for_it(statement: Statement) -> None:
    InvoiceSettings.objects.create(required_to_pay=True)
    assert held_from_payment([statement.pk]) == {statement.pk: "There is no invoice yet."}
    sent, staff = send(statement), make_staff()
    assert held_from_payment([statement.pk]) == {statement.pk: "The partner’s invoice is not decided yet."}
    with pytest.raises(UploadError, match="Say why"):
        decide_upload(upload=sent, accept=False, actor=staff, reason=" ")
    accepted = decide_upload(upload=sent, accept=True, actor=staff)
    assert decide_upload(upload=sent, accept=True, actor=staff) == accepted
    with pytest.raises(UploadError, match="decided already"):
        decide_upload(upload=sent, accept=False, actor=staff, reason="Late")
    assert held_from_payment([statement.pk]) == {}
    assert issue_for([statement], on=TODAY) == {}
