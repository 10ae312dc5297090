"""What partners fill in about points."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import documents
from common.errors import DocumentError
from common.forms import AmountInput
from points import selectors
from points.models import Claim, PointRule


class ClaimForm(forms.Form):
    """A claim. `rows` are those of the program's table that hold today; other claims name a category of theirs."""

    subject = forms.ChoiceField(label=gettext_lazy("What is it for?"))
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    text = forms.CharField(
        label=gettext_lazy("What was done"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    asked = AmountInput(label=gettext_lazy("Points asked for"))
    document = forms.FileField(
        label=gettext_lazy("Evidence"), required=False, widget=forms.FileInput(attrs={"accept": documents.ACCEPT}),
        help_text=gettext_lazy("A PDF, a picture (PNG, JPEG), or an Office file (DOCX, XLSX, PPTX)."),
    )  # fmt: skip

    def __init__(self, *args: Any, rows: list[PointRule], claim: Claim | None = None, **kwargs: Any) -> None:
        if claim is not None:
            kwargs["initial"] = {
                "subject": f"row:{claim.rule_id}" if claim.rule_id else f"category:{claim.category}",
                "title": claim.title, "text": claim.text, "asked": claim.asked.normalize(),
            }  # fmt: skip
        super().__init__(*args, **kwargs)
        self.rows = {row.pk: row for row in rows if row.takes_claims}
        if claim is not None and claim.rule is not None and claim.rule.takes_claims:
            self.rows.setdefault(claim.rule.pk, claim.rule)
        categories = sorted({row.category for row in rows} | ({claim.category} if claim else set()))
        self.fields["subject"].choices = [  # type: ignore[attr-defined]
            (_("A row of the table"), [(f"row:{pk}", str(row)) for pk, row in self.rows.items()]),
            (_("Something else, in"), [(f"category:{code}", selectors.category_name(code)) for code in categories]),
        ]

    def clean_asked(self) -> Any:
        asked = self.cleaned_data["asked"]
        if asked is not None and asked <= 0:
            raise forms.ValidationError(_("Ask for points above nothing."))
        return asked

    def clean_document(self) -> Any:
        document = self.cleaned_data["document"]
        if document is not None:
            try:
                documents.checked(document)
            except DocumentError as refusal:
                raise forms.ValidationError(str(refusal)) from None
        return document

    def values(self) -> dict[str, Any]:
        """As `write_claim` takes them."""
        kind, _colon, key = self.cleaned_data["subject"].partition(":")
        return {
            "rule": self.rows[int(key)] if kind == "row" else None, "category": key if kind == "category" else "",
            **{name: self.cleaned_data[name] for name in ("title", "text", "asked", "document")},
        }  # fmt: skip
