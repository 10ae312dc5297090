"""Texts under names that the vendor chose: a record's attributes, a partner's traits."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LONGEST_NAME = 40
LONGEST_TEXT = 200
# Single hyphens and underscores only: two underscores would mean something in a query's path.
NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
SEPARATOR = "|"  # between the values of one name, where people or files write several


def is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None


def split(text: str) -> str | list[str]:
    """ "a | b" as a list, "a" as itself, each value once and in the order given; an empty text where there is none."""
    values = list(dict.fromkeys(value for part in text.split(SEPARATOR) if (value := part.strip())))
    return values if len(values) > 1 else "".join(values)


def joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else f" {SEPARATOR} ".join(value)


def check_texts(value: Any) -> None:
    """A text each. Raises ValidationError."""
    _check(value, lambda one: isinstance(one, str))


def check_traits(value: Any) -> None:
    """A text, or a list of texts, each. Raises ValidationError."""
    _check(value, lambda one: isinstance(one, str) or _is_list_of_texts(one))


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _check(value: Any, fits: Any) -> None:
    if not isinstance(value, dict):
        raise ValidationError(_("These are texts, each under a name."))
    for name, held in value.items():
        if not is_name(name):
            raise ValidationError(
                _("“%(name)s” is not a name: small letters, digits, hyphens and underscores, starting with a letter."),
                params={"name": name},
            )
        if not fits(held):
            raise ValidationError(_("What stands under “%(name)s” is not a text."), params={"name": name})
        if max((len(one) for one in ([held] if isinstance(held, str) else held)), default=0) > LONGEST_TEXT:
            raise ValidationError(
                _("What stands under “%(name)s” is longer than %(longest)s characters."),
                params={"name": name, "longest": LONGEST_TEXT},
            )
