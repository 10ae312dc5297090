"""Mails sent: once, again after a failure, given up in the end; digests; and nothing that is no longer wanted."""

from datetime import UTC, datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.utils import timezone

from journal import services as journal
from journal.models import Entry
from journal.notices import How
from notifications import attempts, jobs, mailing, sending, services, telling
from notifications.models import Delivery
from partners.models import Member
from tests.factories import make_staff
from tests.notifications.facts import deliver, enrolled, make_tiers, moved, people, plain, sent
from tiers.models import Enrollment

pytestmark = pytest.mark.django_db
BAD = "bad@example.com"


@pytest.fixture
def enrollment() -> Enrollment:
    return enrolled(make_tiers(), name="Cycles Dupont")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception]:
    """What the mail server answers for an address, by address."""
    answers: dict[str, Exception] = {}
    send = EmailBackend.send_messages

    def send_or_fail(self: EmailBackend, messages: list[Any]) -> int:
        for one in messages:
            if error := answers.get(one.to[0]):
                raise error
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send_or_fail)
    return answers


def states() -> dict[str, tuple[str, int, str]]:
    rows = Delivery.objects.filter(channel="mail").select_related("user")
    return {one.user.email: (one.state, one.attempts, one.error) for one in rows}


def test_one_address_that_fails_holds_up_no_other(enrollment: Enrollment, failing: dict[str, Exception]) -> None:
    own = people(enrollment.partner, "owner", "sales", "technical")
    failing[own["sales"].email] = SMTPServerDisconnected("went away")
    moved(enrollment)
    deliver()
    assert sorted(sent()) == sorted([own["owner"].email, own["technical"].email])
    assert states() == {
        own["owner"].email: ("sent", 1, ""),
        own["sales"].email: ("waiting", 1, "SMTPServerDisconnected: went away"),
        own["technical"].email: ("sent", 1, ""),
    }


def test_it_is_tried_later_and_later_for_a_day_and_then_given_up(
    enrollment: Enrollment, failing: dict[str, Exception]
) -> None:
    owner = people(enrollment.partner, "owner")["owner"]
    failing[owner.email] = OSError("no route")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        moved(enrollment)
        deliver()
        waited = []
        while (row := Delivery.objects.get(channel="mail")).state == "waiting":
            waited.append(row.due_at - timezone.now())
            clock.move_to(row.due_at - timedelta(seconds=1))
            assert sending.send_mails() == 0
            clock.move_to(row.due_at)
            assert sending.send_mails() == 1
    assert [round(one.total_seconds() / 60) for one in waited] == [1, 4, 16, 64, 256, 1024]
    assert states() == {owner.email: ("dead", 7, "OSError: no route")}
    assert sent() == {}


def test_an_address_that_does_not_exist_is_given_up_at_once(
    enrollment: Enrollment, failing: dict[str, Exception]
) -> None:
    owner = people(enrollment.partner, "owner")["owner"]
    failing[owner.email] = SMTPRecipientsRefused({owner.email: (550, b"no such user")})
    moved(enrollment)
    deliver()
    assert states()[owner.email][:2] == ("dead", 1)


def test_what_was_given_up_is_sent_again_when_staff_say_so(
    enrollment: Enrollment, failing: dict[str, Exception]
) -> None:
    owner = people(enrollment.partner, "owner")["owner"]
    failing[owner.email] = SMTPRecipientsRefused({owner.email: (550, b"no such user")})
    moved(enrollment)
    deliver()
    failing.clear()
    staff, rows = make_staff(), list(Delivery.objects.all())
    assert services.send_again(rows=rows, actor=staff) == 1  # the portal's row is there already
    deliver()
    assert states() == {owner.email: ("sent", 1, "")}
    assert services.send_again(rows=rows, actor=staff) == 0
    (entry,) = Entry.objects.filter(verb="notifications.delivery.again")
    assert entry.actor == staff


def test_a_worker_that_dies_leaves_its_mails_to_the_next(enrollment: Enrollment) -> None:
    people(enrollment.partner, "owner", "sales")
    moved(enrollment)
    telling.tell_people()
    claimed = attempts.claim(Delivery.objects.due().filter(channel="mail"), 20)
    assert len(claimed) == 2  # ... and the worker is gone
    deliver()
    assert sent() == {}
    with time_machine.travel(timezone.now() + attempts.LEASE + timedelta(seconds=1)):
        deliver()
    assert [len(subjects) for subjects in sent().values()] == [1, 1]


def test_a_mail_that_is_sent_twice_is_known_for_one(enrollment: Enrollment, mailoutbox: list[Any]) -> None:
    """Of a worker that dies between the server's yes and its note of it."""
    people(enrollment.partner, "owner")
    moved(enrollment)
    deliver()
    Delivery.objects.filter(channel="mail").update(state="waiting", due_at=timezone.now())
    deliver()
    first, second = mailoutbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_many_mails_go_in_small_batches(enrollment: Enrollment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH", 3)
    people(enrollment.partner, "owner", "sales", "technical", "finance", "marketing")
    moved(enrollment)
    telling.tell_people()
    assert [sending.send_mails() for _call in range(3)] == [3, 2, 0]


def test_nobody_is_mailed_who_has_left_lost_the_role_or_wants_it_no_more(enrollment: Enrollment) -> None:
    own = people(enrollment.partner, "owner", "sales", "technical", "finance")
    moved(enrollment)
    telling.tell_people()
    Member.objects.filter(user=own["sales"]).update(left_on=timezone.localdate())
    own["technical"].is_active = False
    own["technical"].save()
    services.choose(user=own["finance"], choices={"tier": How.PORTAL}, actor=None)
    deliver()
    assert list(sent()) == [own["owner"].email]
    assert {email: state for email, (state, *_rest) in states().items()} == {
        own["owner"].email: "sent", own["sales"].email: "dropped", own["technical"].email: "dropped",
        own["finance"].email: "dropped",
    }  # fmt: skip


def test_a_day_is_one_mail_in_the_persons_language(
    enrollment: Enrollment, mailoutbox: list[Any], settings: Any
) -> None:
    settings.VENDOR_NAME = "Vélomax"
    own = people(enrollment.partner, "owner", "sales")
    for person in own.values():
        services.choose(user=person, choices={"tier": How.DAILY}, actor=None)
    own["sales"].language = "fr"
    own["sales"].save()
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC)):
        moved(enrollment)
        moved(enrollment, "level-2", "level-3")
        telling.tell_people()
        assert sending.send_digest() == 0
    with time_machine.travel(datetime(2026, 3, 2, 6, tzinfo=UTC)):
        assert [sending.send_digest() for _call in range(3)] == [2, 2, 0]
    assert sent() == {
        own["owner"].email: ["2 pieces of news from Vélomax"], own["sales"].email: ["2 nouvelles de Vélomax"]
    }  # fmt: skip
    french = plain(next(one.body for one in mailoutbox if one.to == [own["sales"].email]))
    assert french.index("Vous avez atteint Palier 3") < french.index("Vous avez atteint Palier 2")


def test_a_long_day_shows_its_latest_and_says_how_many_more(
    enrollment: Enrollment, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailing, "MOST_IN_A_DIGEST", 2)
    staff = make_staff()
    for _proposal in range(5):
        journal.record(
            verb="tiers.proposal.made", subject=enrollment, partner_id=enrollment.partner_id, after={"tier": "level-3"}
        )
    telling.tell_people()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        sending.send_digest()
    (digest,) = mailoutbox
    assert digest.to == [staff.email]
    assert digest.body.count("To confirm: Cycles Dupont qualifies for Level 3") == 2
    assert "And 3 more." in digest.body


def test_the_schedule_does_it_all_where_messages_were_lost(enrollment: Enrollment) -> None:
    people(enrollment.partner, "owner")
    moved(enrollment)
    jobs.tell()
    assert len(mail.outbox) == 1


def test_the_command_does_it_where_no_broker_runs(enrollment: Enrollment, capsys: pytest.CaptureFixture[str]) -> None:
    people(enrollment.partner, "owner")
    moved(enrollment)
    call_command("tell")
    assert len(mail.outbox) == 1
    assert "1 entries told" in capsys.readouterr().out
