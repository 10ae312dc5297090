"""Dry runs of plans: the facts of real history by a plan, beside what stands in the ledger for the same facts.

Partners are worked in ranges, each in a transaction of its own; a range that was interrupted is worked again. Memory is flat.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from commissions import plan_documents, services, settling, streams
from commissions.errors import PlanError
from commissions.models import Plan, PlanTrial, TrialChunk, TrialRow
from commissions.reckoning import Due
from commissions.selectors import REASONS
from commissions.streams import Partners, Segment
from common import bulk
from common.periods import add_months, program_today
from journal import services as journal
from tiers import steps
from tiers.models import Enrollment

PARTNERS_AT_ONCE = 500
ROW = ("trial", "owner", "partner", "currency", "would", "stands")


def first_day(plan: Plan, day: date) -> date:
    """Since when facts are looked at where nobody says: since the plan's first day, at most the last twelve months; of a plan
    that is still to start, the last twelve months.
    """
    year_ago = add_months(day, -12)
    return plan.starts_on if year_ago < plan.starts_on < day else year_ago


@transaction.atomic
def start(*, plan: Plan, starts_on: date, day: date, actor: User | None, queue: Any) -> PlanTrial:
    """Cut the partners of the program into ranges and ask for workers once that is committed (`queue(trial_id)`).

    The plan is taken to count for every fact of these days, whenever it really starts. Raises PlanError for one that could not
    be published, and for days that are none or still to come.
    """
    services.check(plan)
    if not starts_on < day <= program_today():
        raise PlanError(_("Give days that have been: from one on, up to a later one, today at the latest."))
    trial = PlanTrial.objects.create(plan=plan, definition=plan.definition, starts_on=starts_on, day=day, author=actor)
    ids = (
        Enrollment.objects.filter(program=plan.program_id)
        .order_by("partner_id")
        .values_list("partner_id", flat=True)
        .distinct()
    )
    ranges = steps.ranges(ids.iterator(chunk_size=10_000), PARTNERS_AT_ONCE)
    TrialChunk.objects.bulk_create(TrialChunk(trial=trial, first=first, last=last) for first, last in ranges)
    journal.record(
        verb="commissions.plan.tried", subject=plan, actor=actor,
        after={"starts_on": starts_on.isoformat(), "day": day.isoformat()},
    )  # fmt: skip
    transaction.on_commit(partial(queue, trial.pk))
    return trial


def work(trial_id: int) -> None:
    """Work the ranges that nobody has, until none is left. Any number of workers may; repeating changes nothing."""
    trial = PlanTrial.objects.select_related("plan__program").get(pk=trial_id)
    try:
        while trial.state == PlanTrial.State.RUNNING and _work_one(trial):
            pass
    except OperationalError:
        raise  # the task tries again
    except Exception as error:
        PlanTrial.objects.filter(pk=trial_id).update(
            state=PlanTrial.State.FAILED, error=f"{type(error).__name__}: {error}", finished_at=timezone.now()
        )
        raise
    waiting = TrialChunk.objects.filter(trial=trial_id, done_at=None)
    if not waiting.exists():
        PlanTrial.objects.filter(pk=trial_id, state=PlanTrial.State.RUNNING).update(
            state=PlanTrial.State.DONE, finished_at=timezone.now()
        )


@transaction.atomic
def _work_one(trial: PlanTrial) -> bool:
    chunk = (
        TrialChunk.objects.filter(trial=trial, done_at=None)
        .order_by("first")
        .select_for_update(skip_locked=True)
        .first()
    )
    if chunk is None:
        return False
    enrolled = Enrollment.objects.filter(program=trial.plan.program_id, partner__id__range=(chunk.first, chunk.last))
    ids = sorted(set(enrolled.values_list("partner_id", flat=True)))
    sums: dict[tuple[int, int, str], list[int]] = {}
    nothing: Counter[str] = Counter()
    for settlement in settling.settlements(
        Partners(trial.plan.program, trial.day, dict.fromkeys(ids, trial.starts_on)), [_segment(trial)]
    ):
        chunk.facts += _add(settlement, sums, nothing)
    TrialRow.objects.filter(trial=trial, owner__id__range=(chunk.first, chunk.last)).delete()
    bulk.insert(
        TrialRow, ROW, ((trial.pk, *key, *amounts) for key, amounts in sorted(sums.items())),
        stored=frozenset({"would", "stands"}),
    )  # fmt: skip
    chunk.nothing, chunk.done_at = dict(nothing), timezone.now()
    chunk.save(update_fields=["facts", "nothing", "done_at"])
    return True


def _segment(trial: PlanTrial) -> Segment:
    """The plan as it was when the trial started, for all of its days."""
    plan = trial.plan
    plan.definition = trial.definition
    book = plan_documents.read(plan)
    return Segment(plan, book, trial.starts_on, trial.day, streams.rates_of(plan.program, plan.starts_on))


def _add(settlement: settling.Settlement, sums: dict[tuple[int, int, str], list[int]], nothing: Counter[str]) -> int:
    """One partner's facts, added to the sums; returns how many there are."""
    facts = set()
    for _book, one in settlement.reckoned:
        facts.add((one.fact.event, one.fact.id))
        if isinstance(one, Due):
            sums.setdefault((settlement.partner, one.partner, one.currency), [0, 0])[0] += one.amount
        else:
            nothing[one.terms.reason] += 1
    for (_event, _fact, partner, _rule, currency), stands in settlement.ledger.due.items():
        sums.setdefault((settlement.partner, partner, currency), [0, 0])[1] += stands
    return len(facts)


# --- What it found --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sums:
    """In one currency: what would be earned, what stands. Of a partner, or of all."""

    currency: str
    would: Decimal
    stands: Decimal
    partner: str = ""
    partner_id: int = 0
    partners: int = 0

    @property
    def difference(self) -> Decimal:
        return self.would - self.stands


@dataclass(frozen=True, slots=True)
class Found:
    """What a trial found: sums by currency, who gains and loses most, who would earn nothing, why facts earn nothing."""

    facts: int
    totals: tuple[Sums, ...]
    gains: tuple[Sums, ...]
    losses: tuple[Sums, ...]
    without: tuple[Sums, ...]
    without_count: int
    reasons: tuple[tuple[str, int], ...]


SHOWN = 10


def found(trial: PlanTrial) -> Found:
    """A fixed number of queries."""
    by_partner = _by_partner(trial)
    changed = by_partner.annotate(off=F("would_sum") - F("stands_sum"))
    without = by_partner.filter(would_sum=0).exclude(stands_sum=0)
    facts, reasons = 0, Counter[str]()
    for number, nothing in trial.chunks.values_list("facts", "nothing"):
        facts += number
        reasons.update(nothing)
    totals = trial.rows.order_by("currency").values_list("currency").annotate(Sum("would"), Sum("stands"))
    return Found(
        facts=facts,
        totals=tuple(Sums(currency, would, stands) for currency, would, stands in totals),
        gains=tuple(_sums(changed.filter(off__gt=0).order_by("-off", "partner_id")[:SHOWN])),
        losses=tuple(_sums(changed.filter(off__lt=0).order_by("off", "partner_id")[:SHOWN])),
        without=tuple(_sums(without.order_by("-stands_sum", "partner_id")[:SHOWN])),
        without_count=without.count(),
        reasons=tuple((str(REASONS.get(reason, reason)), count) for reason, count in reasons.most_common()),
    )  # fmt: skip


def _by_partner(trial: PlanTrial) -> Any:
    rows = trial.rows.order_by().values("partner_id", "partner__name", "partner__external_id", "currency")
    return rows.annotate(would_sum=Sum("would"), stands_sum=Sum("stands"))


def _sums(rows: Any) -> Iterator[Sums]:
    for row in rows:
        yield Sums(row["currency"], row["would_sum"], row["stands_sum"], row["partner__name"], row["partner_id"])


def rows(trial: PlanTrial) -> Iterator[tuple[str, str, str, Decimal, Decimal]]:
    """Every partner: key, name, currency, what it would earn, what stands. Streamed."""
    ordered = (
        _by_partner(trial)
        .filter(~Q(would_sum=0) | ~Q(stands_sum=0))
        .order_by("partner__name", "partner_id", "currency")
    )
    for row in ordered.iterator(chunk_size=2000):
        yield (
            row["partner__external_id"], row["partner__name"], row["currency"], row["would_sum"], row["stands_sum"]
        )  # fmt: skip
