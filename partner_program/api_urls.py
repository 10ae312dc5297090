"""The machines' door, version 1. Each app brings its own routes.

A token is had by POST to `tokens/` with the e-mail address and password as basic authentication; it is shown once.
"""

from django.urls import include, path
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from knox.views import LoginView, LogoutView
from rest_framework import serializers
from rest_framework.authentication import BasicAuthentication
from rest_framework.routers import DefaultRouter

import commissions.api
import invoices.api
import leads.api
import partners.api
import payouts.api
import points.api
import rates.api
import records.api
import tiers.api
import training.api

TOKEN = inline_serializer("Token", {"token": serializers.CharField(), "expiry": serializers.DateTimeField()})


@extend_schema_view(post=extend_schema(request=None, responses=TOKEN))
class NewTokenView(LoginView):  # type: ignore[misc]
    """A new token for the caller, shown once; send it as `Authorization: Token ...`."""

    authentication_classes = (BasicAuthentication,)


@extend_schema_view(post=extend_schema(request=None, responses={204: None}))
class RevokeTokenView(LogoutView):  # type: ignore[misc]
    """Revoke the token that this request carries."""


router = DefaultRouter()
API_APPS = (
    partners.api, tiers.api, points.api, rates.api, records.api, training.api, leads.api, commissions.api, invoices.api,
    payouts.api,
)  # fmt: skip
for app in API_APPS:
    for prefix, view_set in app.routes():
        router.register(prefix, view_set, basename=getattr(view_set, "basename", None))

app_name = "api"
urlpatterns = [
    path("tokens/", NewTokenView.as_view(), name="token-new"),
    path("tokens/revoke/", RevokeTokenView.as_view(), name="token-revoke"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    path("", include(router.urls)),
]
