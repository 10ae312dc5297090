"""French is a first language: its catalogue is whole, and keeps what a text is filled with."""

import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import ngettext, override

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")
TAG = re.compile(r"</?[a-z]+>")
UNTIED = re.compile(r" [:;?!»](?=\W|$)|« | %(?=[%\s.,;)]|$)")


def _texts():
    path = settings.BASE_DIR / "locale" / "fr" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return [message for message in read_po(file, locale="fr") if message.id]


def _forms(text):
    return list(text) if isinstance(text, (tuple, list)) else [text]


TEXTS = _texts()


def test_every_text_is_translated_and_none_is_a_guess():
    assert len(TEXTS) > 1000
    assert [message.id for message in TEXTS if message.fuzzy or not all(_forms(message.string))] == []


@pytest.mark.parametrize("pattern", [PLACEHOLDER, TAG])
def test_a_translation_keeps_the_placeholders_and_the_markup(pattern):
    different = [
        message.id
        for message in TEXTS
        for original, translation in zip(_forms(message.id), _forms(message.string), strict=True)
        if set(pattern.findall(original)) != set(pattern.findall(translation))
    ]
    assert different == []


def test_punctuation_stays_on_the_line_of_its_word():
    """In French a no-break space stands before : ; ? ! % and inside « »."""
    untied = [text for message in TEXTS for text in _forms(message.string) if UNTIED.search(text)]
    assert untied == []


def test_the_plural_of_none_is_french():
    """Zero is singular in French: 0 partenaire."""
    with override("fr"):
        texts = [ngettext("%(shown)s partner", "%(shown)s partners", n) % {"shown": n} for n in (0, 1, 2)]
    assert texts == ["0 partenaire", "1 partenaire", "2 partenaires"]
