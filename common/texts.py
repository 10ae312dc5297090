"""Texts in every language of the site, as data: {"en": "Level 1", "fr": "Palier 1"}."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _


class Texts(dict[str, str]):
    """One text by language. `str()` is the reader's language, else the site's own, else any."""

    def __str__(self) -> str:
        language = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
        return self.get(language) or self.get(settings.LANGUAGE_CODE) or next((t for t in self.values() if t), "")

    def __hash__(self) -> int:  # type: ignore[override]  # admin choices put it in sets
        return hash(tuple(sorted(self.items())))


class TextsWidget(forms.MultiWidget):
    """One input for each language, labelled with it."""

    template_name = "common/texts_widget.html"

    def __init__(self, widget: type[forms.Widget] = forms.TextInput, attrs: dict[str, Any] | None = None) -> None:
        self.languages = [code for code, _name in settings.LANGUAGES]
        super().__init__({code: widget(attrs={"lang": code}) for code in self.languages}, attrs)

    def decompress(self, value: Any) -> list[str]:
        return [(value or {}).get(code, "") for code in self.languages]


class TextsFormField(forms.MultiValueField):
    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("encoder", None)
        kwargs.pop("decoder", None)
        fields = [forms.CharField(required=False) for _code in settings.LANGUAGES]
        kwargs.setdefault("widget", TextsWidget)
        super().__init__(fields=fields, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> Texts:
        codes = [code for code, _name in settings.LANGUAGES]
        return Texts({code: text for code, text in zip(codes, data_list or [], strict=False) if text})


class TextsField(models.JSONField):
    """A text by language code. Unknown languages are refused; languages left out fall back when read."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Texts | None:
        loaded = super().from_db_value(value, expression, connection)
        return None if loaded is None else Texts(loaded)

    def to_python(self, value: Any) -> Any:
        return Texts(value) if isinstance(value, dict) else value

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        known = {code for code, _name in settings.LANGUAGES}
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise ValidationError(_('A text is given by language, as {"en": "...", "fr": "..."}.'))
        if unknown := set(value) - known:
            raise ValidationError(
                _("%(unknown)s is not a language of this site; it has %(known)s."),
                params={"unknown": ", ".join(sorted(unknown)), "known": ", ".join(sorted(known))},
            )

    def formfield(self, **kwargs: Any) -> Any:
        # A hidden copy of what was there would come back as one language's text.
        return models.Field.formfield(self, **{"form_class": TextsFormField, "show_hidden_initial": False, **kwargs})


def in_every_language(text: Any) -> Texts:
    """A lazy translation as it reads in each language of the site."""
    texts = Texts()
    for code, _name in settings.LANGUAGES:
        with override(code):
            texts[code] = str(text)
    return texts
