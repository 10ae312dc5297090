from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.templatetags import show


class MonthForm(forms.Form):
    """Choose one of the months that have sales."""

    month = forms.ChoiceField(label=_("Month"), widget=forms.Select(attrs={"class": "form-select"}))

    def __init__(self, months: Sequence[date], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(f"{month:%Y-%m}", show.month(month).capitalize()) for month in months]
        self.fields["month"].choices = choices  # type: ignore[attr-defined]
