"""What this app refuses, and how it says so."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.errors import ProgramError

SAYS = {
    "not_positive": _("is not a rate: a number above zero"),
    "too_large": _("is larger than any rate this system holds: ten digits before the point"),
    "too_fine": _("has more than ten decimals: give the pair the other way round"),
    "too_long": _("has more than fifteen digits"),
    "unknown_currency": _("is not a currency of ISO 4217"),
    "same_currency": _("is the same currency twice"),
    "unknown_source": _("is not a source of rates: add it in the admin, or correct it"),
    "twice": _("the same pair stands here twice for its day"),
}

Problems = Mapping[int, Mapping[str, Sequence[Any]]]


class RateError(ProgramError):
    """Rates that cannot be; nothing was written. `problems` are by place in the list, then by field."""

    code = "rate_invalid"

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__(
            "\n".join(
                f"{place}. {field}: {' '.join(map(str, said))}"
                for place, fields in problems.items()
                for field, said in fields.items()
            )
        )


class FetchError(ProgramError):
    """The address of the rates did not give them."""

    code = "rates_not_fetched"
