"""Who is told: the recipients of many messages, in a fixed number of queries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.utils import timezone

from accounts.models import User
from journal.models import Entry
from journal.notices import NOTICES, Facts, How, Kind, Members, Notice, Staff
from notifications.models import Preference
from partners.models import Member


@dataclass(slots=True)
class Said:
    """What an entry says, as one notice; `people` are those it names, where the notice is for named people."""

    entry: Entry
    notice: Notice
    facts: Facts
    people: Collection[int] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    user_id: int
    in_portal: bool  # as a member of the partner that the entry is about


@dataclass(slots=True)
class Audience:
    """The members of the partners in question, and the staff by permission."""

    members: dict[int, list[tuple[int, str]]] = field(default_factory=dict)  # user and role, by partner
    staff: dict[str, list[int]] = field(default_factory=dict)
    active: frozenset[int] = frozenset()  # of those who are named

    def of(self, said: Said) -> list[Recipient]:
        to, own = said.notice.to, self.members.get(said.entry.partner_id or 0, [])
        if isinstance(to, Members):
            return [Recipient(user, in_portal=True) for user, role in own if role in to.roles]
        if isinstance(to, Staff):
            return [Recipient(user, in_portal=False) for user in self.staff[to.permission]]
        colleagues = {user for user, _role in own}
        return [Recipient(user, user in colleagues) for user in said.people if user in self.active]


def read(said: Sequence[Said]) -> Audience:
    """Whom these concern: a query for the members, one for the named, one for each permission."""
    audience = Audience()
    partners = {one.entry.partner_id for one in said if not isinstance(one.notice.to, Staff)} - {None}
    if partners:
        people = Member.objects.filter(partner__in=partners, left_on__isnull=True, user__is_active=True)
        for partner, user, role in people.order_by("pk").values_list("partner_id", "user_id", "role"):
            audience.members.setdefault(partner, []).append((user, role))
    if named := {user for one in said for user in one.people}:
        audience.active = frozenset(User.objects.filter(pk__in=named, is_active=True).values_list("pk", flat=True))
    for permission in {one.notice.to.permission for one in said if isinstance(one.notice.to, Staff)}:
        having = ModelBackend().with_perm(permission).filter(is_staff=True)
        audience.staff[permission] = list(having.order_by("pk").values_list("pk", flat=True))
    return audience


def chosen(users: Collection[int]) -> dict[tuple[int, str], How]:
    """What these people chose, by user and kind. One query."""
    rows = Preference.objects.filter(user__in=users).values_list("user_id", "kind", "how")
    return {(user, kind): How(how) for user, kind, how in rows}


def how_of(notice: Notice, user_id: int, choices: dict[tuple[int, str], How]) -> How:
    """How a person is told: as it chose, else the notice's own way; a required kind at once."""
    if notice.kind.is_required:
        return How.AT_ONCE
    return choices.get((user_id, notice.kind.key), notice.how)


def next_digest() -> datetime:
    """The next time that digests are sent: settings.DIGEST_HOUR where the program lives."""
    now = timezone.localtime()
    at = timezone.make_aware(datetime.combine(now.date(), time(settings.DIGEST_HOUR)))
    if at > now:
        return at
    return timezone.make_aware(datetime.combine(now.date() + timedelta(days=1), time(settings.DIGEST_HOUR)))


def kinds_for(member: Member) -> list[tuple[Kind, How]]:
    """The kinds of notices that can reach a member in its role, each with the way it is told unless it chooses."""
    found: dict[str, tuple[Kind, How]] = {}
    for notice in NOTICES.values():
        reaches = member.role in notice.to.roles if isinstance(notice.to, Members) else not isinstance(notice.to, Staff)
        if reaches:
            found.setdefault(notice.kind.key, (notice.kind, notice.how))
    return list(found.values())
