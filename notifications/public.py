"""The door for who wants no more mails: a signed link, without signing in."""

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt

from accounts.models import User
from journal import notices
from notifications import mailing, services
from partners.models import Member


@csrf_exempt  # a mail program posts by itself (RFC 8058): the signed address is what allows it
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing, since mail programs look at links by themselves; posting turns the kind's mails off."""
    try:
        user_id, key = mailing.read_token(token)
    except signing.BadSignature as error:
        raise Http404 from error
    user = get_object_or_404(User, pk=user_id)
    kind = next((one for one in notices.kinds() if one.key == key and not one.is_required), None)
    if kind is None:
        raise Http404
    if is_done := request.method == "POST":
        services.stop_mails(user=user, kind=kind.key)
    is_member = Member.objects.signing_in_as(user).exists()
    context = {"kind": kind, "email": user.email, "is_done": is_done, "is_member": is_member}
    return render(request, "notifications/unsubscribe.html", context)
