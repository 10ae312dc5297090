"""Disputes in the portal: question a line, read and write about it, withdraw."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commissions import services
from commissions.forms import DisputeForm, MessageForm
from commissions.models import Dispute, DisputeMessage, Earning, Statement
from common import documents
from common.errors import ProgramError
from common.periods import program_today
from partners.portal import Membership, for_right, portal_page
from partners.roles import Right

DISPUTES_A_PAGE = 30


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def disputes(request: HttpRequest, membership: Membership) -> HttpResponse:
    own = Dispute.objects.filter(partner=membership.partner).select_related("earning").order_by("-id")
    page = Paginator(own, DISPUTES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/disputes.html", {"membership": membership, "page": page})


@portal_page
@for_right(Right.SEE_PAY)
def new_dispute(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """A line that is questioned already leads to its dispute."""
    earning = get_object_or_404(Earning.objects.filter(partner=membership.partner), pk=pk)
    if (waiting := Dispute.objects.open().filter(earning=earning).first()) is not None:
        return redirect("portal:dispute", pk=waiting.pk)
    form = DisputeForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = services.open_dispute(earning=earning, actor=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except ProgramError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Your question is sent. The line is held until it is answered."))
            return redirect("portal:dispute", pk=opened.pk)
    statement = Statement.objects.filter(lines__earning=earning).first()
    context = {
        "membership": membership, "earning": earning, "form": form, "statement": statement,
        "closed": services.why_closed(statement),
    }  # fmt: skip
    return render(request, "portal/dispute_new.html", context, status=422 if form.errors else 200)


@portal_page
@for_right(Right.SEE_PAY)
def dispute(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    own = Dispute.objects.filter(partner=membership.partner)
    related = own.select_related("earning__statement_line__statement", "adjustment", "hold__released_to")
    shown = get_object_or_404(related, pk=pk)
    form = MessageForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        try:
            if "withdraw" in request.POST:
                services.withdraw_dispute(dispute=shown, actor=request.user)  # type: ignore[arg-type]
                messages.success(request, _("You no longer question this line."))
                return redirect("portal:dispute", pk=shown.pk)
            if form.is_valid():
                services.write_message(dispute=shown, actor=request.user, by_staff=False, **form.cleaned_data)  # type: ignore[arg-type]
                messages.success(request, _("Your message is sent."))
                return redirect("portal:dispute", pk=shown.pk)
        except ProgramError as refusal:
            form.add_error(None, str(refusal))
    context = {
        "membership": membership, "dispute": shown, "form": form, "today": program_today(),
        "thread": shown.messages.select_related("author"),
    }  # fmt: skip
    return render(request, "portal/dispute.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def dispute_document(request: HttpRequest, membership: Membership, pk: int) -> HttpResponseBase:
    own = DisputeMessage.objects.filter(dispute__partner=membership.partner).exclude(document="")
    message = get_object_or_404(own, pk=pk)
    return documents.to_download(message.document, message.document_name)
