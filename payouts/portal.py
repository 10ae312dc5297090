"""How the partner is paid: its accounts with their history, and its payments with what became of each."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts import freshness
from common.errors import ProgramError
from partners.portal import Membership, for_right, portal_page
from partners.roles import Right, may
from payouts import selectors
from payouts.errors import AccountError
from payouts.forms import OtherAccountForm, PasswordForm, SepaAccountForm
from payouts.models import PayeeAccount, Rail
from payouts.services.accounts import ask_account, withdraw_account

PAYMENTS_A_PAGE = 24


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def payments(request: HttpRequest, membership: Membership) -> HttpResponse:
    page = Paginator(selectors.payments(membership.partner), PAYMENTS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "membership": membership, "page": page, "how_paid": selectors.how_paid(membership.partner),
        "may_change": may(membership, Right.CHANGE_ACCOUNTS),
    }  # fmt: skip
    return render(request, "portal/payments.html", context)


@require_safe
@portal_page
@for_right(Right.SEE_PAY)
def accounts(request: HttpRequest, membership: Membership) -> HttpResponse:
    context = {
        "membership": membership, "how_paid": selectors.how_paid(membership.partner),
        "may_change": may(membership, Right.CHANGE_ACCOUNTS),
    }  # fmt: skip
    return render(request, "portal/payee_accounts.html", context)


@sensitive_post_parameters("number", "password")
@portal_page
@for_right(Right.CHANGE_ACCOUNTS)
def new_account(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Ask for another account. Where the password was given too long ago, it is asked for in the same form."""
    is_other = request.GET.get("rail") == Rail.OTHER
    kind: type[SepaAccountForm] = OtherAccountForm if is_other else SepaAccountForm
    initial = {"holder": membership.partner.name, "currency": request.GET.get("currency", "")}
    form = kind(request.POST or None, initial=initial)
    password = None if freshness.is_fresh(request) else PasswordForm(request.POST or None)
    forms = [form, *([password] if password else [])]
    valid = [one.is_valid() for one in forms]  # each, so that each shows what is wrong with it
    if request.method == "POST" and all(valid) and _is_person(request, password):
        try:
            ask_account(partner=membership.partner, details=form.details(), actor=request.user)  # type: ignore[arg-type]
        except AccountError as refusal:
            form.refuse(refusal)
        else:
            messages.success(
                request, _("Your new account waits for confirmation. Every owner of your company gets a mail about it.")
            )
            return redirect("portal:payee-accounts")
    is_wrong = any(one.errors for one in forms)
    context: dict[str, Any] = {"membership": membership, "form": form, "password": password, "is_other": is_other}
    return render(request, "portal/payee_account_new.html", context, status=422 if is_wrong else 200)


def _is_person(request: HttpRequest, password: PasswordForm | None) -> bool:
    if password is None or freshness.give_again(request, password.cleaned_data["password"]):
        return True
    password.add_error(
        "password", _("This is not your password. After several wrong ones, signing in pauses for an hour.")
    )
    return False


@require_POST
@portal_page
@for_right(Right.CHANGE_ACCOUNTS)
def withdraw(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    account = get_object_or_404(PayeeAccount.objects.filter(partner=membership.partner), pk=pk)
    try:
        withdraw_account(account=account, actor=request.user)  # type: ignore[arg-type]  # signed in
    except ProgramError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The new account is withdrawn. Nothing else changed."))
    return redirect("portal:payee-accounts")
