"""How recently the person of a session gave its password: what moves money asks for it again."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone

GIVEN_AT = "password_given_at"


def note(request: HttpRequest) -> None:
    """The password was given just now, in this session."""
    request.session[GIVEN_AT] = timezone.now().timestamp()


def note_sign_in(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Receiver of Django's user_logged_in: signing in, by whichever door, is giving the password."""
    if request is not None and hasattr(request, "session"):
        note(request)


def is_fresh(request: HttpRequest) -> bool:
    """Whether the password was given within the last settings.FRESH_SIGN_IN_MINUTES."""
    age = timezone.now().timestamp() - float(request.session.get(GIVEN_AT, 0))
    return bool(0 <= age < 60 * settings.FRESH_SIGN_IN_MINUTES)


def give_again(request: HttpRequest, password: str) -> bool:
    """Whether this is the password of who is signed in; then the session is fresh. Wrong ones count as failed sign-ins."""
    user = authenticate(request, username=getattr(request.user, "email", ""), password=password)
    if user is None or user.pk != request.user.pk:
        return False
    note(request)
    return True
