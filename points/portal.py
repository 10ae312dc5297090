"""The partner's points: what counts, what expires next, each line explained, and claims."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common import documents
from common.errors import ProgramError
from common.periods import program_today
from partners.portal import Membership, for_right, portal_page
from partners.roles import Right, may
from points import selectors, services
from points.forms import ClaimForm
from points.models import Claim
from tiers.models import Enrollment
from tiers.portal import enrollment_of

LINES_A_PAGE = 30
CLAIMS_SHOWN = 12


@require_safe
@portal_page
def points(request: HttpRequest, membership: Membership) -> HttpResponse:
    today = program_today()
    enrollment = enrollment_of(request, membership)
    context: dict[str, Any] = {"membership": membership, "enrollment": enrollment, "today": today}
    if enrollment is not None:
        balance = selectors.balance(enrollment, today)
        codes = {one.code for one in balance.categories}
        category = request.GET.get("category", "")
        lines = selectors.ledger(enrollment)
        if category in codes:
            lines = lines.filter(category=category)
        page = Paginator(lines, LINES_A_PAGE).get_page(request.GET.get("page"))
        context |= {
            "balance": balance, "category": category, "page": page, "may_claim": may(membership, Right.CLAIM_POINTS),
            "lines": selectors.explained(page.object_list, today), "table": selectors.table(enrollment.program, today),
            "claims": selectors.claims(enrollment)[:CLAIMS_SHOWN], "others": _others(membership, enrollment),
        }  # fmt: skip
    return render(request, "portal/points.html", context)


def _others(membership: Membership, enrollment: Enrollment) -> list[Enrollment]:
    """The partner's other enrollments in programs with a points table."""
    found = Enrollment.objects.filter(partner=membership.partner, program__point_rules__isnull=False)
    current = found.in_force_on(program_today()).exclude(pk=enrollment.pk).select_related("program").order_by("pk")
    return list(current.distinct())


@portal_page
@for_right(Right.CLAIM_POINTS)
def new_claim(request: HttpRequest, membership: Membership) -> HttpResponse:
    enrollment = enrollment_of(request, membership)
    if enrollment is None:
        raise Http404
    return _write(request, membership, enrollment, None)


@portal_page
def claim(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    own = Claim.objects.filter(enrollment__partner=membership.partner)
    shown = get_object_or_404(own.select_related("rule", "entry", "enrollment__program", "decided_by"), pk=pk)
    if shown.state == Claim.State.DRAFT and may(membership, Right.CLAIM_POINTS):
        return _write(request, membership, shown.enrollment, shown)
    if request.method == "POST":
        raise PermissionDenied
    return render(request, "portal/claim.html", {"membership": membership, "claim": shown})


def _write(
    request: HttpRequest, membership: Membership, enrollment: Enrollment, draft: Claim | None
) -> HttpResponse:  # fmt: skip
    rows = selectors.open_rows(enrollment.program, program_today())
    form = ClaimForm(request.POST or None, request.FILES or None, rows=rows, claim=draft)
    if request.method == "POST" and form.is_valid():
        send = "send" in request.POST
        try:
            written = services.write_claim(
                enrollment=enrollment, author=request.user, claim=draft, send=send, **form.values()  # type: ignore[arg-type]
            )  # fmt: skip
        except ProgramError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("The claim is sent.") if send else _("The draft is kept. Send it when it is ready.")
            )
            return redirect("portal:claim", pk=written.pk)
    context = {"membership": membership, "enrollment": enrollment, "claim": draft, "form": form}
    return render(request, "portal/claim_write.html", context, status=422 if form.errors else 200)


@require_safe
@portal_page
def claim_document(request: HttpRequest, membership: Membership, pk: int) -> HttpResponseBase:
    own = Claim.objects.filter(enrollment__partner=membership.partner).exclude(document="")
    claim = get_object_or_404(own, pk=pk)
    return documents.to_download(claim.document, claim.document_name)
