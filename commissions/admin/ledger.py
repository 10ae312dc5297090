"""The ledger in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from commissions.admin.reports import ReportPages
from commissions.models import Earning
from commissions.selectors import explanation
from common.admin import ReadOnlyAdmin, by_currency, by_month, with_totals
from common.templatetags.show import day, money, money_signed, percent
from tiers import selectors as tiers


@admin.register(Earning)
class EarningAdmin(ReportPages, ReadOnlyAdmin):
    """The ledger. Nobody adds, changes or deletes a line: the night posts differences."""

    list_display = (
        "earned_on",
        "partner",
        "show_event",
        "kind",
        "show_rule",
        "show_base",
        "show_amount",
        "show_posted",
    )
    list_select_related = ("partner", "sale", "terms__tier", "terms__plan", "posting")
    list_filter = (by_month("earned_on"), "event", "kind", by_currency(tiers.currencies), "program")
    ordering = ("-id",)
    search_fields = ("partner__name", "=sale__external_id", "=sale__order_number")
    search_help_text = _("A part of the partner’s name, a sale’s external id, or an order number.")
    linked_by = ("statement_line__statement__exact", "posting__run__exact")
    list_before_template = "admin/list_totals.html"
    change_form_before_template = "admin/commissions/explanation.html"
    fields = ("partner", "owner", "program", "show_event", "sale", "number", "kind", "earned_on", "terms_on", "available_on",
              "show_posted", "show_rule", "show_base", "show_rate", "show_before", "show_amount")  # fmt: skip
    readonly_fields = fields
    actions_list = ("owed", "bookkeeping")
    actions_detail = ("propose_adjustment",)

    def get_urls(self) -> list[Any]:
        return [*self.report_urls(), *super().get_urls()]

    def has_propose_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("commissions.add_adjustment")

    @action(description=_("Propose an adjustment"), icon="edit_note", permissions=["propose"])
    def propose_adjustment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:commissions_adjustment_propose')}?about={object_id}")

    @display(description=_("event"), ordering="event")
    def show_event(self, obj: Earning) -> str:
        return f"{obj.event_name} · {obj.sale.external_id if obj.sale else obj.fact}"

    @display(description=_("rule"))
    def show_rule(self, obj: Earning) -> str:
        return " · ".join(str(one) for one in (obj.rule, obj.tier, obj.plan) if one) or "–"

    @display(description=_("posted"), ordering="posting")
    def show_posted(self, obj: Earning) -> str:
        return day(obj.posted_at)

    @display(description=_("base"), ordering="base")
    def show_base(self, obj: Earning) -> str:
        return money(obj.base, obj.sale.currency if obj.sale else obj.currency)

    @display(description=_("rate"), ordering="rate")
    def show_rate(self, obj: Earning) -> str:
        return percent(obj.rate, 4) if obj.rate <= 1 else money(obj.rate, obj.currency)

    @display(description=_("posted before"))
    def show_before(self, obj: Earning) -> str:
        return money(obj.before, obj.currency)

    @display(description=_("amount"), ordering="amount")
    def show_amount(self, obj: Earning) -> str:
        return money_signed(obj.amount, obj.currency)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return with_totals(super().changelist_view(request, extra_context), "amount")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        line = self.get_object(request, object_id) if object_id else None
        explained = {"explained": explanation(line)} if line else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **explained})
