"""The portal's navigation."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.periods import program_today
from partners.models import Member
from partners.roles import Right, may
from points.selectors import brings_points

register = template.Library()

# Address, name, and the right that opens it (None: everyone's).
SECTIONS = (
    ("portal:home", _("Home"), None),
    ("portal:tier", _("My tier"), None),
    ("portal:points", _("Points"), None),
    ("portal:leads", _("Leads"), Right.SEE_LEADS),
    ("portal:deals", _("Deals"), Right.SEE_LEADS),
    ("portal:statements", _("Commissions"), Right.SEE_PAY),
)


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    url: str
    label: str
    is_current: bool


def _has_points(request: Any) -> bool:
    """Asked once for each request: the menu stands on a page twice."""
    if not hasattr(request, "_has_points"):
        request._has_points = brings_points(request.membership.partner, program_today())
    return bool(request._has_points)


def _is_open(name: str, right: Right | None, request: Any) -> bool:
    member: Member = request.membership
    return (right is None or may(member, right)) and (name != "portal:points" or _has_points(request))


@register.simple_tag(takes_context=True)
def portal_navigation(context: dict[str, Any]) -> list[NavigationEntry]:
    """The sections open to the reader's role, the current one marked: the longest address the page's own begins with."""
    request = context["request"]
    urls = [(reverse(name), str(label)) for name, label, right in SECTIONS if _is_open(name, right, request)]
    current = max((url for url, _label in urls if request.path.startswith(url)), key=len, default="")
    return [NavigationEntry(url, label, url == current) for url, label in urls]
