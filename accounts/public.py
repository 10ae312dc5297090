"""What a person sets for itself, signed in or not."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

THEMES = ("auto", "light", "dark")
A_YEAR = 365 * 24 * 3600


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen appearance in a cookie and go back where the person was. An unknown one is "auto"."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    theme = request.POST.get("theme", "")
    response = HttpResponseRedirect(back)
    response.set_cookie(
        "theme", theme if theme in THEMES else THEMES[0], max_age=A_YEAR, samesite="Lax", httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return response
