"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from accounts.public import set_theme

urlpatterns = [
    path("", include("locator.urls")),
    path("portal/", include("partner_program.portal_urls")),
    path("accounts/", include("accounts.urls")),
    path("mails/", include("notifications.urls")),
    path("theme/", set_theme, name="theme"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("partner_program.api_urls")),
    path("admin/", admin.site.urls),
]
