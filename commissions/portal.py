"""The partner's pay: balance, statements, each line explained, and what every sale earned or why nothing."""

from datetime import date

from babel.dates import format_date
from babel.numbers import format_compact_decimal
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commissions import export, selectors
from commissions.forms import MonthForm
from commissions.models import Earning, Statement
from common import charts
from common.periods import month_of, program_today
from common.templatetags import show
from leads.models import Sale
from partners.portal import Membership, for_right, portal_page
from partners.roles import Right, may

MONTHS = 12
STATEMENTS_A_PAGE = 24
LINES_A_PAGE = 50
SALES_A_PAGE = 30


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def statements(request: HttpRequest, membership: Membership) -> HttpResponse:
    today = program_today()
    partner = membership.partner
    own = Statement.objects.filter(partner=partner)
    listed = own.annotate(line_count=Count("lines")).order_by("-starts_on", "currency")
    page = Paginator(listed, STATEMENTS_A_PAGE).get_page(request.GET.get("page"))
    series = selectors.monthly(partner=partner, months=MONTHS, on=today)
    balances = selectors.balance(partner=partner, on=today)
    context = {
        "membership": membership,
        "balances": sorted(balances, key=lambda one: -one.last_12_months),
        "series": [(one, _chart(one)) for one in sorted(series, key=lambda one: -one.total)],
        "programs": selectors.rates_for(partner, on=today),
        "page": page,
    }
    return render(request, "portal/statements.html", context)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def statement(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    found = _statement(membership, pk)
    lines = found.lines.in_order().with_terms()
    page = Paginator(lines, LINES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "membership": membership,
        "statement": found,
        "sums": selectors.statement_sums(found),
        "page": page,
        "orders": selectors.by_order(page.object_list, found),
    }
    return render(request, "portal/statement.html", context)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def statement_csv(request: HttpRequest, membership: Membership, pk: int) -> StreamingHttpResponse:
    found = _statement(membership, pk)
    name = f"{found.partner.slug}-{found.starts_on:%Y-%m}-{found.currency}.csv"
    return StreamingHttpResponse(
        export.statement_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


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
        "sale": explained.sale if explained.sale.partner_id == membership.partner_id else None,
        "may_see_deal": may(membership, Right.SEE_LEADS),
    }
    return render(request, "portal/earning.html", context)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def sales(request: HttpRequest, membership: Membership) -> HttpResponse:
    partner = membership.partner
    own = Sale.objects.filter(partner=partner)
    months = list(own.dates("sold_on", "month", order="DESC"))
    month = _asked_month(request, months)
    period = month_of(month)
    found = own.filter(sold_on__gte=period.starts_on, sold_on__lt=period.ends_on).select_related("product", "deal")
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


def _statement(membership: Membership, pk: int) -> Statement:
    own = Statement.objects.filter(partner=membership.partner).select_related("partner")
    return get_object_or_404(own, pk=pk)


def _chart(series: selectors.Series) -> charts.Chart:
    locale = show.locale()
    data = [
        charts.Datum(
            label=format_date(one.month, "LLL", locale=locale).rstrip("."),
            short_label=format_date(one.month, "LLLLL", locale=locale),
            value=one.amount,
            says=f"{show.month(one.month)}: {show.money(one.amount, series.currency)}",
            below=str(one.month.year) if one.month.month == 1 or (at == 0 and one.month.month < 11) else "",
        )
        for at, one in enumerate(series.months)
    ]
    title = _("Commissions by month of sale, in %(currency)s: %(total)s in %(months)s months") % {
        "currency": series.currency, "total": show.money(series.total, series.currency), "months": len(data),
    }  # fmt: skip
    return charts.columns(title, data, lambda value: format_compact_decimal(value, locale=locale, fraction_digits=1))
