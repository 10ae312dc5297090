"""Webhooks: what they carry, how it is signed, where it may go, and what happens when nobody answers."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from journal import services as journal
from journal.models import Entry
from leads.services import refuse_deal
from notifications import services, webhooks
from notifications.errors import EndpointError
from notifications.models import Call, Endpoint
from tests.factories import make_staff
from tests.leads.facts import entered, make_world, registered
from tests.notifications.facts import deliver, enrolled, make_tiers, moved
from tiers.models import Enrollment

pytestmark = pytest.mark.django_db


@dataclass
class Receiver:
    """Another system on this machine: answers `status` and keeps what came."""

    port: int
    status: int = 204
    location: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    kept: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver = kept[0]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers.items()), body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.append(Receiver(server.server_address[1]))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield kept[0]
        server.shutdown()
        thread.join()


def endpoint(url: str, *verbs: str, **over: Any) -> tuple[Endpoint, str]:
    made = Endpoint(name="CRM", url=url, verbs=list(verbs or ["tiers.placement.changed"]), **over)
    return made, services.save_endpoint(endpoint=made, actor=make_staff())


def enrolled_once() -> Enrollment:
    return Enrollment.objects.first() or enrolled(make_tiers())


def call_all() -> None:
    webhooks.queue_calls()
    for key in webhooks.endpoints_due():
        webhooks.call_endpoint(key)


def calls() -> list[tuple[str, int, int | None]]:
    return list(Call.objects.order_by("pk").values_list("state", "attempts", "status_code"))


def test_an_entry_is_posted_signed_with_the_secret_that_was_shown(receiver: Receiver) -> None:
    _made, secret = endpoint(receiver.url)
    entry = moved(enrolled(make_tiers(), external_id="P-7"), note="for Jean", opens=["lead-sharing"])
    journal.record(verb="partners.partner.changed", subject="partners.partner:1")
    call_all()
    ((headers, body),) = receiver.got
    assert Webhook(secret).verify(body, headers) == {
        "type": "tiers.placement.changed",
        "timestamp": entry.at.isoformat().replace("+00:00", "Z"),
        "data": {
            "id": entry.pk, "subject": entry.subject, "partner": "P-7", "before": {"tier": "level-1"},
            "after": {"tier": "level-2", "on": "2026-03-01", "reason": "earned", "opens": ["lead-sharing"]},
        },
    }  # fmt: skip
    assert headers["webhook-id"] == f"entry-{entry.pk}"
    assert headers["Host"] == f"127.0.0.1:{receiver.port}"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"level-2", b"level-3"), headers)
    assert calls() == [("sent", 1, 204)]


def test_nothing_of_a_person_is_carried(receiver: Receiver) -> None:
    endpoint(receiver.url, "leads.deal.refused", "leads.lead.entered", "leads.deal.registered")
    world = make_world()
    entered(world, company="Ville de Lyon")
    deal = registered(world, title="Bicycles for Jean Valjean")
    refuse_deal(deal=deal, reason="Jean Valjean called us", actor=world.staff)
    call_all()
    bodies = [json.loads(body) for _headers, body in receiver.got]
    assert [(one["type"], one["data"]["after"]) for one in bodies] == [
        ("leads.lead.entered", {"status": "new", "source": "staff"}),
        ("leads.deal.registered", {"amount": "41000.50", "currency": "EUR"}),
        ("leads.deal.refused", {"status": "refused"}),
    ]
    assert "Valjean" not in str(bodies)
    assert world.staff.email not in str(bodies)


def test_an_endpoint_is_told_of_its_verbs_from_now_on_and_once(receiver: Receiver) -> None:
    enrollment = enrolled(make_tiers())
    moved(enrollment)
    webhooks.queue_calls()
    endpoint(receiver.url)
    moved(enrollment)
    call_all()
    call_all()
    assert len(receiver.got) == 1


def test_a_failure_is_tried_again_later_and_counted_until_it_works(receiver: Receiver) -> None:
    made, _secret = endpoint(receiver.url)
    receiver.status = 503
    for _entry in range(2):
        moved(enrolled_once())
    call_all()
    assert calls() == [("waiting", 1, 503), ("waiting", 0, None)]  # it rests after the first
    assert Call.objects.earliest("pk").error == "The endpoint answered 503."
    made.refresh_from_db()
    assert made.failures == 1
    call_all()
    assert len(receiver.got) == 1
    receiver.status = 200
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        call_all()
    assert calls() == [("sent", 2, 200), ("sent", 1, 200)]
    made.refresh_from_db()
    assert (made.failures, made.paused_until) == (0, None)


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.location = 302, f"http://127.0.0.1:{receiver.port}/elsewhere"
    endpoint(receiver.url)
    moved(enrolled(make_tiers()))
    call_all()
    assert calls() == [("waiting", 1, 302)]
    assert len(receiver.got) == 1


def test_an_endpoint_that_fails_too_often_is_turned_off_and_staff_are_told(receiver: Receiver) -> None:
    made, _secret = endpoint(receiver.url)
    receiver.status = 500
    for _entry in range(3):
        moved(enrolled_once())
    webhooks.queue_calls()
    start, hours = timezone.now(), 0
    while Endpoint.objects.get().is_active:
        hours += 7
        with time_machine.travel(start + timedelta(hours=hours)):
            call_all()
    assert len(receiver.got) == webhooks.MOST_FAILURES
    deliver()
    told = [one for one in mail.outbox if one.subject == "The webhook “CRM” was turned off"]
    assert len(told) == 1
    assert "It failed 20 times in a row, the last time so: The endpoint answered 500." in told[0].body
    receiver.status = 200
    with time_machine.travel(start + timedelta(days=30)):
        call_all()
        assert len(receiver.got) == webhooks.MOST_FAILURES
        made.refresh_from_db()
        made.is_active = True
        services.save_endpoint(endpoint=made, actor=make_staff())
        call_all()
    assert {state for state, *_rest in calls()} == {"sent"}


def test_nobody_answering_is_a_failure_with_its_reason(settings: Any) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    endpoint(f"http://127.0.0.1:{port}/")
    moved(enrolled(make_tiers()))
    call_all()
    (call,) = Call.objects.all()
    assert (call.state, call.status_code) == ("waiting", None)
    assert call.error.startswith("ConnectError")


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://10.0.0.7/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/",
        "https://[fd00::1]/", "https://100.64.0.1/", "https://0.0.0.0/", "https://224.0.0.1/", "https://localhost/",
        "https://2130706433/", "http://93.184.215.14/", "https://user:secret@93.184.215.14/", "ftp://93.184.215.14/",
        "https:///",
    ],
)  # fmt: skip
def test_what_is_not_the_public_internet_is_refused(url: str) -> None:
    made = Endpoint(name="Inside", url=url, verbs=["tiers.placement.changed"])
    with pytest.raises(EndpointError):
        services.save_endpoint(endpoint=made, actor=make_staff())
    assert not Endpoint.objects.exists()


def test_a_public_address_is_taken() -> None:
    made, secret = endpoint("https://93.184.215.14/hook")
    assert secret.startswith("whsec_")
    assert webhooks.resolve(made.url) == "93.184.215.14"


def test_a_name_that_answers_otherwise_when_it_is_called_reaches_nothing_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name was public when it was saved; by the call it points inside. What is checked is what is called."""
    answers = iter(["93.184.215.14", "10.0.0.7"])

    def answer(*_arguments: Any, **_named: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 443))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    endpoint("https://rebinding.example/hook")
    moved(enrolled(make_tiers()))
    call_all()
    (call,) = Call.objects.all()
    assert "inside a network" in call.error


def test_a_verb_that_is_not_published_is_refused() -> None:
    made = Endpoint(name="CRM", url="https://93.184.215.14/", verbs=["accounts.user.changed"])
    with pytest.raises(EndpointError, match=r"accounts\.user\.changed"):
        services.save_endpoint(endpoint=made, actor=make_staff())


def test_a_new_secret_signs_from_then_on_and_no_secret_is_stored(receiver: Receiver) -> None:
    made, first = endpoint(receiver.url)
    second = services.renew_secret(endpoint=made, actor=make_staff())
    assert first != second
    moved(enrolled(make_tiers()))
    call_all()
    ((headers, body),) = receiver.got
    Webhook(second).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(body, headers)
    stored = str(list(Endpoint.objects.values())) + str(list(Entry.objects.values("before", "after")))
    assert second.removeprefix("whsec_") not in stored
    assert made.salt not in str(list(Entry.objects.values("before", "after")))
