"""What the portal's first screen shows, read from every app: a fixed number of queries."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Sum, When
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commissions.selectors import balance, coming
from common import charts
from common.periods import add_months, program_today
from common.templatetags import show
from leads.models import Deal, Lead, Sale
from partner_program import timeline
from partners.models import Member, Partner
from partners.roles import Right, may
from tiers import checklist
from tiers import standing as standings
from tiers.models import Enrollment
from training.models import Certificate

EXPIRES_WITHIN = timedelta(days=60)
MONTHS = 12
MOST = 5
COMING = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for the partner, with where to do it. `tone` is the badge's colour."""

    letter: str
    title: str
    sub: str
    badge: str
    tone: str
    url: str
    action: str


def home(membership: Member, enrollment: Enrollment | None) -> dict[str, Any]:
    today, partner = program_today(), membership.partner
    standing = standings.standing(enrollment=enrollment, on=today) if enrollment else None
    currency = enrollment.program.currency if enrollment else ""
    sees_pay = may(membership, Right.SEE_PAY)
    return {
        "today": today,
        "standing": standing,
        "enrollment": enrollment,
        "lifts": [checklist.requirement_row(one, standing.case) for one in standing.to_lift[:2]] if standing else [],
        "balances": balance(partner=partner, on=today) if sees_pay else [],
        "coming": coming(partner=partner, today=today)[:COMING] if sees_pay else [],
        "sees_pay": sees_pay,
        "may_work_leads": may(membership, Right.WORK_LEADS),
        "waiting": waiting(membership, today),
        "sales": sales_by_month(partner, currency, today) if currency else None,
        "events": timeline.of_partner(partner, standing.tiers if standing else [])[:8],
    }


def sales_by_month(partner: Partner, currency: str, today: date) -> charts.Chart:
    """Net sales of the last twelve months, the running one last."""
    starts = [add_months(today.replace(day=1), back - MONTHS + 1) for back in range(MONTHS)]
    sums = dict(
        Sale.objects.standing()
        .filter(partner=partner, currency=currency, sold_on__gte=starts[0], sold_on__lte=today)
        .order_by()
        .annotate(month=TruncMonth("sold_on"))
        .values_list("month")
        .annotate(Sum("amount"))
    )
    data = [_datum(start, sums.get(start, Decimal(0)), currency) for start in starts]
    return charts.columns(_("Net sales by month"), data, lambda value: show.money_compact(value, currency))


def _datum(start: date, amount: Decimal, currency: str) -> charts.Datum:
    month = show.month(start)
    return charts.Datum(
        label=show.month_letter(start),
        short_label=show.month_letter(start),
        value=amount,
        says=f"{month[:1].upper()}{month[1:]}: {show.money(amount, currency)}",
        below=str(start.year) if start.month == 1 else "",
    )


def waiting(membership: Member, today: date) -> list[Waiting]:
    """What somebody of the partner should do, most pressing first."""
    found: list[Waiting] = []
    if may(membership, Right.SEE_LEADS):
        found += [
            _offered(lead) if lead.status == Lead.Status.OFFERED else _to_move(lead) for lead in _leads(membership)
        ]
        found += [_approved(deal, today) for deal in _deals(membership)]
    found += [_expiring(certificate, today) for certificate in _certificates(membership.partner, today)]
    return found


def _leads(membership: Member) -> list[Lead]:
    """Those to answer, then those in hand."""
    open_ones = Lead.objects.filter(partner=membership.partner, status__in=(Lead.Status.OFFERED, Lead.Status.ACCEPTED))
    to_answer = Case(When(status=Lead.Status.OFFERED, then=0), default=1)
    return list(open_ones.order_by(to_answer, "id")[: 2 * MOST])


def _deals(membership: Member) -> list[Deal]:
    approved = Deal.objects.filter(partner=membership.partner, status=Deal.Status.APPROVED)
    return list(approved.order_by("expected_on", "id")[:MOST])


def _certificates(partner: Partner, today: date) -> list[Certificate]:
    expiring = Certificate.objects.filter(
        member__partner=partner, expires_on__gt=today, expires_on__lte=today + EXPIRES_WITHIN
    )
    current = expiring.filter(member__in=Member.objects.on(today))
    return list(current.select_related("member", "certification").order_by("expires_on", "id")[:MOST])


def _offered(lead: Lead) -> Waiting:
    where = " · ".join(part for part in (lead.city, show.country(lead.country)) if part)
    return Waiting("P", _("New lead: %(lead)s") % {"lead": lead.company or where or lead.pk}, where or lead.need[:80],
                   _("to answer"), "warning", reverse("portal:lead", args=[lead.pk]), _("Look"))  # fmt: skip


def _to_move(lead: Lead) -> Waiting:
    return Waiting("P", _("Lead in hand: %(lead)s") % {"lead": lead}, lead.need[:80], _("in hand"), "info",
                   reverse("portal:lead", args=[lead.pk]), _("Move on"))  # fmt: skip


def _approved(deal: Deal, today: date) -> Waiting:
    late = deal.expected_on < today
    badge = _("expected %(day)s") % {"day": show.day_short(deal.expected_on)}
    return Waiting("D", _("Deal: %(deal)s") % {"deal": deal.title},
                   f"{deal.customer_name} · {show.money(deal.amount, deal.currency)}", badge,
                   "warning" if late else "info", reverse("portal:deal", args=[deal.pk]), _("Say how it went"))  # fmt: skip


def _expiring(certificate: Certificate, today: date) -> Waiting:
    days = (certificate.expires_on - today).days if certificate.expires_on else 0
    badge = ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}
    title = _("The certificate of %(person)s expires") % {"person": certificate.member}
    return Waiting("C", title, str(certificate.certification.name), badge, "warning" if days <= 30 else "neutral",
                   reverse("portal:tier"), _("See what it counts for"))  # fmt: skip
