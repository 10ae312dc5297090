"""The partner's invoicing: its legal details, the mandate, the documents written for it, and those that it sends."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common import documents
from common.errors import ProgramError
from common.periods import program_today
from invoices import selectors, services
from invoices.errors import IdentityError
from invoices.files import download
from invoices.forms import IdentityForm, RevokeForm, SendForm
from invoices.models import Invoice, InvoiceSettings, Mandate, PartnerIdentity, UploadedInvoice
from partners.portal import Membership, for_right, portal_page
from partners.roles import Right

ROWS_A_PAGE = 24


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def invoicing(request: HttpRequest, membership: Membership) -> HttpResponse:
    partner, today = membership.partner, program_today()
    mandate = selectors.mandate_of(partner, today)
    page = Paginator(selectors.billed(partner), ROWS_A_PAGE).get_page(request.GET.get("page"))
    text = selectors.mandate_text()
    context = {
        "membership": membership,
        "identity": selectors.identities([partner.pk], today).get(partner.pk),
        "submitted": _submitted(membership),
        "refused": _refused(membership),
        "mandate": mandate,
        "has_newer_words": mandate is not None and text is not None and mandate.text_id != text.pk,
        "page": page,
        "rows": selectors.document_rows(page.object_list, mandate),
        "may_send": mandate is None and selectors.to_send(partner).exists(),
    }
    return render(request, "portal/invoicing.html", context)


@portal_page
@for_right(Right.SEE_PAY)
def identity(request: HttpRequest, membership: Membership) -> HttpResponse:
    partner = membership.partner
    standing = _submitted(membership) or selectors.identities([partner.pk], program_today()).get(partner.pk)
    initial = {} if standing else {"name": partner.name, "language": get_language()}
    form = IdentityForm(request.POST or None, instance=standing, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.record_identity(partner=partner, fields=form.values(), actor=_user(request))
        except IdentityError as refusal:
            form.refuse(refusal.problems)
        else:
            waits = made.state == PartnerIdentity.State.SUBMITTED
            messages.success(
                request,
                _("Sent. Staff look at your legal details; until then the former ones stand.") if waits
                else _("Kept. Documents name these details from today on."),
            )  # fmt: skip
            return redirect("portal:invoicing")
    context = {
        "membership": membership, "form": form, "is_first": standing is None,
        "is_reviewed": InvoiceSettings.current().reviews_identities,
    }  # fmt: skip
    return render(request, "portal/invoicing_identity.html", context, status=422 if form.errors else 200)


@portal_page
@for_right(Right.SEE_PAY)
def mandate(request: HttpRequest, membership: Membership) -> HttpResponse:
    partner, today = membership.partner, program_today()
    standing, latest = selectors.mandate_of(partner, today), selectors.mandate_text()
    form = RevokeForm(request.POST if "revoke" in request.POST else None, initial={"ends_on": today})
    if request.method == "POST":
        answer = _decide_mandate(request, membership, standing, form)
        if answer is not None:
            return answer
    is_newer = latest is not None and (standing is None or standing.text_id != latest.pk)
    context = {
        "membership": membership, "mandate": standing, "latest": latest, "form": form, "offers": latest if is_newer else None,
        "has_identity": PartnerIdentity.objects.filter(partner=partner).exclude(state=PartnerIdentity.State.REFUSED).exists(),
    }  # fmt: skip
    return render(request, "portal/invoicing_mandate.html", context, status=422 if form.errors else 200)


def _decide_mandate(
    request: HttpRequest, membership: Membership, standing: Mandate | None, form: RevokeForm
) -> HttpResponse | None:  # fmt: skip
    """Accept or revoke; None where the form comes back."""
    try:
        if "accept" in request.POST:
            text = selectors.mandate_text()
            if text is None or str(text.pk) != request.POST["accept"]:
                messages.error(request, _("The mandate’s words changed while you read them. Read them again."))
                return None
            services.accept_mandate(
                partner=membership.partner, text=text, language=get_language() or "en", actor=_user(request)
            )  # fmt: skip
            messages.success(request, _("Thank you. From the next statement on, your invoices are written for you."))
            return redirect("portal:invoicing")
        if standing is not None and form.is_valid():
            services.revoke_mandate(mandate=standing, ends_on=form.cleaned_data["ends_on"], actor=_user(request))
            messages.success(request, _("The mandate is revoked. From that day on, send your own invoices here."))
            return redirect("portal:invoicing")
    except ProgramError as refusal:
        form.add_error(None, str(refusal)) if form.is_bound else messages.error(request, str(refusal))
    return None


@portal_page
@for_right(Right.SEE_PAY)
def send(request: HttpRequest, membership: Membership) -> HttpResponse:
    statements = selectors.to_send(membership.partner)
    chosen = (
        next((one for one in statements if str(one.pk) == request.GET.get("statement")), None) or statements.first()
    )
    initial = (
        {"statement": chosen, "net": chosen.net, "tax": chosen.tax, "issued_on": program_today()} if chosen else {}
    )
    form = SendForm(request.POST or None, request.FILES or None, statements=statements, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.send_invoice(actor=_user(request), **form.values())
        except ProgramError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The invoice is sent. Staff look at it."))
            return redirect("portal:invoicing")
    context = {"membership": membership, "form": form, "chosen": chosen}
    return render(request, "portal/invoicing_send.html", context, status=422 if form.errors else 200)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def document(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    return download(get_object_or_404(Invoice, partner=membership.partner, pk=pk))


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def sent_document(request: HttpRequest, membership: Membership, pk: int) -> HttpResponseBase:
    sent = get_object_or_404(UploadedInvoice, partner=membership.partner, pk=pk)
    return documents.to_download(sent.document, sent.document_name)


def _submitted(membership: Membership) -> PartnerIdentity | None:
    return PartnerIdentity.objects.filter(partner=membership.partner, state=PartnerIdentity.State.SUBMITTED).first()


def _refused(membership: Membership) -> PartnerIdentity | None:
    """The latest details, where staff refused them."""
    latest = PartnerIdentity.objects.filter(partner=membership.partner).order_by("-pk").first()
    return latest if latest is not None and latest.state == PartnerIdentity.State.REFUSED else None


def _user(request: HttpRequest) -> Any:
    return request.user  # portal_page lets nobody else in
