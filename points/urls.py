"""This app's pages in the portal."""

from django.urls import path

from points import portal

urlpatterns = [
    path("points/", portal.points, name="points"),
    path("points/claims/new/", portal.new_claim, name="claim-new"),
    path("points/claims/<int:pk>/", portal.claim, name="claim"),
    path("points/claims/<int:pk>/document/", portal.claim_document, name="claim-document"),
]
