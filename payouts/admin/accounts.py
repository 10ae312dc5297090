"""Where partners are paid, to confirm by a second person; and the accounts that payouts leave from."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import STATES, ReadOnlyAdmin, StaffAdmin, StaffForm, ask, change_url, list_url
from partners.models import Partner
from payouts import reasons, selectors
from payouts.forms import OtherAccountForm, SepaAccountForm
from payouts.models import PayeeAccount, PayerAccount
from payouts.rules import masked
from payouts.services import accounts as services


class RefuseForm(StaffForm):
    reason = forms.CharField(
        label=_("Why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("The partner reads it.")
    )


class _OfPartner:
    """The partner that details given by phone or letter are of, by its external id."""

    def clean_partner(self) -> Partner:
        key = self.cleaned_data["partner"]  # type: ignore[attr-defined]
        found = Partner.objects.filter(external_id=key).first()
        if found is None:
            raise forms.ValidationError(_("No partner has the external id “%(key)s”."), params={"key": key})
        return found


class EnterSepaForm(_OfPartner, StaffForm, SepaAccountForm):
    partner = forms.CharField(label=_("External id of the partner"), max_length=64)
    field_order: Any = ("partner", "holder", "number", "bic")


class EnterOtherForm(_OfPartner, StaffForm, OtherAccountForm):
    partner = forms.CharField(label=_("External id of the partner"), max_length=64)
    field_order: Any = ("partner", *OtherAccountForm.field_order)


@admin.register(PayeeAccount)
class PayeeAccountAdmin(ReadOnlyAdmin):
    """Versions are never edited. One that waits is confirmed or refused by somebody who did not ask for it."""

    list_display = ("show_partner", "currency", "mask", "holder", "show_state", "asked_at", "asked_by", "show_flag")
    list_select_related = ("partner", "asked_by")
    list_filter = ("state", "rail", "currency", ("flag", admin.EmptyFieldListFilter))
    search_fields = ("partner__name", "=partner__external_id", "holder")
    ordering = ("-id",)
    actions_list = ("enter_sepa", "enter_other")
    actions_detail = ("confirm", "refuse")
    fields = ("partner", "currency", "rail", "mask", "holder", "bank_name", "country", "routing", "bic", "version",
              "show_state", "asked_by", "asked_at", "decided_by", "decided_at", "reason", "usable_on", "show_flag",
              "flagged_at", "show_beside")  # fmt: skip
    readonly_fields = fields

    @display(description=_("partner"), ordering="partner__name")
    def show_partner(self, obj: PayeeAccount) -> str:
        return obj.partner.name

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: PayeeAccount) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("refused by the bank"), ordering="flag")
    def show_flag(self, obj: PayeeAccount) -> str:
        return reasons.said(obj.flag) or "–"

    @display(description=_("to look at"))
    def show_beside(self, obj: PayeeAccount) -> str:
        return " ".join(_beside(obj)) or "–"

    def has_confirm_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payouts.confirm_payeeaccount")

    def has_enter_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payouts.add_payeeaccount")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        waits = PayeeAccount.objects.waiting().filter(pk=object_id).exists()
        return super().get_actions_detail(request, object_id) if waits else []

    @action(description=_("Confirm"), icon="verified_user", permissions=["confirm"])
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = get_object_or_404(self.get_queryset(request).select_related("partner", "asked_by"), pk=object_id)
        look = selectors.account_to_confirm(account)

        def do(_values: Mapping[str, Any]) -> str:
            confirmed = services.confirm_account(account=account, actor=request.user)  # type: ignore[arg-type]
            return gettext("%(partner)s is paid on %(account)s from now on.") % {
                "partner": account.partner, "account": confirmed.mask
            }  # fmt: skip

        facts = {
            gettext("Partner"): account.partner.name, gettext("Currency"): account.currency,
            gettext("New account"): f"{account.mask} · {account.holder}",
            gettext("Until now"): f"{look.in_force.mask} · {look.in_force.holder}" if look.in_force else "–",
            gettext("Given by"): str(account.asked_by),
        }  # fmt: skip
        says = gettext(
            "Make sure by a way you know already, as a call to a number you have, that the partner gave it. Every owner of"
            " the partner gets a mail."
        )
        return ask(
            self, request, title=gettext("Confirm a payee account"), says="\n".join([says, *_beside(account, look)]),
            facts=facts, do=do, submit=gettext("Confirm"), back=change_url(account),
        )  # fmt: skip

    @action(description=_("Refuse"), icon="block", permissions=["confirm"])
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = get_object_or_404(self.get_queryset(request), pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.refuse_account(account=account, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("The account is refused.")

        return ask(
            self, request, title=gettext("Refuse a payee account"), form=RefuseForm(request.POST or None), do=do,
            submit=gettext("Refuse"), back=change_url(account), danger=True,
        )  # fmt: skip

    @action(description=_("Enter an account in euros"), icon="add", permissions=["enter"])
    def enter_sepa(self, request: HttpRequest) -> HttpResponse:
        return self._enter(request, EnterSepaForm(request.POST or None))

    @action(description=_("Enter another account"), icon="add", permissions=["enter"])
    def enter_other(self, request: HttpRequest) -> HttpResponse:
        return self._enter(request, EnterOtherForm(request.POST or None))

    def _enter(self, request: HttpRequest, form: EnterSepaForm | EnterOtherForm) -> HttpResponse:
        def do(values: Mapping[str, Any]) -> str:
            services.ask_account(partner=values["partner"], details=form.details(), actor=request.user)  # type: ignore[arg-type]
            return gettext("It waits for confirmation by a second person.")

        return ask(
            self, request, title=gettext("Enter a payee account"), form=form, do=do, submit=gettext("Enter"),
            back=list_url(PayeeAccount),
            says=gettext("For a partner that does not do it in the portal. Somebody else has to confirm it."),
        )  # fmt: skip


def _beside(account: PayeeAccount, look: selectors.AccountLook | None = None) -> list[str]:
    """What should make a person look twice."""
    look = look or selectors.account_to_confirm(account)
    says = []
    if look.shared_with:
        named = ", ".join(one.name for one in look.shared_with[:5])
        says.append(gettext("Another partner has the same account: %(named)s.") % {"named": named})
    if look.is_other_bic:
        says.append(gettext("The BIC is not of the bank that the IBAN leads to."))
    return says


class PayerForm(forms.ModelForm):
    class Meta:
        model = PayerAccount
        fields = ("name", "rail", "currency", "iban", "bic", "is_active")


@admin.register(PayerAccount)
class PayerAccountAdmin(StaffAdmin):
    """The vendor's own accounts. One that paid something keeps its number."""

    form = PayerForm
    list_display = ("name", "currency", "rail", "show_account", "bic", "is_active")
    list_filter = ("rail", "currency", "is_active")

    @display(description=_("account"))
    def show_account(self, obj: PayerAccount) -> str:
        return masked(obj.iban)

    def save_model(self, request: HttpRequest, obj: PayerAccount, form: Any, change: Any) -> None:
        services.save_payer(payer=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
