"""Documents of statements: due when, numbered how, the same for ever; and what happens where one cannot be made."""

import hashlib
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from pypdf import PdfReader

from commissions import lifecycle
from commissions.models import Statement
from common.pdf import PdfError
from common.periods import program_today
from invoices import printing
from invoices.models import Invoice, InvoiceFile, InvoiceSettings, Mandate, PartnerIdentity, Series, Waiting
from invoices.selectors import held_from_payment, to_document
from invoices.services import decide_identity, issue_for, revoke_mandate
from journal.models import Entry
from tests.commissions.facts import holding, run_night, sell
from tests.factories import make_staff
from tests.invoices.facts import (
    AMERICAN,
    FRENCH,
    GERMAN,
    SMALL,
    approve,
    approved,
    bare_statement,
    drafted,
    identified,
    mandated,
    program_that_pays,
    ready_partner,
    vendor,
)
from tiers.models import Program

pytestmark = pytest.mark.django_db
D = Decimal
TODAY = program_today()


@pytest.fixture
def program() -> Program:
    vendor()
    return program_that_pays()


def issue(*statements: Statement, on: date = TODAY) -> dict[int, Invoice]:
    return issue_for(statements, on=on)


def two_months(program: Program) -> list[Statement]:
    """A partner's statements of two months, both approved, neither with a document."""
    partner = ready_partner(program)
    for month in (2, 3):
        sell(partner, "1000.00", date(2026, month, 10), currency="EUR")
    drafted(program, date(2026, 3, 10))
    return [approve(one) for one in Statement.objects.order_by("starts_on")]


def text_of(invoice: Invoice) -> str:
    reader = PdfReader(io.BytesIO(bytes(invoice.file.pdf)))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


# --- What a statement's document says -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "tax", "category", "mention"),
    [
        ({}, "24.69", "S", "standard"), (GERMAN, "0", "AE", "reverse-charge"), (SMALL, "0", "E", "small-enterprise-fr"),
        (AMERICAN, "0", "O", "reverse-charge-imported"),
    ],
)  # fmt: skip
def test_statement_and_invoice_bear_the_tax_of_the_partners_identity(
    program: Program, given: dict[str, str], tax: str, category: str, mention: str
) -> None:
    partner = ready_partner(program, given) if given else ready_partner(program)
    statement = approved(partner, program, "1000.00", "234.50")
    assert (statement.net, statement.tax, statement.total) == (D("123.45"), D(tax), D("123.45") + D(tax))
    (invoice,) = issue(statement).values()
    assert (invoice.net, invoice.tax, invoice.gross) == (statement.net, statement.tax, statement.total)
    assert (invoice.tax_category, invoice.tax_mention, invoice.kind) == (category, mention, "389")
    assert invoice.validated_against[0].startswith("XSD Factur-X")
    assert invoice.validated_against[1].startswith("Schematron EN 16931")


def test_a_half_cent_of_tax_goes_up_on_both(program: Program) -> None:
    partner = ready_partner(program)
    statement = approved(partner, program, "6.30")  # 0.63, whose fifth is 0.126; and 0.625 is not payable in euros
    assert statement.tax == D("0.13")
    assert issue(statement)[statement.pk].gross == D("0.76")


def test_the_file_is_in_the_partners_language_and_names_its_statement(program: Program) -> None:
    partner = ready_partner(program, GERMAN)
    statement = approved(partner, program, "1000.00")
    with override("fr"):
        (invoice,) = issue(statement).values()
    said = text_of(invoice)
    assert f"ST-2026-03-{statement.pk:06d}" in said
    assert "Commission – Resellers, March 2026" in said
    assert "Reverse charge: VAT is owed by the customer (art. 44 and 196 of Directive 2006/112/EC)" in said
    assert "in the name and on behalf of Rad GmbH" in said


def test_what_was_carried_over_stands_on_the_invoice(program: Program) -> None:
    partner = ready_partner(program)
    first = approved(partner, program, "-100.00", on=date(2026, 2, 10))
    assert (first.state, first.net) == ("carried", D("-10"))
    statement = approved(partner, program, "1000.00")
    assert (statement.opening, statement.net, statement.tax) == (D("-10"), D("90"), D("18"))
    (invoice,) = issue(statement, first).values()
    assert (invoice.statement, invoice.gross) == (statement, D("108"))
    assert "-10,00" in text_of(invoice)


# --- When one is due ------------------------------------------------------------------------------------


def test_without_a_mandate_none_is_written(program: Program) -> None:
    partner = holding(program)
    identified(partner)
    statement = approved(partner, program, "1000.00")
    assert issue(statement) == {}
    assert not Waiting.objects.exists()


def test_a_mandate_covers_statements_approved_under_it(program: Program) -> None:
    partner = holding(program)
    identified(partner)
    before = approved(partner, program, "1000.00")
    mandated(partner)
    after = approved(partner, program, "500.00", on=date(2026, 4, 10))
    assert list(issue(before, after)) == [after.pk]


def test_drafts_and_reviews_have_no_document(program: Program) -> None:
    partner = ready_partner(program)
    sell(partner, "100.00", date(2026, 3, 10), currency="EUR")
    drafted(program, date(2026, 3, 10))
    assert issue(Statement.objects.get()) == {}


def test_a_second_call_writes_nothing_more(program: Program) -> None:
    statement = approved(ready_partner(program), program, "1000.00")
    first = issue(statement)
    assert issue(statement) == first
    lifecycle.schedule([statement.pk], actor=None)
    lifecycle.mark_paid([statement.pk], paid_on=TODAY, actor=None)
    assert issue(statement) == first
    assert (Invoice.objects.count(), InvoiceFile.objects.count(), Series.objects.get().last) == (1, 1, 1)


def test_a_statement_cancelled_after_its_invoice_gets_a_credit_note_of_all_of_it(program: Program) -> None:
    partner = ready_partner(program)
    statement = approved(partner, program, "1000.00")
    (invoice,) = issue(statement).values()
    lifecycle.cancel([statement.pk], reason="Wrong company", actor=make_staff())
    assert list(to_document(TODAY)) == [Statement.objects.get(pk=statement.pk)]
    (note,) = issue(statement).values()
    assert (note.kind, note.number) == ("261", f"SC-{partner.pk:06d}-{TODAY.year}-0001")
    assert (note.net, note.tax, note.gross) == (invoice.net, invoice.tax, invoice.gross)
    said = text_of(note)
    assert invoice.number in said
    assert ("120,00" in said, "-120,00" in said) == (True, False)
    assert issue(statement) == {statement.pk: note}
    # What was cancelled goes on the next statement, and is invoiced there.
    after = approved(partner, program, "500.00", on=date(2026, 4, 10))
    assert (after.opening, after.net) == (D("100"), D("150"))
    assert issue(after)[after.pk].net == D("150")


def test_an_invoice_names_the_ones_whose_sales_it_corrects(program: Program) -> None:
    partner = ready_partner(program)
    sale = sell(partner, "1000.00", date(2026, 3, 10), currency="EUR")
    first = approved(partner, program)
    (invoice,) = issue(first).values()
    sale.amount = D("400.00")
    sale.save()
    second = approved(partner, program, "2000.00", on=date(2026, 4, 10))
    assert second.net == D("140")
    said = text_of(issue(second)[second.pk])
    assert invoice.number in said


# --- Numbers --------------------------------------------------------------------------------------------


def test_each_partner_has_its_own_numbers_and_each_year_begins_at_one(program: Program) -> None:
    one, other = ready_partner(program), ready_partner(program, GERMAN)
    months = [date(2026, month, 10) for month in (1, 2, 3)]
    statements = [approved(one, program, "1000.00", on=day) for day in months]
    alone = approved(other, program, "1000.00")
    made = issue(*statements, alone)
    year = TODAY.year
    assert [made[each.pk].number for each in statements] == [f"SB-{one.pk:06d}-{year}-000{n}" for n in (1, 2, 3)]
    assert made[alone.pk].number == f"SB-{other.pk:06d}-{year}-0001"
    later = approved(one, program, "1000.00", on=date(2026, 4, 10))
    assert issue(later, on=date(year + 1, 1, 2))[later.pk].number == f"SB-{one.pk:06d}-{year + 1}-0001"


def test_a_failed_attempt_leaves_no_gap_and_no_row(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = two_months(program)
    print_it = printing.pdf_of

    def fail(*_arguments: Any, **_more: Any) -> bytes:
        raise PdfError("no paper")

    monkeypatch.setattr(printing, "pdf_of", fail)
    assert issue(first, second) == {}
    assert not Invoice.objects.exists()
    assert not Series.objects.exists()
    monkeypatch.setattr(printing, "pdf_of", print_it)
    assert sorted(one.place for one in issue(first, second).values()) == [1, 2]
    assert Series.objects.get().last == 2


def test_a_number_is_never_dated_before_the_one_that_precedes_it(program: Program) -> None:
    first, second = two_months(program)
    tomorrow = TODAY + timedelta(days=1)
    assert issue(first, on=tomorrow)[first.pk].issued_on == tomorrow
    if tomorrow.year == TODAY.year:
        assert issue(second)[second.pk].issued_on == tomorrow


# --- What cannot be made --------------------------------------------------------------------------------


def test_a_machine_that_cannot_print_keeps_the_statement_and_the_night_makes_it_later(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = approved(ready_partner(program), program, "1000.00")

    def lacking() -> Any:
        raise PdfError("Install: libpango-1.0-0.")

    with monkeypatch.context() as patch:
        patch.setattr("common.pdf.library", lacking)
        assert issue(statement) == {}
        waiting = Waiting.objects.get()
        assert (waiting.reason, waiting.detail) == ("printing", "Install: libpango-1.0-0.")
        assert Statement.objects.get(pk=statement.pk).state == "approved"
        assert run_night(program, TODAY).totals["invoices_made"] == 0
    run = run_night(program, TODAY)
    assert run.totals["invoices_made"] == 1
    assert not Waiting.objects.exists()
    assert Invoice.objects.get().statement == statement


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"tax_status": "small", "vat_number": ""}, "partner-vat-number"), (FRENCH, "tax-differs")],
)
def test_what_changed_since_the_approval_is_said_and_not_guessed(
    program: Program, change: dict[str, str], reason: str
) -> None:
    partner = ready_partner(program, GERMAN)
    statement = approved(partner, program, "1000.00")
    identified(partner, {**GERMAN, **change})
    assert issue(statement) == {}
    assert Waiting.objects.get().reason == reason
    identified(partner, GERMAN)
    assert list(issue(statement)) == [statement.pk]
    assert not Waiting.objects.exists()


def test_details_that_staff_have_not_accepted_do_not_stand_on_a_document(program: Program) -> None:
    InvoiceSettings.objects.create(reviews_identities=True)
    partner = ready_partner(program, GERMAN)
    statement = approved(partner, program, "1000.00")
    assert issue(statement) == {}
    assert Waiting.objects.get().reason == "identity"
    decide_identity(identity=PartnerIdentity.objects.get(), accept=True, actor=make_staff())
    assert list(issue(statement)) == [statement.pk]


def test_without_the_vendors_details_nothing_is_written() -> None:
    program = program_that_pays()
    statement = approved(ready_partner(program, GERMAN), program, "1000.00")
    assert issue(statement) == {}
    assert Waiting.objects.get().reason == "vendor"
    vendor()
    assert list(issue(statement)) == [statement.pk]
    assert not Waiting.objects.exists()


def test_what_is_due_no_more_stops_waiting() -> None:
    program = program_that_pays()
    partner = ready_partner(program, GERMAN)
    issue(bare_statement(partner, date(2026, 3, 1)))
    assert Waiting.objects.get().reason == "vendor"
    mandate = Mandate.objects.get()
    revoke_mandate(mandate=mandate, ends_on=TODAY, actor=mandate.accepted_by)
    run_night(program, TODAY)
    assert not Waiting.objects.exists()


def test_dinars_have_a_decimal_too_many(program: Program) -> None:
    statement = approved(ready_partner(program, GERMAN), program, "1000.00", currency="TND")
    assert issue(statement) == {}
    assert Waiting.objects.get().reason == "currency"


def test_one_that_cannot_be_made_stops_none_of_the_others(program: Program) -> None:
    broken, whole = ready_partner(program, {**GERMAN, "name": "Rad\x01GmbH"}), ready_partner(program, GERMAN)
    statements = [approved(partner, program, "1000.00") for partner in (broken, whole)]
    assert list(issue(*statements)) == [statements[1].pk]
    assert Waiting.objects.get(statement=statements[0]).reason == "invalid"


# --- Kept as it was made --------------------------------------------------------------------------------


def test_the_stored_bytes_are_those_of_the_hash_and_never_change(program: Program) -> None:
    (invoice,) = issue(approved(ready_partner(program), program, "1000.00")).values()
    content = bytes(invoice.file.pdf)
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (invoice.sha256, invoice.size)
    for change in (
        lambda: Invoice.objects.update(gross=D(1)),
        lambda: Invoice.objects.all().delete(),
        lambda: InvoiceFile.objects.update(pdf=b"%PDF-other"),
        lambda: InvoiceFile.objects.all().delete(),
        lambda: Series.objects.update(last=7),
        lambda: Series.objects.update(last=0),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    entry = Entry.objects.get(verb="invoices.invoice.issued")
    assert (entry.partner_id, entry.after["number"], entry.after["sha256"]) == (
        invoice.partner_id, invoice.number, invoice.sha256,
    )  # fmt: skip


# --- Paying ---------------------------------------------------------------------------------------------


def test_payment_waits_for_an_invoice_only_where_the_settings_say_so(program: Program) -> None:
    statement = approved(ready_partner(program), program, "1000.00")
    assert held_from_payment([statement.pk]) == {}
    InvoiceSettings.objects.create(required_to_pay=True)
    assert held_from_payment([statement.pk]) == {statement.pk: "There is no invoice yet."}
    issue(statement)
    assert held_from_payment([statement.pk]) == {}


def test_preparing_costs_the_same_for_one_and_for_many(program: Program) -> None:
    def queries(count: int) -> int:
        statements = [
            approved(ready_partner(program, {**GERMAN, "name": "Rad\x01"}), program, "10.00") for _n in range(count)
        ]
        with CaptureQueriesContext(connection) as seen:
            issue(*statements)
        return len([one for one in seen.captured_queries if "SAVEPOINT" not in one["sql"]])

    # Each takes its own lock and number, and gives both back: five queries.
    assert queries(4) - queries(2) == 2 * 5
