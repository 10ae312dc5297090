"""Reads of leads and deals for the portal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from journal.models import Entry
from journal.services import subject_of
from leads.models import Deal, Lead, Sale
from partners.models import Partner

LEAD_TABS = {
    "offered": (Lead.Status.OFFERED,),
    "accepted": (Lead.Status.ACCEPTED,),
    "done": (Lead.Status.CONVERTED, Lead.Status.LOST),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of a lead's or a deal's history."""

    at: datetime
    says: str
    who: str
    note: str


def lead_counts(partner: Partner) -> dict[str, int]:
    """How many of the partner's leads each tab holds. One query."""
    return Lead.objects.filter(partner=partner).aggregate(
        **{tab: Count("pk", filter=Q(status__in=statuses)) for tab, statuses in LEAD_TABS.items()}
    )


def deal_totals(partner: Partner) -> list[dict[str, Any]]:
    """By state and currency: how many deals and what they come to. One query."""
    rows = Deal.objects.filter(partner=partner).order_by("status", "currency").values("status", "currency")
    return [
        {**row, "label": Deal.Status(row["status"]).label}
        for row in rows.annotate(count=Count("pk"), total=Sum("amount"))
    ]


def history(row: Lead | Deal | Sale) -> list[Happening]:
    """What happened to a lead, deal or sale, oldest first. One query."""
    says = {
        "leads.lead.captured": _("The prospect wrote"),
        "leads.lead.entered": _("Entered"),
        "leads.lead.offered": _("Offered"),
        "leads.lead.accepted": _("Accepted"),
        "leads.lead.declined": _("Declined"),
        "leads.lead.withdrawn": _("Taken back"),
        "leads.lead.converted": _("Became a deal"),
        "leads.lead.lost": _("Lost"),
        "leads.deal.registered": _("Registered"),
        "leads.deal.approved": _("Approved"),
        "leads.deal.refused": _("Refused"),
        "leads.deal.won": _("Won"),
        "leads.deal.lost": _("Lost"),
        "leads.sale.recorded": _("Recorded"),
        "leads.sale.changed": _("Changed"),
        "leads.sale.voided": _("Voided"),
        "leads.sale.restored": _("Restored"),
        "leads.sale.split": _("Shares set"),
    }
    entries = Entry.objects.filter(subject=subject_of(row), verb__in=says).select_related("actor").order_by("id")
    return [
        Happening(
            entry.at, says[entry.verb], str(entry.actor or ""),
            "" if entry.verb == "leads.lead.converted" else entry.after.get("note", ""),
        )
        for entry in entries
    ]  # fmt: skip
