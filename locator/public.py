"""The public door: program page, directory, partner pages."""

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from common.periods import program_today
from common.templatetags import show
from leads import services as leads
from locator import selectors
from locator.forms import ContactForm, SearchForm
from partners.models import Partner
from tiers.models import Program, Tier
from tiers.selectors import edition_in_force

PARTNERS_A_PAGE = 24
MOST_CHOICES = 12


def program(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """A program as its published edition in force says; the first public one at the site's root."""
    programs = list(Program.objects.public().order_by("id"))
    shown = next((one for one in programs if one.slug == slug), None) if slug else next(iter(programs), None)
    if slug and shown is None:
        raise Http404
    offer = selectors.program_on_offer(shown, program_today()) if shown else None
    others = [one for one in programs if one != shown]
    return render(request, "locator/program.html", {"program": shown, "offer": offer, "others": others})


def directory(request: HttpRequest) -> HttpResponse:
    today, shown = program_today(), Program.objects.public().order_by("id").first()
    form = SearchForm(request.GET)
    search, places = form.search()
    partners = selectors.listed_partners(shown, search, today).prefetch_related("locations")
    page = Paginator(partners, PARTNERS_A_PAGE).get_page(request.GET.get("page"))
    edition = edition_in_force(shown, today) if shown else None
    tiers = list(edition.tiers.order_by("rank")) if edition else []
    held = Tier.objects.in_bulk({partner.tier_held for partner in page if partner.tier_held})  # type: ignore[attr-defined]
    return render(
        request,
        "locator/directory.html",
        {
            "form": form,
            "search": search,
            "places": places,
            "page": page,
            "rows": [(partner, held.get(partner.tier_held)) for partner in page],  # type: ignore[attr-defined]
            "chips": _chips(request, shown, search, tiers),
            "map_locale": json.dumps(
                {
                    "NavigationControl.ZoomIn": _("Zoom in"),
                    "NavigationControl.ZoomOut": _("Zoom out"),
                    "AttributionControl.ToggleAttribution": _("Sources of the map"),
                    "Map.Title": _("Map"),
                }
            ),
            "near": _near(search),
            "asked_in_vain": bool(form.cleaned_data.get("near")) and not places,
        },
    )


def _near(search: selectors.Search) -> str:
    """The place and the radius asked for, as the map's script reads them; empty without a place."""
    if search.near is None:
        return ""
    place = search.near
    return json.dumps(
        {"name": place.name, "at": [place.longitude, place.latitude], "km": search.within_km}, ensure_ascii=False
    )


def _chips(
    request: HttpRequest, shown: Program | None, search: selectors.Search, tiers: list[Tier]
) -> list[tuple[str, list[dict[str, object]]]]:
    """The facets with how many partners each choice would show, and the address that asks for it."""
    today = program_today()
    names = {tier.code: str(tier.name) for tier in tiers}
    facets = (
        ("tier", _("Tier"), lambda code: names.get(code, code)),
        ("country", _("Country"), show.country),
        ("kind", _("Kind of business"), str),
    )
    rows = []
    for facet, label, name in facets:
        chosen = getattr(search, facet)
        found = selectors.counts(shown, search, today, facet)
        largest = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST_CHOICES]
        choices: list[dict[str, object]] = []
        for value, count in largest:
            query = request.GET.copy()
            query.pop("page", None)
            query[facet] = "" if value == chosen else value
            address = {"query": query.urlencode(), "name": name(value), "count": count, "is_on": value == chosen}
            choices.append(address)
        if choices:
            rows.append((label, choices))
    return rows


def partner(request: HttpRequest, slug: str) -> HttpResponse:
    today = program_today()
    shown = get_object_or_404(Partner.objects.listed().prefetch_related("locations"), slug=slug)
    return render(
        request,
        "locator/partner.html",
        {
            "partner": shown,
            "location": next((one for one in shown.locations.all() if one.is_main), None),
            "placements": selectors.placements_of(shown, today),
            "certified": selectors.certified_people(shown, today),
            "form": ContactForm(),
        },
    )


def contact(request: HttpRequest, slug: str) -> HttpResponse:
    """A prospect writes to a partner: it becomes a lead in the partner's portal."""
    shown = get_object_or_404(Partner.objects.listed(), slug=slug)
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        leads.capture_lead(partner=shown, source="profile", **form.lead())
        messages.success(
            request, _("Thank you. %(partner)s has your message and answers you directly.") % {"partner": shown}
        )
        return redirect("locator:partner", slug=shown.slug)
    return render(request, "locator/contact.html", {"partner": shown, "form": form})
