"""What partners fill in about leads and deals."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import AmountInput, DayInput
from common.periods import program_today
from partners.models import Partner
from tiers.models import Program


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Why?"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A few words for whoever reads it later."),
    )  # fmt: skip


class DealForm(forms.Form):
    """An opportunity. `currency` offers those of the programs that the partner is in."""

    title = forms.CharField(label=_("What is it about?"), max_length=200)
    customer_name = forms.CharField(label=_("Customer"), max_length=200)
    amount = AmountInput(label=_("Expected net amount"), min_value=0)
    currency = forms.ChoiceField(label=_("Currency"))
    expected_on = DayInput(label=_("Expected on"))

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currencies = (
            Program.objects.filter(enrollments__partner=partner).order_by("id").values_list("currency", flat=True)
        )
        codes = list(dict.fromkeys(currencies)) or ["EUR"]
        self.fields["currency"].choices = [(code, code) for code in codes]  # type: ignore[attr-defined]

    def clean_amount(self) -> Any:
        amount = self.cleaned_data["amount"]
        if amount is not None and amount <= 0:
            raise forms.ValidationError(_("The amount must be more than nothing."))
        return amount


class ConvertForm(DealForm):
    """A lead becomes a deal: its customer is the lead's."""

    customer_name = None  # type: ignore[assignment]


class WinForm(forms.Form):
    closed_on = DayInput(label=_("Won on"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["closed_on"].initial = program_today()


class LoseForm(ReasonForm):
    closed_on = DayInput(label=_("Lost on"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["closed_on"].initial = program_today()
