"""What leads and deals tell partners. None of it carries a prospect's details."""

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from journal import notices
from journal.models import Entry
from journal.notices import Facts, Kind, Members, Named, Notice
from leads.models import Deal, Lead
from partners.models import Partner
from partners.roles import Right, roles_that_may

LEADS, DEALS = Kind("leads", _("Leads")), Kind("deals", _("Deals"))
LEAD, DEAL = Lead._meta.label_lower, Deal._meta.label_lower
DECIDED = ("leads.deal.approved", "leads.deal.refused")


def _offered(entries: Sequence[Entry]) -> dict[int, Facts]:
    """Of an offer, and of one that was taken back. A made-up lead is told to nobody."""
    real = set(Lead.objects.filter(pk__in=notices.ids_of(entries, LEAD), is_made_up=False).values_list("pk", flat=True))
    names = _partners(entries)
    found: dict[int, Facts] = {}
    for entry in entries:
        pk = int(entry.subject.removeprefix(f"{LEAD}:"))
        if pk in real:
            found[entry.pk] = {"lead": pk, "partner": names.get(entry.partner_id or 0, "")}
    return found


def _partners(entries: Sequence[Entry]) -> dict[int, str]:
    ids = {entry.partner_id for entry in entries if entry.partner_id is not None}
    return dict(Partner.objects.filter(pk__in=ids).values_list("pk", "name"))


def _deals(entries: Sequence[Entry]) -> Mapping[str, Deal]:
    return {f"{DEAL}:{one.pk}": one for one in Deal.objects.filter(pk__in=notices.ids_of(entries, DEAL))}


def _decided(entries: Sequence[Entry]) -> dict[int, Facts]:
    deals = _deals(entries)
    return {
        entry.pk: {
            "deal": deals[entry.subject].pk, "title": deals[entry.subject].title,
            "is_approved": entry.verb == "leads.deal.approved", "reason": entry.after.get("note", ""),
        }
        for entry in entries
        if entry.subject in deals
    }  # fmt: skip


def _registrar(entries: Sequence[Entry]) -> dict[int, list[int]]:
    deals = _deals(entries)
    found = {entry.pk: deals[entry.subject].registered_by_id for entry in entries if entry.subject in deals}
    return {key: [user] for key, user in found.items() if user is not None}


def _lead_page(facts: Facts) -> str:
    return reverse("portal:lead", args=[facts["lead"]])


def register() -> None:
    workers = Members(roles_that_may(Right.WORK_LEADS))
    lead = {"lead": 1, "partner": "Cycles Dupont"}
    notices.register(
        Notice(
            "leads.offered", ("leads.lead.offered", "leads.lead.captured"), _("A lead was offered"), LEADS, workers,
            "leads/mail/offer", facts=_offered, link=_lead_page, go=_("Read the lead"), sample=lead,
        ),
        Notice(
            "leads.withdrawn", ("leads.lead.withdrawn",), _("A lead was taken back"), LEADS, workers,
            "leads/mail/withdrawn", facts=_offered, link=lambda facts: reverse("portal:leads"), go=_("See my leads"),
            sample=lead,
        ),
        Notice(
            "leads.decided", DECIDED, _("A deal was decided"), DEALS, Named(_registrar), "leads/mail/decision",
            facts=_decided, link=lambda facts: reverse("portal:deal", args=[facts["deal"]]), go=_("Open the deal"),
            sample={"deal": 1, "title": "Thirty bicycles", "is_approved": False, "reason": "Another partner has it."},
        ),
    )  # fmt: skip
    for name, label in (
        ("captured", _("A prospect wrote to a partner")),
        ("entered", _("A lead was entered")), ("offered", _("A lead was offered")),
        ("accepted", _("A lead was accepted")), ("declined", _("A lead was declined")),
        ("withdrawn", _("A lead was taken back")), ("converted", _("A lead became a deal")), ("lost", _("A lead was lost")),
    ):  # fmt: skip
        notices.publish(f"leads.lead.{name}", label, "status", "partner", "source")
    notices.publish("leads.deal.registered", _("A deal was registered"), "amount", "currency")
    for name, label in (
        ("approved", _("A deal was approved")), ("refused", _("A deal was refused")), ("won", _("A deal was won")),
        ("lost", _("A deal was lost")),
    ):  # fmt: skip
        notices.publish(f"leads.deal.{name}", label, "status")
    notices.publish("leads.sale.recorded", _("A sale was recorded"), "amount", "currency", "sold_on")
