"""What every app's admin stands on: the theme's model admin with this project's habits, and the page that asks first."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import widgets
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold import widgets as themed
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from common.errors import ProgramError
from common.periods import add_months, program_today
from common.templatetags import show
from common.texts import TextsField, TextsWidget

# The theme's name for the tone of each state, for `@display(label=STATES)`.
STATES = {
    state: {"positive": "success", "warning": "warning", "negative": "danger", "info": "info"}[tone]
    for tone, states in show.TONES.items()
    for state in states
}
OVERRIDES: dict[Any, dict[str, Any]] = {
    TextsField: {"widget": TextsWidget(themed.UnfoldAdminTextInputWidget)},
    models.URLField: {"assume_scheme": "https"},
}
THEMED: dict[type[forms.Widget], type[forms.Widget]] = {
    widgets.TextInput: themed.UnfoldAdminTextInputWidget,
    widgets.EmailInput: themed.UnfoldAdminEmailInputWidget,
    widgets.NumberInput: themed.UnfoldAdminDecimalFieldWidget,
    widgets.DateInput: themed.UnfoldAdminSingleDateWidget,
    widgets.Textarea: themed.UnfoldAdminTextareaWidget,
    widgets.Select: themed.UnfoldAdminSelectWidget,
    widgets.CheckboxInput: themed.UnfoldBooleanSwitchWidget,
    widgets.ClearableFileInput: themed.UnfoldAdminFileFieldWidget,
}


class StaffForm(forms.Form):
    """A form in the admin's look."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if (look := THEMED.get(type(field.widget))) is not None:
                field.widget = _dressed(field.widget, look)


def _dressed(plain: forms.Widget, look: type[forms.Widget]) -> forms.Widget:
    widget = look()
    widget.attrs |= plain.attrs
    widget.is_required, widget.is_localized = plain.is_required, plain.is_localized
    if isinstance(plain, widgets.ChoiceWidget):
        cast(widgets.ChoiceWidget, widget).choices = plain.choices
    return widget


class _Refused:
    """The form of a page whose service refused: it comes back as it was typed, with the refusal on top."""

    refusal = ""

    def clean(self) -> None:
        super().clean()  # type: ignore[misc]  # a mixin of forms
        raise forms.ValidationError(self.refusal)


@cache
def _texts_shown(field: TextsField) -> Callable[[models.Model], str]:
    """A column that shows a text in the reader's language, where the theme would show all of them as JSON."""

    @display(description=field.verbose_name, ordering=field.name)
    def shown(row: models.Model) -> str:
        return str(getattr(row, field.name))

    shown.__name__ = f"show_{field.name}"
    return shown


def _with_texts_shown(model: type[models.Model], names: Iterable[Any]) -> list[Any]:
    texts = {field.name: field for field in model._meta.concrete_fields if isinstance(field, TextsField)}
    return [_texts_shown(texts[name]) if isinstance(name, str) and name in texts else name for name in names]


class TextsShown:
    """Texts are shown in the reader's language in lists, and on pages of rows that may only be looked at."""

    def _is_to_look_at(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and not self.has_change_permission(request, obj)  # type: ignore[attr-defined]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if not self._is_to_look_at(request, obj):
            return fieldsets
        model = self.model  # type: ignore[attr-defined]
        return [
            (name, {**options, "fields": _with_texts_shown(model, options["fields"])}) for name, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        if not self._is_to_look_at(request, obj):
            return own
        model = self.model  # type: ignore[attr-defined]
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, TextsField)]
        return [*own, *_with_texts_shown(model, names)]


class StaffAdmin(TextsShown, ModelAdmin):
    """Lists of fifty without a second count; a ProgramError raised while saving comes back on the filled form; an address with what
    is no key leads back with a word, as one with an unknown key does.
    """

    list_per_page = 50
    show_full_result_count = False
    list_filter_submit = False
    warn_unsaved_form = True
    formfield_overrides: ClassVar[Any] = OVERRIDES
    linked_by: ClassVar[tuple[str, ...]] = ()  # lookups over several tables that other pages link to

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in self.linked_by or super().lookup_allowed(lookup, value, request)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            self.model._meta.pk.to_python(unquote(object_id) if object_id else None)
        except ValidationError:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ProgramError as refusal:
            request._refusal = str(refusal)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, TextsField) and db_field.name == "description":
            kwargs["widget"] = TextsWidget(themed.UnfoldAdminExpandableTextareaWidget)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_list_display(self, request: HttpRequest) -> Any:
        return _with_texts_shown(self.model, super().get_list_display(request))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change=change, **kwargs)
        if refusal := getattr(request, "_refusal", ""):
            return type(form.__name__, (_Refused, form), {"refusal": refusal})
        return form


class ReadOnlyAdmin(StaffAdmin):
    """To look at: what changes these rows is elsewhere."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _Looked:
    extra = 0
    hide_title = True
    can_delete = False
    show_change_link = False
    formfield_overrides: ClassVar[Any] = OVERRIDES

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(TextsShown, _Looked, TabularInline):
    """Rows of another model beside their parent, to look at."""


class EditInline(TextsShown, TabularInline):
    extra = 0
    hide_title = True
    formfield_overrides: ClassVar[Any] = OVERRIDES


def by_month(field: str, *, months: int = 24) -> type[admin.SimpleListFilter]:
    """A filter by the month of a day, of the last `months`: asking the table which months there are would read it all."""

    class MonthFilter(admin.SimpleListFilter):
        title = _("month")
        parameter_name = f"{field}_month"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            first = program_today().replace(day=1)
            starts = [add_months(first, -back) for back in range(months)]
            return [(f"{start:%Y-%m}", show.month(start)) for start in starts]

        def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
            try:
                start = date.fromisoformat(f"{self.value()}-01")
            except ValueError:
                return queryset
            return queryset.filter(**{f"{field}__gte": start, f"{field}__lt": add_months(start, 1)})

    return MonthFilter


def by_currency(codes: Callable[[], Iterable[str]]) -> type[admin.SimpleListFilter]:
    """A filter by currency, of `codes`: asking the table which currencies there are would read it all."""

    class CurrencyFilter(admin.SimpleListFilter):
        title = _("currency")
        parameter_name = "currency__exact"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            asked = self.value()
            return [(code, code) for code in sorted({*codes(), *([asked] if asked else [])})]

        def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
            return queryset.filter(currency=self.value()) if self.value() else queryset

    return CurrencyFilter


class NoForm(StaffForm):
    """To confirm, with nothing to fill in."""


def ask(
    asking: ModelAdmin,
    request: HttpRequest,
    *,
    title: str,
    says: str = "",
    form: forms.Form | None = None,
    do: Callable[[Mapping[str, Any]], str],
    submit: str,
    back: str,
    danger: bool = False,
    facts: Mapping[str, str] | None = None,
    hidden: Mapping[str, list[str]] | None = None,
    go: Callable[[Mapping[str, Any]], str] | None = None,
    send_to: str = "",
) -> HttpResponse:
    """A page that says what will happen and asks for what it needs; sent back, it calls `do` with the cleaned values.

    `do` calls a service and returns what to tell the person; what it refuses (a ProgramError) stands on the form, filled
    as it was. `facts` are consequences in figures, by label. `hidden` fields are sent back as they came.
    Afterwards the person is led to `back`, or where `go` says from the same values. The page sends to itself, or to
    `send_to`, which asks again in the same way.
    """
    asked = form or NoForm(request.POST or None)
    if request.method == "POST" and "_ask" in request.POST and asked.is_valid():
        try:
            said = do(asked.cleaned_data)
        except ProgramError as refusal:
            asked.add_error(None, str(refusal))
        else:
            if said:
                messages.success(request, said)
            return HttpResponseRedirect(go(asked.cleaned_data) if go else back)
    context = {
        **asking.admin_site.each_context(request),
        "opts": asking.model._meta, "title": title, "says": says, "form": asked, "submit_text": submit, "back": back,
        "danger": danger, "facts": facts or {}, "hidden": hidden or {}, "send_to": send_to, "is_popup": False,
    }  # fmt: skip
    return TemplateResponse(request, "admin/ask.html", context)


def change_url(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model: type[models.Model] | models.Model, **filters: Any) -> str:
    """The admin's list of a model, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return f"{address}?{query}" if query else address


def with_totals(response: Any, field: str, *, of_everything: bool = False) -> Any:
    """A list with the sum, by currency, of an amount over everything that its filters let through. One query.

    Without a filter it is left out, as a sum over all there ever was costs much and says little, unless `of_everything`.
    """
    changelist = getattr(response, "context_data", {}).get("cl")
    if changelist is not None and (of_everything or changelist.has_active_filters or changelist.query):
        rows = changelist.queryset.order_by().values_list("currency").annotate(models.Sum(field)).order_by("currency")
        response.context_data["totals"] = [
            (currency, show.money(amount, currency)) for currency, amount in rows if amount is not None
        ]
    return response
