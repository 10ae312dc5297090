"""Issuing statements to their partners, and approving them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Min, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from commissions import taxes
from commissions.errors import MonthError, StatementIssuedError
from commissions.lifecycle import elsewhere, facts, lock_partners_of
from commissions.models import Dispute, Hold, Statement, StatementLine, StatementSettings
from commissions.situations import NOTHING
from commissions.statements import gather
from common.periods import add_months, program_today
from journal import services as journal
from partners.models import Partner

State = Statement.State
APPROVED = ("state", "held", "tax", "tax_rate", "tax_mention", "total", "approved_at", "approved_by")


def issue_statement(*, statement: Statement, actor: User | None = None) -> Statement:
    """Give a draft to its partner, to be reviewed: from now on nothing of it changes. Repeating changes nothing.

    Raises StatementIssuedError where it is no longer the draft that was seen (its total changed meanwhile).
    """
    issue_statements(seen={statement.pk: statement.total}, actor=actor)
    return Statement.objects.get(pk=statement.pk)


@transaction.atomic
def issue_statements(*, seen: Mapping[int, Decimal], actor: User | None = None) -> int:
    """Give drafts to their partners, by key with the total that was seen for each: all, or none where one changed since.

    The partner's people who may see pay are told once it is committed (commissions/notices.py). A fixed number of queries. Repeating changes nothing. Returns how many went. Raises StatementIssuedError where a draft
    is gone or no longer comes to what was seen.
    """
    # The night drafts under the partner's lock: a draft that is being filled is not issued half-way.
    lock_partners_of(seen)
    locked = _locked(seen)
    drafts = [one for one in locked if one.state == State.DRAFT]
    changed = [one for one in drafts if one.total != seen[one.pk]]
    if changed or len(locked) < len(seen):
        raise StatementIssuedError(_changed(changed, of_one=len(seen) == 1))
    ends = review_ends_on(program_today())
    keys = [one.pk for one in drafts]
    Statement.objects.filter(pk__in=keys, state=State.DRAFT).update(
        state=State.IN_REVIEW, issued_at=timezone.now(), review_ends_on=ends
    )
    journal.record_many(_issues(drafts, ends, actor))
    return len(drafts)


@dataclass(frozen=True, slots=True)
class OpenMonth:
    """The drafts that closing a month would issue: how many, and what they come to by currency."""

    month: date  # its first day
    drafts: int
    totals: tuple[tuple[str, Decimal], ...]


def drafts_to(month: date) -> QuerySet[Statement]:
    """The drafts of the month that starts on `month`, and what is left of the months before."""
    return Statement.objects.filter(state=State.DRAFT, starts_on__lte=month)


def open_month(month: date) -> OpenMonth:
    """One query."""
    rows = drafts_to(month).order_by("currency").values_list("currency").annotate(Count("pk"), Sum("total"))
    found = list(rows)
    totals = tuple((currency, total) for currency, _number, total in found)
    return OpenMonth(month, sum(number for _currency, number, _total in found), totals)


@transaction.atomic
def close_month(*, seen: OpenMonth, actor: User | None = None) -> int:
    """Issue every draft of a month that is over, and those left of the months before: all, or none where they come to
    something else than what was seen. Returns how many.

    Their partners' people are told once it is committed, each by a mail of its own: one that fails keeps back no other. Memory stays flat; one statement of SQL moves them all. Repeating does nothing. Raises MonthError where the
    month is not over, or the drafts changed.
    """
    today = program_today()
    if add_months(seen.month, 1) > today:
        raise MonthError(_("This month is not over."))
    drafts = drafts_to(seen.month)
    partners = Partner.objects.filter(pk__in=drafts.order_by().values("partner"))
    list(partners.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    found = open_month(seen.month)
    if not found.drafts:
        return 0
    if found != seen:
        raise MonthError(_("The drafts changed while you looked at them, so nothing was issued. Look at them again."))
    issued_at, ends = timezone.now(), review_ends_on(today)
    changed = {"state": State.IN_REVIEW, "issued_at": issued_at, "review_ends_on": ends}
    first = drafts.aggregate(Min("starts_on"))["starts_on__min"]
    number = drafts.update(**changed)
    issued = Statement.objects.filter(state=State.IN_REVIEW, issued_at=issued_at, starts_on__range=(first, seen.month))
    journal.record_many(_issues(issued.iterator(chunk_size=2000), ends, actor))
    journal.record(
        verb="commissions.month.closed", subject=f"commissions.month:{seen.month:%Y-%m}", actor=actor,
        after={"statements": number, **{currency: str(total) for currency, total in found.totals}},
    )  # fmt: skip
    return number


def review_ends_on(today: date) -> date:
    """The first day on which the lines of what is issued today can no longer be questioned."""
    return today + timedelta(days=StatementSettings.current().review_days)


def _issues(statements: Iterable[Statement], ends: date, actor: User | None) -> Iterable[journal.Line]:
    for one in statements:
        yield journal.entry(
            verb="commissions.statement.issued", subject=one, actor=actor, partner_id=one.partner_id,
            after={**facts(one), "review_ends_on": ends.isoformat()},
        )  # fmt: skip


@transaction.atomic
def approve_statements(*, seen: Mapping[int, Decimal], actor: User | None = None, on: date | None = None) -> int:
    """Approve statements in review, by key with the total that was seen for each: all, or none where one is not that.

    A line whose dispute is open is held: the statement is approved without it. What is left and comes to less than the
    smallest payment, or to less than nothing, is carried over instead: the partner's next statement opens with it. Tax is
    what `taxes.terms` says `on` the day, today by default. A fixed number of queries, and one write for each 500. Repeating
    changes nothing. Returns how many left the review. Raises StatementIssuedError where a total is not what was seen,
    StatementStateError where one is elsewhere.
    """
    partners = lock_partners_of(seen)
    locked = _locked(seen)
    after = (
        State.APPROVED,
        State.SCHEDULED,
        State.PAID,
        State.CARRIED,
    )  # what follows an approval: somebody was quicker
    if others := [one for one in locked if one.state not in (State.IN_REVIEW, *after)]:
        raise elsewhere(others)
    waiting = [one for one in locked if one.state == State.IN_REVIEW]
    if len(locked) < len(seen) or any(one.total != seen[one.pk] for one in waiting):
        raise StatementIssuedError(
            _("Some of these statements changed while you looked at them, so none was approved. Look at them again.")
        )
    if not waiting:
        return 0
    held = _hold(waiting)
    settings, terms, now = StatementSettings.current(), taxes.terms(partners, on or program_today()), timezone.now()
    for one in waiting:
        one.held = held.get(one.pk, NOTHING)
        one.total -= one.held
        if one.total < settings.minimum(one.currency):
            one.state = State.CARRIED
            continue
        own = terms[one.partner_id]
        one.tax, one.tax_rate, one.tax_mention = own.tax_on(one.total, one.currency), own.rate, own.mention
        one.total += one.tax
        one.state, one.approved_at, one.approved_by = State.APPROVED, now, actor
    Statement.objects.bulk_update(waiting, APPROVED, batch_size=500)
    journal.record_many(_approvals(waiting, actor))
    gather({one.partner_id for one in waiting if one.state == State.CARRIED})
    return len(waiting)


def _hold(statements: Collection[Statement]) -> dict[int, Decimal]:
    """Hold the lines with an open dispute; what that takes off, by statement."""
    questioned = (
        StatementLine.objects.filter(statement__in=statements, earning__disputes__state=Dispute.State.OPEN)
        .order_by("pk")
        .values_list("pk", "statement_id", "earning__disputes", "earning__amount")
    )
    held: dict[int, Decimal] = {}
    holds = []
    for line_id, statement_id, dispute_id, amount in questioned:
        holds.append(Hold(line_id=line_id, dispute_id=dispute_id))
        held[statement_id] = held.get(statement_id, NOTHING) + amount
    Hold.objects.bulk_create(holds)
    return held


def _approvals(statements: Iterable[Statement], actor: User | None) -> Iterable[journal.Line]:
    for one in statements:
        verb = "approved" if one.state == State.APPROVED else "carried"
        yield journal.entry(
            verb=f"commissions.statement.{verb}", subject=one, actor=actor, partner_id=one.partner_id,
            before={"state": State.IN_REVIEW}, after={**facts(one), "tax": str(one.tax), "held": str(one.held)},
        )  # fmt: skip


def _changed(changed: list[Statement], *, of_one: bool) -> str:
    if not (of_one and changed):
        return _("Some of these drafts changed while you looked at them, so none was issued. Look at them again.")
    return _("The draft changed while you looked at it: it comes to %(amount)s %(currency)s now. Look at it again.") % {
        "amount": changed[0].total, "currency": changed[0].currency
    }  # fmt: skip


def _locked(seen: Mapping[int, Decimal]) -> list[Statement]:
    return list(Statement.objects.filter(pk__in=seen).select_for_update(no_key=True).order_by("pk"))
