"""The machine door: payments for their partner, batches and bank files for staff's machines."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import User
from commissions.models import Statement
from payouts.models import PayoutBatch
from tests.factories import make_portal_user, make_staff, make_user
from tests.payouts.facts import IBANS, built, make_payer, pain_002, payable, sent, soon, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> User:
    return make_staff()


@pytest.fixture
def statements(author: User) -> list[Statement]:
    return payable(author)


def caller(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def machine(*codes: str) -> APIClient:
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return caller(user)


def test_a_partner_reads_its_own_payments_once_they_left(statements: list[Statement], author: User) -> None:
    member = caller(make_portal_user(statements[0].partner))
    batch = sent(statements[:2], author)
    built(statements[2:], author)
    (found,) = member.get("/api/v1/payouts/").data["results"]
    item = batch.items.get(statement=statements[0])
    assert (found["amount"], found["currency"], found["state"], found["account"]) == (
        "100.0000", "EUR", "under_way", "FR76 •••• 0189",
    )  # fmt: skip
    assert (found["end_to_end_id"], found["remittance"]) == (item.end_to_end_id, item.remittance)
    assert len(caller(author).get("/api/v1/payouts/").data["results"]) == 2
    assert caller(make_portal_user(statements[2].partner)).get("/api/v1/payouts/").data["results"] == []


def test_account_numbers_are_masked(statements: list[Statement], author: User) -> None:
    answer = caller(author).get("/api/v1/payee-accounts/")
    assert {one["account"] for one in answer.data["results"]} == {"FR76 •••• 0189", "DE89 •••• 3000", "BE68 •••• 7034"}
    assert IBANS[0] not in answer.content.decode()
    role = caller(make_portal_user(statements[0].partner, role="sales"))
    assert role.get("/api/v1/payee-accounts/").data["results"] == []


def test_a_machine_builds_a_batch_and_fetches_the_file_that_people_approved(
    statements: list[Statement], author: User
) -> None:
    payer = make_payer()
    builder = machine("view_payoutbatch", "add_payoutbatch", "send_payoutbatch")
    asked: dict[str, Any] = {
        "payer": payer.pk,
        "execute_on": soon().isoformat(),
        "statements": [one.pk for one in statements],
    }
    answer = builder.post("/api/v1/payout-batches/", asked)
    assert (answer.status_code, answer.data["total"], answer.data["state"]) == (201, "600.0000", "draft")
    again = builder.post("/api/v1/payout-batches/", asked)
    assert (again.status_code, again.data["code"]) == (409, "payout_batch_refused")
    address = f"/api/v1/payout-batches/{answer.data['id']}/file/"
    assert builder.get(address).status_code == 409
    assert PayoutBatch.objects.get().approved_by is None


def test_the_file_is_the_same_bytes_and_needs_its_permission(statements: list[Statement], author: User) -> None:
    batch = sent(statements, author)
    address = f"/api/v1/payout-batches/{batch.pk}/file/"
    first = machine("view_payoutbatch", "send_payoutbatch").get(address)
    second = machine("view_payoutbatch", "send_payoutbatch").get(address)
    assert first.content == second.content
    assert first.content.startswith(b"<?xml")
    assert machine("view_payoutbatch").get(address).status_code == 403
    assert machine().get("/api/v1/payout-batches/").status_code == 403
    assert caller(make_portal_user(statements[0].partner)).get("/api/v1/payout-batches/").status_code == 403


def test_a_bank_file_is_brought_by_a_machine_once(statements: list[Statement], author: User) -> None:
    batch = sent(statements, author)
    bringer = machine("view_bankfile", "add_bankfile")

    def bring(content: bytes) -> Any:
        return bringer.post(
            "/api/v1/bank-files/", {"file": SimpleUploadedFile("status.xml", content)}, format="multipart"
        )  # fmt: skip

    content = pain_002(batch, group="ACSC")
    first, second = bring(content), bring(content)
    assert (first.status_code, first.data["report"]["counts"]["matched"]) == (201, 3)
    assert (second.status_code, second.data["id"]) == (200, first.data["id"])
    assert states(statements) == ["paid"] * 3
    refused = bring(b"<nothing")
    assert (refused.status_code, refused.data["code"]) == (409, "bank_file_refused")
    assert bringer.post("/api/v1/bank-files/", {}, format="multipart").status_code == 400
    assert machine("view_bankfile").post("/api/v1/bank-files/", {}, format="multipart").status_code == 403
