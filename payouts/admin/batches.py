"""Batches: built from what waits, looked at, approved by a second person, paid, given out as a file."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSingleDateWidget

from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.errors import ProgramError
from common.money import ZERO
from common.periods import program_today
from common.templatetags.show import day as day_shown
from common.templatetags.show import money
from payouts import selectors
from payouts.bank_status import Outcome
from payouts.models import PayerAccount, PayoutBatch, PayoutItem
from payouts.rules import bank_day_from, message_id
from payouts.services import batches, settling

LISTED = 500  # statements to choose from on one page
LOOKED_AT = 100  # payments that deserve a second look, on a batch's page
State = PayoutBatch.State


class BuildForm(StaffForm):
    payer = forms.ModelChoiceField(PayerAccount.objects.filter(is_active=True), label=_("Pay from"), empty_label=None)
    execute_on = forms.DateField(
        label=_("To be executed on"), widget=UnfoldAdminSingleDateWidget, help_text=_("A bank day: not a weekend, not one of the six closing days of T2.")
    )  # fmt: skip


class ReasonForm(StaffForm):
    reason = forms.CharField(label=_("Why"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class PaidForm(StaffForm):
    on = forms.DateField(label=_("Paid on"), help_text=_("As the bank booked it."))


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ReadOnlyAdmin):
    """A batch changes by its buttons. Who built it does not approve it, and its file is made once."""

    list_display = ("show_batch", "show_state", "execute_on", "count", "show_total", "rail", "built_by", "approved_by")
    list_select_related = ("built_by", "approved_by")
    list_filter = ("state", "rail", "currency")
    ordering = ("-id",)
    change_form_before_template = "admin/payouts/batch.html"
    actions_list = ("build",)
    actions_detail = ("approve", "pay", "download", "all_paid", "cancel")
    fields = ("payer", "rail", "show_total", "count", "execute_on", "show_state", "built_by", "built_at", "approved_by",
              "approved_at", "sent_by", "sent_at")  # fmt: skip
    readonly_fields = fields
    steps: ClassVar[dict[str, tuple[str, ...]]] = {
        "approve": (State.DRAFT,), "pay": (State.APPROVED,), "download": PayoutBatch.LEFT, "all_paid": (State.SENT,),
        "cancel": (State.DRAFT, State.APPROVED),
    }  # fmt: skip

    @display(description=_("batch"), ordering="id")
    def show_batch(self, obj: PayoutBatch) -> str:
        return message_id(obj.pk)

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: PayoutBatch) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("total"), ordering="total")
    def show_total(self, obj: PayoutBatch) -> str:
        return money(obj.total, obj.currency)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        row = self.get_object(request, str(object_id))
        allowed = [name for name, states in self.steps.items() if row is not None and row.state in states]
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if one.method.original_function_name in allowed]

    def has_build_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payouts.add_payoutbatch")

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payouts.approve_payoutbatch")

    def has_send_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payouts.send_payoutbatch")

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_build_permission(request) or self.has_approve_permission(request)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        batch = self.get_object(request, object_id) if object_id else None
        told = {"checklist": checklist(batch)} if batch is not None else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})

    # --- Building ---

    @action(description=_("Build a batch"), icon="playlist_add", permissions=["build"])
    def build(self, request: HttpRequest) -> HttpResponse:
        """First from which account and for which day; then which statements, all of them chosen."""
        initial = {"execute_on": bank_day_from(program_today() + timedelta(days=1))}
        asked = request.POST or request.GET
        form = BuildForm(asked if "payer" in asked else None, initial=initial)
        context: dict[str, Any] = {}
        if form.is_bound and form.is_valid():
            payer, day = form.cleaned_data["payer"], form.cleaned_data["execute_on"]
            found = selectors.candidates(rail=payer.rail, currency=payer.currency, execute_on=day)
            ready = [one for one in found if not one.obstacle]
            if request.method == "POST":
                built = self._build(request, form, ready)
                if built is not None:
                    return HttpResponseRedirect(change_url(built))
            chosen = set(request.POST.getlist("statement")) if request.method == "POST" else None
            context = {
                "rows": [(one, chosen is None or str(one.statement.pk) in chosen) for one in ready[:LISTED]],
                "ready": len(ready), "total": sum((one.statement.total for one in ready), ZERO), "payer": payer,
                "day": day, "missing": selectors.missing(found), "most": min(len(ready), batches.MAX_ITEMS),
                "left_out": [one for one in found if one.obstacle][:LISTED],
            }  # fmt: skip
        return TemplateResponse(request, "admin/payouts/build.html", {
            **self.admin_site.each_context(request), "opts": self.model._meta, "title": gettext("Build a batch"),
            "form": form, "back": list_url(PayoutBatch), "is_popup": False, "says": bool(context), **context,
        })  # fmt: skip

    def _build(
        self, request: HttpRequest, form: BuildForm, ready: list[selectors.Candidate]
    ) -> PayoutBatch | None:  # fmt: skip
        if "all" in request.POST:
            ids = [one.statement.pk for one in ready[: batches.MAX_ITEMS]]
        else:
            ids = [int(key) for key in request.POST.getlist("statement") if key.isdecimal()]
        try:
            return batches.build_batch(**form.cleaned_data, statement_ids=ids, actor=request.user)  # type: ignore[arg-type]
        except ProgramError as refusal:
            form.add_error(None, str(refusal))
            return None

    # --- Approving, paying, cancelling ---

    @action(description=_("Approve"), icon="verified", permissions=["approve"])
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self._batch(object_id)

        def do(_values: Mapping[str, Any]) -> str:
            seen = Decimal(request.POST.get("seen") or "-1")
            batches.approve_batch(batch=batch, actor=request.user, seen_total=seen)  # type: ignore[arg-type]
            return gettext("The batch is approved and its file is made. Press “Pay” to give it out.")

        return ask(
            self, request, title=gettext("Approve %(batch)s") % {"batch": message_id(batch.pk)}, do=do,
            submit=gettext("Approve"), back=change_url(batch), facts=_facts(batch), says=_consequence(batch),
            hidden={"seen": [str(batch.total)]},
        )  # fmt: skip

    @action(description=_("Pay"), icon="send", permissions=["send"])
    def pay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self._batch(object_id)

        def do(_values: Mapping[str, Any]) -> str:
            batches.send_batch(batch=batch, actor=request.user)  # type: ignore[arg-type]
            return gettext("The file can be downloaded now: give it to the bank once.")

        return ask(
            self, request, title=gettext("Pay %(batch)s") % {"batch": message_id(batch.pk)}, do=do, submit=gettext("Pay"),
            back=change_url(batch), facts=_facts(batch),
            says=_consequence(batch) + "\n" + gettext("From now on the batch cannot be cancelled here."),
        )  # fmt: skip

    @action(description=_("Download the file"), icon="download", permissions=["send"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self._batch(object_id)
        try:
            name, content = batches.open_file(batch=batch, actor=request.user)  # type: ignore[arg-type]
        except ProgramError as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(change_url(batch))
        return file_response(name, content)

    @action(description=_("All paid"), icon="done_all", permissions=["send"])
    def all_paid(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self._batch(object_id)

        def do(values: Mapping[str, Any]) -> str:
            number = settling.settle_by_hand(
                batch=batch, item_ids=None, outcome=Outcome.PAID, on=values["on"], actor=request.user,  # type: ignore[arg-type]
            )  # fmt: skip
            return ngettext("%(count)s payment is paid.", "%(count)s payments are paid.", number) % {"count": number}

        return ask(
            self, request, title=gettext("All payments under way are paid"), do=do, submit=gettext("They are paid"),
            form=PaidForm(request.POST or None, initial={"on": batch.execute_on}), back=change_url(batch),
            says=gettext(
                "For a bank that sends no files. Payments that the bank did not make are marked one by one, in the list of"
                " payments, before."
            ),
        )  # fmt: skip

    @action(description=_("Cancel the batch"), icon="cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self._batch(object_id)

        def do(values: Mapping[str, Any]) -> str:
            batches.cancel_batch(batch=batch, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("The batch is cancelled; its statements wait for another one.")

        return ask(
            self, request, title=gettext("Cancel %(batch)s") % {"batch": message_id(batch.pk)}, do=do, danger=True,
            submit=gettext("Cancel the batch"), back=change_url(batch), form=ReasonForm(request.POST or None),
        )  # fmt: skip

    def get_urls(self) -> list[Any]:
        take_out = self.admin_site.admin_view(self.take_out_view)
        return [path("<int:pk>/take-out/", take_out, name="payouts_payoutbatch_take_out"), *super().get_urls()]

    def take_out_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The button beside a payment on a draft's page."""
        if not self.has_build_permission(request):
            raise PermissionDenied
        batch = self._batch(str(pk))
        if request.method == "POST":
            keys = [int(key) for key in request.POST.getlist("item") if key.isdecimal()]
            try:
                batches.take_out(batch=batch, item_ids=keys, actor=request.user)  # type: ignore[arg-type]
            except ProgramError as refusal:
                messages.error(request, str(refusal))
        return HttpResponseRedirect(change_url(batch))

    def _batch(self, object_id: str) -> PayoutBatch:
        return get_object_or_404(PayoutBatch.objects.select_related("payer", "built_by"), pk=object_id)


def file_response(name: str, content: bytes) -> HttpResponse:
    """A payment file to download: kept by nobody on the way."""
    return HttpResponse(
        content, content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )  # fmt: skip


def _facts(batch: PayoutBatch) -> dict[str, str]:
    return {
        gettext("Payments"): str(batch.count), gettext("Total"): money(batch.total, batch.currency),
        gettext("Paid from"): str(batch.payer), gettext("Executed on"): day_shown(batch.execute_on),
        gettext("Built by"): str(batch.built_by),
    }  # fmt: skip


def _consequence(batch: PayoutBatch) -> str:
    return ngettext(
        "This pays %(count)s partner %(total)s.", "This pays %(count)s partners %(total)s.", batch.count
    ) % {"count": batch.count, "total": money(batch.total, batch.currency)}  # fmt: skip


def checklist(batch: PayoutBatch) -> dict[str, Any]:
    """What a batch's page says: whether it adds up, what deserves a second look, what is not in it and why. A fixed
    number of queries."""
    rows = batch.items.select_related("account", "statement__partner").order_by("pk")
    items = list(rows.exclude(state=PayoutItem.State.CANCELLED))
    is_before = batch.state in (State.DRAFT, State.APPROVED)
    looks = selectors.to_look_at(items) if is_before else []
    waiting = (
        selectors.candidates(rail=batch.rail, currency=batch.currency, execute_on=batch.execute_on) if is_before else []
    )  # fmt: skip
    sent, returned = settling.sent_and_returned(batch)
    failed = [one for one in items if one.state in (PayoutItem.State.FAILED, PayoutItem.State.RETURNED)]
    return {
        "batch": batch, "is_draft": batch.state == State.DRAFT, "is_before": is_before,
        "message": message_id(batch.pk), "adds_up": sum((one.amount for one in items), ZERO) == batch.total,
        "new": sum(1 for one in looks if one.is_new), "large": sum(1 for one in looks if one.is_large),
        "shared": sum(1 for one in looks if one.is_shared), "looks": looks[:LOOKED_AT], "sent": sent, "returned": returned,
        "failed": failed[:LOOKED_AT], "missing": selectors.missing([one for one in waiting if one.obstacle != selectors.Obstacle.IN_A_BATCH]),
        "more": sum(1 for one in waiting if not one.obstacle), "file": getattr(batch, "file", None),
        "items_url": list_url(PayoutItem, batch__id__exact=batch.pk),
        "take_out_url": reverse("admin:payouts_payoutbatch_take_out", args=[batch.pk]),
    }  # fmt: skip
