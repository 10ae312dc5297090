"""The directory's partners as points for the map."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control

from common.periods import program_today
from locator import selectors
from locator.forms import SearchForm
from tiers.models import Program, Tier

MOST = 5000  # points in one answer; beyond, nobody can tell them apart


@cache_control(public=True, max_age=300)
def points(request: HttpRequest) -> JsonResponse:
    """GeoJSON of the listed, placed partners that fit the directory's conditions. Three queries, whatever the data."""
    today, shown = program_today(), Program.objects.public().order_by("id").first()
    search, _places = SearchForm(request.GET).search()
    found = selectors.listed_partners(shown, search, today).filter(
        locations__is_main=True, locations__latitude__isnull=False
    )
    rows: Any = found.values_list(  # type: ignore[misc]
        "slug", "name", "tier_held", "locations__city", "locations__longitude", "locations__latitude"
    )
    colors = {tier.pk: (str(tier.name), tier.color) for tier in Tier.objects.filter(edition__program=shown)}
    return JsonResponse(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
                    "properties": {
                        "name": name,
                        "town": town,
                        "url": reverse("locator:partner", args=[slug]),
                        "tier": colors.get(tier, ("", ""))[0],
                        "color": colors.get(tier, ("", "#5f6f7d"))[1],
                    },
                }
                for slug, name, tier, town, longitude, latitude in rows[:MOST]
            ],
        }
    )
