"""Every write of leads, deals and the sales that deals become. What happens to a sale afterwards is in `leads.sales`.

Who asks is checked by the doors (partners.roles); what may happen, here. Each call locks the row it moves.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from common.periods import program_today
from journal import services as journal
from leads import tasks
from leads.errors import DealMovedError, LeadMovedError, NotShareableError, ReasonMissingError
from leads.models import Deal, Lead, Offer, Sale, Sourced
from partners.models import Partner
from tiers import selectors as tiers

LEAD_SHARING = "lead-sharing"


# --- Leads ----------------------------------------------------------------------------------------


@transaction.atomic
def capture_lead(
    *, partner: Partner, contact_name: str, contact_email: str, need: str, consent_text: str, source: str,
    contact_phone: str = "", company: str = "", city: str = "", country: str = "", is_made_up: bool = False,
) -> Lead:  # fmt: skip
    """A prospect wrote to a partner: a lead, offered to that partner at once, whatever its tier. Repeating makes another.

    The partner's people and the prospect are told by mail.
    """
    lead = Lead.objects.create(
        status=Lead.Status.OFFERED, source=source, partner=partner, contact_name=contact_name,
        contact_email=contact_email, contact_phone=contact_phone, company=company, city=city, country=country,
        need=need, consent_at=timezone.now(), consent_text=consent_text, is_made_up=is_made_up,
    )  # fmt: skip
    Offer.objects.create(lead=lead, partner=partner)
    _record("leads.lead.captured", lead, None, after={"status": lead.status, "source": source})
    if not is_made_up:
        tasks.after_commit(tasks.mail_receipt, lead.pk)
    return lead


@transaction.atomic
def enter_lead(
    *, actor: User, contact_name: str, contact_email: str, need: str, contact_phone: str = "", company: str = "",
    city: str = "", country: str = "", source: str = Lead.Source.STAFF, is_made_up: bool = False,
) -> Lead:  # fmt: skip
    """Staff or a machine enter a lead; nobody has it yet. Repeating makes another."""
    lead = Lead.objects.create(
        status=Lead.Status.NEW, source=source, contact_name=contact_name, contact_email=contact_email,
        contact_phone=contact_phone, company=company, city=city, country=country, need=need, created_by=actor,
        is_made_up=is_made_up,
    )  # fmt: skip
    _record("leads.lead.entered", lead, actor, after={"status": lead.status, "source": source})
    return lead


@transaction.atomic
def offer_lead(*, lead: Lead, partner: Partner, actor: User) -> Offer:
    """Give a lead that nobody has to a partner whose tier shares leads. Repeating returns the open offer.

    Raises NotShareableError, naming the tiers that open it, and LeadMovedError where somebody has the lead.
    """
    locked = _locked_lead(lead)
    standing = Offer.objects.filter(lead=locked, answer="").first()
    if standing is not None and standing.partner_id == partner.pk:
        return standing
    if locked.status != Lead.Status.NEW:
        raise LeadMovedError(
            _("“%(lead)s” is with %(partner)s: take it back before you give it to another partner.")
            % {"lead": locked, "partner": locked.partner}
        )
    today = program_today()
    if partner.status != Partner.Status.ACTIVE:
        raise NotShareableError(_("%(partner)s is not active in the program.") % {"partner": partner})
    if not tiers.has_benefit(partner_id=partner.pk, code=LEAD_SHARING, on=today):
        opening = ", ".join(str(tier.name) for tier in tiers.tiers_giving(code=LEAD_SHARING, on=today))
        raise NotShareableError(
            _("The tier of %(partner)s does not share leads; these do: %(tiers)s.")
            % {"partner": partner, "tiers": opening or _("none")}
        )
    offer = Offer.objects.create(lead=locked, partner=partner, offered_by=actor)
    _move(locked, Lead.Status.OFFERED, "leads.lead.offered", actor, partner=partner)
    return offer


@transaction.atomic
def accept_offer(*, offer: Offer, actor: User) -> Lead:
    """The partner takes the lead. Repeating changes nothing. Raises LeadMovedError where it was answered otherwise."""
    lead = _locked_lead(offer.lead)
    standing = Offer.objects.get(pk=offer.pk)
    if standing.answer == Offer.Answer.ACCEPTED:
        return lead
    _answer(standing, Offer.Answer.ACCEPTED, actor)
    _move(lead, Lead.Status.ACCEPTED, "leads.lead.accepted", actor)
    return lead


@transaction.atomic
def decline_offer(*, offer: Offer, reason: str, actor: User) -> Lead:
    """The partner leaves the lead, saying why; staff may give it to another. Raises as `accept_offer`."""
    lead = _locked_lead(offer.lead)
    standing = Offer.objects.get(pk=offer.pk)
    if standing.answer == Offer.Answer.DECLINED:
        return lead
    _answer(standing, Offer.Answer.DECLINED, actor, _reason(reason))
    _move(lead, Lead.Status.NEW, "leads.lead.declined", actor, partner=None, note=reason)
    return lead


@transaction.atomic
def withdraw_offer(*, offer: Offer, reason: str, actor: User) -> Lead:
    """Staff take back an offer that was not answered. Raises LeadMovedError where it was."""
    lead = _locked_lead(offer.lead)
    standing = Offer.objects.get(pk=offer.pk)
    if standing.answer == Offer.Answer.WITHDRAWN:
        return lead
    _answer(standing, Offer.Answer.WITHDRAWN, actor, reason)
    _move(lead, Lead.Status.NEW, "leads.lead.withdrawn", actor, partner=None, note=reason)
    return lead


@transaction.atomic
def lose_lead(*, lead: Lead, reason: str, actor: User) -> Lead:
    """Nothing comes of an accepted lead, and why. Repeating changes nothing."""
    locked = _locked_lead(lead)
    if locked.status == Lead.Status.LOST:
        return locked
    _expect_lead(locked, Lead.Status.ACCEPTED)
    _move(locked, Lead.Status.LOST, "leads.lead.lost", actor, note=_reason(reason))
    return locked


@transaction.atomic
def convert_lead(
    *, lead: Lead, title: str, amount: Decimal, currency: str, expected_on: date, actor: User
) -> Deal:  # fmt: skip
    """An accepted lead becomes a deal that waits for approval. Repeating returns the deal there is."""
    locked = _locked_lead(lead)
    if locked.status == Lead.Status.CONVERTED:
        return Deal.objects.get(lead=locked)
    _expect_lead(locked, Lead.Status.ACCEPTED)
    assert locked.partner is not None  # noqa: S101  # leads_lead_past_new_has_a_partner
    deal = _new_deal(
        partner=locked.partner, lead=locked, title=title, customer_name=locked.company or locked.contact_name,
        amount=amount, currency=currency, expected_on=expected_on, sourced=Sourced.VENDOR, actor=actor,
    )  # fmt: skip
    _move(locked, Lead.Status.CONVERTED, "leads.lead.converted", actor, note=f"deal {deal.pk}")
    return deal


def _locked_lead(lead: Lead) -> Lead:
    return Lead.objects.select_for_update(of=("self",)).select_related("partner").get(pk=lead.pk)


def _expect_lead(lead: Lead, status: Lead.Status) -> None:
    if lead.status != status:
        raise LeadMovedError(
            _("“%(lead)s” is %(state)s now; this can be done only while it is %(needed)s.")
            % {"lead": lead, "state": lead.get_status_display().lower(), "needed": str(status.label).lower()}
        )


def _answer(offer: Offer, answer: Offer.Answer, actor: User, reason: str = "") -> None:
    if offer.answer:
        raise LeadMovedError(
            _("This offer was answered already (%(answer)s), so nothing was changed.")
            % {"answer": offer.get_answer_display().lower()}
        )
    offer.answer, offer.reason, offer.answered_by, offer.answered_at = answer, reason, actor, timezone.now()
    offer.save(update_fields=["answer", "reason", "answered_by", "answered_at"])


_KEEP: Any = object()


def _move(
    lead: Lead, status: Lead.Status, verb: str, actor: User | None, *, partner: Any = _KEEP, note: str = ""
) -> None:
    before = {"status": lead.status, "partner": lead.partner_id}
    concerns = lead.partner_id
    lead.status = status
    if partner is not _KEEP:
        lead.partner = partner
    lead.save(update_fields=["status", "partner"])
    after = {"status": status, "partner": lead.partner_id, **({"note": note} if note else {})}
    journal.record(
        verb=verb, subject=lead, actor=actor, partner_id=lead.partner_id or concerns, before=before, after=after
    )


def _record(verb: str, row: Lead | Deal, actor: User | None, **values: Any) -> None:
    journal.record(verb=verb, subject=row, actor=actor, partner_id=row.partner_id, **values)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissingError(_("Say why in a few words: whoever reads it later needs it."))
    return reason.strip()


# --- Deals ----------------------------------------------------------------------------------------


@transaction.atomic
def register_deal(
    *, partner: Partner, title: str, customer_name: str, amount: Decimal, currency: str, expected_on: date,
    actor: User | None,
) -> Deal:  # fmt: skip
    """A partner names an opportunity; it waits for approval. Repeating registers another."""
    return _new_deal(
        partner=partner, lead=None, title=title, customer_name=customer_name, amount=amount, currency=currency,
        expected_on=expected_on, sourced=Sourced.PARTNER, actor=actor,
    )  # fmt: skip


def _new_deal(*, actor: User | None, **fields: Any) -> Deal:
    deal = Deal.objects.create(registered_by=actor, **fields)
    _record(
        "leads.deal.registered", deal, actor,
        after={"title": deal.title, "amount": str(deal.amount), "currency": deal.currency},
    )  # fmt: skip
    return deal


@transaction.atomic
def approve_deal(*, deal: Deal, actor: User) -> Deal:
    """Staff approve a deal. Repeating changes nothing."""
    locked = _locked_deal(deal)
    if locked.status == Deal.Status.APPROVED:
        return locked
    _expect_deal(locked, {Deal.Status.SUBMITTED})
    locked.decided_by, locked.decided_at = actor, timezone.now()
    _settle(locked, Deal.Status.APPROVED, "leads.deal.approved", actor)
    return locked


@transaction.atomic
def refuse_deal(*, deal: Deal, reason: str, actor: User) -> Deal:
    """Staff refuse a deal, saying why. Repeating changes nothing."""
    locked = _locked_deal(deal)
    if locked.status == Deal.Status.REFUSED:
        return locked
    _expect_deal(locked, {Deal.Status.SUBMITTED})
    locked.decided_by, locked.decided_at, locked.reason = actor, timezone.now(), _reason(reason)
    _settle(locked, Deal.Status.REFUSED, "leads.deal.refused", actor, note=locked.reason)
    return locked


@transaction.atomic
def win_deal(*, deal: Deal, closed_on: date, actor: User) -> Sale:
    """An approved deal was won: it becomes a sale of that day, which the next night pays. Repeating returns the sale."""
    locked = _locked_deal(deal)
    if locked.status == Deal.Status.WON:
        return Sale.objects.get(deal=locked)
    _expect_deal(locked, {Deal.Status.APPROVED})
    locked.closed_on = _past(closed_on)
    _settle(locked, Deal.Status.WON, "leads.deal.won", actor)
    number = f"deal-{locked.pk}"
    sale = Sale.objects.create(
        external_id=number, partner=locked.partner, deal=locked, order_number=number, sold_on=closed_on,
        customer_name=locked.customer_name, amount=locked.amount, currency=locked.currency, sourced=locked.sourced,
    )  # fmt: skip
    journal.record(
        verb="leads.sale.recorded", subject=sale, actor=actor, partner_id=sale.partner_id,
        after={"amount": str(sale.amount), "currency": sale.currency, "sold_on": closed_on.isoformat()},
    )  # fmt: skip
    return sale


@transaction.atomic
def lose_deal(*, deal: Deal, reason: str, closed_on: date, actor: User) -> Deal:
    """A deal came to nothing, and why. Repeating changes nothing."""
    locked = _locked_deal(deal)
    if locked.status == Deal.Status.LOST:
        return locked
    _expect_deal(locked, {Deal.Status.SUBMITTED, Deal.Status.APPROVED})
    locked.closed_on, locked.reason = _past(closed_on), _reason(reason)
    _settle(locked, Deal.Status.LOST, "leads.deal.lost", actor, note=locked.reason)
    return locked


def _locked_deal(deal: Deal) -> Deal:
    return Deal.objects.select_for_update(of=("self",)).select_related("partner").get(pk=deal.pk)


def _expect_deal(deal: Deal, allowed: set[Deal.Status]) -> None:
    if Deal.Status(deal.status) not in allowed:
        needed = _(" or ").join(sorted(str(status.label).lower() for status in allowed))
        raise DealMovedError(
            _("“%(deal)s” is %(state)s now; this can be done only while it is %(needed)s.")
            % {"deal": deal, "state": deal.get_status_display().lower(), "needed": needed}
        )


def _past(day: date) -> date:
    if day > program_today():
        raise DealMovedError(_("A deal closes on a day that has come, not on %(day)s.") % {"day": day})
    return day


def _settle(deal: Deal, status: Deal.Status, verb: str, actor: User, *, note: str = "") -> None:
    before = {"status": deal.status}
    deal.status = status
    deal.save(update_fields=["status", "decided_by", "decided_at", "reason", "closed_on"])
    _record(verb, deal, actor, before=before, after={"status": status, **({"note": note} if note else {})})
