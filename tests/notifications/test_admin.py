"""Staff's pages: deliveries, how notices read, and webhooks."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from journal.models import Entry
from journal.notices import How
from notifications import services
from notifications.models import Delivery, Endpoint, Preference
from tests.factories import make_staff, make_user
from tests.notifications.facts import deliver, enrolled, make_tiers, moved, people

pytestmark = pytest.mark.django_db
DELIVERIES = "/admin/notifications/delivery/"
ENDPOINTS = "/admin/notifications/endpoint/"
NEW = {"name": "CRM", "url": "https://93.184.215.14/hook", "is_active": "on", "verbs": ["tiers.placement.changed"]}


@pytest.fixture
def staff(client: Client) -> User:
    user = make_staff()
    client.force_login(user)
    return user


def said(client: Client, address: str, data: dict[str, Any] | None = None) -> str:
    answer = client.post(address, data, follow=True) if data is not None else client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_was_given_up_is_found_with_its_reason_and_sent_again(client: Client, staff: User) -> None:
    enrollment = enrolled(make_tiers())
    owner = people(enrollment.partner, "owner")["owner"]
    moved(enrollment)
    deliver()
    Delivery.objects.filter(channel="mail").update(state="dead", attempts=7, error="OSError: no route")
    page = said(client, f"{DELIVERIES}?state__exact=dead&q={owner.email}")
    assert "OSError: no route" in page
    assert "A tier was reached" in page
    key = Delivery.objects.get(channel="mail").pk
    assert "Send this again?" in said(client, f"{DELIVERIES}{key}/again/")
    assert Delivery.objects.get(pk=key).state == "dead"
    assert "1 is sent again." in said(client, f"{DELIVERIES}{key}/again/", {"_ask": "1"})
    assert Delivery.objects.filter(pk=key).values_list("state", "attempts", "error").get() == ("waiting", 0, "")
    assert Entry.objects.get(verb="notifications.delivery.again").actor == staff
    Delivery.objects.filter(pk=key).update(state="dropped")
    chosen = {"action": "again_selected", "_selected_action": [one.pk for one in Delivery.objects.all()]}
    assert "1 is sent again." in said(client, DELIVERIES, chosen)


def test_staff_who_may_only_look_send_nothing_again(client: Client) -> None:
    enrollment = enrolled(make_tiers())
    people(enrollment.partner, "owner")
    moved(enrollment)
    deliver()
    Delivery.objects.filter(channel="mail").update(state="dead")
    clerk = make_user(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client.force_login(clerk)
    key = Delivery.objects.get(channel="mail").pk
    said(client, DELIVERIES, {"action": "again_selected", "_selected_action": [key]})
    assert client.get(f"{DELIVERIES}{key}/again/").status_code == 403
    assert Delivery.objects.get(pk=key).state == "dead"


def test_how_notices_read_in_each_language(client: Client, staff: User) -> None:
    page = said(client, "/admin/notifications/message/notices/")
    assert "You reached Gold" in page
    assert "Vous avez atteint Or" in page
    html = said(client, "/admin/notifications/message/notices/tiers.grace/fr/")
    assert '<html lang="fr"' in html
    assert "Ce qui manquait" in html
    text = client.get("/admin/notifications/message/notices/tiers.grace/en/?plain")
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert "- Certified people: 2 of 3" in text.content.decode()
    assert client.get("/admin/notifications/message/notices/tiers.grace/xx/").status_code == 404
    assert client.get("/admin/notifications/message/notices/tiers.none/en/").status_code == 404


def test_notices_are_for_who_may_see_messages(client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    for address in ("notices/", "notices/tiers.grace/fr/"):
        assert client.get(f"/admin/notifications/message/{address}").status_code == 403


def test_the_secret_is_shown_when_it_is_made_and_never_again(client: Client, staff: User) -> None:
    assert "whsec_" in said(client, f"{ENDPOINTS}add/", NEW)
    endpoint = Endpoint.objects.get()
    assert endpoint.verbs == ["tiers.placement.changed"]
    address = f"{ENDPOINTS}{endpoint.pk}/change/"
    assert "whsec_" not in said(client, address)
    assert "whsec_" not in said(client, address, {**NEW, "name": "ERP"})
    assert "whsec_" in said(client, f"{ENDPOINTS}{endpoint.pk}/renew/", {"_ask": "1"})
    verbs = Entry.objects.filter(subject=f"notifications.endpoint:{endpoint.pk}").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == [
        "notifications.endpoint.created", "notifications.endpoint.changed", "notifications.endpoint.renewed"
    ]  # fmt: skip


def test_a_refused_address_comes_back_on_the_filled_form(client: Client, staff: User) -> None:
    page = said(client, f"{ENDPOINTS}add/", {**NEW, "url": "https://10.0.0.7/hook"})
    assert "10.0.0.7 is an address inside a network" in page
    assert 'value="CRM"' in page
    assert not Endpoint.objects.exists()


def test_a_choice_that_staff_delete_gives_the_notices_own_way_back(client: Client, staff: User) -> None:
    person = make_user()
    services.choose(user=person, choices={"tier": How.PORTAL}, actor=person)
    key = Preference.objects.get().pk
    said(client, f"/admin/notifications/preference/{key}/delete/", {"post": "yes"})
    assert not Preference.objects.exists()
    entry = Entry.objects.filter(verb="notifications.preferences.changed").latest("pk")
    assert (entry.actor, entry.before, entry.after) == (staff, {"tier": "portal"}, {"tier": ""})


def test_a_webhook_is_turned_off_and_not_deleted(client: Client, staff: User) -> None:
    said(client, f"{ENDPOINTS}add/", NEW)
    assert client.get(f"{ENDPOINTS}{Endpoint.objects.get().pk}/delete/").status_code == 403


def test_a_new_installation_starts_at_the_journals_end() -> None:
    enrollment = enrolled(make_tiers())
    people(enrollment.partner, "owner")
    moved(enrollment)
    import_module("notifications.migrations.0002_from_now_on").start_here(apps, None)
    deliver()
    assert not Delivery.objects.exists()
