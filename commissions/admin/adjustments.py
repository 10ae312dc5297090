"""Adjustments: proposed by one person of staff, decided by another."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from commissions import services
from commissions.admin.partner_field import PartnerForm
from commissions.models import Adjustment, Earning
from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.periods import program_today
from common.templatetags.show import day as day_shown
from common.templatetags.show import money_signed
from leads.models import CURRENCY
from partners.models import Partner
from tiers.models import Enrollment, Program


class AdjustmentForm(PartnerForm):
    program = forms.ModelChoiceField(Program.objects.order_by("pk"), label=_("Program"))
    category = forms.ChoiceField(label=_("Category"), choices=Adjustment.Category)
    amount = forms.DecimalField(
        label=_("Amount"), max_digits=16, decimal_places=4, help_text=_("Below zero, it is taken from the partner.")
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, validators=[CURRENCY])
    earned_on = forms.DateField(label=_("Earned on"), help_text=_("It stands on the statement of this day’s month, or on the next open one."))  # fmt: skip
    reason = forms.CharField(
        label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("The partner reads it.")
    )


class RefusalForm(StaffForm):
    answer = forms.CharField(
        label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who proposed it reads it."),
    )  # fmt: skip


@admin.register(Adjustment)
class AdjustmentAdmin(ReadOnlyAdmin):
    list_display = ("show_amount", "partner", "category", "reason", "show_state", "author", "proposed_at")
    list_display_links = ("show_amount",)
    list_select_related = ("partner", "author")
    list_filter = ("state", "category", "program")
    search_fields = ("partner__name", "reason")
    fields = ("partner", "program", "category", "show_amount", "earned_on", "reason", "show_about", "state", "author",
              "proposed_at", "approver", "decided_at", "answer", "show_line")  # fmt: skip
    readonly_fields = fields
    actions_list = ("propose",)
    actions_detail = ("approve", "refuse")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Adjustment]:
        return super().get_queryset(request).select_related("partner", "program", "author", "approver", "about")

    @display(description=_("amount"), ordering="amount")
    def show_amount(self, obj: Adjustment) -> str:
        return money_signed(obj.amount, obj.currency)

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Adjustment) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("about"))
    def show_about(self, obj: Adjustment) -> str:
        return _link(obj.about) if obj.about else "–"

    @display(description=_("line of the ledger"))
    def show_line(self, obj: Adjustment) -> str:
        return _link(services.line_of(obj)) if obj.state == Adjustment.State.POSTED else "–"

    # --- Buttons ----------------------------------------------------------------------------------

    def has_propose_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("commissions.add_adjustment")

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Another person than the author, while it waits."""
        waiting = Adjustment.objects.filter(pk=object_id, state=Adjustment.State.PROPOSED)
        return (
            request.user.has_perm("commissions.change_adjustment") and waiting.exclude(author=request.user.pk).exists()
        )

    @action(description=_("Propose an adjustment"), icon="add", permissions=["propose"])
    def propose(self, request: HttpRequest) -> HttpResponse:
        """New, for a partner (`?partner=`) or about a line of the ledger (`?about=`)."""
        about = _about(request)
        made: list[Adjustment] = []

        def do(values: Mapping[str, Any]) -> str:
            made.append(services.propose_adjustment(**values, author=request.user, about=about))  # type: ignore[arg-type]
            return gettext("Another person has to approve it now.")

        says = gettext("It is posted to the ledger when another person approves it, and stands on the partner’s next statement. Nights leave it alone.")  # fmt: skip
        if about is not None:
            says = gettext("About the line of %(day)s, %(amount)s.") % {"day": day_shown(about.earned_on), "amount": money_signed(about.amount, about.currency)} + "\n" + says  # fmt: skip
        return ask(
            self, request, title=gettext("Propose an adjustment"), says=says, do=do, submit=gettext("Propose"),
            form=AdjustmentForm(request.POST or None, initial=_initial(request, about)),
            back=change_url(about) if about else list_url(Adjustment), go=lambda _values: change_url(made[0]),
        )  # fmt: skip

    @action(description=_("Approve"), icon="check", permissions=["decide"])
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        adjustment = get_object_or_404(self.get_queryset(request), pk=object_id)

        def do(_values: Mapping[str, Any]) -> str:
            services.decide_adjustment(adjustment=adjustment, approver=request.user, approve=True)  # type: ignore[arg-type]
            return gettext("It is posted to the ledger.")

        return ask(
            self, request, title=gettext("Approve this adjustment"), do=do, submit=gettext("Approve and post"),
            back=change_url(adjustment), says=adjustment.reason, facts=_facts(adjustment),
        )  # fmt: skip

    @action(description=_("Refuse"), icon="block", permissions=["decide"])
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        adjustment = get_object_or_404(self.get_queryset(request), pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.decide_adjustment(
                adjustment=adjustment, approver=request.user, approve=False, answer=values["answer"]  # type: ignore[arg-type]
            )  # fmt: skip
            return gettext("It is refused. Nothing is posted.")

        return ask(
            self, request, title=gettext("Refuse this adjustment"), form=RefusalForm(request.POST or None), do=do,
            submit=gettext("Refuse"), back=change_url(adjustment), says=adjustment.reason, facts=_facts(adjustment),
            danger=True,
        )  # fmt: skip


def _facts(adjustment: Adjustment) -> dict[str, str]:
    return {
        gettext("Partner"): str(adjustment.partner),
        gettext("Amount"): money_signed(adjustment.amount, adjustment.currency),
        gettext("Category"): str(adjustment.get_category_display()),
        gettext("Proposed by"): str(adjustment.author),
    }


def _about(request: HttpRequest) -> Earning | None:
    asked = request.GET.get("about", "")
    return (
        get_object_or_404(Earning.objects.select_related("partner", "program"), pk=asked) if asked.isdigit() else None
    )


def _initial(request: HttpRequest, about: Earning | None) -> dict[str, Any]:
    """What the page that led here knows already."""
    initial: dict[str, Any] = {"earned_on": program_today(), "category": Adjustment.Category.CORRECTION}
    if about is not None:
        return initial | {"partner": about.partner_id, "program": about.program_id, "currency": about.currency}
    asked = request.GET.get("partner", "")
    partner = Partner.objects.filter(pk=asked).first() if asked.isdigit() else None
    if partner is None:
        return initial
    enrolled = Enrollment.objects.filter(partner=partner).select_related("program").order_by("-starts_on").first()
    return initial | {
        "partner": partner.pk,
        **({"program": enrolled.program_id, "currency": enrolled.program.currency} if enrolled else {}),
    }


def _link(line: Earning) -> str:
    said = f"{day_shown(line.earned_on)}, {money_signed(line.amount, line.currency)}"
    return format_html('<a class="pp-link" href="{}">{}</a>', change_url(line), said)
