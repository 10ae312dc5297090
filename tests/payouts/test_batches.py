"""Batches: what can be paid, two persons, one file made once, sent or cancelled; a statement is in one at most."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from commissions import lifecycle
from commissions.errors import StatementStateError
from commissions.models import Statement
from common.periods import program_today
from journal.models import Entry
from partners.models import Partner
from payouts import selectors, sepa
from payouts.errors import BatchError
from payouts.models import PayeeAccount, PayoutBatch, PayoutFile, PayoutItem
from payouts.rules import bank_day_from, creditor_reference
from payouts.services import batches
from payouts.services.accounts import ask_account, confirm_account
from tests.factories import make_partner, make_portal_user, make_staff
from tests.payouts.facts import (
    IBANS,
    approved,
    built,
    details,
    dollars,
    make_payer,
    payable,
    sent,
    soon,
    states,
    with_account,
)
from tests.payouts.test_sepa import found

D = Decimal

pytestmark = pytest.mark.django_db


def approve(batch: PayoutBatch, actor: Any = None) -> PayoutBatch:
    return batches.approve_batch(batch=batch, actor=actor or make_staff(), seen_total=batch.total)


def test_a_batch_pays_statements_to_their_partners_accounts() -> None:
    staff = make_staff()
    statements = payable(staff)
    batch = built(statements, staff)
    assert (batch.state, batch.count, batch.total, batch.currency, batch.rail) == (
        "draft",
        3,
        D("600.00"),
        "EUR",
        "sepa",
    )
    items = list(batch.items.order_by("pk"))
    assert [(one.statement, one.amount, one.attempt, one.state) for one in items] == [
        (statements[0], D("100.00"), 1, "under_way"), (statements[1], D("200.00"), 1, "under_way"),
        (statements[2], D("300.00"), 1, "under_way"),
    ]  # fmt: skip
    assert items[0].end_to_end_id == f"PAYOUT-{batch.pk:08d}-{statements[0].pk}-1"
    assert items[0].remittance == creditor_reference(f"ST{statements[0].pk}")
    assert states(statements) == ["approved"] * 3


def test_approval_schedules_statements_and_makes_the_file_which_sending_gives_out() -> None:
    author, approver = make_staff(), make_staff()
    statements = payable(author)
    batch = approve(built(statements, author), approver)
    assert (batch.state, batch.approved_by) == ("approved", approver)
    assert states(statements) == ["scheduled"] * 3
    with pytest.raises(BatchError, match="given out when the batch is paid"):
        batches.open_file(batch=batch, actor=approver)
    batch = batches.send_batch(batch=batch, actor=author)
    name, content = batches.open_file(batch=batch, actor=author)
    assert name == f"PAYOUT-{batch.pk:08d}.xml"
    assert found(content, ".//p:InstdAmt") == ["100.00", "200.00", "300.00"]
    assert found(content, ".//p:CdtrAcct/p:Id/p:IBAN") == list(IBANS[:3])
    assert found(content, ".//p:Ref") == [creditor_reference(f"ST{one.pk}") for one in statements]
    assert found(content, ".//p:ReqdExctnDt/p:Dt") == [soon().isoformat()]
    kept = batch.file
    assert (kept.sha256, kept.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert IBANS[0].encode() not in bytes(kept.sealed)


def test_the_file_is_made_once_and_every_download_is_the_same_and_in_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    author = make_staff()
    made: list[object] = []
    write = sepa.write
    monkeypatch.setattr(sepa, "write", lambda *arguments: made.append(1) or write(*arguments))
    batch = sent(payable(author), author)
    first = batches.open_file(batch=batch, actor=author)
    approve(batch)
    batches.send_batch(batch=batch, actor=author)
    assert batches.open_file(batch=batch, actor=author) == first
    assert made == [1]
    assert PayoutFile.objects.count() == 1
    downloads = Entry.objects.filter(verb="payouts.file.downloaded", actor=author)
    assert [one.after["sha256"] for one in downloads] == [batch.file.sha256] * 2
    with pytest.raises(IntegrityError, match="made once"), transaction.atomic():
        PayoutFile.objects.update(sha256="0" * 64)


def test_a_file_that_was_swapped_is_not_given_out() -> None:
    author = make_staff()
    batch, other = sent(payable(author), author), sent(payable(author), author)
    PayoutFile.objects.filter(batch=batch).update(sealed=bytes(other.file.sealed))
    with pytest.raises(BatchError, match="not the one that was made"):
        batches.open_file(batch=PayoutBatch.objects.get(pk=batch.pk), actor=author)


def test_who_built_it_does_not_approve_it_whoever_it_is() -> None:
    author = make_staff()
    statements = payable(author, 1)
    batch = built(statements, author)
    with pytest.raises(BatchError, match="a second person has to approve it"):
        approve(batch, author)
    assert (states(statements), PayoutFile.objects.count()) == (["approved"], 0)
    with pytest.raises(IntegrityError, match="payouts_batch_approved_by_a_second_person"), transaction.atomic():
        PayoutBatch.objects.filter(pk=batch.pk).update(state="approved", approved_by=author)


def test_approving_and_sending_again_changes_nothing() -> None:
    author, approver = make_staff(), make_staff()
    batch = approve(built(payable(author), author), approver)
    before = Entry.objects.count()
    assert approve(batch).approved_by == approver
    first = batches.send_batch(batch=batch, actor=author)
    assert batches.send_batch(batch=batch, actor=approver).sent_by == first.sent_by == author
    assert Entry.objects.count() == before + 1


def test_what_was_seen_is_what_is_approved() -> None:
    author = make_staff()
    batch = built(payable(author), author)
    seen = batch.total
    batches.take_out(batch=batch, item_ids=[batch.items.order_by("pk")[0].pk], actor=author)
    with pytest.raises(BatchError, match=r"it comes to €500.00 now"):
        batches.approve_batch(batch=batch, actor=make_staff(), seen_total=seen)


def test_what_is_taken_out_may_go_in_another_batch() -> None:
    author = make_staff()
    statements = payable(author)
    batch = built(statements, author)
    first = batch.items.order_by("pk")[0]
    changed = batches.take_out(batch=batch, item_ids=[first.pk], actor=author)
    assert (changed.count, changed.total) == (2, D("500.00"))
    assert batches.take_out(batch=batch, item_ids=[first.pk], actor=author).count == 2
    other = built(statements[:1], author)
    assert other.items.get().attempt == 2
    approve(changed)
    with pytest.raises(BatchError, match="Only a draft can be changed"):
        batches.take_out(batch=batch, item_ids=[first.pk], actor=author)
    assert batches.take_out(batch=other, item_ids=[other.items.get().pk], actor=author).state == "cancelled"


def test_a_statement_is_in_one_batch_only() -> None:
    author = make_staff()
    statements = payable(author)
    batch = built(statements[:2], author)
    with pytest.raises(BatchError, match="the statement is in another batch"):
        built(statements[1:], author)
    assert PayoutBatch.objects.count() == 1
    item = batch.items.order_by("pk")[0]
    twin = PayoutBatch.objects.create(
        payer=batch.payer, rail="sepa", currency="EUR", execute_on=soon(), count=1, total=1, built_by=author,
        built_at=batch.built_at,
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutItem.objects.create(
            batch=twin, statement=item.statement, partner=item.partner, account=item.account, attempt=2,
            amount=item.amount, currency="EUR", end_to_end_id="x", remittance="x",
        )  # fmt: skip


def test_a_cancelled_batch_gives_its_statements_back() -> None:
    author = make_staff()
    statements = payable(author)
    batch = approve(built(statements, author))
    with pytest.raises(BatchError, match="Say why"):
        batches.cancel_batch(batch=batch, actor=author, reason="")
    batches.cancel_batch(batch=batch, actor=author, reason="Wrong day.")
    batches.cancel_batch(batch=batch, actor=author, reason="Wrong day.")
    assert states(statements) == ["approved"] * 3
    again = approve(built(statements, author))
    assert {one.attempt for one in again.items.all()} == {2}
    with pytest.raises(BatchError, match="was cancelled"):
        approve(PayoutBatch.objects.get(pk=batch.pk))
    batches.send_batch(batch=again, actor=author)
    with pytest.raises(BatchError, match="went to the bank"):
        batches.cancel_batch(batch=again, actor=author, reason="Wrong day.")
    assert states(statements) == ["scheduled"] * 3


def test_days_are_bank_days_to_come() -> None:
    author = make_staff()
    (statement,) = payable(author, 1)
    payer = make_payer()
    saturday = program_today() + timedelta(days=(5 - program_today().weekday()) % 7 or 7)
    for day, says in ((program_today() - timedelta(days=1), "has passed"), (saturday, "do not settle on")):
        with pytest.raises(BatchError, match=says):
            batches.build_batch(payer=payer, execute_on=day, statement_ids=[statement.pk], actor=author)


def test_a_batch_whose_day_passed_does_not_leave(time_machine_tomorrow: Any) -> None:
    author = make_staff()
    batch = approve(built(payable(author), author))
    time_machine_tomorrow(batch.execute_on + timedelta(days=1))
    with pytest.raises(BatchError, match="has passed"):
        batches.send_batch(batch=batch, actor=author)
    assert batches.cancel_batch(batch=batch, actor=author, reason="Too late.").state == "cancelled"


@pytest.fixture
def time_machine_tomorrow(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda day: monkeypatch.setattr(batches, "program_today", lambda: day)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("no account", "the partner gave no account"), ("waiting", "waits for confirmation"), ("new", "too new"),
        ("flagged", "the bank refused its account"), ("other rail", "paid by other means"),
        ("suspended", "the partner is suspended"), ("in review", "not approved"), ("negative", "nothing to pay"),
    ],
)  # fmt: skip
def test_what_cannot_be_paid_is_said(what: str, says: str) -> None:
    staff, partner = make_staff(), make_partner()
    statement = approved(partner, "-5.00" if what == "negative" else "100.00")
    if what == "waiting":
        ask_account(partner=partner, details=details(), actor=staff)
    elif what == "other rail":
        with_account(partner, staff, details=dollars(currency="EUR"))
    elif what != "no account":
        with_account(partner, staff, usable=what != "new")
    if what == "new":
        PayeeAccount.objects.update(usable_on=soon() + timedelta(days=1))
    if what == "flagged":
        PayeeAccount.objects.update(flag="AC04", flagged_at=PayeeAccount.objects.get().asked_at)
    if what == "suspended":
        Partner.objects.update(status=Partner.Status.SUSPENDED)
    if what == "in review":
        statement = Statement.objects.create(
            partner=partner, starts_on=statement.ends_on, ends_on=statement.ends_on + timedelta(days=28), currency="EUR",
            opening=1, total=1,
        )  # fmt: skip
    make_payer()
    with pytest.raises(BatchError, match=says):
        built([statement], staff)
    assert (PayoutBatch.objects.count(), PayoutItem.objects.count()) == (0, 0)


def test_an_account_changed_since_stops_the_batch_before_approval_and_before_it_leaves() -> None:
    author, approver = make_staff(), make_staff()
    statements = payable(author)
    batch, partner = built(statements, author), statements[0].partner

    def change(number: str) -> None:
        account = ask_account(partner=partner, details=details(number=number), actor=make_portal_user(partner))
        confirm_account(account=account, actor=author)
        PayeeAccount.objects.filter(pk=account.pk).update(usable_on=program_today())

    change(IBANS[4])
    with pytest.raises(BatchError, match="the account or the amount of 1 payment changed since"):
        approve(batch, approver)
    assert states(statements) == ["approved"] * 3
    batches.take_out(batch=batch, item_ids=[batch.items.get(partner=partner).pk], actor=author)
    batch.refresh_from_db()
    approve(batch, approver)
    second = approve(built(statements[:1], author), approver)
    change(IBANS[5])
    with pytest.raises(BatchError, match="changed since"):
        batches.send_batch(batch=second, actor=author)


def test_a_partner_suspended_since_is_not_paid() -> None:
    author = make_staff()
    statements = payable(author)
    batch = built(statements, author)
    Partner.objects.filter(pk=statements[0].partner_id).update(status=Partner.Status.SUSPENDED)
    with pytest.raises(BatchError, match="The partner, the account or the amount of 1 payment changed since"):
        approve(batch)


def test_a_statement_that_went_elsewhere_stops_the_approval() -> None:
    author = make_staff()
    statements = payable(author)
    batch = built(statements, author)
    lifecycle.block([statements[1].pk], reason="Asked by legal.", actor=author)
    with pytest.raises(StatementStateError):
        approve(batch)
    assert states(statements) == ["approved", "blocked", "approved"]
    assert PayoutBatch.objects.get().state == "draft"


def test_other_currencies_leave_by_a_list() -> None:
    author, partner = make_staff(), make_partner(name="=cmd()")
    with_account(partner, author, details=dollars(holder="=Dupont"))
    statement = approved(partner, "1234.50", currency="USD")
    payer = make_payer(rail="other", currency="USD", iban="998877", bic="")
    batch = approve(built([statement], author, payer))
    batches.send_batch(batch=batch, actor=author)
    name, content = batches.open_file(batch=batch, actor=author)
    assert name == f"PAYOUT-{batch.pk:08d}.csv"
    head, line, end = content.decode().removeprefix("\ufeff").split("\r\n")
    item = batch.items.get()
    assert head.startswith("message_id,end_to_end_id,execute_on,debit_account,amount,currency,holder,account_number")
    assert line == (
        f"PAYOUT-{batch.pk:08d},{item.end_to_end_id},{soon()},998877,1234.50,USD,'=Dupont,000123456789,021000021,,"
        f"First Bank,US,{item.remittance}"
    )
    assert end == ""
    assert batches.open_file(batch=batch, actor=author)[1] == content


def test_remittance_in_words_by_setting(settings: Any) -> None:
    settings.PAYOUT_REMITTANCE = "text"
    author = make_staff()
    (statement,) = payable(author, 1)
    batch = sent([statement], author)
    _name, content = batches.open_file(batch=batch, actor=author)
    assert found(content, ".//p:Ustrd") == [f"Adventure Works {statement.starts_on:%Y-%m} ST{statement.pk}"]


def test_what_cannot_be_a_file_is_no_approval(settings: Any) -> None:
    settings.PAIN_001_VERSION = "pain.001.001.11"
    author = make_staff()
    statements = payable(author)
    batch = built(statements, author)
    with pytest.raises(BatchError, match="cannot be made"):
        approve(batch)
    assert (states(statements), PayoutBatch.objects.get().state) == (["approved"] * 3, "draft")


@pytest.mark.parametrize("change", [{"total": D(1)}, {"execute_on": soon() + timedelta(days=9)}, {"state": "draft"}])
def test_an_approved_batch_never_changes(change: dict[str, Any]) -> None:
    author = make_staff()
    batch = approve(built(payable(author), author))
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutBatch.objects.filter(pk=batch.pk).update(**change)


@pytest.mark.parametrize("change", [{"amount": D(1)}, {"state": "paid", "paid_on": soon()}])
def test_a_payment_is_not_changed_and_not_paid_before_it_left(change: dict[str, Any]) -> None:
    author = make_staff()
    approve(built(payable(author), author))
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutItem.objects.update(**change)


def test_what_deserves_a_second_look(settings: Any) -> None:
    settings.PAYOUT_LARGE_AMOUNT = 250
    author = make_staff()
    statements = payable(author)
    other = make_partner()
    with_account(other, author, number=IBANS[1])
    batch = built(statements, author)
    looks = selectors.to_look_at(list(batch.items.select_related("account").order_by("pk")))
    assert [(one.item.statement_id, one.says) for one in looks] == [
        (statements[0].pk, ["first payment to this account"]),
        (statements[1].pk, ["first payment to this account", "another partner has the same account"]),
        (statements[2].pk, ["first payment to this account", "a large amount"]),
    ]


def test_what_is_missing_is_counted() -> None:
    staff = make_staff()
    payable(staff, 2)
    approved(make_partner(), "10.00")
    approved(make_partner(), "10.00")
    approved(make_partner(), "-1.00")
    rows = selectors.candidates(rail="sepa", currency="EUR", execute_on=soon())
    assert sum(1 for one in rows if not one.obstacle) == 2
    assert selectors.missing(rows) == [("the partner gave no account", 2), ("there is nothing to pay", 1)]


def test_building_and_approving_cost_the_same_for_2_and_for_40() -> None:
    author = make_staff()

    def cost(number: int) -> int:
        statements = payable(author, number)
        with CaptureQueriesContext(connection) as asked:
            batch = built(statements, author)
            approve(batch, approver)
        return len(asked)

    approver = make_staff()
    make_payer()
    assert cost(2) == cost(40)


def test_the_next_bank_day_is_one() -> None:
    assert bank_day_from(soon()) == soon()
