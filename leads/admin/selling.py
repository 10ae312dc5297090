"""Staff's pages of sales, of what was collected for them and of products."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import (
    EditInline,
    ReadOnlyAdmin,
    ReadOnlyInline,
    StaffAdmin,
    StaffForm,
    ask,
    by_currency,
    by_month,
    change_url,
    with_totals,
)
from common.forms import AmountInput
from common.periods import program_today
from common.templatetags.show import money
from leads import sales
from leads.errors import SaleError
from leads.models import Collection, Product, Sale, Split
from leads.selectors import history
from tiers import selectors as tiers


class StandingFilter(admin.SimpleListFilter):
    """Lists hold what counts; a voided sale is seen by who asks for it."""

    title = _("voided")
    parameter_name = "voided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Those that stand")), ("yes", _("Voided")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Without a choice that says all, since the list without a choice holds those that stand."""
        asked = self.value() or "no"
        for value, label in self.lookup_choices:
            yield {
                "selected": value == asked, "display": label,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
            }  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(voided_at__isnull=self.value() != "yes")


class SplitForm(forms.ModelForm):
    class Meta:
        model = Split
        fields = ("partner", "parts")

    def validate_constraints(self) -> None:
        """The set is kept as a whole: a partner may move from one row to another."""


class SplitInline(EditInline):
    model = Split
    form = SplitForm
    tab = True
    fields = ("partner", "parts", "show_share")
    readonly_fields = ("show_share",)
    autocomplete_fields = ("partner",)
    verbose_name_plural = _("who shares it")

    @display(description=_("share"))
    def show_share(self, obj: Any) -> str:
        return str(Fraction(obj.parts, obj.of)) if obj.pk else "–"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A partner is chosen here, not edited."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for what in ("add", "change", "delete", "view"):
            if field is not None and hasattr(field.widget, f"can_{what}_related"):
                setattr(field.widget, f"can_{what}_related", False)
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[Split]:
        of = (
            Split.objects.filter(sale=OuterRef("sale")).order_by().values("sale").annotate(of=Sum("parts")).values("of")
        )
        return super().get_queryset(request).select_related("partner").annotate(of=Subquery(of))


class CollectionInline(ReadOnlyInline):
    model = Collection
    tab = True
    fields = ("external_id", "collected_on", "show_amount")
    readonly_fields = fields

    @display(description=_("amount"))
    def show_amount(self, obj: Collection) -> str:
        return money(obj.amount, obj.sale.currency)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        return super().get_queryset(request).select_related("sale")


class RefundInline(ReadOnlyInline):
    model = Sale
    tab = True
    fields = ("show_refund", "sold_on", "show_amount", "voided_at")
    readonly_fields = fields
    verbose_name_plural = _("refunds")

    @display(description=_("external id"))
    def show_refund(self, obj: Sale) -> str:
        return format_html('<a class="pp-link" href="{}">{}</a>', change_url(obj), obj.external_id)

    @display(description=_("net amount"))
    def show_amount(self, obj: Sale) -> str:
        return money(obj.amount, obj.currency)


class VoidForm(StaffForm):
    reason = forms.CharField(label=_("Why"), max_length=200)


class CollectForm(StaffForm):
    external_id = forms.CharField(label=_("External id"), max_length=64, help_text=_("The payment’s own key."))
    amount = AmountInput(label=_("Amount"), help_text=_("In the sale’s currency; negative: it went back."))
    collected_on = forms.DateField(label=_("Collected on"), initial=program_today)


@admin.register(Sale)
class SaleAdmin(StaffAdmin):
    """Sales come in by import and from won deals. What is wrong in one is put right where it came from; staff say who
    shares it, what came in for it, and that its system deleted it.
    """

    list_display = ("external_id", "sold_on", "partner", "show_kind", "customer_name", "show_amount", "order_number")
    list_filter = (by_month("sold_on"), "kind", "sourced", StandingFilter, by_currency(tiers.currencies))
    search_fields = ("=external_id", "=order_number", "partner__name")
    search_help_text = _("An external id, an order number, or a part of the partner’s name.")
    list_before_template = "admin/list_totals.html"
    inlines = (SplitInline, CollectionInline, RefundInline)
    fields = ("external_id", "partner", "kind", "sold_on", "customer_name", "product", "order_number", "quantity",
              "show_unit_price", "show_amount", "show_cost", "show_recurring", "sourced", "deal", "refund_of", "voided_at",
              "void_reason", "created_at", "changed_at")  # fmt: skip
    readonly_fields = fields
    change_form_after_template = "admin/history.html"
    actions_detail = ("collect", "void", "restore")

    @display(description=_("net amount"), ordering="amount")
    def show_amount(self, obj: Sale) -> str:
        return money(obj.amount, obj.currency)

    @display(description=_("unit price"))
    def show_unit_price(self, obj: Sale) -> str:
        return money(obj.unit_price, obj.currency) or "–"

    @display(description=_("cost"))
    def show_cost(self, obj: Sale) -> str:
        return money(obj.cost, obj.currency) or "–"

    @display(description=_("recurring amount"))
    def show_recurring(self, obj: Sale) -> str:
        return money(obj.recurring_amount, obj.currency) or "–"

    @display(description=_("kind"), ordering="kind")
    def show_kind(self, obj: Sale) -> str:
        kind = obj.get_kind_display()
        return kind if obj.voided_at is None else gettext("%(kind)s, voided") % {"kind": kind}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A sale is voided, never deleted."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sale]:
        return super().get_queryset(request).select_related("partner", "product", "deal", "refund_of")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return with_totals(super().changelist_view(request, extra_context), "amount")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        sale = self.get_object(request, object_id) if object_id else None
        told = {"happenings": history(sale)} if sale is not None else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})

    def save_model(self, request: HttpRequest, obj: Sale, form: Any, change: Any) -> None:
        """Nothing of the sale itself is edited here."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """The shares, as a whole; what else stands beside the sale is to look at."""
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        if formset.model is Split:
            rows = [one for one in formset.cleaned_data if one and not one.get("DELETE")]
            parts = {one["partner"].pk: one["parts"] for one in rows}
            sales.set_splits(sale=form.instance, parts=parts, actor=request.user)  # type: ignore[arg-type]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """A voided sale is restored; one that stands is voided, and money comes in for it."""
        sale = self.get_object(request, str(object_id))
        offered = ("restore",) if sale is not None and sale.voided_at else ("collect", "void")
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if one.method.original_function_name in offered]

    def has_void_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("leads.delete_sale")

    def has_collect_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("leads.add_collection")

    @action(description=_("Record a collection"), icon="payments", permissions=["collect"])
    def collect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sale = get_object_or_404(Sale, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            if Collection.objects.filter(external_id=values["external_id"]).exists():
                raise SaleError(gettext("There is a collection %(key)s already.") % {"key": values["external_id"]})
            row = {**values, "sale_id": sale.pk}
            sales.record_collections(collections=[row], actor=request.user)  # type: ignore[arg-type]
            return gettext("%(amount)s recorded.") % {"amount": money(values["amount"], sale.currency)}

        return ask(
            self, request, title=gettext("Record what came in for %(sale)s") % {"sale": sale.external_id}, do=do,
            form=CollectForm(request.POST or None), submit=gettext("Record it"), back=change_url(sale),
        )  # fmt: skip

    @action(description=_("Void"), icon="delete", permissions=["void"])
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sale = get_object_or_404(Sale, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            sales.void_sale(sale=sale, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("%(sale)s is voided.") % {"sale": sale.external_id}

        return ask(
            self, request, title=gettext("Void %(sale)s") % {"sale": sale.external_id}, submit=gettext("Void it"), do=do,
            form=VoidForm(request.POST or None), back=change_url(sale), danger=True,
            says=gettext(
                "For a sale that its own system deleted. It stays here with its reason, and counts nowhere: the next night"
                " takes back what it earned."
            ),
        )  # fmt: skip

    @action(description=_("Restore"), icon="undo", permissions=["void"])
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sale = get_object_or_404(Sale, pk=object_id)

        def do(_values: Mapping[str, Any]) -> str:
            sales.restore_sale(sale=sale, actor=request.user)  # type: ignore[arg-type]
            return gettext("%(sale)s counts again.") % {"sale": sale.external_id}

        return ask(
            self, request, title=gettext("Restore %(sale)s") % {"sale": sale.external_id}, submit=gettext("Restore it"),
            do=do, back=change_url(sale), says=gettext("It counts again from now on; the next night pays it."),
        )  # fmt: skip


@admin.register(Collection)
class CollectionAdmin(ReadOnlyAdmin):
    """Collections come in by import, by API and on the page of their sale."""

    list_display = ("external_id", "collected_on", "sale", "show_amount")
    list_select_related = ("sale",)
    list_filter = (by_month("collected_on"),)
    search_fields = ("=external_id", "=sale__external_id")
    search_help_text = _("An external id of the collection or of its sale.")

    @display(description=_("amount"), ordering="amount")
    def show_amount(self, obj: Collection) -> str:
        return money(obj.amount, obj.sale.currency)


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    list_display = ("name", "code", "category", "category_code")
    list_filter = ("category_code",)
    search_fields = ("code", "external_id", "category_code")
