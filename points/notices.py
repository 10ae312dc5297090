"""What points tell who claimed some."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from journal import notices
from journal.models import Entry
from journal.notices import Facts, Kind, Named, Notice
from points.models import Claim

POINTS = Kind("points", _("Points"))
DECIDED = ("points.claim.approved", "points.claim.partly", "points.claim.refused")
CLAIM = Claim._meta.label_lower


def _claims(entries: Sequence[Entry]) -> dict[str, Claim]:
    return {f"{CLAIM}:{one.pk}": one for one in Claim.objects.filter(pk__in=notices.ids_of(entries, CLAIM))}


def _author(entries: Sequence[Entry]) -> dict[int, list[int]]:
    claims = _claims(entries)
    found = {entry.pk: claims[entry.subject].author_id for entry in entries if entry.subject in claims}
    return {key: [user] for key, user in found.items() if user is not None}


def _decided(entries: Sequence[Entry]) -> dict[int, Facts]:
    claims = _claims(entries)
    return {entry.pk: _facts(claims[entry.subject], entry) for entry in entries if entry.subject in claims}


def _facts(claim: Claim, entry: Entry) -> Facts:
    return {
        "claim": claim.pk, "title": claim.title, "state": claim.state, "asked": str(claim.asked),
        "points": entry.after["points"], "reason": claim.reason,
    }  # fmt: skip


def register() -> None:
    notices.register(
        Notice(
            "points.decided", DECIDED, _("A claim of points was decided"), POINTS, Named(_author), "points/mail/decided",
            facts=_decided, link=lambda facts: reverse("portal:claim", args=[facts["claim"]]), go=_("See the claim"),
            sample={"claim": 1, "title": "Open day", "state": "partly", "asked": "300", "points": "200",
                    "reason": "Two of the three days are documented."},
        )
    )  # fmt: skip
    for verb, label in zip(DECIDED, (_("A claim was approved"), _("A claim was approved in part"), _("A claim was refused")), strict=True):  # fmt: skip
        notices.publish(verb, label, "points")
