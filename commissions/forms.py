from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from commissions.models import Dispute
from common import documents
from common.errors import DocumentError
from common.forms import AmountInput
from common.templatetags import show


class MonthForm(forms.Form):
    """Choose one of the months that have sales."""

    month = forms.ChoiceField(label=_("Month"), widget=forms.Select(attrs={"class": "form-select"}))

    def __init__(self, months: Sequence[date], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(f"{month:%Y-%m}", show.month(month).capitalize()) for month in months]
        self.fields["month"].choices = choices  # type: ignore[attr-defined]


class DocumentInput(forms.FileField):
    """A document that is taken, or none."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Document"), required=False, widget=forms.FileInput(attrs={"accept": documents.ACCEPT}),
            help_text=_("A PDF, a picture (PNG, JPEG), or an Office file (DOCX, XLSX, PPTX)."),
        )  # fmt: skip

    def clean(self, data: Any, initial: Any = None) -> Any:
        document = super().clean(data, initial)
        if document:
            try:
                documents.checked(document)
            except DocumentError as refusal:
                raise forms.ValidationError(str(refusal)) from None
        return document or None


class DisputeForm(forms.Form):
    """What is wrong with a line."""

    category = forms.ChoiceField(
        label=_("What is wrong?"), choices=Dispute.Category.choices, widget=forms.Select(attrs={"class": "form-select"})
    )
    text = forms.CharField(label=_("In your words"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5}))
    expected = AmountInput(
        label=_("What it should be"), required=False, help_text=_("The whole amount of the line, as you expect it.")
    )
    document = DocumentInput()


class MessageForm(forms.Form):
    text = forms.CharField(label=_("Message"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))
    document = DocumentInput()
