"""The partner's door: how it is paid, its payments, and a change that asks for the password again."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partners.models import Member, Partner
from payouts.models import PayeeAccount
from payouts.services import settling
from tests.factories import make_partner, make_portal_user, make_staff
from tests.payouts.facts import IBANS, approved, built, details, pain_002, payable, sent, with_account

pytestmark = pytest.mark.django_db
NEW, ACCOUNTS, PAYMENTS = (reverse(f"portal:{name}") for name in ("payee-account-new", "payee-accounts", "payments"))
TYPED = {"holder": "Cycles Dupont", "number": IBANS[0], "bic": ""}


@pytest.fixture
def partner() -> Partner:
    return make_partner(name="Cycles Dupont")


@pytest.fixture
def owner(partner: Partner, client: Client) -> Client:
    client.force_login(make_portal_user(partner))
    return client


def stale(client: Client) -> None:
    session = client.session
    session["password_given_at"] = (timezone.now() - timedelta(minutes=16)).timestamp()
    session.save()


def test_an_account_is_given_and_shown_masked(owner: Client, partner: Partner) -> None:
    assert "No account yet" in owner.get(ACCOUNTS).content.decode()
    assert owner.post(NEW, TYPED)["Location"] == ACCOUNTS
    account = PayeeAccount.objects.get()
    assert (account.partner, account.state, account.currency) == (partner, "waiting", "EUR")
    page = owner.get(ACCOUNTS).content.decode()
    assert "FR76 •••• 0189" in page
    assert IBANS[0] not in page


def test_what_was_typed_is_not_lost_and_what_is_wrong_is_said_at_its_field(owner: Client) -> None:
    answer = owner.post(NEW, {**TYPED, "number": "FR7630006000011234567890188"})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["number"]
    assert answer.context["form"]["number"].value() == "FR7630006000011234567890188"
    assert not PayeeAccount.objects.exists()


def test_an_account_in_another_currency(owner: Client) -> None:
    typed = {"currency": "usd", "holder": "Dupont Inc.", "country": "US", "bank_name": "First Bank",
             "routing": "021000021", "number": "000123456789", "bic": ""}  # fmt: skip
    assert owner.get(NEW, {"rail": "other", "currency": "USD"}).context["form"]["currency"].value() == "USD"
    assert owner.post(f"{NEW}?rail=other", typed).status_code == 302
    account = PayeeAccount.objects.get()
    assert (account.currency, account.rail, account.mask, account.country) == ("USD", "other", "•••• 6789", "US")


def test_an_old_sign_in_asks_for_the_password_again(owner: Client) -> None:
    assert "password" not in owner.get(NEW).content.decode().split("<form", 2)[-1].split("csrf")[0]
    stale(owner)
    assert owner.get(NEW).context["password"] is not None
    without = owner.post(NEW, TYPED)
    assert (without.status_code, list(without.context["password"].errors)) == (422, ["password"])
    wrong = owner.post(NEW, {**TYPED, "password": "not this one"})
    assert "This is not your password" in wrong.content.decode()
    assert wrong.context["form"]["number"].value() == IBANS[0]
    assert not PayeeAccount.objects.exists()
    assert owner.post(NEW, {**TYPED, "password": "correct horse battery"}).status_code == 302
    assert owner.get(NEW).context["password"] is None


def test_wrong_passwords_count_as_failed_sign_ins(owner: Client, settings: Any) -> None:
    settings.AXES_ENABLED = True
    stale(owner)
    for _time in range(settings.AXES_FAILURE_LIMIT):
        owner.post(NEW, {**TYPED, "password": "not this one"})
    refused = owner.post(NEW, {**TYPED, "password": "correct horse battery"})
    assert refused.status_code != 302
    assert not PayeeAccount.objects.exists()


def test_a_waiting_account_is_withdrawn(owner: Client, partner: Partner) -> None:
    owner.post(NEW, TYPED)
    account = PayeeAccount.objects.get()
    address = reverse("portal:payee-account-withdraw", args=[account.pk])
    assert owner.get(address).status_code == 405
    assert owner.post(address)["Location"] == ACCOUNTS
    account.refresh_from_db()
    assert account.state == "withdrawn"


def test_another_partners_account_does_not_exist(owner: Client) -> None:
    other = with_account(make_partner(), make_staff())
    assert owner.post(reverse("portal:payee-account-withdraw", args=[other.pk])).status_code == 404


@pytest.mark.parametrize(
    ("role", "sees", "changes"),
    [("owner", 200, 200), ("finance", 200, 200), ("sales", 403, 403), ("technical", 403, 403)],
)
def test_who_sees_and_who_changes(partner: Partner, client: Client, role: str, sees: int, changes: int) -> None:
    client.force_login(make_portal_user(partner, role=Member.Role(role)))
    assert [client.get(one).status_code for one in (PAYMENTS, ACCOUNTS, NEW)] == [sees, sees, changes]


def test_payments_are_listed_with_their_references_once_they_left(client: Client) -> None:
    staff = make_staff()
    statements = payable(staff, 3)
    client.force_login(make_portal_user(statements[0].partner))
    batch = built(statements[:1], staff)
    assert "No payment yet" in client.get(PAYMENTS).content.decode()
    batch = sent(statements[1:], staff)
    client.force_login(make_portal_user(statements[1].partner))
    item = batch.items.get(statement=statements[1])
    page = client.get(PAYMENTS).content.decode()
    assert all(
        text in page for text in (item.end_to_end_id, item.remittance, "Under way", "€200.00", item.account.mask)
    )
    settling.read_bank_file(content=pain_002(batch, [(item, "RJCT", "AC04")]), name="x", actor=staff)
    page = client.get(PAYMENTS).content.decode()
    assert "the account is closed (AC04)" in page
    assert "nothing is paid in EUR until you give another one" in page


def test_a_partner_without_an_account_is_told(owner: Client, partner: Partner) -> None:
    approved(partner)
    assert "gave no account to be paid on" in owner.get(PAYMENTS).content.decode()


def test_pages_cost_the_same_however_much_there_is(owner: Client, partner: Partner) -> None:
    staff = make_staff()

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert owner.get(address).status_code == 200
        return len(asked)

    def more(number: int) -> None:
        for place in range(number):
            months = Partner.objects.count() + place
            statement = approved(partner, "10.00", months_ago=months + place + 1)
            with_account(partner, staff, details=details(number=IBANS[place % 3], holder=f"H{months}{place}"))
            sent([statement], staff)
            make_partner()

    more(1)
    few = [cost(PAYMENTS), cost(ACCOUNTS)]
    more(5)
    assert [cost(PAYMENTS), cost(ACCOUNTS)] == few
    assert max(few) <= 20
