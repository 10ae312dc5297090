"""Colours that stand on each other keep the contrast of WCAG 2.2 AA, in light and in dark."""

import re

import pytest
from django.conf import settings

TEXT, SHAPE = 4.5, 3.0  # success criteria 1.4.3 and 1.4.11
SURFACES = ("surface", "raised", "sunken")
PAIRS = [
    *((ink, surface, TEXT) for ink in ("ink", "ink-2", "muted", "brand", "brand-strong") for surface in SURFACES),
    *((kind, f"{kind}-soft", TEXT) for kind in ("positive", "warning", "negative", "info", "brand")),
    *((kind, "raised", TEXT) for kind in ("positive", "warning", "negative", "info")),
    ("brand-ink", "brand", TEXT),
    ("brand-ink", "brand-strong", TEXT),
    *(("line-strong", surface, SHAPE) for surface in ("surface", "raised")),
]
TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")


def _tokens():
    css = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    return {name: (light, dark) for name, light, dark in TOKEN.findall(css)}


def _luminance(color):
    """WCAG 2.2, "relative luminance"."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one, other):
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula_is_the_standard_one():
    assert _contrast("#000000", "#ffffff") == 21
    assert round(_contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_a_colour_is_read_on_what_it_stands_on(front, back, least, theme):
    tokens = _tokens()
    assert _contrast(tokens[front][theme], tokens[back][theme]) >= least
