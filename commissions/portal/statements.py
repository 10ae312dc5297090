"""Statements in the portal: balance, list, one of them, and its files."""

from babel.dates import format_date
from babel.numbers import format_compact_decimal
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commissions import export, papers, selectors
from commissions.models import Dispute, Statement, StatementSettings
from commissions.services import why_closed
from common import charts
from common.pdf import PdfError
from common.periods import program_today
from common.templatetags import show
from partners.portal import Membership, for_right, portal_page
from partners.roles import Right

MONTHS = 12
STATEMENTS_A_PAGE = 24
LINES_A_PAGE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
        "coming": selectors.coming(partner=partner, today=today),
        "open_disputes": Dispute.objects.open().filter(partner=partner).count(),
    }
    return render(request, "portal/statements.html", context)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def statement(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    found = _statement(membership, pk)
    page = Paginator(found.lines.in_order().with_terms(), LINES_A_PAGE).get_page(request.GET.get("page"))
    orders = selectors.by_order(page.object_list, found)
    sums = selectors.statement_sums(found)
    held, released = selectors.holds_of(found)
    context = {
        "membership": membership, "statement": found, "sums": sums, "adds_up": selectors.sums_in_words(found, sums),
        "steps": selectors.way(found, StatementSettings.current(), program_today()), "page": page, "orders": orders, "held": held,
        "released": released, "disputes": selectors.disputes_of(one for order in orders for one in order.lines),
        "carried_from": found.carried_from.order_by("starts_on"), "may_question": not why_closed(found),
        "papers": papers.papers(found),
    }  # fmt: skip
    return render(request, "portal/statement.html", context)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def statement_csv(request: HttpRequest, membership: Membership, pk: int) -> StreamingHttpResponse:
    found = _statement(membership, pk)
    return StreamingHttpResponse(
        export.statement_csv(found), content_type="text/csv; charset=utf-8", headers=_attached(found, "csv")
    )


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def statement_xlsx(request: HttpRequest, membership: Membership, pk: int) -> FileResponse:
    found = _statement(membership, pk)
    return FileResponse(export.statement_xlsx(found), content_type=XLSX, headers=_attached(found, "xlsx"))


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def statement_pdf(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """Where this machine draws no PDF, back to the statement with the reason."""
    found = _statement(membership, pk)
    try:
        drawn = export.statement_pdf(found)
    except PdfError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:statement", pk=found.pk)
    return HttpResponse(drawn, content_type="application/pdf", headers=_attached(found, "pdf"))


def _attached(statement: Statement, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{export.file_name(statement, ending)}"'}


def _statement(membership: Membership, pk: int) -> Statement:
    own = Statement.objects.filter(partner=membership.partner).select_related("partner", "carried_to")
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
