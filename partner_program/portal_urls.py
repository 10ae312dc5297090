"""The partner's door. Each app brings its own pages; the home mixes them."""

from django.urls import include, path

from partner_program import portal

app_name = "portal"
urlpatterns = [
    path("", portal.home, name="home"),
    path("tier/", include("tiers.urls")),
    path("", include("points.urls")),
    path("", include("leads.urls")),
    path("", include("commissions.urls")),
    path("", include("invoices.urls")),
    path("messages/", include("notifications.portal_urls")),
    path("", include("payouts.urls")),
]
