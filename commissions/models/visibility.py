"""Who sees pay."""

from typing import TypeVar

from django.db import models

from accounts.models import User
from partners.models import Member
from partners.roles import Right, roles_that_may

Pay = TypeVar("Pay", bound=models.QuerySet)


def pay_visible_to(rows: Pay, user: User) -> Pay:
    """Staff see every partner's pay; a member its own partner's, where its role sees pay."""
    if user.is_active and user.is_staff:
        return rows
    readers = Member.objects.signing_in_as(user).filter(role__in=roles_that_may(Right.SEE_PAY))
    return rows.filter(partner__in=readers.values("partner_id"))
