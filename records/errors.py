"""What this app refuses, and how it says so."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from common.errors import ProgramError

SAYS = {
    "ends_first": _("It ends after it starts."),
    "no_currency": _("An amount comes with its currency."),
    "no_amount": _("A currency comes with an amount."),
    "amount_or_quantity": _("Give an amount with its currency, or a quantity: one of them."),
    "twice": _("The same one stands here twice."),
}

Problems = Mapping[int, Mapping[str, Sequence[str]]]


class FactError(ProgramError):
    """Facts that do not hold together; nothing was written. `problems` are by place in the list, then by field."""

    code = "fact_invalid"

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__(
            "\n".join(
                f"{place}. {field}: {' '.join(map(str, said))}"
                for place, fields in problems.items()
                for field, said in fields.items()
            )
        )
