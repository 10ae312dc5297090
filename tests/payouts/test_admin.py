"""Staff's door: accounts confirmed, batches built, approved and paid by two people, files read back."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from commissions.models import Statement
from common.periods import program_today
from journal.models import Entry
from payouts.models import BankFile, PayeeAccount, PayerAccount, PayoutBatch, PayoutItem
from payouts.services.accounts import ask_account
from tests.factories import make_partner, make_portal_user, make_staff, make_user
from tests.payouts.facts import (
    IBANS,
    PAYER_IBAN,
    approved,
    built,
    details,
    make_payer,
    one_of_each,
    pain_002,
    payable,
    sent,
    soon,
    states,
)

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:payouts_{name}", args=args)


@pytest.fixture
def author() -> User:
    return make_staff()


@pytest.fixture
def staff(client: Client) -> Client:
    """Somebody else than the author."""
    client.force_login(make_staff())
    return client


@pytest.fixture
def statements(author: User) -> list[Statement]:
    make_payer()
    return payable(author)


def test_an_account_is_confirmed_after_a_look_at_both(staff: Client) -> None:
    partner = make_partner(name="Dupont")
    account = ask_account(partner=partner, details=details(), actor=make_portal_user(partner))
    page = staff.get(address("payeeaccount_confirm", account.pk)).content.decode()
    assert "FR76 •••• 0189" in page
    assert IBANS[0] not in page
    assert PayeeAccount.objects.get().state == "waiting"
    assert staff.post(address("payeeaccount_confirm", account.pk), ASKED).status_code == 302
    assert PayeeAccount.objects.get().state == "in_force"


def test_who_entered_an_account_is_refused_to_confirm_it(client: Client, author: User) -> None:
    client.force_login(author)
    partner = make_partner()
    typed = {"partner": partner.external_id, "holder": "Dupont", "number": IBANS[0], "bic": "", **ASKED}
    missing = client.post(address("payeeaccount_enter_sepa"), {**typed, "partner": "nobody"})
    assert list(missing.context["form"].errors) == ["partner"]
    assert client.post(address("payeeaccount_enter_sepa"), typed).status_code == 302
    account = PayeeAccount.objects.get()
    assert account.asked_by == author
    refused = client.post(address("payeeaccount_confirm", account.pk), ASKED)
    assert "a second person has to confirm it" in refused.content.decode()
    assert client.post(address("payeeaccount_refuse", account.pk), {"reason": "No.", **ASKED}).status_code == 302


def test_a_batch_is_built_approved_paid_and_read_back(
    staff: Client, author: User, client: Client, statements: list[Statement]
) -> None:
    builder = Client()
    builder.force_login(author)
    asked = {"payer": PayerAccount.objects.get().pk, "execute_on": soon().isoformat()}
    page = builder.get(address("payoutbatch_build"), asked)
    assert (page.context["ready"], {one.statement for one, _chosen in page.context["rows"]}) == (3, set(statements))
    assert all(is_chosen for _one, is_chosen in page.context["rows"])
    keys = [one.pk for one in statements[:2]]
    answer = builder.post(address("payoutbatch_build"), {**asked, "statement": keys})
    batch = PayoutBatch.objects.get()
    assert answer["Location"] == address("payoutbatch_change", batch.pk)
    page = builder.get(answer["Location"])
    assert (page.context["checklist"]["new"], page.context["checklist"]["more"]) == (2, 1)
    assert "to be approved by somebody other than" in page.content.decode()
    approve = address("payoutbatch_approve", batch.pk)
    seen = {"seen": str(batch.total), **ASKED}
    assert "a second person has to approve it" in builder.post(approve, seen).content.decode()
    assert "it comes to" in staff.post(approve, {"seen": "1", **ASKED}).content.decode()
    assert "This pays 2 partners €300.00." in staff.get(approve).content.decode()
    assert staff.post(approve, seen).status_code == 302
    assert staff.get(address("payoutbatch_download", batch.pk)).status_code == 302
    assert staff.post(address("payoutbatch_pay", batch.pk), ASKED).status_code == 302
    first, second = (staff.get(address("payoutbatch_download", batch.pk)) for _time in range(2))
    assert first.content == second.content
    assert first["Content-Disposition"] == f'attachment; filename="PAYOUT-{batch.pk:08d}.xml"'
    assert first["Cache-Control"].startswith("no-store")
    assert Entry.objects.filter(verb="payouts.file.downloaded").count() == 2
    file = SimpleUploadedFile("status.xml", pain_002(batch, group="ACSC"))
    answer = staff.post(address("bankfile_read"), {"file": file, **ASKED})
    kept = BankFile.objects.get()
    assert answer["Location"] == address("bankfile_change", kept.pk)
    assert "Matched: the payment changed · 2" in staff.get(answer["Location"]).content.decode()
    file.seek(0)
    again = staff.post(address("bankfile_read"), {"file": file, **ASKED}, follow=True)
    assert "This file was read before: nothing changed" in again.content.decode()
    assert states(statements) == ["paid", "paid", "approved"]


def test_a_file_that_is_none_comes_back_with_why(staff: Client) -> None:
    answer = staff.post(address("bankfile_read"), {"file": SimpleUploadedFile("x.xml", b"<no"), **ASKED})
    assert answer.status_code == 200
    assert "not a whole XML file" in answer.content.decode()


def test_all_that_is_ready_is_built_and_a_refusal_comes_back_on_the_page(
    staff: Client, statements: list[Statement]
) -> None:
    asked = {"payer": PayerAccount.objects.get().pk, "execute_on": soon().isoformat()}
    approved(make_partner(name="Sans compte"), "10.00")
    page = staff.get(address("payoutbatch_build"), asked).content.decode()
    assert "Sans compte" in page
    assert "the partner gave no account" in page
    nothing = staff.post(address("payoutbatch_build"), asked)
    assert "between one and" in nothing.content.decode()
    assert staff.post(address("payoutbatch_build"), {**asked, "all": ""}).status_code == 302
    assert PayoutBatch.objects.get().count == 3


def test_a_payment_is_taken_out_of_a_draft(staff: Client, author: User, statements: list[Statement]) -> None:
    batch = built(statements, author)
    item = batch.items.order_by("pk")[0]
    take_out = address("payoutbatch_take_out", batch.pk)
    assert staff.post(take_out, {"item": item.pk})["Location"] == address("payoutbatch_change", batch.pk)
    batch.refresh_from_db()
    assert batch.count == 2


def test_a_batch_is_cancelled_with_a_reason(staff: Client, author: User, statements: list[Statement]) -> None:
    batch = built(statements, author)
    cancel = address("payoutbatch_cancel", batch.pk)
    assert staff.post(cancel, {"reason": "", **ASKED}).status_code == 200
    assert staff.post(cancel, {"reason": "Wrong day.", **ASKED}).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "cancelled"


def test_payments_are_said_by_hand_and_put_in_the_queue_again(
    staff: Client, author: User, statements: list[Statement]
) -> None:
    batch = sent(statements, author)
    first = batch.items.order_by("pk")[0]
    page = staff.post(
        address("payoutitem_changelist"), {"action": "failed_selected", "_selected_action": [first.pk]}
    )  # fmt: skip
    said = {"chosen": page.context["hidden"]["chosen"][0], **ASKED, "on": program_today().isoformat()}
    send_to = address("payoutitem_said", "failed")
    assert page.context["send_to"] == send_to
    assert staff.post(send_to, {**said, "reason": ""}).status_code == 200
    assert staff.post(send_to, {**said, "reason": "Closed."}).status_code == 302
    assert states(statements)[0] == "failed"
    assert (
        staff.post(address("payoutbatch_all_paid", batch.pk), {"on": program_today().isoformat(), **ASKED}).status_code
        == 302
    )
    assert states(statements) == ["failed", "paid", "paid"]
    assert staff.post(address("payoutitem_said", "requeue"), said).status_code == 302
    assert states(statements)[0] == "approved"
    assert staff.post(send_to, {"chosen": "x", **ASKED}).status_code == 302
    assert staff.post(address("payoutitem_said", "other"), said).status_code == 404


def test_a_payer_account_is_checked_as_it_is_saved(staff: Client) -> None:
    typed = {"name": "Adventure Works", "rail": "sepa", "currency": "EUR", "iban": "FR14 2004 1010 0505 0001 3M02 607",
             "bic": "", "is_active": "on"}  # fmt: skip
    refused = staff.post(address("payeraccount_add"), typed)
    assert refused.status_code == 200
    assert "check digits do not fit" in refused.content.decode()
    assert staff.post(address("payeraccount_add"), {**typed, "iban": PAYER_IBAN}).status_code == 302
    assert PayerAccount.objects.get().bic == "PSSTFRPP"
    assert PAYER_IBAN not in staff.get(address("payeraccount_changelist")).content.decode()


RIGHTS = {
    "payoutbatch_build": "add_payoutbatch", "payoutbatch_approve": "approve_payoutbatch",
    "payoutbatch_pay": "send_payoutbatch", "payoutbatch_download": "send_payoutbatch",
    "payeeaccount_confirm": "confirm_payeeaccount", "payeeaccount_refuse": "confirm_payeeaccount",
    "bankfile_read": "add_bankfile",
}  # fmt: skip


@pytest.mark.parametrize("page", RIGHTS)
def test_each_button_has_its_permission(page: str, client: Client, author: User, statements: list[Statement]) -> None:
    partner = make_partner()
    row = {
        "payoutbatch": [built(statements, author).pk], "bankfile": [],
        "payeeaccount": [ask_account(partner=partner, details=details(), actor=author).pk],
    }[page.split("_")[0]]  # fmt: skip
    args = [] if page == "payoutbatch_build" else row
    user = make_user(is_staff=True)
    client.force_login(user)
    codes = [f"view_{name}" for name in ("payoutbatch", "payeeaccount", "bankfile")]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    assert client.get(address(page, *args)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename=RIGHTS[page]))
    assert client.get(address(page, *args)).status_code in (200, 302)


def test_the_page_of_a_batch_costs_the_same_for_2_and_for_30(staff: Client, author: User) -> None:
    make_payer()

    def cost(number: int) -> int:
        batch = built(payable(author, number), author)
        with CaptureQueriesContext(connection) as asked:
            assert staff.get(address("payoutbatch_change", batch.pk)).status_code == 200
        return len(asked)

    cost(1)
    assert cost(2) == cost(30)


def test_building_costs_the_same_for_2_and_for_30(staff: Client, author: User) -> None:
    asked = {"payer": make_payer().pk, "execute_on": soon().isoformat()}

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(address("payoutbatch_build"), asked).status_code == 200
        return len(queries)

    payable(author, 2)
    cost()
    few = cost()
    payable(author, 28)
    assert cost() == few


def test_what_waits_stands_on_the_home(staff: Client, author: User, statements: list[Statement]) -> None:
    ask_account(partner=make_partner(), details=details(), actor=author)
    built(statements, author)
    page = staff.get(reverse("admin:index")).content.decode()
    assert "Payee accounts to confirm" in page
    assert "Batches to approve or to pay" in page
    assert PayoutItem.objects.count() == 3


@pytest.mark.parametrize("name", ["payoutbatch", "payoutitem", "payeeaccount", "bankfile", "payeraccount"])
def test_lists_and_pages_open_and_cost_the_same_however_long(staff: Client, author: User, name: str) -> None:
    def more(number: int) -> None:
        for _one in range(number):
            partner = make_partner()
            one_of_each(partner, author)
            make_payer(iban=f"X{partner.pk:08d}", rail="other", bic="")

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert staff.get(address(f"{name}_changelist")).status_code == 200
        return len(asked)

    more(1)
    cost()
    more(1)
    few = cost()
    more(4)
    assert cost() == few
    keys = one_of_each(make_partner(), author) | {"payeraccount": PayerAccount.objects.latest("pk").pk}
    assert staff.get(address(f"{name}_change", keys[name])).status_code == 200
    assert staff.get(address(f"{name}_changelist"), {"q": "dupont"}).status_code == 200
