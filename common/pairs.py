"""A form field for texts under names that the vendor chose: one line for each, and empty ones for more."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from common.names import LONGEST_NAME, LONGEST_TEXT, check_traits, is_name, joined, split

EMPTY_LINES = 3
Pairs = list[tuple[str, str]]


class PairsWidget(forms.Widget):
    """Works without script: who needs more lines saves, and finds empty ones again."""

    template_name = "common/pairs_widget.html"

    def __init__(self, look: type[forms.TextInput] = forms.TextInput) -> None:
        self.name_input = look(attrs={"maxlength": LONGEST_NAME, "autocomplete": "off", "aria-label": _("Name")})
        self.text_input = look(attrs={"autocomplete": "off", "aria-label": _("Value")})
        super().__init__()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        pairs = (
            [(one, joined(text)) for one, text in value.items()] if isinstance(value, Mapping) else list(value or [])
        )
        own = (attrs or {}).get("id", f"id_{name}")
        lines = []
        for number, (one, text) in enumerate([*pairs, *[("", "")] * EMPTY_LINES]):
            ids = [{"id": own if number == 0 else f"{own}_{number}_name"}, {"id": f"{own}_{number}_text"}]
            lines.append(
                (
                    self.name_input.get_context(f"{name}-name", one, ids[0])["widget"],
                    self.text_input.get_context(f"{name}-text", text, ids[1])["widget"],
                )
            )
        return {**super().get_context(name, None, attrs), "lines": lines}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Pairs:
        names, texts = (data.getlist(f"{name}-{part}") for part in ("name", "text"))
        typed = zip((one.strip() for one in names), (one.strip() for one in texts), strict=False)
        return [pair for pair in typed if any(pair)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-name" not in data


class PairsField(forms.Field):
    """Gives a dictionary. A name without a value is left out. With `several`, "a | b" is a list of two values.

    Names are written as rules write them: "Product lines" becomes product_lines. Those in `taken` are refused.
    """

    default_error_messages = {
        "unnamed": _("“%(text)s” has no name."),
        "name": _("“%(name)s” is not a name: small letters, digits, hyphens and underscores, starting with a letter."),
        "taken": _("“%(name)s” is known to rules already; choose another name."),
        "twice": _("“%(name)s” stands here twice."),
    }

    def __init__(self, *, several: bool = False, taken: Collection[str] = (), **kwargs: Any) -> None:
        self.several, self.taken = several, taken
        super().__init__(**{"required": False, "widget": PairsWidget, **kwargs})

    def to_python(self, value: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for typed, text in value or []:
            name = self._name(typed, text)
            if name in found:
                raise self._error("twice", name=name)
            found[name] = split(text) if self.several else text
        kept = {name: text for name, text in found.items() if text}
        check_traits(kept)
        return kept

    def _name(self, typed: str, text: str) -> str:
        if not typed:
            raise self._error("unnamed", text=text[:LONGEST_TEXT])
        name = slugify("_".join(typed.split()))
        if not is_name(name):
            raise self._error("name", name=typed)
        if name in self.taken:
            raise self._error("taken", name=name)
        return name

    def _error(self, code: str, **params: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params=params)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != (initial or {})
        except ValidationError:
            return True
