"""The night: one run per program and day, cut into chunks that any number of workers share and any may leave.

A chunk is claimed, worked and marked done in one transaction, so a worker that dies leaves it as it was and whoever
comes next takes it (PostgreSQL: FOR UPDATE SKIP LOCKED; SQLite: one writer at a time). Nothing has to notice a death.
"""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from tiers import selectors, services, steps
from tiers.errors import NoEditionError
from tiers.models import Bound, Chunk, Edition, Measured, Program, Run

logger = logging.getLogger(__name__)
CHUNK_SIZE = 2000
# Figures of a pass, replaced when a day is run again; every other total adds up over the day's passes.
GAUGES = frozenset({"evaluated", "measured"})


@dataclass(frozen=True, slots=True)
class StepProgress:
    key: str
    label: str
    done: int
    failed: int
    total: int | None  # None while the step is not cut yet


def start(*, program: Program, day: date, chunk_size: int = CHUNK_SIZE, keep_going: bool = False) -> Run:
    """The run of `program` for `day`: a new one, or the one there is.

    One that is running is joined. One that is done or failed is opened again: facts may have changed since, and where
    they did not, working it again changes nothing. Raises NoEditionError where no published edition is in force.
    """
    edition = selectors.edition_in_force(program, day)
    if edition is None:
        raise NoEditionError(
            _("Program “%(program)s” has no published edition in force on %(day)s.") % {"program": program, "day": day}
        )
    options = {"chunk_size": chunk_size, "keep_going": keep_going}
    try:
        with transaction.atomic():
            run = Run.objects.create(
                program=program, day=day, edition=edition, options=options,
                previous_on=selectors.last_night(program, before=day),
            )  # fmt: skip
            _enter(run, steps.of(run)[0])
            return run
    except IntegrityError:
        pass
    with transaction.atomic():
        run = Run.objects.nights().select_for_update().get(program=program, day=day)
        if run.state != Run.State.RUNNING:
            _reopen(run, options)
    return run


def start_dry_run(*, edition: Edition, day: date, actor: User | None = None, chunk_size: int = CHUNK_SIZE) -> Run:
    """A dry run of an edition, a draft too, over the partners and facts of its program as they stood on `day`.

    Measures as the night does and writes an Outcome for each enrollment; evaluations, placements, points and ledger stay as
    they are. Each call makes another run. Raises RuleError or MeasureError where the edition cannot be evaluated.
    """
    services.check_edition(edition)
    with transaction.atomic():
        run = Run.objects.create(
            program=edition.program, day=day, edition=edition, is_dry=True, author=actor,
            options={"chunk_size": chunk_size, "keep_going": False},
        )  # fmt: skip
        _enter(run, steps.of(run)[0])
    return run


def _reopen(run: Run, options: dict[str, Any]) -> None:
    run.chunks.all().delete()
    _empty_work_tables(run)
    run.carried = {key: value for key, value in run.totals.items() if key not in GAUGES}
    run.options, run.state, run.error, run.finished_at = options, Run.State.RUNNING, "", None
    _enter(run, steps.of(run)[0])


def _enter(run: Run, step: steps.Step) -> None:
    """Cut the step into waiting chunks, or go on to the next while a step has nothing to do. In the caller's lock."""
    following = steps.of(run)
    for candidate in following[following.index(step) :]:
        cut = candidate.cut(run, run.options["chunk_size"])
        chunks = [
            Chunk(run=run, step=candidate.key, number=number, bounds=bounds)
            for number, bounds in enumerate(cut, start=1)
        ]
        if chunks:
            Chunk.objects.bulk_create(chunks, batch_size=1000)
            run.step = candidate.key
            run.save()
            return
    _finish(run)


def _finish(run: Run) -> None:
    failed = list(run.chunks.filter(state=Chunk.State.FAILED).values_list("step", "number", "error"))
    run.state = Run.State.FAILED if failed else Run.State.DONE
    run.error = "\n".join(f"{step} {number}: {error}" for step, number, error in failed)
    run.step, run.finished_at = "", timezone.now()
    run.totals = _totals(run)
    _empty_work_tables(run)
    run.save()
    logger.info("night %s %s", run, run.state)


def _empty_work_tables(run: Run) -> None:
    """What was measured is of one pass: each measures into an empty table."""
    Measured.objects.filter(run=run).delete()
    Bound.objects.filter(run=run).delete()


def _totals(run: Run) -> dict[str, int]:
    totals = {key: 0 for step in steps.of(run) for key in step.counts}
    totals.update(run.carried)
    for counts in run.chunks.values_list("counts", flat=True):
        for key, value in counts.items():
            totals[key] = totals.get(key, 0) + value
    return totals


def work(
    run_id: int, on_chunk: Callable[[Run], None] | None = None, on_step: Callable[[int], None] | None = None
) -> None:
    """Work chunks until none is left to take. Returns when the run ends or others hold what remains of a step.

    Any number of callers may do so at once, in any process. `on_step` is told the run when this caller, having finished a step's
    last chunk, has cut the next one: those who returned may come back.
    """
    while True:
        run = Run.objects.select_related("program", "edition").get(pk=run_id)
        if run.state != Run.State.RUNNING:
            return
        while _work_one(run):
            if on_chunk is not None:
                on_chunk(run)
        if not _advance(run_id, worked=run.step, on_step=on_step):
            return


def _work_one(run: Run) -> bool:
    """Claim, work and mark one chunk of the run's step. False when there is none to take."""
    step = next(one for one in steps.of(run) if one.key == run.step)
    chunk: Chunk | None = None
    try:
        with transaction.atomic():
            waiting = Chunk.objects.filter(run=run, step=run.step, state=Chunk.State.WAITING).order_by("id")
            chunk = waiting.select_for_update(skip_locked=True, of=("self",)).first()
            if chunk is None:
                return False
            with _uncollected():
                chunk.counts = step.work(run, chunk.bounds)
            chunk.state, chunk.finished_at = Chunk.State.DONE, timezone.now()
            chunk.save(update_fields=["counts", "state", "finished_at"])
    except OperationalError:
        raise  # the database went away or chose this transaction as a deadlock's victim: the chunk waits for the next
    except Exception as error:
        if chunk is None:
            raise
        logger.exception("night %s: step %s, chunk %s failed", run, run.step, chunk.number)
        return _fail(run, chunk, error)
    return True


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's search for circular garbage, which takes a third of the time: what a chunk makes, it needs to its end."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _fail(run: Run, chunk: Chunk, error: Exception) -> bool:
    """Record what went wrong. Whether to go on."""
    said = f"{type(error).__name__}: {error}"
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        Chunk.objects.filter(pk=chunk.pk, state=Chunk.State.WAITING).update(
            state=Chunk.State.FAILED, error=said, finished_at=timezone.now()
        )
        if locked.options.get("keep_going"):
            return True
        locked.state, locked.finished_at = Run.State.FAILED, timezone.now()
        locked.error = f"{chunk.step} {chunk.number}: {said}"
        locked.totals = _totals(locked)
        locked.save()
    return False


def _advance(run_id: int, *, worked: str, on_step: Callable[[int], None] | None = None) -> bool:
    """Go to the next step if every chunk of `worked` is finished. False when others still hold some."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        if run.state != Run.State.RUNNING or run.step != worked:
            return run.state == Run.State.RUNNING
        if run.chunks.filter(step=worked, state=Chunk.State.WAITING).exists():
            return False
        done = next(step.position for step in steps.of(run) if step.key == worked)
        following = [step for step in steps.of(run) if step.position > done]
        if following:
            _enter(run, following[0])
        else:
            _finish(run)
    if on_step is not None and run.state == Run.State.RUNNING:
        on_step(run_id)
    return True


def progress(run: Run) -> list[StepProgress]:
    """How far each step is: one query."""
    cut = {
        row["step"]: row
        for row in run.chunks.order_by()
        .values("step")
        .annotate(
            total=Count("id"), done=Count("id", filter=Q(state="done")), failed=Count("id", filter=Q(state="failed"))
        )
    }
    known = steps.of(run)
    current = next((step.position for step in known if step.key == run.step), None)

    def of(step: steps.Step) -> StepProgress:
        if found := cut.get(step.key):
            return StepProgress(step.key, str(step.label), found["done"], found["failed"], found["total"])
        is_to_come = run.state == Run.State.RUNNING and (current is None or step.position > current)
        return StepProgress(step.key, str(step.label), 0, 0, None if is_to_come else 0)

    return [of(step) for step in known]
