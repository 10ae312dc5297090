"""The colours of static/css/tokens.css for mails, which read no stylesheet: each with its light and its dark value."""

import re
from functools import cache
from typing import NamedTuple

from django.conf import settings

_TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")


class Colour(NamedTuple):
    light: str
    dark: str


@cache
def colours() -> dict[str, Colour]:
    """By the token's name, with underscores: `brand_ink`."""
    css = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    return {name.replace("-", "_"): Colour(light, dark) for name, light, dark in _TOKEN.findall(css)}
