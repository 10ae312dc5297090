"""Any sequence of building, approving, cancelling, sending, paying, refusing, returning and queueing again.

The oracle is the bank: it knows the files it was given and what it paid and took back, and nothing of the tables.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from commissions import lifecycle
from commissions.models import Statement
from common.errors import ProgramError
from common.periods import program_today
from payouts.models import PayeeAccount, PayoutBatch, PayoutItem
from payouts.rules import settled_state
from payouts.services import batches, settling
from payouts.services.accounts import ask_account, confirm_account
from tests.factories import make_staff
from tests.payouts.facts import IBANS, built, camt_054, details, make_payer, pain_002, payable

D = Decimal

pytestmark = pytest.mark.django_db
STEPS = ("build", "build", "approve", "approve", "send", "send", "cancel", "take out", "pay", "pay", "refuse", "return",
         "requeue", "requeue", "other account", "repeat", "block")  # fmt: skip
STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, 7), st.integers(0, 7))


class World:
    def __init__(self) -> None:
        self.author, self.approver = make_staff(), make_staff()
        make_payer()
        self.statements = payable(self.author, 4)
        self.files: dict[str, D] = {}  # what the bank was told to pay, by end-to-end id
        self.paid: dict[str, D] = {}
        self.returned: dict[str, D] = {}
        self.said: list[bytes] = []
        self.message = 0

    def do(self, step: tuple[str, int, int]) -> None:
        """A refusal is fine: what matters is what is true after it."""
        what, one, other = step
        with suppress(ProgramError), transaction.atomic():
            getattr(self, what.replace(" ", "_"))(one, other)

    def _batch(self, place: int) -> PayoutBatch | None:
        known = list(PayoutBatch.objects.order_by("-pk"))
        return known[place % len(known)] if known else None

    def _item(self, place: int, *states: str) -> PayoutItem | None:
        known = list(PayoutItem.objects.filter(state__in=states, end_to_end_id__in=self.files).order_by("pk"))
        return known[place % len(known)] if known else None

    def build(self, one: int, other: int) -> None:
        count = 1 + other % 4
        built((self.statements * 2)[one % 4 : one % 4 + count], self.author)

    def approve(self, one: int, other: int) -> None:
        if batch := self._batch(one):
            actor = self.author if other == 0 else self.approver
            batches.approve_batch(batch=batch, actor=actor, seen_total=batch.total)

    def send(self, one: int, other: int) -> None:
        if batch := self._batch(one):
            batch = batches.send_batch(batch=batch, actor=self.author)
            _name, content = batches.open_file(batch=batch, actor=self.author)
            root = etree.fromstring(content)
            space = {"p": etree.QName(root).namespace}
            for row in root.iterfind(".//p:CdtTrfTxInf", space):
                name = str(row.findtext("p:PmtId/p:EndToEndId", namespaces=space))
                amount = D(str(row.findtext("p:Amt/p:InstdAmt", namespaces=space)))
                assert self.files.get(name, amount) == amount
                self.files[name] = amount

    def cancel(self, one: int, other: int) -> None:
        if batch := self._batch(one):
            batches.cancel_batch(batch=batch, actor=self.author, reason="Wrong.")

    def take_out(self, one: int, other: int) -> None:
        if batch := self._batch(one):
            batches.take_out(
                batch=batch, item_ids=batch.items.values_list("pk", flat=True)[other : other + 1], actor=self.author
            )

    def _read(self, content: bytes) -> None:
        settling.read_bank_file(content=content, name="x", actor=self.author)
        self.said.append(content)

    def _say(self, item: PayoutItem | None, side: str, reason: str) -> PayoutItem | None:
        if item is not None:
            self.message += 1
            rows = [(item.end_to_end_id, f"{item.amount:.2f}", side, reason)]
            self._read(camt_054(rows, message=f"M{self.message}"))
        return item

    def pay(self, one: int, other: int) -> None:
        if item := self._say(self._item(one, "under_way"), "DBIT", ""):
            self.paid[item.end_to_end_id] = item.amount

    def refuse(self, one: int, other: int) -> None:
        if item := self._item(one, "under_way", "paid" if other == 0 else "under_way"):
            self.message += 1
            reason = "AC04" if other % 2 else "AM04"
            self._read(pain_002(item.batch, [(item, "RJCT", reason)], message=f"M{self.message}"))

    def return_(self, one: int, other: int) -> None:
        if item := self._say(self._item(one, "paid"), "CRDT", "AC06"):
            self.returned[item.end_to_end_id] = item.amount

    def requeue(self, one: int, other: int) -> None:
        failed = list(PayoutItem.objects.filter(state__in=["failed", "returned"]).order_by("pk"))
        settling.requeue(items=failed[one % max(len(failed), 1) :], actor=self.author)

    def other_account(self, one: int, other: int) -> None:
        asked = details(number=IBANS[other % len(IBANS)])
        account = ask_account(partner=self.statements[one % 4].partner, details=asked, actor=self.author)
        confirm_account(account=account, actor=self.approver)
        PayeeAccount.objects.filter(pk=account.pk).update(usable_on=program_today())

    def repeat(self, one: int, other: int) -> None:
        if self.said:
            _file, is_new = settling.read_bank_file(
                content=self.said[one % len(self.said)], name="x", actor=self.approver
            )
            assert not is_new

    def block(self, one: int, other: int) -> None:
        key = [self.statements[one % 4].pk]
        if other % 2:
            lifecycle.block(key, reason="Asked.", actor=self.author)
        else:
            lifecycle.release(key, actor=self.author)

    def check(self) -> None:
        items = list(PayoutItem.objects.select_related("batch"))
        live = Counter(one.statement_id for one in items if one.state in ("under_way", "paid"))
        assert max(live.values(), default=0) <= 1
        by_state = dict(Statement.objects.values_list("pk", "state"))
        paid = {one.statement_id for one in items if one.state == "paid"}
        assert {pk for pk, state in by_state.items() if state == "paid"} == paid
        scheduled = {
            one.statement_id for one in items if one.state == "under_way" and one.batch.state in ("approved", "sent")
        }
        assert {pk for pk, state in by_state.items() if state == "scheduled"} == scheduled
        left = sum(self.paid.values(), D(0)) - sum(self.returned.values(), D(0))
        assert left == sum((one.total for one in Statement.objects.filter(state="paid")), D(0))
        times_paid = Counter(name.split("-")[2] for name in self.paid if name not in self.returned)
        assert max(times_paid.values(), default=0) <= 1
        for batch in PayoutBatch.objects.prefetch_related("items"):
            states = [one.state for one in batch.items.all()]
            kept = [one.amount for one in batch.items.all() if one.state != "cancelled"]
            if batch.state in PayoutBatch.LEFT:
                assert batch.state == settled_state(states)
                assert all(one.end_to_end_id in self.files for one in batch.items.all() if one.state != "cancelled")
            if batch.state != "cancelled":
                assert (batch.total, batch.count) == (sum(kept, D(0)), len(kept))


setattr(World, "return", World.return_)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(STEP, min_size=12, max_size=40))
def test_each_statement_is_paid_once_and_the_banks_books_agree(steps: list[tuple[str, int, int]]) -> None:
    with undone():
        world: Any = World()
        for step in steps:
            world.do(step)
            world.check()


def test_the_sequences_reach_payments_returns_and_second_attempts() -> None:
    """One that is known to go all the way, so that the property is not true of nothing."""
    world = World()
    way = ("build", 0, 3), ("approve", 0, 1), ("send", 0, 0), ("pay", 0, 0), ("return", 0, 0), ("other account", 0, 5)
    for step in (*way, ("requeue", 0, 0), ("build", 0, 0), ("approve", 0, 1), ("send", 0, 0), ("pay", 3, 0)):
        world.do(step)
        world.check()
    attempts = list(
        PayoutItem.objects.filter(statement=world.statements[0]).order_by("pk").values_list("attempt", "state")
    )
    assert attempts == [(1, "returned"), (2, "paid")]
    assert (world.paid, len(world.returned)) == ({name: D("100.00") for name in world.paid}, 1)
