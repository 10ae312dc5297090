"""Work an uploaded file: once, whatever is asked how often."""

import logging
from datetime import timedelta
from typing import Any, BinaryIO, cast

from django.core.cache import cache
from django.db import OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from imports import kinds
from imports.engine import bring_in
from imports.errors import FileError, ImportRefusedError, MappingError
from imports.models import Import

logger = logging.getLogger(__name__)
ALIVE_SECONDS = 300  # without a sign for so long, whoever worked an import is gone
OPEN = (Import.State.WAITING, Import.State.RUNNING)


def run(import_id: int) -> Import:
    """Bring the file of a waiting import in, and note what came of it. A finished one is left as it is.

    Safe to repeat after a worker died: all of the file was taken, or none. Where another worker has it, it is left to it.
    """
    if Import.objects.filter(pk=import_id, state=Import.State.WAITING).update(state=Import.State.RUNNING):
        cache.set(_key(import_id), (0, None), ALIVE_SECONDS)
    try:
        with transaction.atomic():
            # The row is the lock: who does not get it leaves the import to who has it.
            one = Import.objects.filter(state__in=OPEN).select_for_update(skip_locked=True, of=("self",), no_key=True)
            if (mine := one.filter(pk=import_id).first()) is None:
                return Import.objects.get(pk=import_id)
            _take(mine)
            cache.delete(_key(import_id))
    except ImportRefusedError as refused:
        _refuse(import_id, str(refused), refused.report.problems_as_json(), refused.report.rows)
    except (FileError, MappingError) as refused:
        _refuse(import_id, str(refused), [], 0)
    except OperationalError:
        raise  # the database went away or was busy: the import is picked up again
    except Exception:
        _refuse(import_id, _("The import failed for a reason that lies with this system. Nothing was written."), [], 0)
        raise
    return Import.objects.get(pk=import_id)


def _take(one: Import) -> None:
    with one.file.open("rb") as file:
        report = bring_in(
            importer=kinds.get(one.kind), file=cast(BinaryIO, file), file_name=one.file_name, mapping=one.mapping,
            actor=one.created_by, progress=lambda rows, total: cache.set(_key(one.pk), (rows, total), ALIVE_SECONDS),
        )  # fmt: skip
    one.state, one.finished_at = Import.State.DONE, timezone.now()
    one.rows_read = one.rows_total = report.rows
    one.added, one.changed, one.unchanged = report.added, report.changed, report.unchanged
    one.problems, one.notices = [], report.notices_shown()
    one.save()


def _refuse(import_id: int, said: str, problems: list[dict[str, Any]], rows: int) -> None:
    whole = {"line": None, "column": "", "value": "", "reason": said}
    Import.objects.filter(pk=import_id, state__in=OPEN).update(
        state=Import.State.REFUSED, finished_at=timezone.now(), problems=[whole, *problems], rows_read=rows
    )
    cache.delete(_key(import_id))
    logger.info("import %s refused: %s", import_id, said)


def left_behind() -> list[int]:
    """Imports that wait or run, and that nobody has given a sign of for `ALIVE_SECONDS`."""
    quiet_since = timezone.now() - timedelta(seconds=ALIVE_SECONDS)
    waiting = Import.objects.filter(state__in=OPEN, created_at__lt=quiet_since).order_by("pk")
    return [pk for pk in waiting.values_list("pk", flat=True) if cache.get(_key(pk)) is None]


def progress(one: Import) -> tuple[int, int | None]:
    """Rows read so far and rows in all (about), also while the import's own transaction is open."""
    if one.state == Import.State.RUNNING and (found := cache.get(_key(one.pk))):
        return found[0], found[1]
    return one.rows_read, one.rows_total


def _key(import_id: int) -> str:
    return f"imports.progress.{import_id}"
