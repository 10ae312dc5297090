"""The portal's pages about the tier."""

from django.urls import path

from tiers import portal

urlpatterns = [
    path("", portal.tier, name="tier"),
    path("facts/<int:measure_id>/", portal.facts, name="tier-facts"),
]
