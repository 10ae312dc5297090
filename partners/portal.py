"""The door of the portal: who enters, and as whom."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from partners.models import Member
from partners.roles import Right, may, roles_that_may

P = ParamSpec("P")
Membership = Member


def portal_page(
    view: Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Pass the signed-in person's membership (with its partner) to `view`, as second argument.

    Nobody signed in: to the sign-in page. Staff without a membership: to the admin. Anyone else: a page that says
    that this login belongs to no partner (403).
    """

    @wraps(view)
    @login_required
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        membership = Member.objects.signing_in_as(request.user).select_related("partner").first()
        if membership is not None:
            request.membership = membership  # type: ignore[attr-defined]  # for the page's frame
            return view(request, membership, *args, **kwargs)
        if request.user.is_staff:
            return redirect("admin:index")
        return render(request, "portal/no_partner.html", status=403)

    return wrapped


def for_right(
    right: Right,
) -> Callable[
    [Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase],
]:
    """Under `portal_page`: let in whose role has `right`; others read who of their company has it (403)."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase]:
        @wraps(view)
        def wrapped(request: HttpRequest, membership: Member, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if may(membership, right):
                return view(request, membership, *args, **kwargs)
            colleagues = Member.objects.filter(
                partner=membership.partner, role__in=roles_that_may(right), user__is_active=True, left_on__isnull=True
            )
            context = {"membership": membership, "colleagues": colleagues}
            return render(request, "portal/not_your_role.html", context, status=403)

        return cast("Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase]", wrapped)

    return decorate
