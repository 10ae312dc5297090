"""What people type about bank details: checked by `bank_details`, which says what is wrong with which field."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from leads.models import CURRENCY
from payouts import bank_details
from payouts.bank_details import Details
from payouts.errors import AccountError
from payouts.models import Rail

QUIET = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}


class CurrencyInput(forms.CharField):
    """An ISO 4217 code, in capitals however it is typed."""

    default_validators = [CURRENCY]

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).upper()


class SepaAccountForm(forms.Form):
    """An account in euros, by IBAN."""

    rail = Rail.SEPA
    holder = forms.CharField(
        label=_("Account holder"), max_length=140, help_text=_("The company’s name, as the bank knows it.")
    )
    number = forms.CharField(label="IBAN", max_length=60, widget=forms.TextInput(attrs=QUIET))
    bic = forms.CharField(
        label="BIC", max_length=20, required=False, widget=forms.TextInput(attrs=QUIET),
        help_text=_("Only where the IBAN does not lead to it: we tell you then."),
    )  # fmt: skip

    def details(self) -> Details:
        """The cleaned details. After `is_valid`."""
        return self.checked

    def as_typed(self, values: dict[str, Any]) -> Details:
        return Details(Rail.SEPA, bank_details.SEPA_CURRENCY, values["holder"], values["number"], bic=values["bic"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.checked = bank_details.checked(self.as_typed(cleaned))
            except AccountError as refusal:
                self.refuse(refusal)
        return cleaned

    def refuse(self, refusal: AccountError) -> None:
        """Show a refusal at the field to mend."""
        self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))


class OtherAccountForm(SepaAccountForm):
    """An account in any currency, by what its bank needs."""

    rail = Rail.OTHER
    currency = CurrencyInput(
        label=_("Currency"), max_length=3, min_length=3,
        help_text=_("The currency you are paid in, as on your statements: USD, GBP, CAD…"),
    )  # fmt: skip
    country = forms.ChoiceField(label=_("Country of the bank"))
    bank_name = forms.CharField(label=_("Bank"), max_length=140)
    number = forms.CharField(label=_("Account number"), max_length=60, widget=forms.TextInput(attrs=QUIET))
    routing = forms.CharField(
        label=_("The bank’s code"), max_length=20, required=False, widget=forms.TextInput(attrs=QUIET),
        help_text=_("Routing number, sort code, transit number… as your bank calls it."),
    )  # fmt: skip
    bic = forms.CharField(
        label="BIC (SWIFT)", max_length=20, required=False, widget=forms.TextInput(attrs=QUIET),
        help_text=_("Needed where the bank has no such code."),
    )  # fmt: skip
    field_order: Any = ("currency", "holder", "country", "bank_name", "routing", "number", "bic")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = sorted(bank_details.countries().items(), key=lambda one: one[1])
        self.fields["country"].choices = [("", ""), *named]  # type: ignore[attr-defined]

    def as_typed(self, values: dict[str, Any]) -> Details:
        return Details(
            Rail.OTHER, values["currency"], values["holder"], values["number"], values["country"], values["bic"],
            values["bank_name"], values["routing"],
        )  # fmt: skip


class PasswordForm(forms.Form):
    """Asked beside what moves money, where the password was given too long ago."""

    password = forms.CharField(
        label=_("Your password"), strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = _(
            "You signed in more than %(minutes)s minutes ago: before bank details change, we ask again."
        ) % {"minutes": settings.FRESH_SIGN_IN_MINUTES}
