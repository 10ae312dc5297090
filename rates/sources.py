"""The sources that need no setting up: they are there with their first rate."""

from typing import Any

from django.utils.translation import gettext_lazy as _

ECB, MANUAL = "ecb", "manual"
BUILT_IN: dict[str, tuple[Any, str]] = {  # by code: the name and the base
    ECB: (_("European Central Bank"), "EUR"),
    MANUAL: (_("Entered by hand"), "EUR"),
}
