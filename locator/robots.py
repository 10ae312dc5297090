"""What search engines may read."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse


def robots(request: HttpRequest) -> HttpResponse:
    closed = ("/admin/", "/portal/", "/accounts/", "/api/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('locator:sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")
