"""What happened to a partner, in the reader's words: the journal's entries that concern people outside."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Value
from django.utils.translation import gettext as _

from common.templatetags import show
from journal.models import Entry
from leads.models import Deal, Lead
from partners.models import Partner
from tiers.models import Tier

LATEST = 20
LEAD, DEAL = Lead._meta.label_lower, Deal._meta.label_lower


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    says: str


class _Words:
    """What a sentence needs beside its entry: the names of tiers by code, of leads and deals by subject."""

    def __init__(self, entries: Sequence[Entry], tiers: Iterable[Tier]) -> None:
        self.tiers = {tier.code: str(tier.name) for tier in tiers}
        self.names = _names(entries)

    def placed(self, entry: Entry) -> str:
        before, after = self._tier(entry.before), self._tier(entry.after)
        if not before:
            return _("You are in %(tier)s.") % {"tier": after}
        return _("From %(before)s to %(after)s.") % {"before": before, "after": after}

    def enrolled(self, entry: Entry) -> str:
        return _("You joined the program, in %(tier)s.") % {"tier": self._tier(entry.after)}

    def attested(self, entry: Entry) -> str:
        return _("Recorded: %(title)s.") % {"title": entry.after.get("title", "")}

    def issued(self, entry: Entry) -> str:
        amount = show.money(Decimal(entry.after.get("amount", 0)), entry.after.get("currency", ""))
        return _("A statement of %(amount)s was issued.") % {"amount": amount}

    def _tier(self, values: dict[str, Any]) -> str:
        code = str(values.get("tier", ""))
        return self.tiers.get(code, code)


def _names(entries: Sequence[Entry]) -> dict[str, str]:
    """What the leads and deals that entries are about are called, by the entry's subject. One query."""
    ids: dict[str, set[int]] = {LEAD: set(), DEAL: set()}
    for entry in entries:
        label, _colon, number = entry.subject.partition(":")
        if label in ids:
            ids[label].add(int(number))
    # A prospect's own name stays hidden until its lead is accepted; its company never is.
    companies = Lead.objects.filter(pk__in=ids[LEAD]).order_by().values_list(Value(LEAD), "pk", "company")
    titles = Deal.objects.filter(pk__in=ids[DEAL]).order_by().values_list(Value(DEAL), "pk", "title")
    return {f"{label}:{number}": name for label, number, name in companies.union(titles)}


def _of_lead(named: Callable[[], str], unnamed: Callable[[], str]) -> Callable[[_Words, Entry], str]:
    """`unnamed` where the prospect gave no company."""

    def says(words: _Words, entry: Entry) -> str:
        company = words.names.get(entry.subject, "")
        return named() % {"company": company} if company else unnamed()

    return says


def _of_deal(named: Callable[[], str]) -> Callable[[_Words, Entry], str]:
    return lambda words, entry: named() % {"deal": words.names.get(entry.subject, "")}


SENTENCES: dict[str, Callable[[_Words, Entry], str]] = {
    "tiers.placement.changed": _Words.placed,
    "tiers.enrollment.started": _Words.enrolled,
    "tiers.attestation.given": _Words.attested,
    "commissions.statement.issued": _Words.issued,
    "leads.lead.captured": _of_lead(lambda: _("%(company)s wrote to you."), lambda: _("A prospect wrote to you.")),
    "leads.lead.offered": _of_lead(
        lambda: _("You were offered the lead of %(company)s."), lambda: _("A lead was offered to you.")
    ),
    "leads.lead.accepted": _of_lead(
        lambda: _("You accepted the lead of %(company)s."), lambda: _("You accepted a lead.")
    ),
    "leads.lead.declined": _of_lead(
        lambda: _("You declined the lead of %(company)s."), lambda: _("You declined a lead.")
    ),
    "leads.lead.converted": _of_lead(
        lambda: _("The lead of %(company)s became a deal."), lambda: _("A lead became a deal.")
    ),
    "leads.deal.registered": _of_deal(lambda: _("You registered the deal “%(deal)s”.")),
    "leads.deal.approved": _of_deal(lambda: _("The deal “%(deal)s” was approved.")),
    "leads.deal.refused": _of_deal(lambda: _("The deal “%(deal)s” was refused.")),
    "leads.deal.won": _of_deal(lambda: _("You won the deal “%(deal)s”.")),
    "leads.deal.lost": _of_deal(lambda: _("You lost the deal “%(deal)s”.")),
}


def of_partner(partner: Partner, tiers: Iterable[Tier]) -> list[Event]:
    """The latest events, newest first. Two queries. `tiers` name the codes that entries hold."""
    entries = list(Entry.objects.about_partner(partner.pk).filter(verb__in=SENTENCES).order_by("-id")[:LATEST])
    words = _Words(entries, tiers)
    return [Event(entry.at, SENTENCES[entry.verb](words, entry)) for entry in entries]
