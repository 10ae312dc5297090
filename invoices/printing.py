"""The document as a PDF that a person reads and a machine too: PDF/A-3b with the XML inside (Factur-X)."""

import atexit
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from django.template.loader import render_to_string
from facturx import generate_from_binary

from common import pdf
from invoices import texts
from invoices.document import Document
from invoices.texts import Note

STYLE = Path(__file__).parent / "data" / "document.css"


@cache
def _look() -> pdf.Look:
    """Read once for each process."""
    atexit.register(_look.cache_clear)  # its end needs modules that are gone once the interpreter ends
    return pdf.look(STYLE.read_text(encoding="utf-8"))


def page_of(document: Document, *, notes: Sequence[Note], reasons: Mapping[str, str]) -> str:
    """The document as the page that is printed; in the language that is active."""
    sums = document.totals
    said = dict.fromkeys(reasons[group.terms.mention] for group in sums.groups)
    context = {
        "document": document,
        "title": texts.title(document.kind),
        "totals": sums,
        "mentions": [text for text in said if text],
        "notes": [text for _code, text in notes],
    }
    return render_to_string("invoices/document.html", context)


def pdf_of(document: Document, *, xml: bytes, notes: Sequence[Note], reasons: Mapping[str, str]) -> bytes:
    """The PDF/A-3b with the XML embedded. Raises PdfError where this machine cannot make PDF files."""
    printed = pdf.from_html(page_of(document, notes=notes, reasons=reasons), look=_look(), variant="pdf/a-3b")
    name = f"{texts.title(document.kind)} {document.number}"
    about = {
        "author": document.seller.name,
        "title": name,
        "subject": f"{name} – {document.statement}",
        "keywords": "Factur-X",
    }
    # The XML is what a machine books, the page the same for people: "Alternative" (Factur-X 1.0.7, § 6.2.2).
    made = generate_from_binary(
        printed, xml, flavor="factur-x", level="en16931", check_xsd=False, check_schematron=False, pdf_metadata=about,
        lang=document.language, afrelationship="alternative",
    )  # fmt: skip
    return bytes(made)
