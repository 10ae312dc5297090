"""Mails that are due, sent: a small batch by a call. One that fails holds up no other.

A mail is sent once, but for what SMTP itself cannot promise: of a worker that dies after the mail server took a mail and
before that was written down, that one mail goes out again, under the same Message-ID.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused

from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from journal.notices import How, Members
from notifications import attempts, audiences, mailing
from notifications.models import Delivery
from partners.models import Member

logger = logging.getLogger(__name__)
BATCH = 20  # mails a task
# After each attempt; a day in all. Whoever still cannot be reached is given up.
DELAYS = [timedelta(minutes=4**power) for power in range(6)]


def due_mails() -> int:
    return Delivery.objects.due().filter(channel=Delivery.Channel.MAIL).count()


def due_digests() -> int:
    """How many people a digest waits for."""
    return Delivery.objects.due().filter(channel=Delivery.Channel.DIGEST).values("user").distinct().count()


def send_mails() -> int:
    """Send up to `BATCH` mails that are due. Returns how many were tried: fewer than a batch when none is left.

    Any number may call at once: each takes other mails.
    """
    keys = attempts.claim(Delivery.objects.due().filter(channel=Delivery.Channel.MAIL), BATCH)
    rows = list(Delivery.objects.filter(pk__in=keys).select_related("message", "user").order_by("pk"))
    known = _Known.of(rows)
    with _Server() as server:
        for row in rows:
            if why := known.why_not(row):
                attempts.drop([row], why)
            else:
                server.send([row], lambda row=row: mailing.of_delivery(row, is_member=known.is_member(row)))  # type: ignore[misc]
    return len(rows)


def send_digest() -> int:
    """Send one person, of those a digest waits for, everything of its day in one mail. Returns of how many notices; 0: no more.

    Two who call at once serve two people, or one of them finds nothing.
    """
    waiting = Delivery.objects.due().filter(channel=Delivery.Channel.DIGEST)
    first = waiting.order_by("due_at", "pk").values_list("user", flat=True).first()
    if first is None:
        return 0
    keys = attempts.claim(waiting.filter(user=first), 10_000)
    rows = list(Delivery.objects.filter(pk__in=keys).select_related("message", "user").order_by("-pk"))
    known = _Known.of(rows)
    wanted = [row for row in rows if not known.why_not(row)]
    attempts.drop([row for row in rows if row not in wanted], _("The person wants no mail of this any more."))
    if wanted:
        with _Server() as server:
            server.send(wanted, lambda: _digest(wanted[0].user, wanted, known))
    return len(rows)


def _digest(user: User, rows: Sequence[Delivery], known: "_Known") -> EmailMultiAlternatives:
    messages = [row.message for row in rows]
    return mailing.of_day(user, messages, number=rows[-1].pk, is_member=known.is_member(rows[0]))


@dataclass(slots=True)
class _Known:
    """Who the recipients are by now, and what they chose: two queries."""

    memberships: dict[int, tuple[int, str]]
    choices: dict[tuple[int, str], How]

    @classmethod
    def of(cls, rows: Sequence[Delivery]) -> "_Known":
        users = {row.user_id for row in rows}
        members = Member.objects.filter(user__in=users, left_on__isnull=True)
        found = {user: (partner, role) for user, partner, role in members.values_list("user_id", "partner_id", "role")}
        return cls(found, audiences.chosen(users))

    def is_member(self, row: Delivery) -> bool:
        return row.user_id in self.memberships

    def why_not(self, row: Delivery) -> str:
        """Why a mail is not sent any more: empty where it is."""
        notice = row.message.declared
        if notice is None:
            return _("This is told no more.")
        if not row.user.is_active:
            return _("The login was closed.")
        if isinstance(notice.to, Members):
            partner, role = self.memberships.get(row.user_id, (None, ""))
            if partner != row.message.partner_id or role not in notice.to.roles:
                return _("The person has left the partner, or has another role.")
        if audiences.how_of(notice, row.user_id, self.choices) is How.PORTAL:
            return _("The person wants no mail of this any more.")
        return ""


class _Server:
    """A connection to the mail server for a batch, opened again after an error."""

    def __init__(self) -> None:
        self.until = timezone.now() + attempts.LEASE / 2
        self.connection = get_connection()

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def send(self, rows: Sequence[Delivery], compose: Callable[[], EmailMultiAlternatives]) -> None:
        """Compose and send one mail, and settle its rows. Too late in the lease it is left to whoever claims it next."""
        if timezone.now() > self.until:
            return
        try:
            self.connection.open()
            self.connection.send_messages([compose()])
        except Exception as error:  # noqa: BLE001  # whatever one mail meets, the others go out
            logger.warning("mail %s failed: %s", rows[0].pk, error)
            attempts.failed(rows, f"{type(error).__name__}: {error}", delays=DELAYS, is_final=_is_final(error))
            self._close()
        else:
            attempts.sent(rows)

    def _close(self) -> None:
        with suppress(OSError, SMTPException):
            self.connection.close()


def _is_final(error: Exception) -> bool:
    """The server knows that the address does not exist."""
    if not isinstance(error, SMTPRecipientsRefused):
        return False
    return all(500 <= code < 600 for code, _reply in error.recipients.values())
