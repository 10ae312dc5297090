"""Staff's pages of records, scores and plan targets: most come by files and machines; here they are read and corrected."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from common.admin import StaffAdmin, by_month
from common.names import joined
from common.pairs import PairsField, PairsWidget
from common.templatetags import show
from records import services
from records.models import PlanTarget, Record, Score
from records.selectors import codes, problems


def by_code(model: type[Model], column: str) -> type[admin.SimpleListFilter]:
    """A filter by the values of an indexed column, however long the table."""
    name = model._meta.get_field(column).verbose_name  # type: ignore[union-attr]

    class CodeFilter(admin.SimpleListFilter):
        title = name
        parameter_name = f"{column}__exact"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(code, code) for code in codes(model, column)]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{column: self.value()}) if self.value() else queryset

    return CodeFilter


class FactForm(forms.ModelForm):
    """What does not hold together is told at its field."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            model = self._meta.model
            values = {
                field.attname: cleaned[field.name].pk
                if field.is_relation and cleaned[field.name]
                else cleaned[field.name]
                for field in model._meta.concrete_fields
                if field.name in cleaned
            }
            for name, said in problems(model, [values]).get(0, {}).items():
                self.add_error(name if name in self.fields else None, said)
        return cleaned


class FactAdmin(StaffAdmin):
    form = FactForm
    list_select_related: ClassVar[Any] = ("partner",)
    autocomplete_fields = ("partner",)
    linked_by = ("partner__id__exact",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        services.save_fact(fact=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.take_back(facts=type(obj).objects.filter(pk=obj.pk), actor=request.user)  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        services.take_back(facts=queryset, actor=request.user)  # type: ignore[arg-type]

    @display(description=_("amount"), ordering="amount")
    def show_amount(self, obj: Any) -> str:
        return "" if obj.amount is None else show.money(obj.amount, obj.currency)

    @display(description=_("quantity"), ordering="quantity")
    def show_quantity(self, obj: Any) -> str:
        return "" if obj.quantity is None else show.quantity(obj.quantity)


@admin.register(Record)
class RecordAdmin(FactAdmin):
    list_display = ("partner", "kind", "show_name", "occurred_on", "ends_on", "show_amount", "show_quantity", "show_attributes", "is_made_up")  # fmt: skip
    list_filter = (by_code(Record, "kind"), by_month("occurred_on"), ("ends_on", admin.EmptyFieldListFilter), "is_made_up")  # fmt: skip
    search_fields = ("name", "external_id", "partner__name")
    readonly_fields = ("is_made_up",)
    fieldsets = (
        (None, {"fields": ("partner", "kind", "name", "external_id", "occurred_on", "starts_on", "ends_on")}),
        (_("What it holds"), {"fields": ("amount", "currency", "quantity", "attributes", "is_made_up")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "attributes":
            return PairsField(
                label=capfirst(db_field.verbose_name),
                help_text=db_field.help_text,
                widget=PairsWidget(UnfoldAdminTextInputWidget),
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @display(description=_("name"), ordering="name")
    def show_name(self, obj: Record) -> str:
        return obj.name or obj.external_id

    @display(description=_("attributes"))
    def show_attributes(self, obj: Record) -> str:
        return ", ".join(f"{name}: {joined(text)}" for name, text in obj.attributes.items())


@admin.register(Score)
class ScoreAdmin(FactAdmin):
    list_display = ("partner", "kind", "scope", "show_value", "scored_on", "source", "is_made_up")
    list_filter = (by_code(Score, "kind"), by_month("scored_on"), "is_made_up")
    search_fields = ("partner__name", "kind", "scope")
    readonly_fields = ("is_made_up",)
    fields = ("partner", "kind", "scope", "value", "scored_on", "source", "is_made_up")

    @display(description=_("value"), ordering="value")
    def show_value(self, obj: Score) -> str:
        return show.quantity(obj.value)


@admin.register(PlanTarget)
class PlanTargetAdmin(FactAdmin):
    list_display = ("partner", "key", "starts_on", "ends_on", "show_amount", "show_quantity", "author", "is_made_up")
    list_select_related: ClassVar[Any] = ("partner", "author")
    list_filter = (by_code(PlanTarget, "key"), by_month("starts_on"), "is_made_up")
    search_fields = ("partner__name", "key")
    readonly_fields = ("author", "is_made_up")
    fields = ("partner", "key", "starts_on", "ends_on", "amount", "currency", "quantity", "author", "is_made_up")
