"""Staff's pages of invoicing."""

import csv
import io
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from common.periods import program_today
from invoices.models import InvoiceSettings, MandateText, PartnerIdentity, UploadedInvoice, VendorIdentity, Waiting
from invoices.services import issue_for
from tests.commissions.facts import holding
from tests.factories import make_partner, make_staff, make_user
from tests.invoices.facts import (
    FRENCH,
    GERMAN,
    VENDOR,
    approved,
    identified,
    program_that_pays,
    ready_partner,
    vendor,
    words,
)
from tests.invoices.test_uploads import send

pytestmark = pytest.mark.django_db
TODAY = program_today()
ASKED = {"_ask": "1"}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def test_a_month_of_documents_is_one_archive_with_a_table(staff: Client) -> None:
    vendor()
    program = program_that_pays()
    statements = [approved(ready_partner(program, GERMAN), program, "1000.00") for _number in range(2)]
    made = issue_for(statements, on=TODAY)
    asked = staff.post(
        reverse("admin:invoices_invoice_export_month"), {"month": TODAY.replace(day=1).isoformat(), **ASKED}
    )
    answer: Any = staff.get(asked["Location"])
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    names = [one.file_name for one in made.values()]
    assert sorted(archive.namelist()) == sorted([*names, "documents.csv"])
    assert archive.read(names[0]) == bytes(made[statements[0].pk].file.pdf)
    rows = list(csv.DictReader(io.StringIO(archive.read("documents.csv").decode("utf-8-sig"))))
    assert [(row["number"], row["gross"], row["vat_category"]) for row in rows] == [
        (one.number, "100.0000", "AE") for one in made.values()
    ]


def test_who_may_not_see_invoices_exports_none(client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    assert client.get(reverse("admin:invoices_invoice_month", args=[2026, 3])).status_code == 403


def test_the_vendors_details_are_changed_and_a_refusal_comes_back_filled(staff: Client) -> None:
    address = reverse("admin:invoices_vendoridentity_record")
    asked = {**VENDOR, "starts_on": TODAY.isoformat(), "mentions_en": "Thank you.", "mentions_fr": "Merci.", **ASKED}
    refused = staff.post(address, {**asked, "vat_number": "FR41303265045"})
    assert "vat_number" in refused.context["form"].errors
    assert 'value="1 place Bellecour"' in refused.content.decode()
    assert not VendorIdentity.objects.exists()
    assert staff.post(address, asked).status_code == 302
    own = VendorIdentity.objects.get()
    assert (own.name, own.mentions["fr"], own.recorded_by.is_staff) == ("Adventure Works SAS", "Merci.", True)


def test_legal_details_are_accepted_or_refused_with_what_differs_in_sight(staff: Client) -> None:
    partner = make_partner()
    identified(partner)
    InvoiceSettings.objects.create(reviews_identities=True)
    waiting = identified(partner, city="Villeurbanne")
    accept = reverse("admin:invoices_partneridentity_accept", args=[waiting.pk])
    assert "Lyon → Villeurbanne" in staff.get(accept).content.decode()
    assert staff.post(accept, ASKED).status_code == 302
    assert PartnerIdentity.objects.get(pk=waiting.pk).state == "accepted"
    assert staff.get(accept).status_code == 403
    refused = identified(partner, city="Paris")
    assert staff.post(reverse("admin:invoices_partneridentity_refuse", args=[refused.pk]), {"reason": "No proof", **ASKED}).status_code == 302  # fmt: skip
    assert PartnerIdentity.objects.get(pk=refused.pk).reason == "No proof"


def test_partners_invoices_are_decided_and_read(staff: Client) -> None:
    vendor()
    program = program_that_pays()
    partner = holding(program)
    identified(partner, FRENCH)
    sent = send(approved(partner, program, "987.70"))
    page = staff.get(reverse("admin:invoices_uploadedinvoice_change", args=[sent.pk])).content.decode()
    document = reverse("admin:invoices_uploadedinvoice_document", args=[sent.pk])
    assert document in page
    answer: Any = staff.get(document)
    assert b"".join(answer.streaming_content).startswith(b"%PDF-")
    assert staff.post(reverse("admin:invoices_uploadedinvoice_accept", args=[sent.pk]), ASKED).status_code == 302
    assert UploadedInvoice.objects.get().state == "accepted"


def test_what_waits_is_tried_again_by_hand(staff: Client) -> None:
    program = program_that_pays()
    partner = ready_partner(program, GERMAN)
    issue_for([approved(partner, program, "1000.00")], on=TODAY)
    assert Waiting.objects.get().reason == "vendor"
    vendor()
    assert staff.post(reverse("admin:invoices_waiting_try_again"), ASKED).status_code == 302
    assert not Waiting.objects.exists()


def test_other_words_are_another_version(staff: Client) -> None:
    words()
    address = reverse("admin:invoices_mandatetext_publish")
    lacking = staff.post(address, {"text_en": "Only English.", "text_fr": "", **ASKED})
    assert "French" in lacking.content.decode()
    assert staff.post(address, {"text_en": "Others.", "text_fr": "D’autres.", **ASKED}).status_code == 302
    assert MandateText.objects.latest("version").version == 2
