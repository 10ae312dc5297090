"""Who reads a partner's pay."""

from collections.abc import Collection

from partners.models import Member
from partners.roles import Right, roles_that_may


def readers_of(partner_ids: Collection[int]) -> list[tuple[int, int]]:
    """The members with a login that may see their partner's pay: partner and member. One query."""
    roles = roles_that_may(Right.SEE_PAY)
    people = Member.objects.filter(
        partner__in=partner_ids, role__in=roles, left_on__isnull=True, user__is_active=True
    )  # fmt: skip
    return list(people.order_by("pk").values_list("partner_id", "pk"))
