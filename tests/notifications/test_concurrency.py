"""Several at once, in real threads with their own connections: everybody is told, and told once."""

import threading
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction

from journal import services as journal
from journal.models import Entry
from notifications import attempts, outbox, sending, services, telling, webhooks
from notifications.models import Call, Delivery, Endpoint, Message, Reader
from tests.commissions.test_concurrency import WAIT, at_once
from tests.factories import make_staff
from tests.notifications.facts import enrolled, make_tiers, moved, people
from tiers.models import Enrollment

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


@pytest.fixture
def enrollment(monkeypatch: pytest.MonkeyPatch) -> Enrollment:
    """A partner with two people, where nothing is told by itself."""
    monkeypatch.setattr("journal.notices._listeners", [])
    made = enrolled(make_tiers())
    people(made.partner, "owner", "sales")
    return made


def test_four_dispatchers_tell_each_entry_once(enrollment: Enrollment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "BATCH", 7)
    for _entry in range(30):
        moved(enrollment)
    read = lambda: outbox.read(outbox.PEOPLE, ["tiers.placement.changed"], telling.tell, batch=7)  # noqa: E731
    outcomes = at_once(read, read, read, read)
    assert sum(outcomes) == 30  # type: ignore[arg-type]
    assert Message.objects.count() == 30
    assert Delivery.objects.filter(channel="mail").count() == 60


def test_four_senders_send_each_mail_once(enrollment: Enrollment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH", 5)
    for _entry in range(20):
        moved(enrollment)
    telling.tell_people()

    def send() -> int:
        sent = 0
        while tried := sending.send_mails():
            sent += tried
        return sent

    outcomes = at_once(send, send, send, send)
    assert sum(outcomes) == 40  # type: ignore[arg-type]
    ids = [one.extra_headers["Message-ID"] for one in mail.outbox]
    assert (len(ids), len(set(ids))) == (40, 40)
    assert set(Delivery.objects.filter(channel="mail").values_list("state", "attempts")) == {("sent", 1)}


def test_an_entry_that_is_committed_late_is_told_though_a_later_one_was_told_before(enrollment: Enrollment) -> None:
    """Its id is lower than one that was read meanwhile: a reader that only remembers the highest id would pass it by."""
    written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> int:
        with transaction.atomic():
            entry = moved(enrollment, "level-1", "level-2")
            written.set()
            assert may_commit.wait(WAIT)
        return entry.pk

    def read_meanwhile() -> tuple[int, int, int]:
        assert written.wait(WAIT)
        later = moved(enrollment, "level-2", "level-3")
        before = telling.tell_people()
        may_commit.set()
        return later.pk, before, Reader.objects.get(pk=outbox.PEOPLE).position

    early, (later, before, position) = at_once(write_slowly, read_meanwhile)  # type: ignore[misc]
    assert early < later
    assert (before, position < early) == (0, True)
    assert telling.tell_people() == 2
    assert [one.entry_id for one in Message.objects.order_by("entry_id")] == [early, later]


def test_a_writer_that_never_ends_holds_up_only_what_came_after_it(enrollment: Enrollment) -> None:
    """An import of minutes: what was there when it began is told, and its own entries once it is done."""
    first = moved(enrollment)
    assert telling.tell_people() == 1
    written, may_commit = threading.Event(), threading.Event()

    def import_slowly() -> None:
        with transaction.atomic():
            journal.record(verb="imports.file.taken", subject="imports.members:x")
            written.set()
            assert may_commit.wait(WAIT)

    def read_meanwhile() -> list[int]:
        assert written.wait(WAIT)
        moved(enrollment)
        told = [telling.tell_people(), telling.tell_people()]
        may_commit.set()
        return told

    _none, told = at_once(import_slowly, read_meanwhile)
    assert told == [0, 0]
    assert telling.tell_people() == 1
    assert Message.objects.exclude(entry=first).count() == 1


def test_a_horizon_that_is_complete_is_read_to_its_end_while_others_write(enrollment: Enrollment) -> None:
    for _entry in range(10):
        moved(enrollment)
    read = lambda: outbox.read(outbox.PEOPLE, ["tiers.placement.changed"], telling.tell, batch=2)  # noqa: E731
    started, done = threading.Event(), threading.Event()

    def write_on() -> None:
        with transaction.atomic():
            Entry.objects.create(verb="imports.file.taken", subject="imports.members:x")
            started.set()
            assert done.wait(WAIT)

    def read_twice() -> list[int]:
        assert started.wait(WAIT)
        Reader.objects.create(
            name=outbox.PEOPLE, position=0, horizon=Entry.objects.latest("pk").pk, waits_for=[]
        )  # as a batch that filled up leaves it
        told = [read(), read()]
        done.set()
        return told

    _none, told = at_once(write_on, read_twice)
    assert told == [10, 0]


def test_two_digests_at_once_are_one_mail_each(enrollment: Enrollment) -> None:
    moved(enrollment)
    telling.tell_people()
    Delivery.objects.filter(channel="mail").update(channel="digest")
    assert sorted(at_once(sending.send_digest, sending.send_digest, sending.send_digest)) in ([0, 1, 1], [0, 0, 1])  # type: ignore[type-var]
    while sending.send_digest():
        pass
    assert len(mail.outbox) == 2


def test_a_worker_killed_in_the_middle_of_a_batch_leaves_the_reader_where_it_was(enrollment: Enrollment) -> None:
    moved(enrollment)

    def tell_and_die(entries: Any) -> None:
        telling.tell(entries)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.read(outbox.PEOPLE, ["tiers.placement.changed"], tell_and_die)
    assert (Message.objects.count(), Reader.objects.get(pk=outbox.PEOPLE).position) == (0, 0)
    assert telling.tell_people() == 1


def test_calls_are_queued_once_and_claimed_once(enrollment: Enrollment, settings: Any) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    made = Endpoint(name="CRM", url="http://127.0.0.1:9/", verbs=["tiers.placement.changed"])
    services.save_endpoint(endpoint=made, actor=make_staff())
    for _entry in range(10):
        moved(enrollment)
    at_once(webhooks.queue_calls, webhooks.queue_calls, webhooks.queue_calls)
    assert Call.objects.count() == 10
    claims = at_once(*[lambda: attempts.claim(Call.objects.due(), 4)] * 3)
    taken = [key for keys in claims for key in keys]  # type: ignore[attr-defined]
    assert (len(taken), len(set(taken))) == (10, 10)
