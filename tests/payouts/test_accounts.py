"""Payee accounts: versions, two persons, a cool-down, owners told, numbers sealed and masked."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from common.periods import program_today
from journal.models import Entry
from partners.models import Member
from payouts import sealing
from payouts.errors import AccountError
from payouts.models import PayeeAccount
from payouts.services.accounts import ask_account, confirm_account, refuse_account, save_payer, withdraw_account
from tests.factories import make_member, make_partner, make_portal_user, make_staff
from tests.payouts.facts import IBANS, PAYER_IBAN, built, details, make_payer, payable, with_account

pytestmark = pytest.mark.django_db


def test_an_account_waits_until_a_second_person_confirms_it(settings: Any) -> None:
    settings.PAYEE_COOL_DOWN_DAYS = 5
    partner, staff = make_partner(), make_staff()
    owner = make_portal_user(partner)
    account = ask_account(partner=partner, details=details(), actor=owner)
    assert (account.state, account.version, account.mask, account.usable_on) == ("waiting", 1, "FR76 •••• 0189", None)
    confirmed = confirm_account(account=account, actor=staff)
    assert (confirmed.state, confirmed.decided_by, confirmed.usable_on) == (
        "in_force", staff, program_today() + timedelta(days=5),
    )  # fmt: skip
    assert not confirmed.is_usable_on(program_today() + timedelta(days=4))
    assert confirmed.is_usable_on(program_today() + timedelta(days=5))
    assert confirm_account(account=account, actor=staff) == confirmed
    assert Entry.objects.filter(verb="payouts.account.confirmed").count() == 1


def test_who_asked_does_not_confirm_whoever_it_is() -> None:
    partner, staff = make_partner(), make_staff()
    account = ask_account(partner=partner, details=details(), actor=staff)
    with pytest.raises(AccountError, match="a second person has to confirm it"):
        confirm_account(account=account, actor=staff)
    with pytest.raises(IntegrityError, match="payouts_account_confirmed_by_a_second_person"), transaction.atomic():
        PayeeAccount.objects.filter(pk=account.pk).update(
            state="in_force", decided_by=staff, usable_on=program_today()
        )  # fmt: skip
    assert PayeeAccount.objects.get().state == "waiting"


def test_a_change_is_a_new_version_and_takes_the_place_when_confirmed() -> None:
    partner, staff = make_partner(), make_staff()
    first = with_account(partner, staff)
    second = ask_account(partner=partner, details=details(number=IBANS[1]), actor=make_portal_user(partner))
    assert (second.version, second.state) == (2, "waiting")
    assert PayeeAccount.objects.in_force().get() == first
    confirm_account(account=second, actor=staff)
    assert list(PayeeAccount.objects.order_by("version").values_list("state", flat=True)) == ["replaced", "in_force"]


def test_asking_again_changes_nothing_and_asking_otherwise_withdraws_what_waited() -> None:
    partner = make_partner()
    owner = make_portal_user(partner)
    first = ask_account(partner=partner, details=details(), actor=owner)
    assert ask_account(partner=partner, details=details(number="fr76 30006000011234567890189"), actor=owner) == first
    ask_account(partner=partner, details=details(number=IBANS[1]), actor=owner)
    assert list(PayeeAccount.objects.order_by("version").values_list("state", flat=True)) == ["withdrawn", "waiting"]


def test_what_is_in_force_is_not_asked_for_again_unless_the_bank_refused_it() -> None:
    partner, staff = make_partner(), make_staff()
    account = with_account(partner, staff)
    with pytest.raises(AccountError, match="in force already"):
        ask_account(partner=partner, details=details(), actor=staff)
    PayeeAccount.objects.filter(pk=account.pk).update(flag="MS03", flagged_at=account.asked_at)
    assert ask_account(partner=partner, details=details(), actor=staff).version == 2


def test_each_currency_has_its_own_account() -> None:
    partner, staff = make_partner(), make_staff()
    euros = with_account(partner, staff)
    dollars = with_account(
        partner, staff, rail="other", currency="USD", number="000123456789", routing="021000021", country="US",
        bank_name="First Bank",
    )  # fmt: skip
    assert {one.currency: one for one in PayeeAccount.objects.in_force()} == {"EUR": euros, "USD": dollars}


def test_a_refusal_says_why_and_a_withdrawal_needs_no_reason() -> None:
    partner, staff = make_partner(), make_staff()
    owner = make_portal_user(partner)
    account = ask_account(partner=partner, details=details(), actor=owner)
    with pytest.raises(AccountError, match="Say why"):
        refuse_account(account=account, reason=" ", actor=staff)
    refused = refuse_account(account=account, reason="The holder is another company.", actor=staff)
    assert (refused.state, refused.reason) == ("refused", "The holder is another company.")
    with pytest.raises(AccountError, match="no longer waits"):
        confirm_account(account=account, actor=staff)
    again = ask_account(partner=partner, details=details(), actor=owner)
    assert withdraw_account(account=again, actor=owner).state == "withdrawn"
    with pytest.raises(AccountError, match="no longer waits: it is “Withdrawn”"):
        confirm_account(account=again, actor=staff)


def test_every_owner_is_told_and_nobody_else(django_capture_on_commit_callbacks: Any) -> None:
    partner, staff = make_partner(name="Dupont"), make_staff()
    owner = make_portal_user(partner)
    other = make_portal_user(partner)
    other.language = "fr"
    other.save()
    without_login = make_member(partner, role=Member.Role.OWNER, email="third@example.com")
    make_portal_user(partner, role=Member.Role.FINANCE)
    make_portal_user(make_partner())
    with django_capture_on_commit_callbacks(execute=True):
        account = ask_account(partner=partner, details=details(), actor=owner)
    assert [one.to for one in mail.outbox] == [[owner.email], [other.email], [without_login.email]]
    assert "Dupont: new bank details were given" in mail.outbox[0].subject
    assert "FR76 •••• 0189" in mail.outbox[0].body
    assert "Bonjour" in mail.outbox[1].body
    assert all("30006000011234567890189" not in one.body for one in mail.outbox)
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        confirm_account(account=account, actor=staff)
    assert len(mail.outbox) == 3


def test_the_number_is_sealed_and_the_journal_holds_its_mask() -> None:
    partner, staff = make_partner(), make_staff()
    account = with_account(partner, staff)
    assert account.number() == IBANS[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM payouts_payeeaccount")
        stored = str(cursor.fetchall())
    assert "30006000011234567890189" not in stored
    said = [str(entry.before) + str(entry.after) for entry in Entry.objects.filter(verb__startswith="payouts.")]
    assert len(said) == 2
    assert all("FR76 •••• 0189" in one for one in said)
    assert not any("30006000011234567890189" in one for one in said)


@pytest.mark.parametrize(
    "change",
    [{"holder": "Mallory"}, {"mask": "x"}, {"fingerprint": "x"}, {"bic": "X"}, {"currency": "USD"}, {"version": 7}],
)
def test_an_account_is_never_edited(change: dict[str, Any]) -> None:
    account = with_account(make_partner(), make_staff())
    with pytest.raises(IntegrityError, match="a change is a new version"), transaction.atomic():
        PayeeAccount.objects.filter(pk=account.pk).update(**change)


@pytest.mark.parametrize(
    ("before", "after"),
    [("in_force", "waiting"), ("replaced", "in_force"), ("refused", "waiting"), ("waiting", "replaced")],
)
def test_an_account_does_not_go_back(before: str, after: str) -> None:
    partner, staff = make_partner(), make_staff()
    account = ask_account(partner=partner, details=details(), actor=make_portal_user(partner))
    way = {"in_force": ["in_force"], "replaced": ["in_force", "replaced"], "refused": ["refused"], "waiting": []}[
        before
    ]
    decided = {"decided_by": staff, "usable_on": program_today()}
    for state in way:
        PayeeAccount.objects.filter(pk=account.pk).update(state=state, **decided)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayeeAccount.objects.filter(pk=account.pk).update(state=after, **decided)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayeeAccount.objects.filter(pk=account.pk).delete()


def test_a_new_key_seals_and_the_old_one_still_opens(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.PAYEE_KEYS = [old]
    account = with_account(make_partner(), make_staff())
    settings.PAYEE_KEYS = [new, old]
    assert account.number() == IBANS[0]
    call_command("reseal_accounts")
    settings.PAYEE_KEYS = [new]
    account.refresh_from_db()
    assert account.number() == IBANS[0]
    settings.PAYEE_KEYS = [old]
    with pytest.raises(ImproperlyConfigured, match="the key that sealed it is not in PAYEE_KEYS"):
        account.number()


def test_the_same_number_has_the_same_fingerprint_and_no_other_has_it() -> None:
    assert sealing.fingerprint(IBANS[0]) == sealing.fingerprint(IBANS[0]) != sealing.fingerprint(IBANS[1])


def test_a_payer_account_is_checked_and_keeps_its_number_once_it_paid() -> None:
    staff = make_staff()
    payer = save_payer(payer=make_payer(bic="", rail="other", iban="x" * 8), actor=staff)
    payer.rail, payer.iban, payer.bic = "sepa", "fr14 2004 1010 0505 0001 3M02 606", ""
    kept = save_payer(payer=payer, actor=staff)
    assert (kept.iban, kept.bic) == (PAYER_IBAN, "PSSTFRPP")
    assert all(PAYER_IBAN not in str(one.after) for one in Entry.objects.all())
    built(payable(staff, 1), staff, kept)
    kept.iban = IBANS[0]
    with pytest.raises(AccountError, match="add another one instead"):
        save_payer(payer=kept, actor=staff)
    kept.refresh_from_db()
    kept.is_active = False
    save_payer(payer=kept, actor=staff)
