"""Everything about one partner, as staff read it: a fixed number of queries, the latest of each with the way to the rest."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commissions.models import Earning, Statement
from commissions.selectors import Balance, balance
from common.admin import change_url, list_url
from common.templatetags import show
from journal.models import Entry
from leads.models import Deal, Lead, Sale
from partners.models import Member, Partner, Sponsorship
from tiers import checklist, quantities
from tiers import standing as standings
from tiers.models import Attestation, BenefitUse, Enrollment, Grace, Placement, Proposal
from tiers.standing import Standing
from training.models import Certificate

LATEST = 8
HAPPENED = 15
SAYS = {
    "partners.partner.created": gettext_lazy("Partner created"),
    "partners.partner.changed": gettext_lazy("Partner changed"),
    "partners.partner.status": gettext_lazy("Status changed"),
    "partners.location.created": gettext_lazy("Location added"),
    "partners.location.changed": gettext_lazy("Location changed"),
    "partners.member.created": gettext_lazy("Person added"),
    "partners.member.changed": gettext_lazy("Person changed"),
    "training.certificate.created": gettext_lazy("Certificate added"),
    "training.certificate.changed": gettext_lazy("Certificate changed"),
    "tiers.enrollment.started": gettext_lazy("Enrolled"),
    "tiers.placement.changed": gettext_lazy("Tier changed"),
    "tiers.benefits.changed": gettext_lazy("Benefits changed"),
    "tiers.benefit.used": gettext_lazy("Benefit used"),
    "tiers.benefit.taken_back": gettext_lazy("Use of a benefit taken back"),
    "tiers.placement.held": gettext_lazy("Tier held anew"),
    "tiers.grant.ended": gettext_lazy("Grant ended"),
    "tiers.grace.started": gettext_lazy("Grace began"),
    "tiers.grace.warned": gettext_lazy("Told that its grace ends"),
    "tiers.grace.closed": gettext_lazy("Grace over"),
    "tiers.proposal.made": gettext_lazy("Qualified, to be confirmed"),
    "tiers.proposal.withdrawn": gettext_lazy("No longer to be confirmed"),
    "tiers.proposal.confirmed": gettext_lazy("Tier confirmed"),
    "tiers.proposal.refused": gettext_lazy("Tier refused"),
    "tiers.review.reminded": gettext_lazy("Reminded of the coming review"),
    "tiers.deadline.passed": gettext_lazy("Deadline passed"),
    "tiers.enrollment.ended": gettext_lazy("Enrollment ended"),
    "tiers.relief.given": gettext_lazy("Excused"),
    "tiers.award.earned": gettext_lazy("Distinction earned"),
    "tiers.award.ended": gettext_lazy("Distinction ended"),
    "tiers.attestation.given": gettext_lazy("Attestation given"),
    "tiers.attestation.ended": gettext_lazy("Attestation ended"),
    "tiers.award.given": gettext_lazy("Award given"),
    "tiers.award.changed": gettext_lazy("Award changed"),
    "records.record.created": gettext_lazy("Record added"),
    "records.record.changed": gettext_lazy("Record changed"),
    "records.record.removed": gettext_lazy("Record removed"),
    "records.score.created": gettext_lazy("Score added"),
    "records.score.changed": gettext_lazy("Score changed"),
    "records.score.removed": gettext_lazy("Score removed"),
    "records.plantarget.created": gettext_lazy("Plan target set"),
    "records.plantarget.changed": gettext_lazy("Plan target changed"),
    "records.plantarget.removed": gettext_lazy("Plan target removed"),
    "commissions.statement.issued": gettext_lazy("Statement issued"),
    "commissions.statement.approved": gettext_lazy("Statement approved"),
    "commissions.statement.carried": gettext_lazy("Statement carried over"),
    "commissions.statement.blocked": gettext_lazy("Statement blocked"),
    "commissions.statement.released": gettext_lazy("Statement released"),
    "commissions.statement.cancelled": gettext_lazy("Statement cancelled"),
    "commissions.statement.scheduled": gettext_lazy("Payment scheduled"),
    "commissions.statement.paid": gettext_lazy("Statement paid"),
    "commissions.statement.failed": gettext_lazy("Payment failed"),
    "commissions.payee.missing": gettext_lazy("Reminded of its payment details"),
    "commissions.dispute.opened": gettext_lazy("Line questioned"),
    "commissions.dispute.accepted": gettext_lazy("Dispute accepted"),
    "commissions.dispute.partly": gettext_lazy("Dispute accepted in part"),
    "commissions.dispute.refused": gettext_lazy("Dispute refused"),
    "commissions.dispute.withdrawn": gettext_lazy("Dispute withdrawn"),
    "commissions.dispute.overdue": gettext_lazy("Dispute overdue"),
    "invoices.identity.submitted": gettext_lazy("Legal details sent"),
    "invoices.identity.changed": gettext_lazy("Legal details changed"),
    "invoices.identity.accepted": gettext_lazy("Legal details accepted"),
    "invoices.identity.refused": gettext_lazy("Legal details refused"),
    "invoices.mandate.accepted": gettext_lazy("Self-billing mandate accepted"),
    "invoices.mandate.revoked": gettext_lazy("Self-billing mandate revoked"),
    "invoices.invoice.issued": gettext_lazy("Self-billed document written"),
    "invoices.upload.sent": gettext_lazy("Invoice sent"),
    "invoices.upload.accepted": gettext_lazy("Invoice accepted"),
    "invoices.upload.refused": gettext_lazy("Invoice refused"),
    "commissions.adjustment.proposed": gettext_lazy("Adjustment proposed"),
    "commissions.adjustment.posted": gettext_lazy("Adjustment posted"),
    "commissions.adjustment.refused": gettext_lazy("Adjustment refused"),
    "leads.lead.captured": gettext_lazy("A prospect wrote"),
    "leads.lead.offered": gettext_lazy("Lead offered"),
    "leads.lead.accepted": gettext_lazy("Lead accepted"),
    "leads.lead.declined": gettext_lazy("Lead declined"),
    "leads.lead.withdrawn": gettext_lazy("Lead taken back"),
    "leads.lead.converted": gettext_lazy("Lead became a deal"),
    "leads.lead.lost": gettext_lazy("Lead lost"),
    "leads.deal.registered": gettext_lazy("Deal registered"),
    "leads.deal.approved": gettext_lazy("Deal approved"),
    "leads.deal.refused": gettext_lazy("Deal refused"),
    "leads.deal.won": gettext_lazy("Deal won"),
    "leads.deal.lost": gettext_lazy("Deal lost"),
    "leads.sale.recorded": gettext_lazy("Sale recorded"),
    "leads.sale.changed": gettext_lazy("Sale changed"),
    "leads.sale.voided": gettext_lazy("Sale voided"),
    "leads.sale.restored": gettext_lazy("Sale restored"),
    "leads.sale.split": gettext_lazy("Shares of a sale set"),
    "leads.collection.created": gettext_lazy("Collection recorded"),
    "leads.collection.changed": gettext_lazy("Collection changed"),
    "partners.sponsorship.started": gettext_lazy("Sponsor set"),
    "partners.sponsorship.changed": gettext_lazy("Time of the sponsor changed"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    url: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """The latest rows of one kind, and the list of all of them."""

    title: str
    headers: tuple[str, ...]
    lines: list[Line]
    url: str

    @property
    def ends_with_amount(self) -> bool:
        return any(line.cells[-1].is_number for line in self.lines)


@dataclass(frozen=True, slots=True)
class Held:
    """What a partner holds in one program, and what lifts it."""

    enrollment: Enrollment
    standing: Standing | None
    reach: tuple[checklist.Row, ...]
    keep: tuple[checklist.Row, ...]
    placements: list[Placement]
    graces: list[Grace]
    proposals: list[Proposal]


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    says: str
    who: str
    change: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    held: list[Held]
    balances: list[Balance]
    listed: list[Listed]
    happened: list[Happening]
    journal_url: str


def page(partner: Partner, today: date) -> Page:
    return Page(
        held=[_held(enrollment, today) for enrollment in _enrollments(partner, today)],
        balances=balance(partner=partner, on=today),
        listed=[*_people(partner), *_work(partner), *_money(partner)],
        happened=_happened(partner),
        journal_url=list_url(Entry, partner_id__exact=partner.pk),
    )


def _enrollments(partner: Partner, today: date) -> list[Enrollment]:
    own = Enrollment.objects.filter(partner=partner).in_force_on(today)
    return list(own.select_related("program", "partner").order_by("starts_on", "id"))


def _held(enrollment: Enrollment, today: date) -> Held:
    standing = standings.standing(enrollment=enrollment, on=today)
    placements = Placement.objects.filter(enrollment=enrollment).select_related("tier").order_by("-starts_on")
    return Held(
        enrollment=enrollment,
        standing=standing,
        reach=checklist.rows(standing.reach, standing.case) if standing else (),
        keep=checklist.rows(standing.keep, standing.case) if standing else (),
        placements=list(placements[:LATEST]),
        graces=list(Grace.objects.filter(enrollment=enrollment, closed_on__isnull=True)),
        proposals=list(Proposal.objects.filter(enrollment=enrollment, state=Proposal.State.OPEN)),
    )


def _people(partner: Partner) -> list[Listed]:
    members = _latest(Member.objects.filter(partner=partner).order_by("left_on", "name", "id"))
    certificates = _latest(
        Certificate.objects.filter(member__partner=partner).select_related("member", "certification")
    )  # fmt: skip
    attested = _latest(Attestation.objects.filter(enrollment__partner=partner))
    sponsors = _latest(Sponsorship.objects.filter(partner=partner).select_related("sponsor"))
    sponsored = _latest(Sponsorship.objects.filter(sponsor=partner).select_related("partner"))
    uses = _latest(
        BenefitUse.objects.filter(enrollment__partner=partner).select_related("benefit", "enrollment__program")
    )
    return [
        Listed(
            _("People"), (_("Name"), _("Job"), _("Portal role"), _("Until")),
            [_line(one, one.name, one.get_job_display(), one.get_role_display(), one.left_on) for one in members],
            list_url(Member, partner__id__exact=partner.pk),
        ),
        Listed(
            _("Certificates"), (_("Person"), _("Certification"), _("Since"), _("Until")),
            [_line(one, one.member.name, one.certification, one.awarded_on, one.expires_on) for one in certificates],
            list_url(Certificate, member__partner__id__exact=partner.pk),
        ),
        Listed(
            _("Attestations"), (_("Title"), _("Kind"), _("Since"), _("Until")),
            [_line(one, one.title, one.kind, one.starts_on, one.ends_on) for one in attested],
            list_url(Attestation, enrollment__partner__id__exact=partner.pk),
        ),
        Listed(
            _("Sponsors"), (_("Sponsor"), _("Since"), _("Until")),
            [_line(one, one.sponsor, one.starts_on, one.ends_on) for one in sponsors],
            list_url(Sponsorship, partner__id__exact=partner.pk),
        ),
        Listed(
            _("Sponsored partners"), (_("Partner"), _("Since"), _("Until")),
            [_line(one, one.partner, one.starts_on, one.ends_on) for one in sponsored],
            list_url(Sponsorship, sponsor__id__exact=partner.pk),
        ),
        Listed(
            _("Uses of benefits"), (_("Benefit"), _("Day"), _("Note"), _("How much")),
            [_line(one, one.benefit, one.used_on, one.note, amount=quantities.of_use(one)) for one in uses],
            list_url(BenefitUse, enrollment__partner__id__exact=partner.pk),
        ),
    ]  # fmt: skip


def _work(partner: Partner) -> list[Listed]:
    leads = _latest(Lead.objects.filter(partner=partner))
    deals = _latest(Deal.objects.filter(partner=partner))
    sales = _latest(Sale.objects.standing().filter(partner=partner).select_related("product"))
    return [
        Listed(
            _("Leads"), (_("Lead"), _("Status"), _("Since")),
            [_line(one, one, one.get_status_display(), one.created_at) for one in leads],
            list_url(Lead, partner__id__exact=partner.pk),
        ),
        Listed(
            _("Deals"), (_("Deal"), _("Status"), _("Expected"), _("Amount")),
            [_line(one, one, one.get_status_display(), one.expected_on, amount=_money_cell(one)) for one in deals],
            list_url(Deal, partner__id__exact=partner.pk),
        ),
        Listed(
            _("Sales"), (_("Sale"), _("Day"), _("Product"), _("Net amount")),
            [_line(one, one.external_id, one.sold_on, one.product or "", amount=_money_cell(one)) for one in sales],
            list_url(Sale, partner__id__exact=partner.pk),
        ),
    ]  # fmt: skip


def _money(partner: Partner) -> list[Listed]:
    statements = _latest(Statement.objects.filter(partner=partner))
    earnings = _latest(Earning.objects.filter(partner=partner).select_related("sale"))
    return [
        Listed(
            _("Statements"), (_("Month"), _("State"), _("Amount")),
            [_line(one, show.month(one.starts_on), one.get_state_display(), amount=_money_cell(one)) for one in statements],
            list_url(Statement, partner__id__exact=partner.pk),
        ),
        Listed(
            _("Ledger"), (_("Sale"), _("Day"), _("Kind"), _("Amount")),
            [
                _line(one, one.sale.external_id if one.sale else one.event_name, one.earned_on, one.get_kind_display(), amount=_money_cell(one))
                for one in earnings
            ],
            list_url(Earning, partner__id__exact=partner.pk),
        ),
    ]  # fmt: skip


def _latest(rows: QuerySet[Any]) -> list[Any]:
    return list(rows[:LATEST])


def _money_cell(row: Any) -> str:
    return show.money(row.amount, row.currency)


def _line(row: Any, *values: Any, amount: str = "") -> Line:
    cells = [Cell(_text(value)) for value in values]
    return Line(change_url(row), (*cells, Cell(amount, is_number=True)) if amount else tuple(cells))


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return show.day_short(value) if isinstance(value, date) else str(value)


def _happened(partner: Partner) -> list[Happening]:
    entries = (
        Entry.objects.about_partner(partner.pk).select_related("actor").order_by("-id")[:HAPPENED]
    )  # fmt: skip
    return [
        Happening(
            entry.at, str(SAYS.get(entry.verb, entry.verb)), str(entry.actor or _("the program")), _change(entry),
            change_url(entry),
        )
        for entry in entries
    ]  # fmt: skip


def _change(entry: Entry) -> str:
    """What differs, in the fields' own names: “tier: level-1 → level-2”."""
    parts = []
    for name, value in entry.after.items():
        before = entry.before.get(name)
        if isinstance(value, dict | list) or value in (None, ""):
            continue
        parts.append(f"{name}: {before} → {value}" if before not in (None, "") else f"{name}: {value}")
    return ", ".join(parts[:4])
