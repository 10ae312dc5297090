"""The portal's pages about the tier."""

from django.urls import path

from tiers import portal

urlpatterns = [
    path("", portal.tier, name="tier"),
    path("what-if/", portal.what_if_result, name="tier-what-if"),
    path("facts/<int:measure_id>/", portal.facts, name="tier-facts"),
]
