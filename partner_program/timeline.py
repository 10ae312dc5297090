"""What happened to a partner, in the reader's words: the journal's entries that concern people outside."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from common.templatetags import show
from journal.models import Entry
from partners.models import Partner
from tiers.models import Tier

LATEST = 20


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    says: str


class _Words:
    """What a sentence needs beside its entry: the names of tiers by code."""

    def __init__(self, tiers: Iterable[Tier]) -> None:
        self.tiers = {tier.code: str(tier.name) for tier in tiers}

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


def _plain(text: Callable[[], str]) -> Callable[[_Words, Entry], str]:
    return lambda _words, _entry: text()


SENTENCES: dict[str, Callable[[_Words, Entry], str]] = {
    "tiers.placement.changed": _Words.placed,
    "tiers.enrollment.started": _Words.enrolled,
    "tiers.attestation.given": _Words.attested,
    "commissions.statement.issued": _Words.issued,
    "leads.lead.captured": _plain(lambda: _("A prospect wrote to you.")),
    "leads.lead.offered": _plain(lambda: _("A lead was offered to you.")),
    "leads.lead.accepted": _plain(lambda: _("You accepted a lead.")),
    "leads.lead.declined": _plain(lambda: _("You declined a lead.")),
    "leads.lead.converted": _plain(lambda: _("A lead became a deal.")),
    "leads.deal.registered": _plain(lambda: _("You registered a deal.")),
    "leads.deal.approved": _plain(lambda: _("A deal was approved.")),
    "leads.deal.refused": _plain(lambda: _("A deal was refused.")),
    "leads.deal.won": _plain(lambda: _("You won a deal.")),
    "leads.deal.lost": _plain(lambda: _("You lost a deal.")),
}


def of_partner(partner: Partner, tiers: Iterable[Tier]) -> list[Event]:
    """The latest events, newest first. One query. `tiers` name the codes that entries hold."""
    words = _Words(tiers)
    entries = Entry.objects.about_partner(partner.pk).filter(verb__in=SENTENCES).order_by("-id")[:LATEST]
    return [Event(entry.at, SENTENCES[entry.verb](words, entry)) for entry in entries]
