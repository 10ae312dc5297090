"""How much is unread, for the portal's frame."""

from typing import Any

from django import template

from notifications.models import Delivery

register = template.Library()
MOST = 99


@register.inclusion_tag("components/bell.html", takes_context=True)
def bell(context: dict[str, Any]) -> dict[str, Any]:
    """The link to the messages with the number of unread ones: one query."""
    request = context["request"]
    unread = Delivery.objects.inbox(request.membership).unread().count()
    return {"unread": unread, "shown": f"{MOST}+" if unread > MOST else str(unread)}
