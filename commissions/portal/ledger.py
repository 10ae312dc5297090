"""The ledger in the portal: each line explained, and what every sale earned or why nothing."""

from datetime import date

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from commissions import selectors
from commissions.forms import MonthForm
from commissions.models import Dispute, Earning
from commissions.services import why_closed
from common.periods import month_of, program_today
from leads.models import Sale
from partners.portal import Membership, for_right, portal_page
from partners.roles import Right, may

SALES_A_PAGE = 30


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def earning(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    lines = Earning.objects.filter(partner=membership.partner)
    explained = selectors.explanation(get_object_or_404(lines, pk=pk))
    context = {
        "membership": membership,
        "explained": explained,
        # A sale that went to another partner is no longer this one's to read.
        "sale": explained.sale if explained.sale and explained.sale.partner_id == membership.partner_id else None,
        "may_see_deal": may(membership, Right.SEE_LEADS),
        "disputes": Dispute.objects.filter(earning=explained.earning),
        "cannot_question": why_closed(explained.statement),
    }
    return render(request, "portal/earning.html", context)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def sales(request: HttpRequest, membership: Membership) -> HttpResponse:
    partner = membership.partner
    own = Sale.objects.standing().filter(partner=partner)
    months = list(own.dates("sold_on", "month", order="DESC"))
    month = _asked_month(request, months)
    period = month_of(month)
    found = own.filter(sold_on__gte=period.starts_on, sold_on__lt=period.ends_on).told()
    unpaid = selectors.without_pay(found)
    only_unpaid = request.GET.get("only") == "unpaid"
    listed = (unpaid if only_unpaid else found).order_by("-sold_on", "order_number", "id")
    page = Paginator(listed, SALES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "membership": membership,
        "month": month,
        "only_unpaid": only_unpaid,
        "unpaid_count": page.paginator.count if only_unpaid else unpaid.count(),
        "form": MonthForm(months, initial={"month": f"{month:%Y-%m}"}),
        "sums": selectors.month_sums(partner=partner, month=month),
        "page": page,
        "outcomes": selectors.outcomes(list(page.object_list), partner=partner),
    }
    return render(request, "portal/sales.html", context)


def _asked_month(request: HttpRequest, months: list[date]) -> date:
    """The month asked for, else the latest with a sale, else this one."""
    form = MonthForm(months, request.GET)
    if form.is_valid():
        return date.fromisoformat(f"{form.cleaned_data['month']}-01")
    return months[0] if months else program_today().replace(day=1)
