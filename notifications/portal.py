"""The member's own messages in the portal, and how it wants to be told."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.models import User
from journal.notices import How, Kind
from notifications import audiences, services, wording
from notifications.models import WAYS, Delivery
from partners.portal import Membership, portal_page

ROWS_A_PAGE = 25


@portal_page
def notices(request: HttpRequest, membership: Membership) -> HttpResponse:
    own = Delivery.objects.inbox(membership)
    if request.method == "POST":
        services.mark_read(deliveries=own)
        return redirect("portal:notices")
    only_unread = request.GET.get("show") == "unread"
    shown = (own.unread() if only_unread else own).select_related("message").order_by("-id")
    page = Paginator(shown, ROWS_A_PAGE).get_page(request.GET.get("page"))
    said = [(one, wording.of_message(one.message)) for one in page]
    return render(request, "portal/notices.html", {"page": page, "said": said, "only_unread": only_unread})


@portal_page
def notice(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """Opening one reads it and leads to what it is about; posting marks it read, or unread again."""
    own = Delivery.objects.inbox(membership).filter(pk=pk)
    delivery = get_object_or_404(own.select_related("message"))
    if request.method == "POST":
        services.mark_read(deliveries=own, is_read=delivery.read_at is None)
        return redirect("portal:notices")
    services.mark_read(deliveries=own)
    return redirect(wording.of_message(delivery.message).path)


class PreferencesForm(forms.Form):
    """A choice for each kind that may be chosen about."""

    def __init__(self, *args: Any, kinds: list[tuple[Kind, How]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, _how in kinds:
            if not kind.is_required:
                self.fields[kind.key] = forms.ChoiceField(label=kind.label, choices=WAYS, widget=forms.RadioSelect)


@portal_page
def preferences(request: HttpRequest, membership: Membership) -> HttpResponse:
    user, kinds = cast(User, request.user), audiences.kinds_for(membership)
    choices = audiences.chosen([user.pk])
    initial = {kind.key: str(choices.get((user.pk, kind.key), how)) for kind, how in kinds}
    form = PreferencesForm(request.POST or None, kinds=kinds, initial=initial)
    if request.method == "POST" and form.is_valid():
        asked = {kind: How(how) for kind, how in form.cleaned_data.items() if how != initial[kind]}
        services.choose(user=user, choices=asked, actor=user)
        messages.success(request, _("From now on you are told as you chose."))
        return redirect("portal:notice-preferences")
    context = {"form": form, "required": [kind for kind, _how in kinds if kind.is_required]}
    return render(request, "portal/notice_preferences.html", context, status=422 if form.errors else 200)
