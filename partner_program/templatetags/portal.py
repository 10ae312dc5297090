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
    ("portal:invoicing", _("Invoicing"), Right.SEE_PAY),
    ("portal:payments", _("Payments"), Right.SEE_PAY),
)


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    url: str
    label: str
    is_current: bool


def _is_open(name: str, right: Right | None, member: Member) -> bool:
    if right is not None and not may(member, right):
        return False
    return name != "portal:points" or brings_points(member.partner, program_today())


@register.simple_tag(takes_context=True)
def portal_navigation(context: dict[str, Any]) -> list[NavigationEntry]:
    """The sections open to the reader's role, the current one marked: the longest address the page's own begins with. Made
    once for each request: the menu stands on a page twice."""
    request = context["request"]
    if not hasattr(request, "_navigation"):
        request._navigation = _navigation(request)
    entries: list[NavigationEntry] = request._navigation
    return entries


def _navigation(request: Any) -> list[NavigationEntry]:
    urls = [(reverse(name), str(label)) for name, label, right in SECTIONS if _is_open(name, right, request.membership)]
    current = max((url for url, _label in urls if request.path.startswith(url)), key=len, default="")
    return [NavigationEntry(url, label, url == current) for url, label in urls]
