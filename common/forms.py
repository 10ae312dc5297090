"""Form fields that read what people type."""

import re
from decimal import Decimal
from typing import Any

from babel.numbers import NumberFormatError, parse_decimal
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from common.money import PLACES
from common.templatetags.show import locale

_SPACES = re.compile(r"\s")


class AmountInput(forms.DecimalField):
    """An amount as the reader's language writes it: “1,234.50” in English, “1 234,50” in French; “1234.5” in both."""

    default_error_messages = {"invalid": _("Write an amount, as 1234.50.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(max_digits=18, decimal_places=PLACES, **kwargs)

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if value in self.empty_values:
            return None
        text = _SPACES.sub("", str(value))
        try:
            return Decimal(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else parse_decimal(text, locale(), strict=True)
        except (NumberFormatError, ArithmeticError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class DayInput(forms.DateField):
    """A day, picked in the browser's own calendar."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)
