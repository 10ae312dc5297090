"""Single payments: what became of each, said by hand where the bank sends no files, and put in the queue again."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, list_url, with_totals
from common.periods import program_today
from common.templatetags.show import money
from payouts.bank_status import Outcome
from payouts.models import PayoutBatch, PayoutItem
from payouts.rules import message_id
from payouts.services import settling

SAID = "payouts.items"


class PaidForm(StaffForm):
    on = forms.DateField(label=_("Paid on"), initial=program_today, help_text=_("As the bank booked it."))


class FailedForm(StaffForm):
    on = forms.DateField(label=_("On"), initial=program_today)
    reason = forms.CharField(
        label=_("What the bank said"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The partner reads it."),
    )  # fmt: skip


@admin.register(PayoutItem)
class PayoutItemAdmin(ReadOnlyAdmin):
    list_display = (
        "end_to_end_id",
        "show_partner",
        "show_amount",
        "show_state",
        "show_batch",
        "paid_on",
        "show_reason",
    )
    list_select_related = ("partner", "batch")
    list_filter = ("state", "currency", "batch__state")
    search_fields = ("partner__name", "=end_to_end_id", "=remittance", "=bank_reference")
    ordering = ("-id",)
    linked_by = ("batch__id__exact",)
    list_before_template = "admin/list_totals.html"
    actions = ("paid_selected", "failed_selected", "returned_selected", "requeue_selected")
    fields = ("batch", "partner", "statement", "account", "show_amount", "show_state", "attempt", "end_to_end_id",
              "remittance", "paid_on", "returned_on", "bank_reference", "show_reason")  # fmt: skip
    readonly_fields = fields

    @display(description=_("partner"), ordering="partner__name")
    def show_partner(self, obj: PayoutItem) -> str:
        return obj.partner.name

    @display(description=_("amount"), ordering="amount")
    def show_amount(self, obj: PayoutItem) -> str:
        return money(obj.amount, obj.currency)

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: PayoutItem) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("batch"), ordering="batch")
    def show_batch(self, obj: PayoutItem) -> str:
        return message_id(obj.batch_id)

    @display(description=_("reason"))
    def show_reason(self, obj: PayoutItem) -> str:
        return obj.says or "–"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return with_totals(super().changelist_view(request, extra_context), "amount")

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payouts.send_payoutbatch")

    @admin.action(description=_("The selected payments are paid"), permissions=["settle"])
    def paid_selected(self, request: HttpRequest, queryset: QuerySet[PayoutItem]) -> HttpResponse:
        return self._ask(request, queryset, "paid")

    @admin.action(description=_("The bank refused the selected payments"), permissions=["settle"])
    def failed_selected(self, request: HttpRequest, queryset: QuerySet[PayoutItem]) -> HttpResponse:
        return self._ask(request, queryset, "failed")

    @admin.action(description=_("The selected payments came back"), permissions=["settle"])
    def returned_selected(self, request: HttpRequest, queryset: QuerySet[PayoutItem]) -> HttpResponse:
        return self._ask(request, queryset, "returned")

    @admin.action(description=_("Pay the selected payments again"), permissions=["settle"])
    def requeue_selected(self, request: HttpRequest, queryset: QuerySet[PayoutItem]) -> HttpResponse:
        return self._ask(request, queryset, "requeue")

    def get_urls(self) -> list[Any]:
        said = self.admin_site.admin_view(self.said_view)
        return [path("said/<slug:what>/", said, name="payouts_payoutitem_said"), *super().get_urls()]

    def said_view(self, request: HttpRequest, what: str) -> HttpResponse:
        """Where the page that asks is sent back: the payments it named travel in one signed field."""
        if not self.has_settle_permission(request):
            raise PermissionDenied
        if what not in ("paid", "failed", "returned", "requeue"):
            raise Http404
        try:
            keys = signing.loads(request.POST.get("chosen", ""), salt=SAID, max_age=24 * 3600)
        except signing.BadSignature:
            messages.error(request, gettext("That page is too old: choose the payments again."))
            return HttpResponseRedirect(list_url(PayoutItem))
        return self._ask(request, PayoutItem.objects.filter(pk__in=keys), what)

    def _ask(self, request: HttpRequest, chosen: QuerySet[PayoutItem], what: str) -> HttpResponse:
        items = list(chosen.select_related("batch").order_by("pk"))
        sums = chosen.order_by().values_list("currency").annotate(Sum("amount")).order_by("currency")
        amounts = ", ".join(money(amount, currency) for currency, amount in sums)
        titles = {
            "paid": gettext("These payments are paid"), "failed": gettext("The bank refused these payments"),
            "returned": gettext("These payments came back"), "requeue": gettext("Pay these again"),
        }  # fmt: skip
        forms_by = {"paid": PaidForm, "failed": FailedForm, "returned": FailedForm}
        sent = request.POST if "_ask" in request.POST else None

        def do(values: Mapping[str, Any]) -> str:
            number = self._do(request, items, what, values)
            if what == "requeue":
                return ngettext(
                    "%(count)s statement waits for the next batch.", "%(count)s statements wait for the next batch.", number
                ) % {"count": number}  # fmt: skip
            return ngettext("%(count)s payment changed.", "%(count)s payments changed.", number) % {"count": number}

        return ask(
            self, request, title=titles[what], form=forms_by[what](sent) if what in forms_by else None, do=do,
            submit=gettext("Go on"), back=list_url(PayoutItem), danger=what in ("failed", "returned"),
            facts={gettext("Payments"): str(len(items)), gettext("Amount"): amounts or "0"},
            hidden={"chosen": [signing.dumps([one.pk for one in items], salt=SAID, compress=True)]},
            send_to=reverse("admin:payouts_payoutitem_said", args=[what]),
        )  # fmt: skip

    @transaction.atomic
    def _do(self, request: HttpRequest, items: list[PayoutItem], what: str, values: Mapping[str, Any]) -> int:
        """All of them or none, batch by batch in the order that everybody locks them."""
        if what == "requeue":
            return settling.requeue(items=items, actor=request.user)  # type: ignore[arg-type]
        by_batch: dict[int, list[int]] = {}
        for one in items:
            by_batch.setdefault(one.batch_id, []).append(one.pk)
        rows = PayoutBatch.objects.in_bulk(by_batch)
        changed = 0
        for key in sorted(by_batch):
            changed += settling.settle_by_hand(
                batch=rows[key], item_ids=by_batch[key], outcome=Outcome(what), actor=request.user, **values  # type: ignore[arg-type]
            )  # fmt: skip
        return changed
