"""What the bank says, read back: paid, failed, returned; all of a file or nothing; the same twice changes nothing."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from commissions.models import Statement
from common.periods import program_today
from journal.models import Entry
from payouts import reasons
from payouts.bank_status import Outcome
from payouts.errors import BankFileError, BatchError
from payouts.models import BankFile, PayeeAccount, PayoutBatch, PayoutItem
from payouts.rules import message_id
from payouts.services import batches, settling
from payouts.services.accounts import ask_account, confirm_account
from tests.factories import make_portal_user, make_staff
from tests.payouts.facts import (
    IBANS,
    built,
    camt_054,
    camt_054_of_batch,
    details,
    pain_002,
    payable,
    sent,
    soon,
    states,
)

D = Decimal

pytestmark = pytest.mark.django_db
LAUGHS = b'<!DOCTYPE d [<!ENTITY a "ha">]><Document>&a;</Document>'


@pytest.fixture
def staff() -> User:
    return make_staff()


@pytest.fixture
def statements(staff: User) -> list[Statement]:
    return payable(staff)


@pytest.fixture
def batch(statements: list[Statement], staff: User) -> PayoutBatch:
    return sent(statements, staff)


def items(batch: PayoutBatch) -> list[PayoutItem]:
    return list(batch.items.order_by("pk"))


def read(content: bytes, staff: User) -> BankFile:
    kept, is_new = settling.read_bank_file(content=content, name="status.xml", actor=staff)
    assert is_new
    return kept


def counts(kept: BankFile) -> dict[str, int]:
    return {name: number for name, number in kept.report["counts"].items() if number}


def item_states(batch: PayoutBatch) -> list[str]:
    return list(batch.items.order_by("pk").values_list("state", flat=True))


def test_an_order_settled_as_a_whole(batch: PayoutBatch, statements: list[Statement], staff: User) -> None:
    kept = read(pain_002(batch, group="ACSC"), staff)
    assert counts(kept) == {"matched": 3}
    batch.refresh_from_db()
    assert (batch.state, item_states(batch), states(statements)) == ("settled", ["paid"] * 3, ["paid"] * 3)
    first = Statement.objects.get(pk=statements[0].pk)
    assert (first.paid_on, first.payment_reference) == (date(2026, 4, 8), message_id(batch.pk))


def test_acceptance_is_not_payment(batch: PayoutBatch, statements: list[Statement], staff: User) -> None:
    for number, status in enumerate(("ACTC", "ACCP", "ACSP", "PDNG")):
        kept = read(pain_002(batch, group=status, message=f"B{number}"), staff)
        assert counts(kept) == {"under_way": 3}
    batch.refresh_from_db()
    assert (batch.state, states(statements)) == ("sent", ["scheduled"] * 3)


def test_some_paid_and_some_refused(
    batch: PayoutBatch, statements: list[Statement], staff: User, django_capture_on_commit_callbacks: Any
) -> None:
    first, second, third = items(batch)
    owner = make_portal_user(second.partner)
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        kept = read(pain_002(batch, [(first, "ACSC", ""), (second, "RJCT", "AC04"), (third, "ACSP", "")]), staff)
    assert counts(kept) == {"matched": 2, "under_way": 1}
    assert states(statements) == ["paid", "failed", "scheduled"]
    second.refresh_from_db()
    assert (second.state, second.reason, second.says) == ("failed", "AC04", "the account is closed (AC04)")
    assert Statement.objects.get(pk=statements[1].pk).reason == "the account is closed (AC04)"
    flagged = PayeeAccount.objects.get(pk=second.account_id)
    assert (flagged.flag, flagged.state, flagged.is_usable_on(soon())) == ("AC04", "in_force", False)
    assert owner.email in [to for one in mail.outbox for to in one.to]
    batch.refresh_from_db()
    assert batch.state == "sent"
    read(pain_002(batch, [(third, "ACSC", "")], message="LATER"), staff)
    batch.refresh_from_db()
    assert batch.state == "partly_failed"


def test_a_whole_order_refused_for_want_of_money_flags_no_account(
    batch: PayoutBatch, statements: list[Statement], staff: User
) -> None:
    read(pain_002(batch, group="RJCT", reason="AM04"), staff)
    batch.refresh_from_db()
    assert (batch.state, states(statements)) == ("failed", ["failed"] * 3)
    assert not PayeeAccount.objects.exclude(flag="").exists()
    assert settling.requeue(items=items(batch), actor=staff) == 3
    assert settling.requeue(items=items(batch), actor=staff) == 0
    again = built(statements, staff)
    assert ({one.attempt for one in again.items.all()}, states(statements)) == ({2}, ["approved"] * 3)


def test_bookings_pay_and_returns_fail(batch: PayoutBatch, statements: list[Statement], staff: User) -> None:
    first, second, third = items(batch)
    paid = camt_054([(one.end_to_end_id, f"{one.amount:.2f}", "DBIT", "") for one in (first, second, third)])
    assert counts(read(paid, staff)) == {"matched": 3}
    assert states(statements) == ["paid"] * 3
    first.refresh_from_db()
    assert (first.paid_on, first.bank_reference) == (date(2026, 4, 9), "REF-0")
    back = camt_054([(second.end_to_end_id, "200.00", "CRDT", "AC06")], message="BACK")
    assert counts(read(back, staff)) == {"matched": 1}
    batch.refresh_from_db()
    assert (item_states(batch), batch.state) == (["paid", "returned", "paid"], "partly_failed")
    assert states(statements) == ["paid", "failed", "paid"]
    assert settling.sent_and_returned(batch) == (D("600.00"), D("200.00"))


def test_an_order_booked_in_one_sum(batch: PayoutBatch, statements: list[Statement], staff: User) -> None:
    with pytest.raises(BankFileError, match="speaks of 3 payments and €600.01"):
        read(camt_054_of_batch(message_id(batch.pk), 3, "600.01"), staff)
    with pytest.raises(BankFileError, match="speaks of 2 payments"):
        read(camt_054_of_batch(message_id(batch.pk), 2, "600.00"), staff)
    assert states(statements) == ["scheduled"] * 3
    read(camt_054_of_batch(message_id(batch.pk), 3, "600.00"), staff)
    assert states(statements) == ["paid"] * 3


def test_the_same_file_twice_changes_nothing(batch: PayoutBatch, staff: User) -> None:
    content = pain_002(batch, group="ACSC")
    kept = read(content, staff)
    entries = Entry.objects.count()
    assert settling.read_bank_file(content=content, name="again.xml", actor=make_staff()) == (kept, False)
    assert (BankFile.objects.count(), Entry.objects.count()) == (1, entries)


def test_another_file_that_says_the_same_is_known(batch: PayoutBatch, statements: list[Statement], staff: User) -> None:
    read(pain_002(batch, group="ACSC"), staff)
    rows = [(one.end_to_end_id, f"{one.amount:.2f}", "DBIT", "") for one in items(batch)]
    assert counts(read(camt_054(rows), staff)) == {"known": 3}
    assert Entry.objects.filter(verb="commissions.statement.paid").count() == 3


def test_what_is_not_ours_is_listed_and_left_alone(
    batch: PayoutBatch, statements: list[Statement], staff: User
) -> None:
    first = items(batch)[0]
    content = camt_054([("RENT-2026-04", "5000.00", "DBIT", ""), (first.end_to_end_id, "100.00", "DBIT", ""),
                        ("NOTPROVIDED", "12.00", "CRDT", "")])  # fmt: skip
    kept = read(content, staff)
    assert counts(kept) == {"matched": 1, "unmatched": 2}
    assert [row["id"] for row in kept.report["unmatched"]] == ["RENT-2026-04", "NOTPROVIDED"]
    assert states(statements) == ["paid", "scheduled", "scheduled"]


def contradictions(batch: PayoutBatch) -> list[tuple[bytes, str]]:
    first, second, third = items(batch)
    good = (first.end_to_end_id, "100.00", "DBIT", "")
    draft = message_id(batch.pk + 1)
    return [
        (camt_054([good, (second.end_to_end_id, "200.01", "DBIT", "")]), "is €200.01 in the file and €200.00 here"),
        (
            camt_054([good, (third.end_to_end_id, "300.00", "DBIT", "")]).replace(b'"EUR">300', b'"USD">300'),
            r"is \$300.00",
        ),
        (pain_002(batch, [(first, "ACSC", ""), (first, "RJCT", "AC04")]), "is “failed” in the file, but “Under way”"),
        (pain_002(batch, group="ACSC").replace(message_id(batch.pk).encode(), draft.encode()), "but “Draft” here"),
    ]


@pytest.mark.parametrize("place", range(4))
def test_a_file_that_contradicts_what_is_known_is_taken_not_at_all(
    batch: PayoutBatch, statements: list[Statement], staff: User, place: int
) -> None:
    other = built(payable(staff), staff)
    assert other.pk == batch.pk + 1
    content, says = contradictions(batch)[place]
    before = Entry.objects.count()
    with pytest.raises(BankFileError, match=says):
        read(content, staff)
    assert (states(statements), item_states(batch)) == (["scheduled"] * 3, ["under_way"] * 3)
    assert (BankFile.objects.count(), Entry.objects.count()) == (0, before)


def test_a_refusal_after_payment_and_a_payment_after_a_refusal_are_refused(
    batch: PayoutBatch, statements: list[Statement], staff: User
) -> None:
    first, second, _third = items(batch)
    read(pain_002(batch, [(first, "ACSC", ""), (second, "RJCT", "AC04")]), staff)
    for item, status in ((first, "RJCT"), (second, "ACSC")):
        with pytest.raises(BankFileError, match="contradicts what is known"):
            read(pain_002(batch, [(item, status, "")], message=status), staff)
    assert states(statements) == ["paid", "failed", "scheduled"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "between something and"), (b"hello", "not a whole XML file"), (LAUGHS, "declares a document type"),
        (b"<Document><Other/></Document>", "This is a “Other”"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_the_bank(content: bytes, says: str, staff: User) -> None:
    with pytest.raises(BankFileError, match=says):
        read(content, staff)


def test_a_file_too_large_is_not_parsed(staff: User, settings: Any) -> None:
    settings.BANK_FILE_MAX_BYTES = 100
    with pytest.raises(BankFileError, match="MB"):
        read(b"<" * 101, staff)


def test_paid_then_returned_in_one_file_takes_each_step(
    batch: PayoutBatch, statements: list[Statement], staff: User
) -> None:
    name = items(batch)[0].end_to_end_id
    kept = read(camt_054([(name, "100.00", "DBIT", ""), (name, "100.00", "CRDT", "AC04")]), staff)
    assert counts(kept) == {"matched": 2}
    assert (item_states(batch)[0], states(statements)[0]) == ("returned", "failed")
    verbs = Entry.objects.filter(subject=f"commissions.statement:{statements[0].pk}").order_by("pk")
    assert list(verbs.values_list("verb", flat=True))[-2:] == [
        "commissions.statement.paid",
        "commissions.statement.failed",
    ]


def test_a_refused_account_is_paid_again_once_it_is_put_right(
    batch: PayoutBatch, statements: list[Statement], staff: User
) -> None:
    first = items(batch)[0]
    read(pain_002(batch, [(first, "RJCT", "AC01")]), staff)
    with pytest.raises(BatchError, match="a new one has to be given and confirmed first"):
        settling.requeue(items=[first], actor=staff)
    account = ask_account(
        partner=first.partner, details=details(number=IBANS[4]), actor=make_portal_user(first.partner)
    )
    confirm_account(account=account, actor=staff)
    PayeeAccount.objects.filter(pk=account.pk).update(usable_on=program_today())
    assert settling.requeue(items=[first], actor=staff) == 1
    again = sent(statements[:1], staff)
    item = again.items.get()
    assert (item.account, item.attempt) == (account, 2)
    read(pain_002(again, group="ACSC"), staff)
    assert states(statements)[0] == "paid"
    assert item_states(batch)[0] == "failed"


def test_staff_say_by_hand_what_they_read_at_the_bank(
    batch: PayoutBatch, statements: list[Statement], staff: User
) -> None:
    first, second, _third = items(batch)
    hand = {"batch": batch, "actor": staff, "on": program_today()}
    assert settling.settle_by_hand(item_ids=[first.pk], outcome=Outcome.FAILED, reason="Closed.", **hand) == 1
    assert settling.settle_by_hand(item_ids=[first.pk], outcome=Outcome.FAILED, reason="Closed.", **hand) == 0
    assert settling.settle_by_hand(item_ids=None, outcome=Outcome.PAID, **hand) == 2
    assert settling.settle_by_hand(item_ids=[second.pk], outcome=Outcome.RETURNED, reason="Came back.", **hand) == 1
    assert states(statements) == ["failed", "failed", "paid"]
    assert not PayeeAccount.objects.exclude(flag="").exists()
    for over, says in (
        ({"item_ids": [first.pk], "outcome": Outcome.PAID}, "that cannot be said of it"),
        ({"item_ids": None, "outcome": Outcome.FAILED}, "Say what the bank said"),
        ({"item_ids": None, "outcome": Outcome.PAID, "on": program_today() + timedelta(days=1)}, "still to come"),
    ):
        with pytest.raises(BatchError, match=says):
            settling.settle_by_hand(**{**hand, **over})
    with pytest.raises(BatchError, match="was not sent"):
        settling.settle_by_hand(
            **{**hand, "batch": built(payable(staff, 1), staff)}, item_ids=None, outcome=Outcome.PAID
        )


def test_what_is_final_stays(batch: PayoutBatch, staff: User) -> None:
    read(pain_002(batch, group="ACSC"), staff)
    for change in ({"state": "under_way"}, {"state": "failed"}, {"state": "cancelled"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PayoutItem.objects.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        BankFile.objects.update(sha256="0" * 64)


def test_a_file_costs_the_same_queries_for_2_and_for_40_payments(staff: User) -> None:
    def cost(number: int) -> int:
        batch = sent(payable(staff, number), staff)
        rows: Sequence[tuple[PayoutItem, str, str]] = [
            (one, "RJCT" if place % 2 else "ACSC", "AM04" if place % 2 else "")
            for place, one in enumerate(items(batch))
        ]
        with CaptureQueriesContext(connection) as asked:
            read(pain_002(batch, rows, message=str(number)), staff)
        return len(asked)

    assert cost(2) == cost(40)


def test_reasons_are_said_in_words_with_their_code_and_what_the_bank_wrote() -> None:
    assert reasons.said("AC04", "since May") == "the account is closed (AC04): since May"
    assert reasons.said("ZZ99") == "ZZ99"
    assert reasons.said(reasons.BY_HAND, "Closed.") == "Closed."
    assert [reasons.is_of_account(code) for code in ("AC04", "AM04", "ZZ99", reasons.BY_HAND)] == [
        True,
        False,
        True,
        False,
    ]


def test_a_cancelled_batch_is_not_paid_by_a_file(staff: User) -> None:
    statements = payable(staff)
    batch = built(statements, staff)
    batch = batches.approve_batch(batch=batch, actor=make_staff(), seen_total=batch.total)
    batches.cancel_batch(batch=batch, actor=staff, reason="Wrong day.")
    with pytest.raises(BankFileError, match="“Cancelled” here"):
        read(pain_002(batch, [(items(batch)[0], "ACSC", "")]), staff)


def test_the_worked_example_of_the_documentation() -> None:
    """docs/payouts.md: 100, 200 and 300 euros; one refused, one sent back, both paid again."""
    sam, farida = make_staff(), make_staff()
    statements = payable(sam)
    batch = sent(statements, sam, farida)
    assert batch.total == D("600.00")
    first, second, third = items(batch)
    accepted = pain_002(batch, group="ACCP", message="A")

    def figures() -> tuple[str, D, D]:
        sent_, returned = settling.sent_and_returned(batch)
        paid = Statement.objects.filter(state="paid")
        return PayoutBatch.objects.get(pk=batch.pk).state, sent_ - returned, sum((one.total for one in paid), D(0))

    for content, expected in (
        (accepted, ("sent", D(0), D(0))),
        (pain_002(batch, [(second, "RJCT", "AC04")], message="B"), ("sent", D(0), D(0))),
        (
            camt_054([(one.end_to_end_id, f"{one.amount:.2f}", "DBIT", "") for one in (first, third)]),
            ("partly_failed", D("400.00"), D("400.00")),
        ),
        (
            camt_054([(third.end_to_end_id, "300.00", "CRDT", "AC06")], message="C"),
            ("partly_failed", D("100.00"), D("100.00")),
        ),
    ):
        read(content, farida)
        assert figures() == expected
    assert settling.read_bank_file(content=accepted, name="again", actor=sam)[1] is False
    assert figures() == ("partly_failed", D("100.00"), D("100.00"))
    for item, number in ((second, IBANS[4]), (third, IBANS[5])):
        account = ask_account(partner=item.partner, details=details(number=number), actor=sam)
        confirm_account(account=account, actor=farida)
        PayeeAccount.objects.filter(pk=account.pk).update(usable_on=program_today())
    assert settling.requeue(items=[second, third], actor=sam) == 2
    again = sent(statements[1:], sam, farida)
    assert (again.total, {one.attempt for one in again.items.all()}) == (D("500.00"), {2})
    read(pain_002(again, group="ACSC", message="D"), farida)
    assert states(statements) == ["paid"] * 3
