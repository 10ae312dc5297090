"""Reading a PDF that a partner sent: an electronic invoice inside it has to say what was typed beside it."""

import io
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _
from facturx import get_xml_from_pdf
from facturx.facturx import get_flavor, get_level
from facturx.parse_xml import parse_ubl_cii_xml
from lxml import etree
from pypdf import PdfReader

from invoices.errors import UploadError

NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")


def checked(content: bytes, *, number: str, currency: str, net: Decimal, tax: Decimal) -> str:
    """The profile of the Factur-X inside, whose number, currency and totals agree; empty for a plain PDF.

    Raises UploadError for a PDF that cannot be read, for XML that is not valid, and where it says something else. The
    library's reader passes over XML that is not valid as if there were none; here it is refused.
    """
    if not _announces_xml(content):
        return ""
    found = _read(content)
    if found.get("BT-1", "").strip() != number:
        raise UploadError(_("The XML inside the PDF is of invoice %(number)s.") % {"number": found.get("BT-1", "?")})
    if found.get("BT-5") != currency:
        raise UploadError(_("The XML inside the PDF is in %(currency)s.") % {"currency": found.get("BT-5", "?")})
    for term, given in (("BT-109", net), ("BT-110", tax), ("BT-112", net + tax)):
        if _amount(found.get(term, "0" if term == "BT-110" else "")) != given:
            raise UploadError(
                _("The XML inside the PDF says %(inside)s where you wrote %(given)s (%(term)s).")
                % {"inside": found.get(term, "–"), "given": given, "term": term}
            )
    return f"Factur-X {found['profile']}"


def _announces_xml(content: bytes) -> bool:
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise UploadError(_("The PDF is protected by a password: send it without."))
        len(reader.pages)
        return any(one.name.lower() in NAMES for one in reader.attachment_list)
    except UploadError:
        raise
    except Exception as error:  # whatever a broken file makes the reader raise
        raise UploadError(_("The PDF cannot be read: save it again and send that.")) from error


def _read(content: bytes) -> dict[str, Any]:
    try:
        _name, xml = get_xml_from_pdf(content, check_xsd=False, filenames=list(NAMES))
        if not xml or b"<!DOCTYPE" in xml:
            raise ValueError("no XML")
        root = etree.fromstring(xml)  # no document type, so no entities
        found: dict[str, Any] = parse_ubl_cii_xml(root)
        return {**found, "profile": get_level(root, get_flavor(root))}
    except Exception as error:  # the library raises Exception itself
        raise UploadError(
            _("The XML inside the PDF is no valid electronic invoice: mend it, or send a PDF without it.")
        ) from error


def _amount(text: str) -> Decimal | None:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None
