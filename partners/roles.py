"""What each portal role may do. One table: pages, menus and mails ask it."""

from enum import StrEnum

from partners.models import Member


class Right(StrEnum):
    SEE_PAY = "see-pay"
    CHANGE_ACCOUNTS = "change-accounts"  # where the partner is paid
    SEE_LEADS = "see-leads"
    WORK_LEADS = "work-leads"  # answer offers, move leads, register deals
    CLAIM_POINTS = "claim-points"


_ROLE = Member.Role
RIGHTS: dict[Right, frozenset[str]] = {
    Right.SEE_PAY: frozenset({_ROLE.OWNER, _ROLE.FINANCE}),
    Right.CHANGE_ACCOUNTS: frozenset({_ROLE.OWNER, _ROLE.FINANCE}),
    Right.SEE_LEADS: frozenset({_ROLE.OWNER, _ROLE.SALES, _ROLE.TECHNICAL, _ROLE.MARKETING}),
    Right.WORK_LEADS: frozenset({_ROLE.OWNER, _ROLE.SALES}),
    Right.CLAIM_POINTS: frozenset({_ROLE.OWNER, _ROLE.SALES, _ROLE.TECHNICAL, _ROLE.MARKETING}),
}


def may(membership: Member, right: Right) -> bool:
    """Whether the member's role gives `right`. What it gives is for its own partner only."""
    return membership.role in RIGHTS[right]


def roles_that_may(right: Right) -> frozenset[str]:
    """For querysets: Member.objects.filter(role__in=roles_that_may(...))."""
    return RIGHTS[right]
