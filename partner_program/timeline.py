"""What happened to a partner, in the reader's words: the journal's entries that concern people outside."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import TextField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from common.templatetags import show
from common.texts import Texts
from journal.models import Entry
from leads.models import Deal, Lead
from partners.models import Partner
from tiers.models import Benefit, Enrollment, Tier

LATEST = 20
LEAD, DEAL = Lead._meta.label_lower, Deal._meta.label_lower
ENROLLMENT = Enrollment._meta.label_lower


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    says: str


class _Words:
    """What a sentence needs beside its entry: the names of tiers by code, of leads and deals by subject."""

    def __init__(self, entries: Sequence[Entry], tiers: Iterable[Tier]) -> None:
        self.tiers = {tier.code: str(tier.name) for tier in tiers}
        self.names, self.benefits = _names(entries)

    def placed(self, entry: Entry) -> str:
        before, after = self._tier(entry.before), self._tier(entry.after)
        if not before:
            return self._with_benefits(_("You are in %(tier)s.") % {"tier": after}, entry)
        return self._with_benefits(_("From %(before)s to %(after)s.") % {"before": before, "after": after}, entry)

    def enrolled(self, entry: Entry) -> str:
        joined = _("You joined the program, in %(tier)s.") % {"tier": self._tier(entry.after)}
        return self._with_benefits(joined, entry)

    def gives_other(self, entry: Entry) -> str:
        now = _("What %(tier)s gives has changed.") % {"tier": self._tier(entry.after)}
        return self._with_benefits(now, entry)

    def _with_benefits(self, says: str, entry: Entry) -> str:
        """The sentence, and which benefits opened and closed."""
        opened, closed = self._benefits(entry, "opens"), self._benefits(entry, "closes")
        if opened:
            says = f"{says} {_('Benefits opened: %(benefits)s.') % {'benefits': opened}}"
        if closed:
            says = f"{says} {_('Benefits closed: %(benefits)s.') % {'benefits': closed}}"
        return says

    def _benefits(self, entry: Entry, change: str) -> str:
        codes = entry.after.get(change, [])
        return " · ".join(self.benefits.get((entry.subject, code), code) for code in codes)

    def in_grace(self, entry: Entry) -> str:
        return _("You are below %(tier)s: you keep it in grace until %(day)s.") % {
            "tier": self._tier(entry.after), "day": show.day(date.fromisoformat(entry.after["ends_on"]))
        }  # fmt: skip

    def grace_ends(self, entry: Entry) -> str:
        return _("Your grace at %(tier)s ends on %(day)s.") % {
            "tier": self._tier(entry.after), "day": show.day(date.fromisoformat(entry.after["ends_on"]))
        }  # fmt: skip

    def reminded(self, entry: Entry) -> str:
        return _("As your figures stood, you would not keep %(tier)s at the review of %(day)s.") % {
            "tier": self._tier(entry.after), "day": show.day(date.fromisoformat(entry.after["on"]))
        }  # fmt: skip

    def overdue(self, entry: Entry) -> str:
        return _("The time to hold %(tier)s has passed.") % {"tier": self._tier(entry.after)}

    def attested(self, entry: Entry) -> str:
        return _("Recorded: %(title)s.") % {"title": entry.after.get("title", "")}

    def no_longer_attested(self, entry: Entry) -> str:
        return _("No longer recorded: %(title)s.") % {"title": entry.after.get("title", "")}

    def issued(self, entry: Entry) -> str:
        amount = show.money(Decimal(entry.after.get("amount", 0)), entry.after.get("currency", ""))
        return _("A statement of %(amount)s was issued.") % {"amount": amount}

    def paid(self, entry: Entry) -> str:
        amount = show.money(Decimal(entry.after.get("amount", 0)), entry.after.get("currency", ""))
        return _("A statement of %(amount)s was paid.") % {"amount": amount}

    def payment_failed(self, entry: Entry) -> str:
        amount = show.money(Decimal(entry.after.get("amount", 0)), entry.after.get("currency", ""))
        return _("The payment of %(amount)s failed: check your payment details.") % {"amount": amount}

    def _tier(self, values: dict[str, Any]) -> str:
        code = str(values.get("tier", ""))
        return self.tiers.get(code, code)


def _names(entries: Sequence[Entry]) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """What the leads and deals that entries are about are called, by the entry's subject; and what the benefits that opened
    and closed are, by subject and code. One query."""
    ids: dict[str, set[int]] = {LEAD: set(), DEAL: set(), ENROLLMENT: set()}
    for entry in entries:
        label, _colon, number = entry.subject.partition(":")
        if label in ids and (label != ENROLLMENT or {"opens", "closes"} & set(entry.after)):
            ids[label].add(int(number))
    nothing = Value("")
    # A prospect's own name stays hidden until its lead is accepted; its company never is.
    leads, deals = (model.objects.filter(pk__in=ids[label]).order_by() for model, label in ((Lead, LEAD), (Deal, DEAL)))
    companies = leads.annotate(label=Value(LEAD), code=nothing).values_list("label", "pk", "code", "company")
    titles = deals.annotate(label=Value(DEAL), code=nothing).values_list("label", "pk", "code", "title")
    benefits = Benefit.objects.filter(program__enrollments__in=ids[ENROLLMENT]).order_by()
    given = benefits.annotate(label=Value(ENROLLMENT), called=Cast("name", TextField())).values_list(
        "label", "program__enrollments", "code", "called"
    )
    rows = list(companies.union(titles, given))
    names = {f"{label}:{number}": name for label, number, _code, name in rows if label != ENROLLMENT}
    return names, {
        (f"{label}:{number}", code): str(Texts(json.loads(name))) for label, number, code, name in rows if label == ENROLLMENT
    }  # fmt: skip


def _of_lead(named: Callable[[], str], unnamed: Callable[[], str]) -> Callable[[_Words, Entry], str]:
    """`unnamed` where the prospect gave no company."""

    def says(words: _Words, entry: Entry) -> str:
        company = words.names.get(entry.subject, "")
        return named() % {"company": company} if company else unnamed()

    return says


def _of_deal(named: Callable[[], str]) -> Callable[[_Words, Entry], str]:
    return lambda words, entry: named() % {"deal": words.names.get(entry.subject, "")}


def _number(entry: Entry) -> dict[str, str]:
    return {"number": str(entry.after.get("number", ""))}


SENTENCES: dict[str, Callable[[_Words, Entry], str]] = {
    "tiers.placement.changed": _Words.placed,
    "tiers.enrollment.started": _Words.enrolled,
    "tiers.benefits.changed": _Words.gives_other,
    "tiers.grace.started": _Words.in_grace,
    "tiers.grace.warned": _Words.grace_ends,
    "tiers.review.reminded": _Words.reminded,
    "tiers.deadline.passed": _Words.overdue,
    "tiers.attestation.given": _Words.attested,
    "tiers.attestation.ended": _Words.no_longer_attested,
    "commissions.statement.issued": _Words.issued,
    "commissions.statement.paid": _Words.paid,
    "commissions.statement.failed": _Words.payment_failed,
    "commissions.payee.missing": lambda words, entry: _("Your payment details are missing: we cannot pay you yet."),
    "commissions.dispute.accepted": lambda words, entry: _("A line that you questioned is corrected."),
    "commissions.dispute.partly": lambda words, entry: _("A line that you questioned is corrected in part."),
    "commissions.dispute.refused": lambda words, entry: _("A line that you questioned stands as it is."),
    "invoices.invoice.issued": lambda words, entry: _("Document %(number)s was written for you.") % _number(entry),
    "invoices.upload.accepted": lambda words, entry: _("Your invoice %(number)s was accepted.") % _number(entry),
    "invoices.upload.refused": lambda words, entry: _("Your invoice %(number)s was refused.") % _number(entry),
    "invoices.identity.accepted": lambda words, entry: _("Your legal details were accepted."),
    "invoices.identity.refused": lambda words, entry: _("Your legal details were refused."),
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
