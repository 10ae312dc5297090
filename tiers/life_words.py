"""When an edition gives and takes tiers, in words of the reader's language, for staff."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.templatetags import show

Document = dict[str, Any]
CADENCES = {
    "day": gettext_lazy("every night"),
    "week": gettext_lazy("every week"),
    "month": gettext_lazy("every month"),
    "quarter": gettext_lazy("every quarter"),
    "half_year": gettext_lazy("every half-year"),
    "year": gettext_lazy("every year"),
    "anniversary": gettext_lazy("on the anniversary of the enrollment"),
    "never": gettext_lazy("never"),
}


def life_in_words(life: Document, names: Mapping[str, str]) -> list[str]:
    """One sentence for each thing that `life` says; `names` are tiers' names by code."""
    said = [
        _("Tiers are given %(when)s.") % {"when": cadence(life.get("promotion", {"every": "day"}))},
        _("Tiers are lost %(when)s.") % {"when": cadence(life.get("demotion", {"every": "day"}))},
        *_reminders(life.get("demotion", {})),
    ]
    if count := life.get("up_by"):
        said.append(ngettext("At most %(count)s tier up at once.", "At most %(count)s tiers up at once.", count) % {"count": count})  # fmt: skip
    if count := life.get("down_by"):
        said.append(ngettext("At most %(count)s tier down at once.", "At most %(count)s tiers down at once.", count) % {"count": count})  # fmt: skip
    if grace := life.get("grace"):
        said.append(
            ngettext(
                "Who falls below its tier keeps it %(count)s month in grace.",
                "Who falls below its tier keeps it %(count)s months in grace.",
                grace["months"],
            )
            % {"count": grace["months"]}
        )
    if newcomers := life.get("newcomers"):
        said.append(
            ngettext(
                "Nobody loses a tier in the first month of enrollment.",
                "Nobody loses a tier in the first %(count)s months of enrollment.",
                newcomers["months"],
            )
            % {"count": newcomers["months"]}
        )
    return said + _deadlines(life, names) + _existing(life)


def own_reviews_in_words(life: Document) -> list[str]:
    """When a tier is given and lost that has reviews of its own; nothing where it has none."""
    said = []
    if "promotion" in life:
        said.append(_("It is given %(when)s.") % {"when": cadence(life["promotion"])})
    if "demotion" in life:
        said.append(_("It is lost %(when)s.") % {"when": cadence(life["demotion"])})
    return said + _reminders(life.get("demotion", {}))


def _reminders(reviews: Document) -> list[str]:
    if not (days := reviews.get("warn_days")):
        return []
    *most, last = (show.quantity(one) for one in sorted(days, reverse=True))
    listed = _(" and ").join((", ".join(most), last)) if most else last
    return [_("Who would not keep its tier is told so %(days)s days before the review.") % {"days": listed}]


def held_in_words(holds: Document) -> str:
    """How long what is earned is held at least; nothing where it is not."""
    if "months" in holds:
        return ngettext(
            "Held for at least %(count)s month.", "Held for at least %(count)s months.", holds["months"]
        ) % {"count": holds["months"]}
    if "until" in holds:
        month, day = holds["until"].split("-")
        return _("Held at least until %(day)s %(month)s.") % {"day": int(day), "month": MONTHS[int(month)]}
    return ""


def _deadlines(life: Document, names: Mapping[str, str]) -> list[str]:
    texts = {
        ("warn", False): _(
            "Within %(count)s months of enrolling the tier “%(tier)s” is reached, or staff and partner are told."
        ),
        ("end", False): _(
            "Within %(count)s months of enrolling the tier “%(tier)s” is reached, or the enrollment ends."
        ),
        ("warn", True): _(
            "Within %(count)s months of enrolling the tier “%(tier)s” is reached, and kept from then on, or staff and partner are told."
        ),
        ("end", True): _(
            "Within %(count)s months of enrolling the tier “%(tier)s” is reached, and kept from then on, or the enrollment ends."
        ),
    }
    return [
        texts[one["then"], one.get("keep", False)]
        % {"count": one["months"], "tier": names.get(one["tier"], one["tier"])}
        for one in life.get("deadlines", [])
    ]


def _existing(life: Document) -> list[str]:
    existing = life.get("existing")
    if not existing:
        return []
    if "at" in existing:
        return [_("Who was enrolled before may lose a tier from its first anniversary in this edition on.")]
    return [
        _("Who was enrolled before may lose a tier from %(day)s on.")
        % {"day": show.day(date.fromisoformat(existing["from"]))}
    ]


def cadence(document: Document) -> str:
    """ "every year on 1 March": on which nights a review is held."""
    every = document["every"]
    said = str(CADENCES[every])
    if every == "week":
        return _("%(cadence)s, on %(day)s") % {"cadence": said, "day": WEEKDAYS[document.get("on", 1) - 1]}
    if every == "month":
        return _("%(cadence)s, on day %(day)s") % {"cadence": said, "day": document.get("on", 1)}
    if every == "year":
        month, day = document.get("on", "01-01").split("-")
        return _("%(cadence)s, on %(day)s %(month)s") % {
            "cadence": said, "day": int(day), "month": MONTHS[int(month)]
        }  # fmt: skip
    if document.get("starts_month", 1) != 1:
        return _("%(cadence)s of the year that starts in %(month)s") % {
            "cadence": said, "month": MONTHS[document["starts_month"]]
        }  # fmt: skip
    return said
