"""Partners with legal details, mandates and approved statements; and documents as pure facts."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from pypdf import PdfWriter

from accounts.models import User
from commissions.models import Statement
from commissions.services import approve_statements, issue_statements
from common.periods import add_months, program_today
from common.texts import Texts
from invoices import facturx, printing, texts
from invoices.document import Document, Kind, Line, Side
from invoices.models import Invoice, Mandate, MandateText, PartnerIdentity, UploadedInvoice, VendorIdentity
from invoices.rules import Category, Mention, Terms
from invoices.services import accept_mandate, issue_for, record_identity, record_vendor_identity, send_invoice
from partners.models import Partner
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_portal_user
from tiers.models import Program

D = Decimal
VENDOR_SINCE = date(2020, 1, 1)
FRENCH = {
    "name": "Cycles Dupont SARL", "street": "12 rue de la République", "street2": "", "postal_code": "69003",
    "city": "Lyon", "country": "FR", "registration_number": "552008443", "establishment_number": "",
    "vat_number": "FR19552008443", "legal_line": "SARL au capital de 10 000 € – RCS Lyon 552 008 443",
    "tax_status": "normal", "exemption": "", "exemption_code": "", "language": "fr",
}  # fmt: skip
GERMAN = {
    **FRENCH, "name": "Rad GmbH", "street": "Hauptstraße 1", "postal_code": "10115", "city": "Berlin", "country": "DE",
    "registration_number": "HRB 12345", "vat_number": "DE136695976", "legal_line": "", "language": "en",
}  # fmt: skip
AMERICAN = {
    **GERMAN, "name": "Bike Inc", "street": "1 Main Street", "postal_code": "94105", "city": "San Francisco",
    "country": "US", "registration_number": "C1234567", "vat_number": "",
}  # fmt: skip
SMALL = {**FRENCH, "name": "Jeanne Martin EI", "tax_status": "small", "vat_number": ""}
VENDOR = {
    "name": "Adventure Works SAS", "street": "1 place Bellecour", "postal_code": "69002", "city": "Lyon", "country": "FR",
    "registration_number": "303265045", "vat_number": "FR40303265045",
    "legal_line": "SAS au capital de 1 500 000 € – RCS Lyon 303 265 045",
}  # fmt: skip


# --- Rows -----------------------------------------------------------------------------------------


def vendor(**over: str) -> VendorIdentity:
    return record_vendor_identity(fields={**VENDOR, **over}, starts_on=VENDOR_SINCE, mentions={}, actor=None)


def identified(partner: Partner, given: dict[str, str] = FRENCH, **over: str) -> PartnerIdentity:
    return record_identity(partner=partner, fields={**given, **over}, actor=None)


def words() -> MandateText:
    return MandateText.objects.get_or_create(version=1, defaults={"text": {"en": "Words.", "fr": "Mots."}})[0]


def mandated(partner: Partner, actor: User | None = None) -> Mandate:
    return accept_mandate(partner=partner, text=words(), language="fr", actor=actor or make_portal_user(partner))


def program_that_pays(rate: str = "0.1") -> Program:
    return paying_program({"level-1": D(rate)}, name={"en": "Resellers", "fr": "Revendeurs"})


def ready_partner(program: Program, given: dict[str, str] = FRENCH, **over: Any) -> Partner:
    """In the program, with legal details and a mandate."""
    partner = holding(program, **over)
    identified(partner, given)
    mandated(partner)
    return partner


def approved(
    partner: Partner, program: Program, *sales: str, on: date = date(2026, 3, 10), currency: str = "EUR"
) -> Statement:
    """The partner's statement of the month of `on`, approved, over these sales."""
    for amount in sales:
        sell(partner, amount, on, currency=currency)
    drafted(program, on)
    drafts = Statement.objects.filter(partner=partner, state=Statement.State.DRAFT)
    return approve(drafts.latest("starts_on", "pk"))


def drafted(program: Program, on: date) -> None:
    run_night(program, date(on.year + on.month // 12, on.month % 12 + 1, 2))


def approve(statement: Statement) -> Statement:
    statement.refresh_from_db()
    issue_statements(seen={statement.pk: statement.total})
    approve_statements(seen={statement.pk: statement.net})
    return Statement.objects.get(pk=statement.pk)


# --- Documents as facts ---------------------------------------------------------------------------------

STANDARD = Terms(Category.STANDARD, D("0.20"), Mention.STANDARD)
ZERO_RATED = Terms(Category.ZERO, D(0), Mention.ZERO_RATED)
FRANCHISE = Terms(Category.EXEMPT, D(0), Mention.SMALL_FRANCE, "VATEX-FR-FRANCHISE")
SMALL_ELSEWHERE = Terms(Category.EXEMPT, D(0), Mention.SMALL)
EXEMPT = Terms(Category.EXEMPT, D(0), Mention.EXEMPT, "VATEX-EU-135-1", "Exonération de TVA, art. 261 C, 1° du CGI")
REVERSE = Terms(Category.REVERSE_CHARGE, D(0), Mention.REVERSE_CHARGE, "VATEX-EU-AE")
IMPORTED = Terms(Category.OUTSIDE, D(0), Mention.REVERSE_CHARGE_IMPORTED, "VATEX-EU-O")


def side(given: dict[str, str] = FRENCH) -> Side:
    names = Side.__dataclass_fields__
    return Side(**{name: value for name, value in given.items() if name in names})


def document(*lines: tuple[str, Terms], seller: dict[str, str] = FRENCH, **over: Any) -> Document:
    given: dict[str, Any] = {
        "number": "SB-000042-2026-0001", "kind": Kind.INVOICE, "issued_on": date(2026, 11, 25),
        "due_on": date(2026, 12, 25), "starts_on": date(2026, 10, 1), "ends_on": date(2026, 11, 1), "currency": "EUR",
        "language": "fr", "statement": "ST-2026-10-000042",
    }  # fmt: skip
    made = [Line(f"Commission – Revendeurs {at}", D(amount), terms) for at, (amount, terms) in enumerate(lines, 1)]
    return Document(seller=side(seller), buyer=side(VENDOR), lines=made, **{**given, **over})


def xml_of(made: Document) -> bytes:
    notes = list(texts.notes(made, mandate_on=date(2026, 1, 5), mentions=Texts()))
    return facturx.xml_of(made, notes=notes, reasons=texts.reasons([line.terms for line in made.lines]))


def pdf_of(made: Document) -> bytes:
    notes = list(texts.notes(made, mandate_on=date(2026, 1, 5), mentions=Texts()))
    reasons = texts.reasons([line.terms for line in made.lines])
    return printing.pdf_of(made, xml=xml_of(made), notes=notes, reasons=reasons)


def bare_statement(partner: Partner, month: date, amount: str = "100.00", currency: str = "EUR") -> Statement:
    """Approved, of one amount carried over and no lines: for tests that are about what comes after."""
    statement = Statement.objects.create(
        partner=partner, starts_on=month, ends_on=add_months(month, 1), currency=currency, opening=D(amount), total=D(amount)
    )  # fmt: skip
    return approve(statement)


def some_documents(partner: Partner) -> tuple[Invoice, UploadedInvoice]:
    """A document that was written for the partner, and one that it sent."""
    vendor()
    identified(partner, GERMAN)
    sent_for = bare_statement(partner, date(2025, 1, 1))
    writer, content = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(content)
    sent = send_invoice(
        statement=sent_for, number="F-1", issued_on=program_today(), net=sent_for.net, tax=sent_for.tax, actor=None,
        document=SimpleUploadedFile("invoice.pdf", content.getvalue()),
    )  # fmt: skip
    mandated(partner, partner.members.filter(user__isnull=False)[0].user)
    (invoice,) = issue_for([bare_statement(partner, date(2025, 2, 1))], on=program_today()).values()
    return invoice, sent
