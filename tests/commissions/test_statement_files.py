"""A statement as CSV, Excel and PDF: the same lines, in the reader's language, and nothing that runs as a formula."""

import csv
import importlib
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from openpyxl import load_workbook

from accounts.models import User
from commissions import export
from commissions.models import Statement
from common import pdf
from partners.models import Partner
from tests.commissions.disputes_facts import approve_all, issue_all, line_of, question
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_portal_user

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def partner() -> Partner:
    program = paying_program({"level-1": D("0.1")})
    made = holding(program, name="Vélos Dupont")
    sell(made, "1000", date(2026, 2, 10), customer_name="=HYPERLINK(1)", order_number="SO-1")
    sell(made, "400", date(2026, 2, 11), customer_name="Lyon", order_number="SO-2")
    run_night(program, date(2026, 3, 2))
    return made


@pytest.fixture
def owner(partner: Partner) -> User:
    return make_portal_user(partner)


@pytest.fixture
def statement(partner: Partner, owner: User) -> Statement:
    """100.00 and 40.00, of which 40.00 is held."""
    issue_all()
    question(line_of(partner, "40"), owner)
    approve_all()
    return Statement.objects.select_related("partner").get()


def test_excel_has_what_it_comes_to_and_every_line_as_numbers(statement: Statement) -> None:
    book = load_workbook(export.statement_xlsx(statement))
    summary, lines = book.worksheets
    assert [(a.value, b.value) for a, b in summary.iter_rows()] == [
        ("Partner", "Vélos Dupont"), ("Month", "February 2026"), ("Currency", "USD"), ("State", "Approved"),
        ("Commission", 140), ("Held: lines you question", -40), ("Total", 100),
    ]  # fmt: skip
    header, first, second = lines.iter_rows(values_only=True)
    assert header[:2] + header[-1:] == ("Day of the sale", "Order", "Held")
    assert first[1:2] + first[4:5] + first[8:12] == ("SO-1", "'=HYPERLINK(1)", 1000, 0.1, 0, 100)
    assert (second[11], second[14]) == (40, "held")
    assert lines["L2"].number_format == "#,##0.00"
    assert all(cell.data_type != "f" for row in lines.iter_rows() for cell in row)


def test_excel_speaks_the_readers_language(statement: Statement) -> None:
    with override("fr"):
        book = load_workbook(export.statement_xlsx(statement))
    assert book.sheetnames == ["Relevé", "Lignes"]
    assert book.worksheets[0]["B4"].value == "Approuvé"


def test_csv_marks_what_is_held(statement: Statement) -> None:
    rows = list(csv.reader(io.StringIO("".join(export.statement_csv(statement)).removeprefix("\ufeff"))))
    assert [row[-1] for row in rows] == ["Held", "", "held"]


def drawn(statement: Statement, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page that the PDF is drawn from."""
    pages: list[str] = []
    monkeypatch.setattr(pdf, "from_html", lambda html: pages.append(html) or b"%PDF-")
    assert export.statement_pdf(statement) == b"%PDF-"
    return " ".join(pages[0].replace("\u202f", " ").replace("\xa0", " ").split())


def test_the_page_on_paper_says_who_what_and_how_much(
    statement: Statement, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VENDOR_NAME = "Vélomax & Co"
    page = drawn(statement, monkeypatch)
    assert "Vélomax &amp; Co" in page
    assert "<b>Vélos Dupont</b> · USD · Approved" in page
    assert '<th scope="row">Total</th><td class="number">$100.00</td>' in page
    assert 'counter(page) " / " counter(pages)' in page
    monkeypatch.setattr(export, "LINES_IN_PDF", 1)
    assert "The lines after these are in the Excel and CSV files" in drawn(statement, monkeypatch)
    with override("fr"):
        french = drawn(statement, monkeypatch)
    assert '<td class="number">100,00 $US</td>' in french
    assert "Relevé de février 2026" in french


def test_a_pdf_is_drawn_where_the_machine_can(statement: Statement) -> None:
    pytest.importorskip("weasyprint", exc_type=OSError)
    assert export.statement_pdf(statement).startswith(b"%PDF-1.")


@pytest.mark.parametrize("missing", [ImportError("no module"), OSError("cannot load library 'libpango-1.0-0'")])
def test_a_machine_that_cannot_draw_says_so_and_everything_else_works(
    missing: Exception, statement: Statement, owner: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(name: str) -> Any:
        if name == "weasyprint":
            raise missing
        return importlib.import_module(name)

    monkeypatch.setattr(pdf, "import_module", without)
    client.force_login(owner)
    answer = client.get(reverse("portal:statement-pdf", args=[statement.pk]), follow=True)
    assert answer.redirect_chain == [(reverse("portal:statement", args=[statement.pk]), 302)]
    said = answer.content.decode()
    assert "This machine cannot make PDF files" in said
    assert "apt install libpango" in said
    assert client.get(reverse("portal:statement-xlsx", args=[statement.pk])).status_code == 200


def test_a_page_on_paper_reads_static_files_alone() -> None:
    weasyprint = pytest.importorskip("weasyprint", exc_type=OSError)
    fetcher = pdf._static(weasyprint, "file:///program/")
    assert fetcher.fetch("file:///program/img/mark.svg").url.endswith("static/img/mark.svg")
    for address in ("file:///etc/passwd", "https://example.com/x.png", "file:///program/../etc/passwd"):
        with pytest.raises((ValueError, SuspiciousFileOperation), match="no static file|outside"):
            fetcher.fetch(address)
