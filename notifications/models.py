"""What was told to whom, and how far the journal has been read for it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from journal.models import Entry
from journal.notices import NOTICES, PUBLISHED, How, Members, Named, Notice
from partners.models import Member

WAYS = [(How.AT_ONCE, _("E-mail at once")), (How.DAILY, _("Daily digest")), (How.PORTAL, _("Portal only"))]


class Reader(models.Model):
    """How far one reader of the journal has come: every entry up to `position` was seen to.

    Ids are drawn before they are committed. So what is read ends at a `horizon`, and only once the transactions that were
    writing when it was set (`waits_for`) are over: then nothing at or below it can still appear.
    """

    name = models.CharField(max_length=20, primary_key=True)
    position = models.BigIntegerField(default=0)
    horizon = models.BigIntegerField(default=0)
    waits_for = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"


class Message(models.Model):
    """What one entry of the journal says to people, as one notice. `facts` fill the notice's templates, in any language.

    One that could not be made has an `error` and was told to nobody.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+", verbose_name=_("journal entry"))
    notice = models.CharField(_("notice"), max_length=60)
    partner_id = models.BigIntegerField(_("partner"), null=True)
    facts = models.JSONField(_("facts"), default=dict)
    error = models.TextField(_("error"), default="")
    created_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "notice"], name="notifications_an_entry_says_a_notice_once")
        ]
        indexes = [models.Index(fields=["id"], condition=~Q(error=""), name="notifications_untold")]

    def __str__(self) -> str:
        declared = self.declared
        return str(declared.label) if declared else self.notice

    @property
    def declared(self) -> Notice | None:
        """None where the product tells this no more."""
        return NOTICES.get(self.notice)


class Attempt(models.Model):
    """Something to send: tried when it is due, again later where it failed, given up at last.

    Whoever tries it first puts `due_at` off, so that nobody else does; one who dies in between leaves it to be tried then.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        DEAD = "dead", _("Given up")
        DROPPED = "dropped", _("No longer wanted")

    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next try"), default=timezone.now)
    done_at = models.DateTimeField(_("done"), null=True)
    error = models.TextField(_("why not"), default="")

    class Meta:
        abstract = True


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def inbox(self, member: Member) -> Self:
        """What stands in a member's portal: told to it, about its own partner, and still for its role to see."""
        own = [
            key
            for key, notice in NOTICES.items()
            if isinstance(notice.to, Named) or (isinstance(notice.to, Members) and member.role in notice.to.roles)
        ]
        return self.filter(
            channel=Delivery.Channel.PORTAL, user=member.user_id, message__partner_id=member.partner_id,
            message__notice__in=own,
        )  # fmt: skip

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)

    def due(self) -> Self:
        return self.filter(state=Delivery.State.WAITING, due_at__lte=timezone.now())


class Delivery(Attempt):
    """A message to one person by one channel."""

    class Channel(models.TextChoices):
        PORTAL = "portal", _("Portal")
        MAIL = "mail", _("E-mail")
        DIGEST = "digest", _("Daily digest")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("message"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("to")
    )  # fmt: skip
    channel = models.CharField(_("channel"), max_length=6, choices=Channel)
    read_at = models.DateTimeField(_("read"), null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["message", "user", "channel"], name="notifications_a_person_is_told_once_by_a_channel"
            )
        ]
        indexes = [
            models.Index(fields=["channel", "due_at"], condition=Q(state="waiting"), name="notifications_due"),
            models.Index(
                fields=["user"], condition=Q(channel="portal", read_at__isnull=True), name="notifications_unread"
            ),
            models.Index(fields=["user", "-id"], name="notifications_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.message} → {self.user}"


class Preference(models.Model):
    """How a person wants to be told of one kind of notice, where that is not the notice's own way."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=40)
    how = models.CharField(_("how"), max_length=10, choices=WAYS)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        ordering = ["user", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="notifications_one_preference_per_person_and_kind")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}, {self.how}"


class Endpoint(models.Model):
    """An address of another system that is told what happens, as it happens, signed."""

    name = models.CharField(_("name"), max_length=80)
    url = models.URLField(_("address"), max_length=500, help_text=_("Takes POST requests over https."))
    verbs = models.JSONField(_("told of"), default=list)
    is_active = models.BooleanField(_("on"), default=True)
    salt = models.CharField(max_length=64, editable=False)  # the secret is made of it and of SECRET_KEY
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0, editable=False)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class CallQuerySet(models.QuerySet["Call"]):
    def due(self) -> Self:
        now = timezone.now()
        rested = Q(endpoint__paused_until__isnull=True) | Q(endpoint__paused_until__lte=now)
        return self.filter(rested, state=Call.State.WAITING, due_at__lte=now, endpoint__is_active=True)


class Call(Attempt):
    """One entry of the journal for one endpoint."""

    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="calls", verbose_name=_("webhook")
    )  # fmt: skip
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+", verbose_name=_("journal entry"))
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call of a webhook")
        verbose_name_plural = _("calls of webhooks")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "entry"], name="notifications_an_endpoint_gets_an_entry_once")
        ]
        indexes = [
            models.Index(F("endpoint"), F("due_at"), condition=Q(state="waiting"), name="notifications_calls_due")
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} → {self.endpoint}"


def published_choices() -> list[tuple[str, str]]:
    """The verbs that webhooks may carry, each with what it means."""
    return [(verb, f"{one.label} ({verb})") for verb, one in sorted(PUBLISHED.items())]
