"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest

from accounts.public import THEMES


def site(request: HttpRequest) -> dict[str, object]:
    theme = request.COOKIES.get("theme")
    return {
        "VENDOR_NAME": settings.VENDOR_NAME,
        "SITE_URL": settings.SITE_URL,
        "DEBUG": settings.DEBUG,
        "THEME": theme if theme in THEMES else THEMES[0],
    }
