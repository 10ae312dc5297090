"""The night's part in the review of statements: it approves those whose time is over, where staff said so, and reminds."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commissions import payees, services
from commissions.models import Dispute, Statement, StatementSettings
from commissions.situations import lock_partners
from journal import services as journal
from journal.models import Entry
from tiers import steps
from tiers.models import Run

State = Statement.State
Bounds = tuple[int, int]
OWED = (State.IN_REVIEW, State.APPROVED, State.FAILED)
MISSING = "commissions.payee.missing"


def reviewed(run: Run) -> QuerySet[Statement]:
    """Those whose review is over on the night's day, where the end of the review approves."""
    if StatementSettings.current().approval != StatementSettings.Approval.BY_ITSELF:
        return Statement.objects.none()
    return Statement.objects.filter(state=State.IN_REVIEW, review_ends_on__lte=run.day)


def cut_reviewed(run: Run, chunk_size: int) -> Iterable[Bounds]:
    return _ranges(reviewed(run), chunk_size)


def approve(run: Run, bounds: Bounds) -> steps.Counts:
    """Approve, or carry over, what the partners of a range did not question in time. Repeating changes nothing."""
    lock_partners(*bounds)
    seen = dict(reviewed(run).filter(partner__id__range=bounds).values_list("pk", "total"))
    return {"approved": services.approve_statements(seen=seen, on=run.day) if seen else 0}


def overdue(run: Run) -> QuerySet[Dispute]:
    return Dispute.objects.open().filter(due_on__lt=run.day, escalated_on__isnull=True)


def cut_overdue(run: Run, chunk_size: int) -> Iterable[Bounds]:
    return _ranges(overdue(run), chunk_size)


def escalate(run: Run, bounds: Bounds) -> steps.Counts:
    """Say once, in the journal, that the clock of a dispute ran out."""
    lock_partners(*bounds)
    late = list(overdue(run).filter(partner__id__range=bounds))
    Dispute.objects.filter(pk__in=[one.pk for one in late], state=Dispute.State.OPEN).update(escalated_on=run.day)
    journal.record_many(
        journal.entry(verb="commissions.dispute.overdue", subject=one, partner_id=one.partner_id,
                      after={"due_on": one.due_on.isoformat()})
        for one in late
    )  # fmt: skip
    return {"disputes_overdue": len(late)}


def owed() -> QuerySet[Statement]:
    """Statements with money for their partner that waits for a payment."""
    return Statement.objects.filter(state__in=OWED, total__gt=0)


def cut_owed(run: Run, chunk_size: int) -> Iterable[Bounds]:
    return _ranges(owed(), chunk_size) if payees.anybody_knows() else ()


def remind(run: Run, bounds: Bounds) -> steps.Counts:
    """Say in the journal which partners with money waiting cannot be paid: each at most every so many days."""
    lock_partners(*bounds)
    waiting = set(owed().filter(partner__id__range=bounds).values_list("partner_id", flat=True))
    missing = payees.missing(waiting)
    since = timezone.now() - timedelta(days=StatementSettings.current().reminder_days)
    told = set(
        Entry.objects.filter(verb=MISSING, partner_id__in=missing, at__gt=since).values_list("partner_id", flat=True)
    )
    to_tell = sorted(missing - told)
    journal.record_many(
        journal.entry(verb=MISSING, subject=f"partners.partner:{pk}", partner_id=pk, after={"on": run.day.isoformat()})
        for pk in to_tell
    )
    return {"payees_reminded": len(to_tell)}


def _ranges(rows: QuerySet[Any], chunk_size: int) -> Iterable[Bounds]:
    ids = rows.order_by("partner_id").values_list("partner_id", flat=True).distinct()
    return steps.ranges(ids.iterator(chunk_size=10_000), chunk_size)


def register() -> None:
    for key, label, position, cut, work, counts in (
        ("reviews", _("Approve reviewed statements"), 42, cut_reviewed, approve, ("approved",)),
        ("disputes", _("Disputes whose time ran out"), 44, cut_overdue, escalate, ("disputes_overdue",)),
        ("payees", _("Remind of payment details"), 46, cut_owed, remind, ("payees_reminded",)),
    ):
        steps.register(steps.Step(key, label, position, cut, work, counts))
