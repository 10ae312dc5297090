"""The file itself: what the norm's own checks say, what PDF/A-3 asks for, and the traps of the libraries."""

import base64
import io
import socket
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import override
from lxml import etree
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from common import pdf
from invoices import facturx, printing
from invoices.document import Corrected, Document, Kind, fits_the_norm
from invoices.errors import InvalidDocumentError
from tests.invoices.facts import (
    AMERICAN,
    EXEMPT,
    FRANCHISE,
    GERMAN,
    IMPORTED,
    REVERSE,
    SMALL,
    SMALL_ELSEWHERE,
    STANDARD,
    ZERO_RATED,
    document,
    pdf_of,
    xml_of,
)

D = Decimal
RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
CORRECTED = [Corrected("SB-000042-2026-0001", date(2026, 10, 25))]
CASES: dict[str, Document] = {
    "standard": document(("1000.00", STANDARD), ("-12.35", STANDARD)),
    "zero rated": document(("1000.00", ZERO_RATED), seller=GERMAN),
    "franchise": document(("1000.00", FRANCHISE), seller=SMALL),
    "small elsewhere": document(("1000.00", SMALL_ELSEWHERE), seller={**GERMAN, "vat_number": ""}),
    "exempt": document(("1000.00", EXEMPT)),
    "reverse charge": document(("1234567.89", REVERSE), seller=GERMAN, language="en"),
    "outside": document(("0.01", IMPORTED), seller=AMERICAN, language="en"),
    "outside, with a VAT number": document(("5.00", IMPORTED), seller={**AMERICAN, "vat_number": "GB980780684"}),
    "mixed": document(("100.00", STANDARD), ("50.00", EXEMPT), ("10.00", ZERO_RATED)),
    "credit note": document(
        ("250.00", STANDARD), kind=Kind.CREDIT_NOTE, number="SC-000042-2026-0001", corrects=CORRECTED
    ),
    "in yen": document(("1005", REVERSE), seller=GERMAN, currency="JPY"),
    "corrects": document(("100.00", STANDARD), ("-30.00", STANDARD), corrects=CORRECTED),
}


def value(xml: bytes, *path: str) -> list[str]:
    root = etree.fromstring(xml)
    return [str(one.text) for one in root.iter(*[f"{RAM}{name}" for name in path])]


@pytest.mark.parametrize("name", CASES)
def test_schema_and_rules_of_en_16931_have_nothing_against_it(name: str) -> None:
    made = CASES[name]
    with override(made.language):
        against = facturx.check(xml_of(made), is_french=made.is_french_both)
    assert [one.split(" (")[0] for one in against[:2]] == ["XSD Factur-X 1.09 EN 16931", "Schematron EN 16931"]


@pytest.mark.parametrize("name", [name for name, made in CASES.items() if made.is_french_both])
def test_between_french_companies_it_passes_the_rules_of_the_french_reform(name: str) -> None:
    with override("fr"):
        assert facturx.schematron_complaints(xml_of(CASES[name]), facturx.FRENCH_SCHEMATRON) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b">1185.18<", b">1185.19<", "BR-CO-15"),
        (b"ChargeAmount>1000.00", b"ChargeAmount>-1000.00", "BR-27"),
        (b"FR19552008443", b"19552008443", "BR-CO-09"),
    ],
)
def test_a_broken_document_is_refused_with_the_rule_it_breaks(old: bytes, new: bytes, rule: str) -> None:
    broken = xml_of(CASES["standard"]).replace(old, new)
    with pytest.raises(InvalidDocumentError) as refused:
        facturx.check(broken)
    assert rule in " ".join(refused.value.complaints)


def test_the_schema_refuses_what_the_rules_would_not_look_at() -> None:
    with pytest.raises(InvalidDocumentError, match="LineID"):
        facturx.check(xml_of(CASES["standard"]).replace(b"ram:LineID", b"ram:RowID"))


def test_rules_that_look_at_nothing_are_no_pass() -> None:
    """The trap of a check that skips itself: another document fires no rule, and that is an error here."""
    with pytest.raises(InvalidDocumentError, match="did not run"):
        facturx.schematron_complaints(b"<other/>")


def test_no_check_asks_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own asks port 5000 of this machine, and passes where nothing answers."""

    def refuse(*_arguments: Any) -> None:
        raise AssertionError("a check tried to reach a server")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    made = CASES["standard"]
    facturx.check(xml_of(made), is_french=True)
    pdf_of(made)


def test_without_saxon_the_document_says_that_only_the_schema_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facturx, "has_schematron", lambda: False)
    assert [one.split(" (")[0] for one in facturx.check(xml_of(CASES["standard"]))] == ["XSD Factur-X 1.09 EN 16931"]


def test_the_figures_of_the_worked_example() -> None:
    xml = xml_of(CASES["standard"])
    assert value(xml, "TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount", "DuePayableAmount") == [
        "987.65", "197.53", "1185.18", "1185.18",
    ]  # fmt: skip
    assert value(xml, "BilledQuantity") == ["1", "-1"]
    assert value(xml, "ChargeAmount") == ["1000.00", "12.35"]


def test_a_credit_note_is_positive_and_names_what_it_corrects() -> None:
    xml = xml_of(CASES["credit note"])
    assert value(xml, "TypeCode")[0] == "261"
    assert value(xml, "GrandTotalAmount") == ["300.00"]
    assert b"SB-000042-2026-0001" in xml


def test_a_currency_of_three_decimals_does_not_fit_the_norm() -> None:
    assert [fits_the_norm(code) for code in ("EUR", "JPY", "TND", "KWD")] == [True, True, False, False]


def test_a_text_that_no_xml_can_hold_is_a_refusal() -> None:
    with pytest.raises(InvalidDocumentError):
        xml_of(document(("1.00", STANDARD), seller={**GERMAN, "name": "Rad\x00GmbH"}))


# --- PDF/A-3 --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def read() -> tuple[PdfReader, bytes]:
    made = CASES["corrects"]
    with override("fr"):
        content, xml = pdf_of(made), xml_of(made)
    return PdfReader(io.BytesIO(content)), xml


def test_the_metadata_say_pdf_a_3b_and_factur_x(read: tuple[PdfReader, bytes]) -> None:
    root = read[0].trailer["/Root"]
    xmp = etree.fromstring(root["/Metadata"].get_object().get_data())
    found = {etree.QName(one).localname: one.text for one in xmp.iter() if isinstance(one.tag, str)}
    found |= {etree.QName(name).localname: text for one in xmp.iter() if isinstance(one.tag, str)
              for name, text in one.attrib.items()}  # fmt: skip
    assert (found["part"], found["conformance"]) == ("3", "B")
    assert (found["DocumentFileName"], found["ConformanceLevel"]) == ("factur-x.xml", "EN 16931")
    assert root["/Lang"] == "fr"


def test_colours_have_an_output_intent(read: tuple[PdfReader, bytes]) -> None:
    intents = read[0].trailer["/Root"]["/OutputIntents"]
    assert [one.get_object()["/S"] for one in intents] == ["/GTS_PDFA1"]
    assert "/DestOutputProfile" in intents[0].get_object()


def test_every_font_is_embedded(read: tuple[PdfReader, bytes]) -> None:
    fonts: list[DictionaryObject] = []
    for page in read[0].pages:
        for font in page["/Resources"]["/Font"].values():
            fonts += [one.get_object() for one in font.get_object()["/DescendantFonts"]]
    assert fonts
    assert [one for one in fonts if not {"/FontFile2", "/FontFile3"} & set(one["/FontDescriptor"])] == []


def test_the_xml_inside_is_the_one_that_was_checked(read: tuple[PdfReader, bytes]) -> None:
    reader, xml = read
    (attached,) = reader.attachment_list
    assert (attached.name, attached.content) == ("factur-x.xml", xml)
    (specification,) = reader.trailer["/Root"]["/AF"]
    assert specification.get_object()["/AFRelationship"] == "/Alternative"
    assert specification.get_object()["/EF"]["/F"].get_object()["/Subtype"] == "/text/xml"


def test_nothing_in_it_runs_or_is_locked(read: tuple[PdfReader, bytes]) -> None:
    root = read[0].trailer["/Root"]
    assert not read[0].is_encrypted
    assert [name for name in ("/OpenAction", "/AA", "/JavaScript") if name in root] == []


def test_the_page_says_what_the_law_asks_for(read: tuple[PdfReader, bytes]) -> None:
    page = " ".join(read[0].pages[0].extract_text().split())
    for said in ("Cycles Dupont SARL", "Adventure Works SAS", "FR19552008443", "FR40303265045", "SB-000042-2026-0001",
                 "552 008 443", "70,00", "14,00", "84,00", "1 / 1"):  # fmt: skip
        assert said in page, said


def test_many_lines_go_over_pages_with_their_number_on_each() -> None:
    made = document(*[("10.00", STANDARD)] * 120)
    with override("en"):
        reader = PdfReader(io.BytesIO(pdf_of(made)))
    assert len(reader.pages) > 2
    assert all("SB-000042-2026-0001" in page.extract_text() for page in reader.pages)


def test_markup_in_a_name_is_text() -> None:
    made = document(("10.00", STANDARD), seller={**GERMAN, "name": "<b>Rad</b> & Söhne <script>"})
    page = printing.page_of(made, notes=[], reasons=dict.fromkeys(["standard"], ""))
    assert "&lt;b&gt;Rad&lt;/b&gt; &amp; Söhne &lt;script&gt;" in page


def test_a_machine_without_the_pdf_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(name: str) -> Any:
        raise OSError("cannot load library 'libpango-1.0-0'\nand more")

    monkeypatch.setattr(pdf, "import_module", lacking)
    with pytest.raises(
        pdf.PdfError, match=r"cannot load library 'libpango-1\.0-0'\).*apt install libpango-1\.0-0 libpangoft2"
    ):
        pdf.library()


def test_a_page_reads_no_other_file_of_this_machine(tmp_path: Path) -> None:
    picture = tmp_path / "secret.png"
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    picture.write_bytes(base64.b64decode(pixel))
    assert b"/Image" not in pdf.from_html(f'<img src="{picture.as_uri()}">')
