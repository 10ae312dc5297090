"""The public pages."""

from django.contrib.sitemaps.views import sitemap
from django.urls import path

from locator import estimate, points, public, robots
from locator.sitemaps import SITEMAPS

app_name = "locator"
urlpatterns = [
    path("", public.program, name="program"),
    path("programs/<slug:slug>/", public.program, name="program-page"),
    path("programs/<slug:slug>/estimate/", estimate.estimate, name="estimate"),
    path("partners/", public.directory, name="directory"),
    path("partners/points.json", points.points, name="points"),
    path("partners/<slug:slug>/", public.partner, name="partner"),
    path("partners/<slug:slug>/contact/", public.contact, name="contact"),
    path("robots.txt", robots.robots, name="robots"),
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
]
