"""What partners type about invoicing."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from commissions.models import Statement
from common.forms import AmountInput, DayInput
from common.templatetags import show
from invoices.models import PartnerIdentity
from invoices.services.identities import PARTNER

NO_COUNTRY = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}  # of the locale's territories


def country_choices() -> list[tuple[str, str]]:
    """Every country by name in the reader's language, after an empty choice."""
    names = show.locale().territories
    known = [
        (code, str(name))
        for code, name in names.items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRY
    ]
    return [("", ""), *sorted(known, key=lambda one: one[1].casefold())]


class IdentityForm(forms.ModelForm):
    """A partner's legal details. `problems` of the service come back beside their fields."""

    class Meta:
        model = PartnerIdentity
        fields = ("name", "country", "street", "street2", "postal_code", "city", "tax_status", "vat_number",
                  "registration_number", "establishment_number", "legal_line", "exemption", "exemption_code", "language")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"] = forms.ChoiceField(label=_("Country"), choices=country_choices())
        self.fields["language"] = forms.ChoiceField(label=_("Language of invoices"), choices=settings.LANGUAGES)
        for name in ("vat_number", "establishment_number"):  # room for the spaces that people write; the service tidies
            own = self.fields[name]
            self.fields[name] = forms.CharField(label=own.label, help_text=own.help_text, required=False, max_length=40)

    def _post_clean(self) -> None:
        """The service checks what the model would: it knows why, and says it beside the field."""

    def values(self) -> dict[str, str]:
        return {name: str(self.cleaned_data.get(name, "")) for name in PARTNER}

    def refuse(self, problems: Mapping[str, str]) -> None:
        for name, text in problems.items():
            self.add_error(name if name in self.fields else None, text)


class RevokeForm(forms.Form):
    ends_on = DayInput(label=_("From"), help_text=_("The first day on which no document is written for you any more."))


class StatementChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Statement) -> str:
        return f"{show.month(obj.starts_on)}: {show.money(obj.total, obj.currency)}"


class SendForm(forms.Form):
    """A partner's own invoice for one of its statements."""

    statement = StatementChoice(label=_("Statement"), queryset=Statement.objects.none(), empty_label=None)
    number = forms.CharField(label=_("Number of your invoice"), max_length=40)
    issued_on = DayInput(label=_("Date of your invoice"))
    net = AmountInput(label=_("Amount without tax"))
    tax = AmountInput(label=_("Tax"))
    document = forms.FileField(
        label=_("The invoice as a PDF"),
        help_text=_("Where it is a Factur-X, the XML inside has to say the same as what you write here."),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf"}),
    )

    def __init__(self, *args: Any, statements: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["statement"].queryset = statements  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        given: dict[str, Statement | str | date | Decimal] = dict(self.cleaned_data)
        return given
