"""A message in the reader's words: its title, its text, and where it leads. The language is the one that is active."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from common.texts import Texts
from journal.notices import Facts, Notice
from notifications.models import Message


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a list where there are items."""

    text: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worded:
    title: str
    text: str
    path: str
    go: str

    @property
    def blocks(self) -> list[Block]:
        return [_block(part) for part in self.text.split("\n\n")]

    @property
    def url(self) -> str:
        return f"{settings.SITE_URL}{self.path}"


def worded(notice: Notice, facts: Facts) -> Worded:
    """Both templates filled, the link made."""
    read = _read(facts)
    context = {**read, "VENDOR_NAME": settings.VENDOR_NAME}
    title = render_to_string(f"{notice.template}_subject.txt", context)
    text = render_to_string(f"{notice.template}.txt", context)
    return Worded(" ".join(title.split()), _tidy(text), notice.link(read), str(notice.go))


def of_message(message: Message) -> Worded:
    """As `worded`; a message that the product tells no more keeps its place, without words of its own."""
    if message.declared is None:
        return Worded(_("Something happened that is told no more"), "", "/portal/", _("Open the portal"))
    return worded(message.declared, message.facts)


def _read(value: Any, name: str = "") -> Any:
    """Facts as templates use them: days as days, texts by language in the reader's."""
    if isinstance(value, Mapping):
        if value and value.keys() <= {code for code, _name in settings.LANGUAGES}:
            return Texts(value)
        return {key: _read(one, key) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_read(one) for one in value]
    return date.fromisoformat(value) if value and name.endswith("_on") else value


def _tidy(text: str) -> str:
    """Paragraphs one empty line apart, however the template's tags left them; lines of a list right below each other."""
    paragraphs: list[list[str]] = [[]]
    for line in map(str.strip, text.splitlines()):
        is_item, follows_item = line.startswith("- "), bool(paragraphs[-1]) and paragraphs[-1][-1].startswith("- ")
        if not line:
            if paragraphs[-1] and not follows_item:
                paragraphs.append([])
        elif is_item != follows_item and paragraphs[-1]:
            paragraphs.append([line])
        else:
            paragraphs[-1].append(line)
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def _block(paragraph: str) -> Block:
    if paragraph.startswith("- "):
        return Block("", tuple(line.removeprefix("- ") for line in paragraph.splitlines()))
    return Block(" ".join(paragraph.splitlines()))
