"""From the journal to people: who is told, by which channel, once, and at what cost."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from journal import notices
from journal import services as journal
from journal.models import Entry
from journal.notices import How, Kind, Members, Notice
from notifications import outbox, services, telling
from notifications.models import Delivery, Message, Reader
from partners.models import Partner
from tests.factories import make_partner, make_portal_user, make_staff
from tests.notifications.facts import deliver, enrolled, make_tiers, moved, people, plain, sent
from tiers.models import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    return make_tiers()


def told() -> list[tuple[str, str, str]]:
    rows = Delivery.objects.order_by("pk").select_related("message", "user")
    return [(one.message.notice, one.user.email, one.channel) for one in rows]


def test_everyone_of_the_partner_is_told_of_its_tier_in_its_own_language(program: Program) -> None:
    enrollment = enrolled(program, name="Cycles Dupont")
    own = people(enrollment.partner, "owner", "technical")
    own["technical"].language = "fr"
    own["technical"].save()
    make_portal_user(make_partner())
    make_portal_user(enrollment.partner, left_on=date(2026, 2, 1))
    closed = make_portal_user(enrollment.partner)
    User.objects.filter(pk=closed.pk).update(is_active=False)
    moved(enrollment)
    deliver()
    assert sent() == {
        own["owner"].email: ["You reached Level 2"], own["technical"].email: ["Vous avez atteint Palier 2"]
    }  # fmt: skip
    assert told() == [
        ("tiers.reached", own["owner"].email, "portal"), ("tiers.reached", own["owner"].email, "mail"),
        ("tiers.reached", own["technical"].email, "portal"), ("tiers.reached", own["technical"].email, "mail"),
    ]  # fmt: skip


def test_a_lost_tier_is_told_as_lost_and_its_benefits_stand_in_the_same_mail(
    program: Program, mailoutbox: list[Any]
) -> None:
    program.benefits.create(code="lead-sharing", name={"en": "Shared leads", "fr": "Prospects partagés"})
    enrollment = enrolled(program, name="Cycles Dupont")
    people(enrollment.partner, "owner")
    moved(enrollment, "level-3", "level-2", reason="lost", closes=["lead-sharing", "gone"])
    deliver()
    (mail,) = mailoutbox
    assert mail.subject == "You are in Level 2 now"
    assert "Cycles Dupont went from Level 3 to Level 2 on 1 March 2026." in mail.body
    assert "What closes with it:\n\n- Shared leads\n- gone\n" in mail.body
    assert "What opens" not in mail.body


def test_the_same_tier_for_another_reason_is_told_to_nobody(program: Program) -> None:
    enrollment = enrolled(program)
    people(enrollment.partner, "owner")
    moved(enrollment, "level-2", "level-2")
    deliver()
    assert (told(), Message.objects.count()) == ([], 0)


def test_who_has_nobody_to_tell_leaves_no_message(program: Program) -> None:
    moved(enrolled(program))
    deliver()
    assert not Message.objects.exists()


def test_reading_the_journal_again_tells_nobody_twice(program: Program, mailoutbox: list[Any]) -> None:
    enrollment = enrolled(program)
    people(enrollment.partner, "owner")
    moved(enrollment)
    deliver()
    Reader.objects.update(position=0, horizon=0)
    moved(enrollment, "level-2", "level-3")
    deliver()
    assert [one.subject for one in mailoutbox] == ["You reached Level 2", "You reached Level 3"]


def test_what_was_there_before_notifications_is_told_to_nobody(program: Program) -> None:
    """The migration starts the readers at the journal's end; here: a position that was set."""
    enrollment = enrolled(program)
    people(enrollment.partner, "owner")
    old = moved(enrollment)
    Reader.objects.update_or_create(name=outbox.PEOPLE, defaults={"position": old.pk, "horizon": old.pk})
    deliver()
    assert told() == []


def test_a_batch_costs_the_same_queries_whatever_its_size(program: Program) -> None:
    def cost(entries: int) -> int:
        for _entry in range(entries):
            enrollment = enrolled(program)
            people(enrollment.partner, "owner")
            moved(enrollment)
        with CaptureQueriesContext(connection) as asked:
            telling.tell_people()
        return len(asked)

    cost(1)
    assert cost(2) == cost(40)


def test_a_night_of_2000_movements_is_two_batches_of_a_fixed_cost(program: Program) -> None:
    enrollment = enrolled(program)
    people(enrollment.partner, "owner", "sales")
    entries = [
        journal.entry(
            verb="tiers.placement.changed", subject=enrollment, partner_id=enrollment.partner_id,
            before={"tier": "level-1"}, after={"tier": "level-2", "on": "2026-03-01", "reason": "earned"},
        )
        for _entry in range(2000)
    ]  # fmt: skip
    journal.record_many(entries)
    with CaptureQueriesContext(connection) as asked:
        assert telling.tell_people() == 2000
    assert len(asked) <= 2 * 22 + 10
    assert (Message.objects.count(), Delivery.objects.count()) == (2000, 8000)


def test_a_notice_that_cannot_be_made_holds_up_no_other(
    program: Program, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    def facts(entries: Sequence[Entry]) -> dict[int, Any]:
        return {one.pk: {"number": 1 // one.after["divisor"]} for one in entries}

    broken = Notice(
        "tests.broken", ("tests.happened",), "Broken", Kind("tests", "Tests"), Members(frozenset({"owner"})),
        "leads/mail/withdrawn", facts=facts, link=lambda facts: "/portal/", go="Go", sample={},
    )  # fmt: skip
    monkeypatch.setitem(notices.NOTICES, broken.key, broken)
    partner = make_partner()
    make_portal_user(partner)
    for divisor in (1, 0, 1):
        journal.record(
            verb="tests.happened", subject=f"tests.row:{divisor}", partner_id=partner.pk, after={"divisor": divisor}
        )
    deliver()
    assert len(mailoutbox) == 2
    (failed,) = Message.objects.exclude(error="")
    assert failed.error == "ZeroDivisionError: integer division or modulo by zero"
    staff = make_staff()
    assert services.tell_again(messages=list(Message.objects.all()), actor=staff) == 1
    assert Message.objects.exclude(error="").count() == 1  # still broken
    monkeypatch.setitem(
        notices.NOTICES, broken.key, Notice(**{**{n: getattr(broken, n) for n in broken.__slots__}, "facts": lambda e: {o.pk: {} for o in e}})
    )  # fmt: skip
    services.tell_again(messages=list(Message.objects.all()), actor=staff)
    deliver()
    assert (len(mailoutbox), Message.objects.exclude(error="").count()) == (3, 0)


def test_a_person_is_told_as_it_chose(program: Program, mailoutbox: list[Any]) -> None:
    enrollment = enrolled(program)
    own = people(enrollment.partner, "owner", "sales", "finance")
    services.choose(user=own["sales"], choices={"tier": How.PORTAL}, actor=None)
    services.choose(user=own["finance"], choices={"tier": How.DAILY}, actor=None)
    moved(enrollment)
    deliver()
    assert list(sent()) == [own["owner"].email]
    assert {(email, channel) for _notice, email, channel in told()} == {
        (own["owner"].email, "portal"), (own["owner"].email, "mail"), (own["sales"].email, "portal"),
        (own["finance"].email, "portal"), (own["finance"].email, "digest"),
    }  # fmt: skip


def test_a_digest_waits_for_the_next_hour_of_digests(program: Program, settings: Any) -> None:
    settings.DIGEST_HOUR, settings.TIME_ZONE = 7, "Europe/Paris"
    enrollment = enrolled(program)
    owner = people(enrollment.partner, "owner")["owner"]
    services.choose(user=owner, choices={"tier": How.DAILY}, actor=None)
    for moment, due in (
        (datetime(2026, 3, 1, 5, 59, tzinfo=UTC), datetime(2026, 3, 1, 6, tzinfo=UTC)),
        (datetime(2026, 3, 1, 6, 0, tzinfo=UTC), datetime(2026, 3, 2, 6, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), datetime(2026, 3, 29, 5, tzinfo=UTC)),  # the clocks went forward
    ):
        with time_machine.travel(moment, tick=False):
            moved(enrollment)
            telling.tell_people()
        assert Delivery.objects.filter(channel="digest").latest("pk").due_at == due


def test_staff_who_may_decide_are_told_of_a_proposal_once_a_day(program: Program) -> None:
    enrollment = enrolled(program, name="Cycles Dupont")
    people(enrollment.partner, "owner")
    boss, clerk = make_staff(), make_staff(is_superuser=False)
    journal.record(
        verb="tiers.proposal.made", subject=enrollment, partner_id=enrollment.partner_id, after={"tier": "level-3"}
    )
    deliver()
    assert told() == [("tiers.proposed", boss.email, "digest")]
    assert clerk.email not in str(told())


def test_a_required_kind_is_mailed_whatever_was_chosen(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Notice(
        "tests.bank", ("tests.bank.changed",), "Bank", notices.SECURITY, Members(frozenset({"owner"})),
        "leads/mail/withdrawn", facts=lambda entries: {one.pk: {} for one in entries}, link=lambda facts: "/portal/",
        go="Go", sample={}, how=How.DAILY,
    )  # fmt: skip
    monkeypatch.setitem(notices.NOTICES, bank.key, bank)
    partner = make_partner()
    owner = make_portal_user(partner)
    with pytest.raises(services.RequiredKindError):
        services.choose(user=owner, choices={"tier": How.PORTAL, "security": How.PORTAL}, actor=owner)
    assert not Entry.objects.filter(verb="notifications.preferences.changed").exists()
    journal.record(verb="tests.bank.changed", subject="tests.bank:1", partner_id=partner.pk)
    deliver()
    assert told() == [("tests.bank", owner.email, "portal"), ("tests.bank", owner.email, "mail")]


def test_the_mail_says_the_same_in_text_and_in_html(program: Program, mailoutbox: list[Any], settings: Any) -> None:
    settings.SITE_URL, settings.VENDOR_NAME = "https://partners.example", "Vélomax & Fils"
    enrollment = enrolled(program, name="Cycles <Dupont>")
    owner = people(enrollment.partner, "owner")["owner"]
    moved(enrollment, note="", until="2026-09-01", reason="granted")
    deliver()
    (mail,) = mailoutbox
    ((html, kind),) = mail.alternatives
    assert kind == "text/html"
    assert mail.subject == "You were granted Level 2"
    assert plain(mail.body).startswith(f"Hello {owner.name}, Cycles <Dupont> holds Level 2 from 1 March 2026,")
    assert "https://partners.example/portal/tier/?program=resellers" in mail.body
    assert "Cycles &lt;Dupont&gt; holds Level 2 from 1 March 2026" in plain(html)
    assert 'href="https://partners.example/portal/tier/?program=resellers"' in html
    assert "Vélomax &amp; Fils" in html
    assert '<p style="margin: 0 0 14px' in html
    assert "prefers-color-scheme: dark" in html
    assert "<img" not in html
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"


def test_a_partner_is_told_what_happens_after_the_commit(
    program: Program, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    enrollment = enrolled(program)
    people(enrollment.partner, "owner")
    with django_capture_on_commit_callbacks(execute=True) as called:
        for _entry in range(3):
            moved(enrollment)
        assert mailoutbox == []
    assert len([one for one in called if one.__module__ == "journal.notices"]) == 1
    assert len(mailoutbox) == 3


def test_nothing_is_queued_where_nobody_is_told(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as called:
        journal.record(verb="imports.file.uploaded", subject="imports.import:1")
    assert called == []


def test_the_registry_refuses_a_key_and_a_verb_twice() -> None:
    with pytest.raises(ValueError, match=r"tiers\.reached"):
        notices.register(notices.NOTICES["tiers.reached"])
    with pytest.raises(ValueError, match=r"tiers\.placement\.changed"):
        notices.publish("tiers.placement.changed", "")


def test_partners_named_in_an_entry_that_are_gone_are_left_out(program: Program) -> None:
    journal.record(
        verb="tiers.placement.changed", subject="tiers.enrollment:999999", partner_id=Partner.objects.count()
    )
    deliver()
    assert told() == []
