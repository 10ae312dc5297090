"""Staff's pages of leads and deals."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.fields import UnfoldAdminAutocompleteModelChoiceField
from unfold.views import BaseAutocompleteView

from common.admin import (
    STATES,
    ReadOnlyAdmin,
    ReadOnlyInline,
    StaffForm,
    ask,
    by_currency,
    change_url,
    list_url,
    with_totals,
)
from common.periods import program_today
from common.templatetags.show import day, money
from leads import services
from leads.models import Deal, Lead, Offer
from leads.selectors import history
from leads.services import LEAD_SHARING
from partners.models import Partner
from tiers import selectors as tiers


class OfferInline(ReadOnlyInline):
    model = Offer
    fk_name = "lead"
    tab = True
    fields = ("partner", "offered_at", "offered_by", "answer", "reason", "answered_at", "answered_by")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        return super().get_queryset(request).select_related("partner", "offered_by", "answered_by")


def lead_sharers() -> QuerySet[Partner]:
    """Active partners whose tier shares leads."""
    sharing = tiers.partners_with_benefit(code=LEAD_SHARING, on=program_today())
    return Partner.objects.filter(status=Partner.Status.ACTIVE, pk__in=sharing)


class SharersView(BaseAutocompleteView):
    """What the field that gives a lead to a partner suggests."""

    def get_queryset(self) -> QuerySet[Partner]:
        return lead_sharers().filter(name__icontains=self.request.GET.get("term", "")).order_by("name", "id")


class EnterForm(StaffForm):
    contact_name = forms.CharField(label=_("Contact"), max_length=200)
    contact_email = forms.EmailField(label=_("E-mail address"))
    contact_phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    city = forms.CharField(label=_("City"), max_length=120, required=False)
    country = forms.RegexField(
        r"^[A-Z]{2}$", label=_("Country"), required=False, help_text=_("Two capital letters: FR.")
    )
    need = forms.CharField(label=_("What is needed"), max_length=4000, widget=forms.Textarea)


class OfferForm(StaffForm):
    partner = UnfoldAdminAutocompleteModelChoiceField(
        "admin:leads_lead_sharers", queryset=Partner.objects.none(), label=_("Partner"),
        help_text=_("Active partners whose tier shares leads."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["partner"])
        field.queryset = lead_sharers()
        typed = str(self.data.get("partner", ""))
        chosen = field.queryset.filter(pk=typed) if typed.isdigit() else []
        field.widget.choices = [(partner.pk, str(partner)) for partner in chosen]


class ReasonForm(StaffForm):
    reason = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class ClosedForm(StaffForm):
    closed_on = forms.DateField(label=_("Closed on"), initial=program_today)


class LostForm(ClosedForm, ReasonForm):
    """A deal that came to nothing: when, and why."""

    field_order = ("closed_on", "reason")


class ByState:
    """Buttons of a row are those that its state allows. `steps` names the states of each."""

    steps: ClassVar[dict[str, tuple[str, ...]]]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        row = self.get_object(request, str(object_id))  # type: ignore[attr-defined]
        allowed = [name for name, states in self.steps.items() if row is not None and row.status in states]
        actions = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in actions if one.method.original_function_name in allowed]


class Worked:
    """Changed by its buttons, for who may change it."""

    def has_work_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(f"leads.change_{self.model._meta.model_name}")  # type: ignore[attr-defined]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        row = self.get_object(request, object_id) if object_id else None  # type: ignore[attr-defined]
        told = {"happenings": history(row)} if row is not None else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})  # type: ignore[misc]

    def _ask(
        self, request: HttpRequest, row: Lead | Deal, *, title: str, submit: str, says: str = "",
        form: forms.Form | None = None, do: Callable[[Mapping[str, Any]], object], done: str, danger: bool = False,
    ) -> HttpResponse:  # fmt: skip
        def work(values: Mapping[str, Any]) -> str:
            do(values)
            return done

        return ask(
            cast(ModelAdmin, self), request, title=title, submit=submit, says=says, form=form, do=work,
            back=change_url(row), danger=danger,
        )  # fmt: skip


@admin.register(Lead)
class LeadAdmin(Worked, ByState, ReadOnlyAdmin):
    """Leads change by what is done with them: the buttons, and the partner's answer."""

    list_display = ("show_lead", "show_status", "partner", "city", "country", "source", "created_at")
    list_select_related = ("partner",)
    list_filter = ("status", "source", "country", ("partner", admin.EmptyFieldListFilter), "is_made_up")
    search_fields = ("company", "contact_name", "contact_email", "partner__name")
    inlines = (OfferInline,)
    change_form_after_template = "admin/history.html"
    actions_list = ("enter",)
    actions_detail = ("offer", "withdraw", "lose")
    steps: ClassVar[dict[str, tuple[str, ...]]] = {
        "offer": (Lead.Status.NEW,),
        "withdraw": (Lead.Status.OFFERED,),
        "lose": (Lead.Status.NEW, Lead.Status.ACCEPTED),
    }

    @display(description=_("lead"), ordering="company")
    def show_lead(self, obj: Lead) -> str:
        return str(obj)

    @display(description=_("status"), ordering="status", label=STATES)
    def show_status(self, obj: Lead) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    def get_urls(self) -> list[Any]:
        sharers = self.admin_site.admin_view(self.sharers_view)
        return [path("sharers/", sharers, name="leads_lead_sharers"), *super().get_urls()]

    def sharers_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_work_permission(request):
            return JsonResponse({}, status=403)
        return SharersView.as_view()(request)

    def has_enter_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("leads.add_lead")

    @action(description=_("Enter a lead"), icon="person_add", permissions=["enter"])
    def enter(self, request: HttpRequest) -> HttpResponse:
        made: list[Lead] = []

        def do(values: Mapping[str, Any]) -> str:
            made.append(services.enter_lead(actor=request.user, **values))  # type: ignore[arg-type]  # staff are signed in
            return gettext("The lead is entered. Nobody has it yet.")

        return ask(
            self, request, title=gettext("Enter a lead"), submit=gettext("Enter"), back=list_url(Lead), do=do,
            form=EnterForm(request.POST or None), go=lambda _values: change_url(made[0]),
        )  # fmt: skip

    @action(description=_("Give it to a partner"), icon="forward_to_inbox", permissions=["work"])
    def offer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lead = get_object_or_404(Lead, pk=object_id)
        return self._ask(
            request, lead, title=gettext("Give “%(lead)s” to a partner") % {"lead": lead}, submit=gettext("Offer it"),
            says=gettext("The partner’s people get a mail, see it in their portal, and accept or decline it."),
            form=OfferForm(request.POST or None), done=gettext("The lead is offered."),
            do=lambda values: services.offer_lead(lead=lead, partner=values["partner"], actor=request.user),  # type: ignore[arg-type]
        )  # fmt: skip

    @action(description=_("Take it back"), icon="undo", permissions=["work"])
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lead = get_object_or_404(Lead.objects.select_related("partner"), pk=object_id)
        offer = lead.offers.filter(answer="").first()
        if offer is None:
            messages.info(request, gettext("Nobody has this lead to answer."))
            return HttpResponseRedirect(change_url(lead))
        return self._ask(
            request, lead, title=gettext("Take “%(lead)s” back from %(partner)s") % {"lead": lead, "partner": lead.partner},
            submit=gettext("Take it back"), form=ReasonForm(request.POST or None),
            done=gettext("Nobody has the lead now: it can be given to another partner."),
            do=lambda values: services.withdraw_offer(offer=offer, actor=request.user, **values),  # type: ignore[arg-type]
        )  # fmt: skip

    @action(description=_("It came to nothing"), icon="close", permissions=["work"])
    def lose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        lead = get_object_or_404(Lead, pk=object_id)
        return self._ask(
            request, lead, title=gettext("“%(lead)s” came to nothing") % {"lead": lead}, submit=gettext("Close it"),
            form=ReasonForm(request.POST or None), done=gettext("The lead is closed."), danger=True,
            do=lambda values: services.lose_lead(lead=lead, actor=request.user, **values),  # type: ignore[arg-type]
        )  # fmt: skip


@admin.register(Deal)
class DealAdmin(Worked, ByState, ReadOnlyAdmin):
    list_display = ("title", "partner", "customer_name", "show_amount", "show_status", "expected_on", "registered_at")
    list_select_related = ("partner",)
    list_filter = ("status", by_currency(tiers.currencies))
    search_fields = ("title", "customer_name", "partner__name")
    date_hierarchy = "registered_at"
    fields = ("title", "partner", "lead", "customer_name", "show_amount", "expected_on", "status", "registered_by",
              "registered_at", "decided_by", "decided_at", "reason", "closed_on")  # fmt: skip
    readonly_fields = ("show_amount",)
    change_form_after_template = "admin/history.html"
    list_before_template = "admin/list_totals.html"
    actions_detail = ("approve", "refuse", "win", "lose")
    steps: ClassVar[dict[str, tuple[str, ...]]] = {
        "approve": (Deal.Status.SUBMITTED,),
        "refuse": (Deal.Status.SUBMITTED,),
        "win": (Deal.Status.APPROVED,),
        "lose": (Deal.Status.SUBMITTED, Deal.Status.APPROVED),
    }

    @display(description=_("amount"), ordering="amount")
    def show_amount(self, obj: Deal) -> str:
        return money(obj.amount, obj.currency)

    @display(description=_("status"), ordering="status", label=STATES)
    def show_status(self, obj: Deal) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return with_totals(super().changelist_view(request, extra_context), "amount", of_everything=True)

    def _deal(self, object_id: str) -> Deal:
        return get_object_or_404(Deal.objects.select_related("partner"), pk=object_id)

    @action(description=_("Approve"), icon="check", permissions=["work"])
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        deal = self._deal(object_id)
        return self._ask(
            request, deal, title=gettext("Approve “%(deal)s”") % {"deal": deal}, submit=gettext("Approve"),
            says=gettext("%(partner)s may go on with %(customer)s: %(amount)s, expected on %(day)s.")
            % {"partner": deal.partner, "customer": deal.customer_name, "amount": money(deal.amount, deal.currency),
               "day": day(deal.expected_on)},
            done=gettext("The deal is approved."),
            do=lambda values: services.approve_deal(deal=deal, actor=request.user),  # type: ignore[arg-type]
        )  # fmt: skip

    @action(description=_("Refuse"), icon="block", permissions=["work"])
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        deal = self._deal(object_id)
        return self._ask(
            request, deal, title=gettext("Refuse “%(deal)s”") % {"deal": deal}, submit=gettext("Refuse"), danger=True,
            says=gettext("The partner reads why."), form=ReasonForm(request.POST or None),
            done=gettext("The deal is refused."),
            do=lambda values: services.refuse_deal(deal=deal, actor=request.user, **values),  # type: ignore[arg-type]
        )  # fmt: skip

    @action(description=_("Won"), icon="trophy", permissions=["work"])
    def win(self, request: HttpRequest, object_id: str) -> HttpResponse:
        deal = self._deal(object_id)
        return self._ask(
            request, deal, title=gettext("“%(deal)s” was won") % {"deal": deal}, submit=gettext("It was won"),
            says=gettext("It becomes a sale of %(amount)s, which the next night pays.")
            % {"amount": money(deal.amount, deal.currency)},
            form=ClosedForm(request.POST or None), done=gettext("The deal is won, and its sale is recorded."),
            do=lambda values: services.win_deal(deal=deal, actor=request.user, **values),  # type: ignore[arg-type]
        )  # fmt: skip

    @action(description=_("Lost"), icon="close", permissions=["work"])
    def lose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        deal = self._deal(object_id)
        return self._ask(
            request, deal, title=gettext("“%(deal)s” was lost") % {"deal": deal}, submit=gettext("It was lost"),
            form=LostForm(request.POST or None), done=gettext("The deal is lost."), danger=True,
            do=lambda values: services.lose_deal(deal=deal, actor=request.user, **values),  # type: ignore[arg-type]
        )  # fmt: skip
