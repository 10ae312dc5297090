"""The portal's pages about leads and deals."""

from django.urls import path

from leads import portal

urlpatterns = [
    path("leads/", portal.leads, name="leads"),
    path("leads/<int:pk>/", portal.lead, name="lead"),
    path("deals/", portal.deals, name="deals"),
    path("deals/new/", portal.new_deal, name="deal-new"),
    path("deals/<int:pk>/", portal.deal, name="deal"),
]
