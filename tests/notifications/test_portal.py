"""The member's messages: its own alone, read and unread; how it is told; and the way out of mails."""

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from journal import notices
from journal import services as journal
from journal.models import Entry
from journal.notices import Members, Notice
from notifications.models import Delivery, Preference
from partners.models import Member
from tests.factories import make_partner, make_portal_user
from tests.leads.facts import make_world, written
from tests.notifications.facts import deliver, enrolled, make_tiers, moved, people
from tiers.models import Enrollment

pytestmark = pytest.mark.django_db
INBOX = "/portal/messages/"


@pytest.fixture
def enrollment() -> Enrollment:
    return enrolled(make_tiers(), name="Cycles Dupont")


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client, address: str = INBOX) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_message_is_unread_until_it_is_opened_and_leads_to_what_it_is_about(enrollment: Enrollment) -> None:
    owner = people(enrollment.partner, "owner")["owner"]
    moved(enrollment)
    deliver()
    client = signed_in(owner)
    assert "Messages, 1 unread" in page(client, "/portal/tier/")
    shown = page(client)
    assert "<b>You reached Level 2</b>" in shown
    assert "Cycles Dupont rose from Level 1 to Level 2 on 1 March 2026." in shown
    delivery = Delivery.objects.get(channel="portal")
    answer = client.get(reverse("portal:notice", args=[delivery.pk]))
    assert (answer.status_code, answer["Location"]) == (302, "/portal/tier/?program=resellers")
    assert "unread" not in page(client, "/portal/tier/")
    assert "<b>You reached" not in page(client)
    assert "All read" in page(client, f"{INBOX}?show=unread")
    assert "Vous avez atteint Palier 2" in page(signed_in(owner, "fr"))


def test_one_is_marked_unread_again_and_all_are_marked_read(enrollment: Enrollment) -> None:
    own = people(enrollment.partner, "owner", "sales")
    for _entry in range(2):
        moved(enrollment)
    deliver()
    client = signed_in(own["owner"])
    client.post(INBOX)
    mine = Delivery.objects.filter(channel="portal", user=own["owner"])
    assert mine.unread().count() == 0
    client.post(reverse("portal:notice", args=[mine[0].pk]))
    assert mine.unread().count() == 1
    assert Delivery.objects.filter(channel="portal", user=own["sales"]).unread().count() == 2


def test_another_members_message_does_not_exist(enrollment: Enrollment) -> None:
    own = people(enrollment.partner, "owner", "sales")
    moved(enrollment)
    deliver()
    address = reverse("portal:notice", args=[Delivery.objects.get(channel="portal", user=own["owner"]).pk])
    for other in (own["sales"], make_portal_user(make_partner())):
        client = signed_in(other)
        assert client.get(address).status_code == 404
        assert client.post(address).status_code == 404
    mailed = Delivery.objects.get(channel="mail", user=own["owner"])
    assert signed_in(own["owner"]).get(reverse("portal:notice", args=[mailed.pk])).status_code == 404
    assert Delivery.objects.filter(read_at__isnull=False).count() == 0


def test_who_goes_to_another_partner_leaves_its_messages_behind(enrollment: Enrollment) -> None:
    owner = people(enrollment.partner, "owner")["owner"]
    moved(enrollment)
    deliver()
    Member.objects.filter(user=owner).update(partner=make_partner())
    client = signed_in(owner)
    assert "No messages yet" in page(client)
    assert client.get(reverse("portal:notice", args=[Delivery.objects.get(channel="portal").pk])).status_code == 404


def test_who_changes_its_role_no_longer_sees_what_the_role_may_not() -> None:
    world = make_world()
    written(world.near)
    deliver()
    client = signed_in(world.person)
    assert "A lead waits for your answer" in page(client)
    Member.objects.filter(user=world.person).update(role="finance")
    assert "A lead waits" not in page(client)


def test_the_page_and_the_bell_cost_the_same_whatever_there_is(enrollment: Enrollment) -> None:
    client = signed_in(people(enrollment.partner, "owner")["owner"])
    client.get(INBOX)
    counts = []
    for entries in (2, 30):
        for _entry in range(entries):
            moved(enrollment)
        deliver()
        with CaptureQueriesContext(connection) as asked:
            client.get(INBOX)
        counts.append(len(asked))
    assert counts == [6, 6]


def test_preferences_are_those_of_the_role(enrollment: Enrollment) -> None:
    own = people(enrollment.partner, "owner", "technical")
    address = reverse("portal:notice-preferences")
    assert "Statements and pay" in page(signed_in(own["owner"]), address)
    technical = page(signed_in(own["technical"]), address)
    assert "Statements and pay" not in technical
    assert "Partners that qualified" not in technical
    assert "Your tier and its benefits" in technical


def test_what_was_chosen_is_kept_and_a_wrong_choice_comes_back(enrollment: Enrollment) -> None:
    owner = people(enrollment.partner, "owner")["owner"]
    client, address = signed_in(owner), reverse("portal:notice-preferences")
    chosen = {"tier": "daily", "points": "at-once", "leads": "portal", "deals": "at-once", "pay": "at-once"}
    assert client.post(address, chosen).status_code == 302
    assert dict(Preference.objects.values_list("kind", "how")) == {"tier": "daily", "leads": "portal"}
    assert Entry.objects.get(verb="notifications.preferences.changed").after == {"tier": "daily", "leads": "portal"}
    client.post(address, chosen)
    assert Entry.objects.filter(verb="notifications.preferences.changed").count() == 1
    refused = client.post(address, {**chosen, "tier": "never"})
    assert refused.status_code == 422
    assert Preference.objects.get(kind="tier").how == "daily"


def stop_address() -> str:
    header = mail.outbox[-1].extra_headers["List-Unsubscribe"]
    assert header.startswith("<http://")
    return str(header.strip("<>").partition("://")[2].partition("/")[2])


def test_one_click_turns_a_kind_off_without_signing_in(enrollment: Enrollment) -> None:
    owner = people(enrollment.partner, "owner")["owner"]
    moved(enrollment)
    deliver()
    assert mail.outbox[-1].extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = f"/{stop_address()}"
    stranger = Client(enforce_csrf_checks=True)
    looked = stranger.get(address)
    assert looked.status_code == 200
    assert not Preference.objects.exists()
    for _time in range(2):
        assert stranger.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert list(Preference.objects.values_list("user", "kind", "how")) == [(owner.pk, "tier", "portal")]
    moved(enrollment, "level-2", "level-3")
    deliver()
    assert len(mail.outbox) == 1
    assert Delivery.objects.filter(channel="portal").count() == 2


@pytest.mark.parametrize("token", ["x", "WzEsInRpZXIiXQ:1abcde:forged"])
def test_a_forged_link_does_not_exist(token: str) -> None:
    assert Client().get(reverse("notifications:unsubscribe", args=[token])).status_code == 404
    assert Client().post(reverse("notifications:unsubscribe", args=[token])).status_code == 404


def test_a_mail_that_cannot_be_turned_off_has_no_way_out(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    bank = Notice(
        "tests.bank", ("tests.bank.changed",), "Bank", notices.SECURITY, Members(frozenset({"owner"})),
        "leads/mail/withdrawn", facts=lambda entries: {one.pk: {} for one in entries}, link=lambda facts: "/portal/",
        go="Go", sample={},
    )  # fmt: skip
    monkeypatch.setitem(notices.NOTICES, bank.key, bank)
    partner = make_partner()
    owner = make_portal_user(partner)
    journal.record(verb="tests.bank.changed", subject="tests.bank:1", partner_id=partner.pk)
    deliver()
    assert "List-Unsubscribe" not in mail.outbox[-1].extra_headers
    assert "for your safety" in mail.outbox[-1].body
    shown = page(signed_in(owner), reverse("portal:notice-preferences"))
    assert "Security and bank details" in shown
    assert 'name="security"' not in shown
