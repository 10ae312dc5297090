"""Many at once, in real threads on PostgreSQL: each statement is paid once, and two batches never share one."""

import threading
from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection

from commissions.models import Statement
from journal.models import Entry
from payouts.errors import AccountError, BankFileError, BatchError
from payouts.models import BankFile, PayeeAccount, PayoutBatch, PayoutFile, PayoutItem
from payouts.services import batches, settling
from payouts.services.accounts import ask_account, confirm_account
from tests.commissions.test_concurrency import at_once
from tests.factories import make_partner, make_portal_user, make_staff
from tests.payouts.facts import IBANS, built, details, make_payer, pain_002, payable, sent, soon, states, with_account

D = Decimal

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
PEOPLE = 100
CONNECTIONS = threading.BoundedSemaphore(20)  # fewer than the server takes; all hundred stand in line


def test_a_hundred_people_press_approve_and_pay_at_once() -> None:
    """Half of them press “approve”, half “pay”; the author is among them. Each statement is paid once, by one file."""
    author = make_staff()
    statements = payable(author, 5)
    batch = built(statements, author)
    people = [author, *(make_staff() for _number in range(PEOPLE - 1))]

    def press(place: int) -> object:
        with CONNECTIONS:
            try:
                if place % 2:
                    return batches.send_batch(batch=batch, actor=people[place]).state
                return batches.approve_batch(batch=batch, actor=people[place], seen_total=batch.total).state
            except BatchError:
                return "refused"
            finally:
                connection.close()

    outcomes = press_all(press)
    batch = batches.send_batch(batch=batch, actor=people[1])
    assert set(outcomes) <= {"approved", "sent", "refused"}
    assert Counter(Entry.objects.filter(verb__startswith="payouts.batch.").values_list("verb", flat=True)) == {
        "payouts.batch.built": 1, "payouts.batch.approved": 1, "payouts.batch.sent": 1,
    }  # fmt: skip
    assert PayoutFile.objects.count() == 1
    assert batch.approved_by != author
    assert states(statements) == ["scheduled"] * 5

    def read(place: int) -> object:
        with CONNECTIONS:
            try:
                content = pain_002(batch, group="ACSC", message=f"B{place % 4}")
                return settling.read_bank_file(content=content, name="status.xml", actor=people[place])[1]
            finally:
                connection.close()

    assert Counter(press_all(read)) == {True: 4, False: PEOPLE - 4}
    assert BankFile.objects.count() == 4
    assert states(statements) == ["paid"] * 5
    assert Entry.objects.filter(verb="commissions.statement.paid").count() == 5
    assert PayoutItem.objects.filter(state="paid").count() == 5


def press_all(press: object) -> list[object]:
    outcomes: list[object] = [None] * PEOPLE
    start = threading.Barrier(PEOPLE, timeout=60)

    def one(place: int) -> None:
        start.wait()
        try:
            outcomes[place] = press(place)  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001  # the test looks at it
            outcomes[place] = error

    threads = [threading.Thread(target=one, args=(place,), daemon=True) for place in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return outcomes


def test_batches_built_at_once_never_share_a_statement() -> None:
    author = make_staff()
    statements = payable(author, 8)
    payer = make_payer()

    def build(chosen: list[Statement]) -> object:
        return batches.build_batch(
            payer=payer, execute_on=soon(), statement_ids=[one.pk for one in chosen], actor=author
        )  # fmt: skip

    works = [statements, statements[::-1], statements[:5], statements[3:], statements[2:6], [statements[4]]]
    outcomes = at_once(*[lambda chosen=chosen: build(chosen) for chosen in works])  # type: ignore[misc]
    assert {type(one) for one in outcomes} <= {PayoutBatch, BatchError}
    assert any(isinstance(one, PayoutBatch) for one in outcomes)
    open_items = PayoutItem.objects.filter(state="under_way").values_list("statement", flat=True)
    assert max(Counter(open_items).values()) == 1
    for batch in PayoutBatch.objects.all():
        assert batch.total == sum((one.amount for one in batch.items.all()), D(0))


def test_approval_and_cancelling_at_once_leave_one_of_them() -> None:
    author, approver = make_staff(), make_staff()
    statements = payable(author, 4)
    for _round in range(5):
        batch = built(statements, author)
        outcomes = at_once(
            lambda batch=batch: batches.approve_batch(batch=batch, actor=approver, seen_total=batch.total),  # type: ignore[misc]
            lambda batch=batch: batches.cancel_batch(batch=batch, actor=author, reason="Wrong."),  # type: ignore[misc]
        )
        assert isinstance(outcomes[1], PayoutBatch)
        batch.refresh_from_db()
        assert (batch.state, states(statements)) == ("cancelled", ["approved"] * 4)


def test_sending_and_cancelling_at_once_leave_one_of_them() -> None:
    author, approver = make_staff(), make_staff()
    statements = payable(author, 4)
    batch = built(statements, author)
    batch = batches.approve_batch(batch=batch, actor=approver, seen_total=batch.total)
    at_once(
        lambda: batches.send_batch(batch=batch, actor=approver),
        lambda: batches.cancel_batch(batch=batch, actor=author, reason="Wrong."),
    )
    batch.refresh_from_db()
    expected = {"sent": ["scheduled"] * 4, "cancelled": ["approved"] * 4}
    assert states(statements) == expected[batch.state]


def test_files_that_contradict_each_other_at_once_leave_one_of_them() -> None:
    staff = make_staff()
    statements = payable(staff, 4)
    batch = sent(statements, staff)
    contents = [pain_002(batch, group="ACSC"), pain_002(batch, group="RJCT", reason="AM04")]
    outcomes = at_once(
        *[lambda c=c: settling.read_bank_file(content=c, name="x", actor=staff) for c in contents]  # type: ignore[misc]
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["BankFileError", "tuple"]
    assert any(isinstance(one, BankFileError) for one in outcomes)
    assert states(statements) in (["paid"] * 4, ["failed"] * 4)


def test_accounts_asked_and_confirmed_at_once_leave_one_in_force() -> None:
    partner, staff = make_partner(), [make_staff(), make_staff(), make_staff()]
    first = with_account(partner, staff[0])
    owners = [make_portal_user(partner), make_portal_user(partner)]
    at_once(
        *[
            lambda place=place: ask_account(
                partner=partner, details=details(number=IBANS[place + 1]), actor=owners[place]
            )
            for place in (0, 1)
        ]
    )  # type: ignore[misc]
    waiting = PayeeAccount.objects.waiting().get()
    outcomes = at_once(*[lambda one=one: confirm_account(account=waiting, actor=one) for one in staff])  # type: ignore[misc]
    assert all(isinstance(one, PayeeAccount | AccountError) for one in outcomes)
    assert PayeeAccount.objects.in_force().get() == waiting
    first.refresh_from_db()
    assert first.state == "replaced"
    assert Entry.objects.filter(verb="payouts.account.confirmed").count() == 2
