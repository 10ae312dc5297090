"""Facts that earned nothing, and why: each with the rules that were looked at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from commissions import events, selectors
from commissions.models import Unpaid
from common.admin import ReadOnlyAdmin, by_month


class ReasonFilter(admin.SimpleListFilter):
    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, str(says)) for code, says in selectors.REASONS.items() if code not in selectors.NOT_OF_A_NIGHT]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Unpaid]) -> QuerySet[Unpaid]:
        return queryset.filter(terms__reason=self.value()) if self.value() else queryset


class EventFilter(admin.SimpleListFilter):
    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.key, str(one.label)) for one in events.EVENTS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Unpaid]) -> QuerySet[Unpaid]:
        return queryset.filter(event=self.value()) if self.value() else queryset


@admin.register(Unpaid)
class UnpaidAdmin(ReadOnlyAdmin):
    list_display = ("terms_on", "partner", "show_event", "show_fact", "show_reason", "program")
    list_select_related = ("partner", "program", "sale", "terms")
    list_filter = (ReasonFilter, EventFilter, by_month("terms_on"), "program")
    search_fields = ("partner__name", "=sale__external_id", "=sale__order_number")
    ordering = ("-terms_on", "-id")
    fields = ("partner", "program", "show_event", "show_fact", "terms_on", "show_reason", "show_plan")
    readonly_fields = fields
    change_form_after_template = "admin/commissions/tried.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Unpaid]:
        rows = super().get_queryset(request)
        return rows.select_related("partner", "program", "sale", "terms__plan", "terms__tier")

    @display(description=_("event"), ordering="event")
    def show_event(self, obj: Unpaid) -> str:
        return str(events.of(obj.event).label)

    @display(description=_("fact"))
    def show_fact(self, obj: Unpaid) -> str:
        return obj.sale.external_id if obj.sale else str(obj.fact)

    @display(description=_("why"))
    def show_reason(self, obj: Unpaid) -> str:
        return str(selectors.REASONS.get(obj.terms.reason, obj.terms.reason))

    @display(description=_("plan"))
    def show_plan(self, obj: Unpaid) -> str:
        return " · ".join(str(one) for one in (obj.terms.plan, obj.terms.tier) if one) or "–"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        unpaid = self.get_object(request, object_id) if object_id else None
        said = {"tried": tuple(selectors.tried(unpaid.terms))} if unpaid else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **said})
