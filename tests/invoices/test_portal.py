"""The partner's pages of invoicing: what they say, take, refuse and hand out."""

import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfWriter

from common.periods import month_of, program_today
from invoices import closing
from invoices.models import Invoice, InvoiceSettings, Mandate, PartnerIdentity, UploadedInvoice
from invoices.services import issue_for, publish_mandate_text
from partners.models import Member
from tests.commissions.facts import holding, sell
from tests.factories import make_portal_user, make_staff
from tests.invoices.facts import (
    FRENCH,
    GERMAN,
    approve,
    approved,
    drafted,
    identified,
    program_that_pays,
    ready_partner,
    vendor,
    words,
)
from tiers.models import Program

pytestmark = pytest.mark.django_db
TODAY = program_today()


@pytest.fixture
def program() -> Program:
    vendor()
    words()
    return program_that_pays()


def page(client: Client, name: str = "invoicing", **kwargs: Any) -> Any:
    return client.get(reverse(f"portal:{name}", kwargs=kwargs))


def signed_in(client: Client, partner: Any, role: str = Member.Role.OWNER) -> Any:
    person = make_portal_user(partner, role=role)
    client.force_login(person)
    return person


def pdf() -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(out)
    return out.getvalue()


def test_a_new_partner_is_asked_for_its_details_then_for_the_mandate(client: Client, program: Program) -> None:
    partner = holding(program)
    signed_in(client, partner)
    assert "Your legal details are missing" in page(client).content.decode()
    address = reverse("portal:invoicing-identity")
    assert client.post(address, FRENCH).status_code == 302
    assert PartnerIdentity.objects.get().partner == partner
    said = page(client).content.decode()
    assert "You send your own invoices." in said
    assert client.post(reverse("portal:invoicing-mandate"), {"accept": words().pk}).status_code == 302
    mandate = Mandate.objects.get()
    assert (mandate.partner, mandate.language) == (partner, "en")
    assert "In force" in page(client).content.decode()


def test_refused_details_come_back_filled_with_the_reason_beside_the_field(client: Client, program: Program) -> None:
    signed_in(client, holding(program))
    answer = client.post(
        reverse("portal:invoicing-identity"), {**FRENCH, "vat_number": "FR20552008443", "city": "Écully"}
    )
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["vat_number"]
    assert 'value="Écully"' in answer.content.decode()
    assert not PartnerIdentity.objects.exists()


def test_details_that_staff_look_at_say_so(client: Client, program: Program) -> None:
    InvoiceSettings.objects.create(reviews_identities=True)
    signed_in(client, holding(program))
    answer = client.post(reverse("portal:invoicing-identity"), GERMAN, follow=True)
    assert "Staff look at your legal details" in answer.content.decode()
    assert "Staff look at a change" in answer.content.decode()


def test_words_that_changed_meanwhile_are_read_again(client: Client, program: Program) -> None:
    partner = holding(program)
    identified(partner)
    signed_in(client, partner)
    seen = words()
    publish_mandate_text(text={"en": "Others.", "fr": "D’autres."}, actor=make_staff())
    answer = client.post(reverse("portal:invoicing-mandate"), {"accept": seen.pk})
    assert "changed while you read them" in answer.content.decode()
    assert "Others." in answer.content.decode()
    assert not Mandate.objects.exists()


def test_a_mandate_is_revoked_from_a_day_that_is_asked_for(client: Client, program: Program) -> None:
    partner = ready_partner(program)
    signed_in(client, partner)
    address = reverse("portal:invoicing-mandate")
    past = client.post(address, {"revoke": "1", "ends_on": (TODAY - timedelta(days=1)).isoformat()})
    assert (past.status_code, Mandate.objects.get().ends_on) == (422, None)
    assert client.post(address, {"revoke": "1", "ends_on": TODAY.isoformat()}).status_code == 302
    assert Mandate.objects.get().ends_on == TODAY


def test_the_documents_of_each_statement_can_be_had(client: Client, program: Program) -> None:
    partner = ready_partner(program)
    statement = approved(partner, program, "1000.00")
    signed_in(client, partner)
    assert "Written tonight" in page(client).content.decode()
    issue_for([statement], on=TODAY)
    invoice = Invoice.objects.get()
    assert invoice.number in page(client).content.decode()
    answer = page(client, "invoicing-document", pk=invoice.pk)
    assert answer.content == bytes(invoice.file.pdf)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_own_invoice_is_sent_with_the_statements_amounts(client: Client, program: Program) -> None:
    partner = holding(program)
    identified(partner)
    statement = approved(partner, program, "1000.00")
    signed_in(client, partner)
    assert "Send yours" in page(client).content.decode()
    address = reverse("portal:invoicing-send")
    form = client.get(address).context["form"]
    assert (form.initial["statement"], form.initial["net"], form.initial["tax"]) == (statement, 100, 20)
    asked = {
        "statement": statement.pk,
        "number": "F-1",
        "issued_on": TODAY.isoformat(),
        "net": "100.00",
        "tax": "20.00",
    }
    file = {"document": SimpleUploadedFile("facture.pdf", pdf())}
    refused = client.post(address, {**asked, "net": "99.00", **file})
    assert (refused.status_code, "invoice to €99.00" in refused.content.decode()) == (422, True)
    file = {"document": SimpleUploadedFile("facture.pdf", pdf())}
    assert client.post(address, {**asked, **file}).status_code == 302
    sent = UploadedInvoice.objects.get()
    assert b"".join(page(client, "invoicing-sent-document", pk=sent.pk).streaming_content) == pdf()  # type: ignore[attr-defined]
    assert "Nothing to invoice" in client.get(address).content.decode()


def test_another_partner_has_none_of_it(client: Client, program: Program) -> None:
    partner = ready_partner(program)
    (invoice,) = issue_for([approved(partner, program, "1000.00")], on=TODAY).values()
    other = ready_partner(program, GERMAN)
    signed_in(client, other)
    assert page(client, "invoicing-document", pk=invoice.pk).status_code == 404
    assert invoice.number not in page(client).content.decode()


@pytest.mark.parametrize("role", [Member.Role.SALES, Member.Role.TECHNICAL, Member.Role.MARKETING])
def test_only_owner_and_finance_come_in(client: Client, program: Program, role: str) -> None:
    signed_in(client, holding(program), role)
    for name in ("invoicing", "invoicing-identity", "invoicing-mandate", "invoicing-send"):
        assert page(client, name).status_code == 403
    assert client.post(reverse("portal:invoicing-identity"), FRENCH).status_code == 403


def test_the_page_costs_the_same_with_many_statements(client: Client, program: Program) -> None:
    partner = holding(program)
    identified(partner, GERMAN)
    signed_in(client, partner)
    page(client)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert page(client).status_code == 200
        return len(seen)

    approved(partner, program, "1000.00", on=date(2025, 2, 10))
    few = queries()
    for month in range(3, 13):
        sell(partner, "1000.00", date(2025, month, 10), currency="EUR")
    drafted(program, date(2025, 12, 10))
    for one in partner.statements.filter(state="draft"):
        approve(one)
    assert partner.statements.count() == 11
    assert queries() == few <= 20


def test_the_page_of_a_statement_hands_out_its_documents(client: Client, program: Program) -> None:
    partner = ready_partner(program)
    signed_in(client, partner)
    statement = approved(partner, program, "1000")
    assert page(client, "statement", pk=statement.pk).context["papers"] == []
    invoice = issue_for([statement], on=TODAY)[statement.pk]
    (paper,) = page(client, "statement", pk=statement.pk).context["papers"]
    assert (paper.title, paper.url) == (
        f"Self-billed invoice {invoice.number}", reverse("portal:invoicing-document", args=[invoice.pk]),
    )  # fmt: skip


def test_a_month_s_checklist_names_who_has_no_legal_details(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    told, silent = ready_partner(program), holding(program, name="Vélos Martin")
    for one in (told, silent):
        sell(one, "1000", date(2026, 3, 10), currency="EUR")
    drafted(program, date(2026, 3, 10))
    found = closing.without_tax(month_of(date(2026, 3, 1)))
    assert found is not None
    assert (found.count, [row.says for row in found.rows]) == (1, ["Vélos Martin"])
    monkeypatch.setattr(closing.selectors, "vendor_identity", lambda on: None)
    assert closing.without_tax(month_of(date(2026, 3, 1))) is None
