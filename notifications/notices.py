"""What notifications tell of themselves."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from journal import notices
from journal.models import Entry
from journal.notices import Facts, Kind, Notice, Staff
from notifications.models import Endpoint

WEBHOOKS = Kind("webhooks", _("Webhooks"))
ENDPOINT = Endpoint._meta.label_lower


def _disabled(entries: Sequence[Entry]) -> dict[int, Facts]:
    there = set(Endpoint.objects.filter(pk__in=notices.ids_of(entries, ENDPOINT)).values_list("pk", flat=True))
    return {
        entry.pk: {"endpoint": pk, **entry.after}
        for entry in entries
        for pk in notices.ids_of([entry], ENDPOINT) & there
    }


def register() -> None:
    notices.register(
        Notice(
            "notifications.disabled", ("notifications.endpoint.disabled",), _("A webhook was turned off"), WEBHOOKS,
            Staff("notifications.change_endpoint"), "notifications/mail/disabled", facts=_disabled,
            link=lambda facts: reverse("admin:notifications_endpoint_change", args=[facts["endpoint"]]),
            go=_("Open the webhook"),
            sample={"endpoint": 1, "name": "CRM", "failures": 20, "error": "The endpoint answered 503."},
        )
    )  # fmt: skip
