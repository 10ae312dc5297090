"""The partner's pages about leads and deals."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from common.errors import ProgramError
from common.periods import program_today
from leads import selectors, services
from leads.forms import ConvertForm, DealForm, LoseForm, ReasonForm, WinForm
from leads.models import Deal, Lead, Offer
from partners.models import Member
from partners.portal import Membership, portal_page
from partners.roles import Right, may
from tiers import selectors as tiers

ROWS_A_PAGE = 25


def _see(membership: Membership) -> None:
    if not may(membership, Right.SEE_LEADS):
        raise PermissionDenied


def _work(membership: Membership) -> None:
    if not may(membership, Right.WORK_LEADS):
        raise PermissionDenied


# --- Leads ----------------------------------------------------------------------------------------


@portal_page
def leads(request: HttpRequest, membership: Membership) -> HttpResponse:
    _see(membership)
    counts = selectors.lead_counts(membership.partner)
    tab = request.GET.get("show", "")
    if tab not in selectors.LEAD_TABS:
        tab = next((name for name in selectors.LEAD_TABS if counts[name]), "offered")
    found = Lead.objects.filter(partner=membership.partner, status__in=selectors.LEAD_TABS[tab]).order_by("-id")
    names = {"offered": _("To answer"), "accepted": _("In hand"), "done": _("Done")}
    today = program_today()
    shares = tiers.has_benefit(partner_id=membership.partner.pk, code=services.LEAD_SHARING, on=today)
    return render(
        request,
        "portal/leads.html",
        {
            "page": Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page")),
            "tab": tab,
            "tabs": [(name, label, counts[name]) for name, label in names.items()],
            "shares": shares,
            "opening": [] if shares else tiers.tiers_giving(code=services.LEAD_SHARING, on=today),
        },
    )


def _lead(membership: Membership, pk: int) -> Lead:
    _see(membership)
    lead = Lead.objects.select_related("partner", "deal").filter(partner=membership.partner, pk=pk).first()
    if lead is None:
        raise Http404
    return lead


def _lead_page(request: HttpRequest, membership: Membership, lead: Lead, **bound: forms.Form) -> HttpResponse:
    """The lead's page; a refused form comes back filled."""
    is_open = lead.status not in (Lead.Status.OFFERED, Lead.Status.NEW)
    return render(
        request,
        "portal/lead.html",
        {
            "lead": lead,
            "sees_contact": is_open,
            "may_work": may(membership, Right.WORK_LEADS),
            "history": selectors.history(lead),
            "decline_form": bound.get("decline") or ReasonForm(prefix="decline"),
            "lose_form": bound.get("lose") or ReasonForm(prefix="lose"),
            "convert_form": bound.get("convert")
            or ConvertForm(prefix="convert", partner=membership.partner, initial={"title": lead.need[:80]}),
        },
        status=422 if bound else 200,
    )


@portal_page
def lead(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    shown = _lead(membership, pk)
    if request.method != "POST":
        return _lead_page(request, membership, shown)
    _work(membership)
    actions: dict[str, Callable[[HttpRequest, Membership, Lead], HttpResponse]] = {
        "accept": _accept, "decline": _decline, "lose": _lose_lead, "convert": _convert,
    }  # fmt: skip
    action = actions.get(request.POST.get("action", ""))
    if action is None:
        return _lead_page(request, membership, shown)
    try:
        return action(request, membership, shown)
    except ProgramError as refusal:
        messages.error(request, str(refusal))
        return redirect("portal:lead", pk=pk) if _still_theirs(membership, pk) else redirect("portal:leads")


def _still_theirs(membership: Member, pk: int) -> bool:
    return Lead.objects.filter(partner=membership.partner, pk=pk).exists()


def _offer(lead: Lead) -> Offer:
    return Offer.objects.filter(lead=lead, partner=lead.partner).latest("id")


def _accept(request: HttpRequest, membership: Membership, lead: Lead) -> HttpResponse:
    services.accept_offer(offer=_offer(lead), actor=_user(request))
    messages.success(request, _("The lead is yours. Here is who to call."))
    return redirect("portal:lead", pk=lead.pk)


def _decline(request: HttpRequest, membership: Membership, lead: Lead) -> HttpResponse:
    form = ReasonForm(request.POST, prefix="decline")
    if not form.is_valid():
        return _lead_page(request, membership, lead, decline=form)
    services.decline_offer(offer=_offer(lead), reason=form.cleaned_data["reason"], actor=_user(request))
    messages.success(request, _("You declined the lead; it goes to another partner."))
    return redirect("portal:leads")


def _lose_lead(request: HttpRequest, membership: Membership, lead: Lead) -> HttpResponse:
    form = ReasonForm(request.POST, prefix="lose")
    if not form.is_valid():
        return _lead_page(request, membership, lead, lose=form)
    services.lose_lead(lead=lead, reason=form.cleaned_data["reason"], actor=_user(request))
    return redirect("portal:lead", pk=lead.pk)


def _convert(request: HttpRequest, membership: Membership, lead: Lead) -> HttpResponse:
    form = ConvertForm(request.POST, prefix="convert", partner=membership.partner)
    if not form.is_valid():
        return _lead_page(request, membership, lead, convert=form)
    deal = services.convert_lead(lead=lead, actor=_user(request), **form.cleaned_data)
    messages.success(request, _("The deal is registered and waits for approval."))
    return redirect("portal:deal", pk=deal.pk)


def _user(request: HttpRequest) -> Any:
    return request.user  # portal_page lets nobody else in


# --- Deals ----------------------------------------------------------------------------------------


@portal_page
def deals(request: HttpRequest, membership: Membership) -> HttpResponse:
    _see(membership)
    status = request.GET.get("status", "")
    found = Deal.objects.filter(partner=membership.partner).order_by("-id")
    if status in Deal.Status.values:
        found = found.filter(status=status)
    return render(
        request,
        "portal/deals.html",
        {
            "page": Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page")),
            "totals": selectors.deal_totals(membership.partner),
            "status": status,
            "may_work": may(membership, Right.WORK_LEADS),
        },
    )


@portal_page
def new_deal(request: HttpRequest, membership: Membership) -> HttpResponse:
    _work(membership)
    form = DealForm(request.POST or None, partner=membership.partner)
    if request.method == "POST" and form.is_valid():
        deal = services.register_deal(partner=membership.partner, actor=_user(request), **form.cleaned_data)
        messages.success(request, _("The deal is registered and waits for approval."))
        return redirect("portal:deal", pk=deal.pk)
    return render(request, "portal/deal_new.html", {"form": form}, status=422 if form.errors else 200)


def _deal_page(request: HttpRequest, membership: Membership, deal: Deal, **bound: forms.Form) -> HttpResponse:
    return render(
        request,
        "portal/deal.html",
        {
            "deal": deal,
            "may_work": may(membership, Right.WORK_LEADS),
            "history": selectors.history(deal),
            "win_form": bound.get("win") or WinForm(prefix="win"),
            "lose_form": bound.get("lose") or LoseForm(prefix="lose"),
        },
        status=422 if bound else 200,
    )


@portal_page
def deal(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    _see(membership)
    own = Deal.objects.filter(partner=membership.partner).select_related("lead", "decided_by", "registered_by", "sale")
    shown = get_object_or_404(own, pk=pk)
    if request.method != "POST":
        return _deal_page(request, membership, shown)
    _work(membership)
    try:
        if request.POST.get("action") == "win":
            win = WinForm(request.POST, prefix="win")
            if not win.is_valid():
                return _deal_page(request, membership, shown, win=win)
            services.win_deal(deal=shown, actor=_user(request), **win.cleaned_data)
            messages.success(request, _("Well done. The sale is recorded; the next night pays it."))
        elif request.POST.get("action") == "lose":
            lose = LoseForm(request.POST, prefix="lose")
            if not lose.is_valid():
                return _deal_page(request, membership, shown, lose=lose)
            services.lose_deal(deal=shown, actor=_user(request), **lose.cleaned_data)
    except ProgramError as refusal:
        messages.error(request, str(refusal))
    return redirect("portal:deal", pk=pk)
