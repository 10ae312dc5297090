"""The invoice as EN 16931 XML in the syntax of Factur-X (CII D22B), and what checks it.

The library's generator takes the norm's own terms (BT-, BG-), so what is written here reads beside the norm. Its two
checks are not used as they are: one compiles the schema anew for each document, the other asks a server on this
machine's port 5000 and passes where nothing answers.
"""

import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from facturx import generate_cii_xml
from lxml import etree

from invoices.document import Document, Kind, Line, Side
from invoices.errors import InvalidDocumentError
from invoices.rules import Category, TaxGroup

LEVEL = "en16931"
SCHEMA = "facturx-en16931/Factur-X_EN16931.xsd"
SCHEMATRON = "facturx-en16931/FACTUR-X_EN16931.xslt"
FRENCH_SCHEMATRON = "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
SIREN, SIRET = "0002", "0009"  # ISO 6523
PIECE = "C62"  # UN/ECE Rec. 20: one
SERVICES_INVOICED = "S1"  # France: an invoice of services
FRENCH_ADDRESS = "0225"  # France: the SIREN as electronic address


def xml_of(document: Document, *, notes: Sequence[tuple[str, str]], reasons: Mapping[str, str]) -> bytes:
    """The document as EN 16931 XML. `notes` are (UNTDID 4451 code, text); `reasons` the words of each tax mention.

    Raises InvalidDocumentError for what no XML can hold.
    """
    sums = document.totals
    outside = any(line.terms.category == Category.OUTSIDE for line in document.lines)
    terms: dict[str, Any] = {
        "BT-1": document.number,
        "BT-2": document.issued_on,
        "BT-3": document.kind.value,
        "BT-5": document.currency,
        "BT-9": document.due_on,
        "BT-10": document.statement,
        "BT-18": {None: document.statement},
        "BT-20": "\n".join(text for code, text in notes if code == "terms"),
        "BG-1": [{"BT-21": code, "BT-22": text} for code, text in notes if code != "terms"],
        "BG-3": [{"BT-25": one.number, "BT-26": one.issued_on} for one in document.corrects],
        "BG-4": _party(document.seller, outside=outside, taxed=True),
        "BG-7": _party(document.buyer, outside=outside, taxed=False),
        "BT-73": document.starts_on,
        "BT-74": document.last_day,
        "BT-72": document.last_day,
        "BG-23": [_tax(group, reasons) for group in sums.groups],
        "BT-106": _amount(sums.net),
        "BT-109": _amount(sums.net),
        "BT-110": _amount(sums.tax),
        "BT-112": _amount(sums.gross),
        "BT-115": _amount(sums.gross),
        "BG-25": [_line(number, line) for number, line in enumerate(document.lines, 1)],
    }
    if document.is_french_both:
        terms["BT-23"] = SERVICES_INVOICED
    if document.kind == Kind.CREDIT_NOTE:
        terms.pop("BT-9")
    try:
        return bytes(generate_cii_xml(terms, level=LEVEL, check_xsd=False, check_schematron=None))
    except ValueError as error:  # a currency that is none, a text with a control character
        raise InvalidDocumentError([str(error)]) from error


def _party(side: Side, *, outside: bool, taxed: bool) -> dict[str, Any]:
    """BG-4 or BG-7. An invoice outside the scope of VAT names no VAT number in its fields (BR-O-02): it stands in the text."""
    french = side.country == "FR"
    party: dict[str, Any] = {
        "name": side.name,
        "addr_l1": side.street,
        "addr_l2": side.street2,
        "postcode": side.postal_code,
        "city": side.city,
        "country_code": side.country,
        "legal_identifier": side.registration_number,
        "legal_identifier_schemeid": SIREN if french else "",
    }
    if french and side.establishment_number:
        party["identifiers"] = {SIRET: side.establishment_number}
    if french and side.registration_number:
        party |= {"einvoicing_addr": side.registration_number, "einvoicing_addr_schemeid": FRENCH_ADDRESS}
    if side.vat_number and not outside:
        party["vat_identifier"] = side.vat_number
    elif taxed and not outside and side.registration_number:
        party["tax_identifier"] = side.registration_number
    if taxed:
        said = [side.legal_line, side.vat_number if outside else ""]
        party["legal_info"] = " - ".join(text for text in said if text)
    return party


def _tax(group: TaxGroup, reasons: Mapping[str, str]) -> dict[str, Any]:
    row = {
        "BT-116": _amount(group.base),
        "BT-117": _amount(group.tax),
        "BT-118": group.terms.category.value,
    }
    if group.terms.category != Category.OUTSIDE:  # BR-O-05: no rate where the tax does not apply
        row["BT-119"] = _percent(group.terms.rate)
    if group.terms.category not in (Category.STANDARD, Category.ZERO):  # BR-S-10, BR-Z-10
        row["BT-120"] = reasons[group.terms.mention]
        row["BT-121"] = group.terms.vatex
    return row


def _line(number: int, line: Line) -> dict[str, Any]:
    row = {
        "BT-126": str(number),
        "BT-129": "-1" if line.amount < 0 else "1",
        "BT-130": PIECE,
        "BT-131": _amount(line.amount),
        "BT-146": _amount(line.price),
        "BT-151": line.terms.category.value,
        "BT-153": line.text,
    }
    if line.terms.category != Category.OUTSIDE:
        row["BT-152"] = _percent(line.terms.rate)
    return row


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _percent(rate: Decimal) -> str:
    return f"{rate * 100:.2f}"


# --- Checks -------------------------------------------------------------------------------------


def _carried(name: str) -> Path:
    """A file that the library carries."""
    return Path(str(files("facturx"))) / "xsd_and_schematron" / name


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(file=str(_carried(SCHEMA)))


def check(xml: bytes, *, is_french: bool = False) -> list[str]:
    """What the document passed, by name and version: the schema always, the rules of EN 16931 where Saxon is installed.

    Between two French companies the rules of the French reform are tried too, and named where they are passed.
    Raises InvalidDocumentError with every complaint of the schema and of EN 16931.
    """
    schema = _schema()
    if not schema.validate(etree.fromstring(xml)):  # our own text
        raise InvalidDocumentError([str(entry.message) for entry in schema.error_log])
    carried = f"factur-x {version('factur-x')}"
    against = [f"XSD Factur-X 1.09 EN 16931 ({carried})"]
    if has_schematron():
        if complaints := schematron_complaints(xml):
            raise InvalidDocumentError(complaints)
        saxon = f"{carried}, saxonche {version('saxonche')}"
        against.append(f"Schematron EN 16931 ({saxon})")
        if is_french and not schematron_complaints(xml, FRENCH_SCHEMATRON):
            against.append(f"Schematron FR CTC ({saxon})")
    return against


@cache
def has_schematron() -> bool:
    """Whether the XSLT processor that the norm's rules need is installed."""
    try:
        import saxonche  # noqa: F401, PLC0415  # an extra of 114 MB
    except ImportError:
        return False
    return True


_one_at_a_time = threading.Lock()


@cache
def _stylesheet(name: str) -> tuple[Any, Any]:
    from saxonche import PySaxonProcessor  # noqa: PLC0415

    processor = PySaxonProcessor(license=False)
    compiled = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_carried(name)))
    return processor, compiled


def schematron_complaints(xml: bytes, name: str = SCHEMATRON) -> list[str]:
    """What the norm's rules say against the document; nothing where they agree. Compiled once for each process."""
    with _one_at_a_time:
        processor, compiled = _stylesheet(name)
        node = processor.parse_xml(xml_text=xml.decode())
        report = compiled.transform_to_string(xdm_node=node)
    root = etree.fromstring(report.encode())  # Saxon's own
    if not any("ram:" in one.get("context", "") for one in root.iter(f"{SVRL}fired-rule")):
        raise InvalidDocumentError(["The rules of EN 16931 did not run: none of them looked at the document."])
    return ["".join(one.itertext()).strip() for one in root.iter(f"{SVRL}failed-assert")]
