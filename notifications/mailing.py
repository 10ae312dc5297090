"""Mails: text and HTML of one message, or of a day's, in the recipient's language."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import ngettext, override

from accounts.models import User
from journal.notices import Kind, Notice
from notifications import wording
from notifications.colours import colours
from notifications.models import Delivery, Message
from notifications.wording import Worded

MOST_IN_A_DIGEST = 50
SALT = "notifications.unsubscribe"
# At-rules stay in a style element: only there does a mail client find what it shows in the dark.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def of_delivery(delivery: Delivery, *, is_member: bool) -> EmailMultiAlternatives:
    """The mail that one delivery is. Its Message-ID is the delivery's, so that a mail sent twice is known for one."""
    user, message = delivery.user, delivery.message
    with override(language_of(user)):
        kind = message.declared.kind if message.declared else None
        said = wording.of_message(message)
        return _mail(
            user, f"delivery-{delivery.pk}", said.title, "notice", {"said": said}, kind=kind, is_member=is_member
        )


def of_day(user: User, messages: Sequence[Message], *, number: int, is_member: bool) -> EmailMultiAlternatives:
    """One mail for everything that a person is told of once a day; the latest of very many. `number` makes its Message-ID."""
    with override(language_of(user)):
        shown = [(message, wording.of_message(message)) for message in messages[:MOST_IN_A_DIGEST]]
        title = ngettext(
            "%(count)s piece of news from %(vendor)s", "%(count)s pieces of news from %(vendor)s", len(messages)
        ) % {"count": len(messages), "vendor": settings.VENDOR_NAME}
        context = {
            "shown": shown, "more": len(messages) - len(shown), "inbox": _url("portal:notices") if is_member else ""
        }  # fmt: skip
        return _mail(user, f"digest-{number}", title, "digest", context, kind=None, is_member=is_member)


def sample_of(notice: Notice, said: Worded, *, name: str) -> tuple[str, str]:
    """The text and the HTML of a notice's mail to nobody in particular, in the language that is active."""
    whole = framed(
        name, said.title,
        {
            "said": said, "kind": notice.kind, "preferences": _url("portal:notice-preferences"),
            "stop": "" if notice.kind.is_required else _url("notifications:unsubscribe", "sample"),
        },
    )  # fmt: skip
    return text_of("notice", whole), html_of("notice", whole)


def text_of(template: str, context: dict[str, Any]) -> str:
    """A mail's text, with at most one empty line in a row: what a template leaves out leaves none behind."""
    text = render_to_string(f"notifications/mail/{template}.txt", context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def html_of(template: str, context: dict[str, Any]) -> str:
    """A mail's HTML, its style on its elements."""
    return _INLINER.inline(render_to_string(f"notifications/mail/{template}.html", {**context, "colour": colours()}))


def framed(user_name: str, title: str, context: dict[str, Any]) -> dict[str, Any]:
    """What every mail's templates need."""
    return {
        "name": user_name,
        "title": title,
        "VENDOR_NAME": settings.VENDOR_NAME,
        "SITE_URL": settings.SITE_URL,
        **context,
    }


def _mail(
    user: User, key: str, title: str, template: str, context: dict[str, Any], *, kind: Kind | None, is_member: bool
) -> EmailMultiAlternatives:  # fmt: skip
    may_stop = kind is not None and not kind.is_required
    stop = _url("notifications:unsubscribe", token_for(user, kind)) if kind is not None and may_stop else ""
    whole = framed(
        user.get_full_name(), title,
        {
            **context, "kind": kind, "stop": stop,
            "preferences": _url("portal:notice-preferences") if is_member else "",
        },
    )  # fmt: skip
    mail = EmailMultiAlternatives(
        subject=title, body=text_of(template, whole), to=[user.email],
        headers=_headers(key, stop),
    )  # fmt: skip
    mail.attach_alternative(html_of(template, whole), "text/html")
    return mail


def _headers(key: str, stop: str) -> dict[str, str]:
    headers = {
        "Message-ID": f"<{key}@{urlsplit(settings.SITE_URL).hostname}>", "Auto-Submitted": "auto-generated"
    }  # fmt: skip
    if stop:  # RFC 8058
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers


def language_of(user: User) -> str:
    return user.language or settings.LANGUAGE_CODE


def token_for(user: User, kind: Kind) -> str:
    """What a link that turns a kind off carries: signed, without end."""
    return signing.dumps([user.pk, kind.key], salt=SALT)


def read_token(token: str) -> tuple[int, str]:
    """The person and the kind. Raises signing.BadSignature for one that was not made here."""
    user, kind = signing.loads(token, salt=SALT)
    return user, kind


def _url(name: str, *args: Any) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"
