"""Writing and publishing plans."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from commissions import plan_documents
from commissions.errors import PlanError
from commissions.models import Plan
from common.texts import Texts
from journal import services as journal
from tiers.models import Program, Tier

Definition = dict[str, Any]


@transaction.atomic
def draft_plan(
    *, program: Program, name: Mapping[str, str], starts_on: date, definition: Definition, ends_on: date | None = None,
    actor: User | None = None,
) -> Plan:  # fmt: skip
    """A plan that is being written: it may be wrong still, and pays nobody. Each call makes another."""
    plan = Plan.objects.create(
        program=program, name=Texts(name), version=_next_version(program), starts_on=starts_on, ends_on=ends_on,
        definition=definition, author=actor,
    )  # fmt: skip
    journal.record(verb="commissions.plan.drafted", subject=plan, actor=actor, after=_said(plan))
    return plan


@transaction.atomic
def change_draft(
    *, plan: Plan, name: Mapping[str, str], starts_on: date, definition: Definition, ends_on: date | None = None,
    actor: User | None = None,
) -> Plan:  # fmt: skip
    """Raises PlanError for a plan that is published. Repeating changes nothing."""
    locked = Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    if locked.state != Plan.State.DRAFT:
        raise PlanError(_("“%(plan)s” is published and never changes: publish another plan.") % {"plan": locked})
    before = _said(locked)
    locked.name, locked.starts_on, locked.ends_on = Texts(name), starts_on, ends_on
    locked.definition = definition
    if (after := _said(locked)) == before:
        return locked
    locked.save()
    journal.record(verb="commissions.plan.changed", subject=locked, actor=actor, before=before, after=after)
    return locked


@transaction.atomic
def publish_draft(*, plan: Plan, actor: User | None = None) -> Plan:
    """Pay by it from its first day: it takes the place of a plan that starts on the same day. The next night posts the
    differences for every fact since. Repeating changes nothing. Raises PlanError with everything that is wrong with it.
    """
    Program.objects.select_for_update(no_key=True).get(pk=plan.program_id)
    locked = Plan.objects.select_for_update(no_key=True).select_related("program").get(pk=plan.pk)
    if locked.state == Plan.State.PUBLISHED:
        return locked
    check(locked)
    replaced = Plan.objects.published().filter(program=locked.program, starts_on=locked.starts_on).order_by("-version")
    before = replaced.first()
    if before is not None and before.version > locked.version:
        locked.version = _next_version(locked.program)
    locked.state, locked.published_at = Plan.State.PUBLISHED, timezone.now()
    locked.save()
    journal.record(
        verb="commissions.plan.published", subject=locked, actor=actor, before=_said(before) if before else {},
        after=_said(locked),
    )  # fmt: skip
    return locked


@transaction.atomic
def publish_plan(
    *, program: Program, name: Mapping[str, str], starts_on: date, definition: Definition,
    ends_on: date | None = None, actor: User | None = None,
) -> Plan:  # fmt: skip
    """Write and publish at once. Publishing what is already in force from that day changes nothing. Raises PlanError."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    latest = Plan.objects.published().filter(program=program, starts_on=starts_on).order_by("-version").first()
    if latest is not None and latest.ends_on == ends_on and latest.definition == definition:
        return latest
    plan = draft_plan(
        program=program, name=name, starts_on=starts_on, ends_on=ends_on, definition=definition, actor=actor
    )
    return publish_draft(plan=plan, actor=actor)


@transaction.atomic
def delete_draft(*, plan: Plan, actor: User | None = None) -> None:
    """Raises PlanError for a plan that is published."""
    locked = Plan.objects.select_for_update().get(pk=plan.pk)
    if locked.state != Plan.State.DRAFT:
        raise PlanError(_("“%(plan)s” is published and never changes: publish another plan.") % {"plan": locked})
    journal.record(verb="commissions.plan.deleted", subject=locked, actor=actor, before=_said(locked))
    locked.delete()


def check(plan: Plan) -> None:
    """Raises PlanError with everything that is wrong with a plan, a line for each."""
    tiers = set(Tier.objects.filter(edition__program=plan.program_id).values_list("code", flat=True))
    found = list(plan_documents.problems(plan.definition, tiers=tiers, currency=plan.program.currency))
    if plan.ends_on is not None and plan.ends_on <= plan.starts_on:
        found.append(_("The plan ends before it starts."))
    if found:
        raise PlanError("\n".join(found))


def _next_version(program: Program) -> int:
    return (Plan.objects.filter(program=program).aggregate(Max("version"))["version__max"] or 0) + 1


def _said(plan: Plan) -> dict[str, Any]:
    return {
        "name": dict(plan.name), "starts_on": plan.starts_on.isoformat(),
        "ends_on": plan.ends_on.isoformat() if plan.ends_on else None, "definition": plan.definition,
    }  # fmt: skip
