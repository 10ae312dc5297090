"""Webhooks: what happened, posted to other systems as it happens, signed by the Standard Webhooks scheme.

An address is asked from the name server once, and the very address that was checked is called: one that is not of the public
internet is refused, so that a webhook reaches nothing inside. No redirect is followed, no answer read but its status.
"""

import base64
import ipaddress
import json
import logging
import secrets
import socket
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from standardwebhooks import Webhook

from common import bulk
from journal import services as journal
from journal.models import Entry
from journal.notices import PUBLISHED
from notifications import attempts, outbox
from notifications.errors import EndpointError
from notifications.models import Attempt, Call, Endpoint
from partners.models import Partner

logger = logging.getLogger(__name__)
CALL = ("endpoint_id", "entry_id", "state", "attempts", "due_at", "done_at", "error", "status_code")
TIMEOUT = httpx.Timeout(10, connect=5)  # seconds
LONGEST_PAUSE = timedelta(hours=6)
DELAYS = [min(timedelta(minutes=2**power), LONGEST_PAUSE) for power in range(12)]
MOST_FAILURES = 20  # in a row, over about three days: then the endpoint is turned off
BATCH = 50  # calls of an endpoint in a task
NAT64 = ipaddress.ip_network("64:ff9b::/96")


# --- From the journal -----------------------------------------------------------------------------


def queue_calls() -> int:
    """Write a call for each entry since the last time and each endpoint told of its verb. Repeating writes none twice."""
    return outbox.read(outbox.WEBHOOKS, PUBLISHED.keys(), _write_calls)


def _write_calls(entries: Sequence[Entry]) -> None:
    endpoints = list(Endpoint.objects.filter(is_active=True))
    if not endpoints:
        return
    known = set(Call.objects.filter(entry__in=entries).values_list("endpoint_id", "entry_id"))
    now, waiting = timezone.now(), Attempt.State.WAITING.value
    bulk.insert(
        Call, CALL,
        (
            (endpoint.pk, entry.pk, waiting, 0, now, None, "", None)
            for entry in entries
            for endpoint in endpoints
            if entry.verb in endpoint.verbs and (endpoint.pk, entry.pk) not in known
        ),
    )  # fmt: skip


def payload(entry: Entry, partner: str | None) -> dict[str, Any]:
    """What a call carries: nothing of a person, and of the entry's values only those that its app published."""
    fields = PUBLISHED[entry.verb].fields if entry.verb in PUBLISHED else frozenset()
    return {
        "type": entry.verb,
        "timestamp": entry.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "id": entry.pk, "subject": entry.subject, "partner": partner,
            "before": {name: value for name, value in entry.before.items() if name in fields},
            "after": {name: value for name, value in entry.after.items() if name in fields},
        },
    }  # fmt: skip


# --- Calling --------------------------------------------------------------------------------------


def endpoints_due() -> list[int]:
    return list(Call.objects.due().order_by("endpoint").values_list("endpoint", flat=True).distinct())


def call_endpoint(endpoint_id: int) -> int:
    """Make the calls of an endpoint that are due, up to a batch, and stop at the first that fails. Returns how many were made."""
    for made in range(BATCH):
        keys = attempts.claim(Call.objects.due().filter(endpoint=endpoint_id), 1)
        if not keys:
            return made
        call = Call.objects.select_related("endpoint", "entry").get(pk=keys[0])
        if not _make(call):
            return made + 1
    return BATCH


def _make(call: Call) -> bool:
    """Whether it arrived. What came of it is written down, and an endpoint that fails rests."""
    endpoint = call.endpoint
    partner = Partner.objects.filter(pk=call.entry.partner_id or 0).values_list("external_id", flat=True).first()
    body = json.dumps(payload(call.entry, partner), ensure_ascii=False, separators=(",", ":"))
    code: int | None = None
    try:
        code = post(endpoint, f"entry-{call.entry_id}", body)
        why = "" if 200 <= code < 300 else _("The endpoint answered %(code)s.") % {"code": code}
    except (httpx.HTTPError, httpx.InvalidURL, OSError, EndpointError) as error:
        why = f"{type(error).__name__}: {error}"
    if why:
        attempts.failed([call], why, delays=DELAYS, status_code=code)
        _rest(endpoint, why)
        return False
    attempts.sent([call], status_code=code)
    if endpoint.failures:
        Endpoint.objects.filter(pk=endpoint.pk).update(failures=0, paused_until=None)
    return True


@transaction.atomic
def _rest(endpoint: Endpoint, why: str) -> None:
    """Leave an endpoint alone for a time, longer after each failure; turn it off after too many, and record that."""
    locked = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    locked.failures += 1
    pause = DELAYS[min(locked.failures, len(DELAYS)) - 1]
    locked.paused_until = timezone.now() + pause
    is_over = locked.is_active and locked.failures >= MOST_FAILURES
    if is_over:
        locked.is_active = False
        journal.record(
            verb="notifications.endpoint.disabled", subject=locked,
            after={"name": locked.name, "failures": locked.failures, "error": why[: attempts.LONGEST]},
        )  # fmt: skip
    locked.save(update_fields=["failures", "paused_until", "is_active"])


def post(endpoint: Endpoint, message_id: str, body: str) -> int:
    """Post a signed body; returns the answer's status.

    Raises EndpointError for an address that may not be called, httpx.HTTPError and OSError where nothing answers.
    """
    url = urlsplit(endpoint.url)
    address = resolve(endpoint.url)
    now = timezone.now().astimezone(UTC)
    headers = {
        "Host": url.netloc, "Content-Type": "application/json", "User-Agent": "partner-program",
        "webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret_of(endpoint)).sign(message_id, now, body),
    }  # fmt: skip
    with (
        httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
        client.stream(
            "POST", _at(url, address), content=body.encode(), headers=headers, extensions={"sni_hostname": url.hostname}
        ) as answer,
    ):
        return answer.status_code


def _at(url: SplitResult, address: str) -> str:
    """The same URL at the address that was checked; the name goes into Host and TLS."""
    host = f"[{address}]" if ":" in address else address
    return url._replace(netloc=f"{host}:{url.port}" if url.port else host).geturl()


def check_url(url: str) -> None:
    """Raises EndpointError for what is no https address, or names somebody."""
    parts = urlsplit(url)
    schemes = {"https", "http"} if settings.WEBHOOKS_MAY_BE_PRIVATE else {"https"}
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.password:
        raise EndpointError(_("A webhook has an address that begins with https:// and holds no user and no password."))


def resolve(url: str) -> str:
    """The address to call. Raises EndpointError where the name is unknown, or one of its addresses is not of the public internet."""
    check_url(url)
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise EndpointError(_("The name %(host)s is not known.") % {"host": parts.hostname}) from error
    addresses = [str(row[4][0]) for row in found]
    if not settings.WEBHOOKS_MAY_BE_PRIVATE and not all(map(is_public, addresses)):
        raise EndpointError(
            _("%(host)s is an address inside a network: webhooks go to the public internet only.")
            % {"host": parts.hostname}
        )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address is of the public internet, and does not hide one that is not."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour or ip.teredo or ip in NAT64:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


# --- Secrets --------------------------------------------------------------------------------------


def secret_of(endpoint: Endpoint) -> str:
    """The key that signs, as receivers keep it: "whsec_...". Nothing of it is stored: it is made of SECRET_KEY and the salt."""
    made = salted_hmac("notifications.endpoint", endpoint.salt, algorithm="sha256").digest()
    return f"whsec_{base64.b64encode(made).decode()}"


def new_salt() -> str:
    return secrets.token_urlsafe(24)
