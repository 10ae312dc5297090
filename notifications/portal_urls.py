"""The portal's pages of messages."""

from django.urls import path

from notifications import portal

urlpatterns = [
    path("", portal.notices, name="notices"),
    path("preferences/", portal.preferences, name="notice-preferences"),
    path("<int:pk>/", portal.notice, name="notice"),
]
