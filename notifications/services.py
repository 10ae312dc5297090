"""Every write that a person asks for. Deliveries themselves are written by `telling` and `webhooks`."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from journal import notices
from journal import services as journal
from journal.notices import PUBLISHED, How
from notifications import tasks, telling, webhooks
from notifications.errors import EndpointError, RequiredKindError
from notifications.models import Attempt, Call, Delivery, Endpoint, Message, Preference


@transaction.atomic
def choose(*, user: User, choices: Mapping[str, How], actor: User | None) -> None:
    """How `user` is told of kinds, from now on: mails that wait and are no longer wanted are not sent. Repeating changes nothing.

    Raises RequiredKindError for a kind that cannot be turned off; then nothing is changed.
    """
    required = {kind.key for kind in notices.kinds() if kind.is_required}
    for kind in choices:
        if kind in required:
            raise RequiredKindError(_("This is always told by e-mail at once."))
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    before = dict(Preference.objects.filter(user=user, kind__in=choices).values_list("kind", "how"))
    after = {kind: str(how) for kind, how in choices.items() if before.get(kind) != how}
    if not after:
        return
    for kind, how in after.items():
        Preference.objects.update_or_create(user=user, kind=kind, defaults={"how": how})
    journal.record(
        verb="notifications.preferences.changed", subject=user, actor=actor,
        before={kind: before.get(kind, "") for kind in after}, after=after,
    )  # fmt: skip


@transaction.atomic
def forget_choices(*, preferences: QuerySet[Preference], actor: User) -> None:
    """Tell these people of these kinds in the notices' own way again. Repeating changes nothing."""
    chosen = list(preferences.select_for_update(of=("self",), no_key=True).select_related("user").order_by("pk"))
    Preference.objects.filter(pk__in=[one.pk for one in chosen]).delete()
    journal.record_many(
        journal.entry(
            verb="notifications.preferences.changed", subject=one.user, actor=actor, before={one.kind: one.how},
            after={one.kind: ""},
        )
        for one in chosen
    )  # fmt: skip


def stop_mails(*, user: User, kind: str) -> None:
    """No mail of this kind any more; the portal still shows it. Repeating changes nothing. Raises as `choose`."""
    choose(user=user, choices={kind: How.PORTAL}, actor=user)


def mark_read(*, deliveries: QuerySet[Delivery], is_read: bool = True) -> int:
    """Repeating changes nothing, not even when they were read first. Returns how many changed."""
    return deliveries.filter(read_at__isnull=is_read).update(read_at=timezone.now() if is_read else None)


@transaction.atomic
def send_again(*, rows: Collection[Attempt], actor: User) -> int:
    """Try again what was given up or dropped, from the first attempt on, or what waits, at once. Sent is sent, and left.

    Returns how many that is.
    """
    found = 0
    for model in (Delivery, Call):
        keys = [one.pk for one in rows if isinstance(one, model)]
        again = model.objects.exclude(state=Attempt.State.SENT).filter(pk__in=keys)
        chosen = list(again.select_for_update(of=("self",), no_key=True))
        again.update(state=Attempt.State.WAITING, attempts=0, due_at=timezone.now(), done_at=None, error="")
        journal.record_many(
            journal.entry(verb=f"{model._meta.label_lower}.again", subject=one, actor=actor) for one in chosen
        )
        found += len(chosen)
    transaction.on_commit(tasks.send_soon, robust=True)
    return found


@transaction.atomic
def tell_again(*, messages: Collection[Message], actor: User) -> int:
    """Make messages that could not be made anew, and tell them. Returns how many entries were gone through."""
    failed = Message.objects.select_for_update().exclude(error="").filter(pk__in=[one.pk for one in messages])
    entries = list({one.entry_id: one.entry for one in failed.select_related("entry")}.values())
    failed.delete()
    telling.tell(entries)
    journal.record_many(
        journal.entry(verb="notifications.message.again", subject=journal.subject_of(one), actor=actor) for one in entries
    )  # fmt: skip
    transaction.on_commit(tasks.send_soon, robust=True)
    return len(entries)


# --- Webhooks -------------------------------------------------------------------------------------


@transaction.atomic
def save_endpoint(*, endpoint: Endpoint, actor: User) -> str:
    """Keep an endpoint, told of entries from now on. Returns the secret of a new one, else nothing: it is shown this once.

    Turning one on again forgets its failures; what waited for it is sent. Raises EndpointError for an address that may not be
    called and for a verb that is not published.
    """
    webhooks.resolve(endpoint.url)
    if unknown := set(endpoint.verbs) - PUBLISHED.keys():
        raise EndpointError(_("Nothing is published under %(verbs)s.") % {"verbs": ", ".join(sorted(unknown))})
    is_new = endpoint.pk is None
    if is_new:
        endpoint.salt = webhooks.new_salt()
    elif endpoint.is_active and not Endpoint.objects.get(pk=endpoint.pk).is_active:
        endpoint.failures, endpoint.paused_until = 0, None
    _save(endpoint, actor)
    transaction.on_commit(tasks.send_soon, robust=True)
    return webhooks.secret_of(endpoint) if is_new else ""


@transaction.atomic
def renew_secret(*, endpoint: Endpoint, actor: User) -> str:
    """Another secret, which signs from now on. Returns it: it is shown this once."""
    locked = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    locked.salt = webhooks.new_salt()
    locked.save(update_fields=["salt"])
    journal.record(verb="notifications.endpoint.renewed", subject=locked, actor=actor)
    return webhooks.secret_of(locked)


def _save(endpoint: Endpoint, actor: User) -> None:
    """With an entry that holds everything but what the secret is made of."""
    kept = Endpoint.objects.filter(pk=endpoint.pk).first() if endpoint.pk else None
    fields: tuple[str, ...] = ("name", "url", "verbs", "is_active")
    before: dict[str, Any] = {name: getattr(kept, name) for name in fields} if kept else {}
    after = {name: getattr(endpoint, name) for name in fields}
    endpoint.save()
    if before != after:
        journal.record(
            verb=f"notifications.endpoint.{'changed' if kept else 'created'}", subject=endpoint, actor=actor,
            before={name: value for name, value in before.items() if after[name] != value},
            after={name: value for name, value in after.items() if before.get(name) != value},
        )  # fmt: skip
