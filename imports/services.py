"""What staff ask for: bring in a file that they upload."""

from functools import partial
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from imports import kinds, tasks
from imports.errors import FileError
from imports.mapping import read as check_mapping
from imports.models import Import
from imports.running import progress, run
from journal import services as journal

__all__ = ["progress", "run", "upload"]


@transaction.atomic
def upload(*, kind: str, file: File, mapping: Any, actor: User | None) -> Import:
    """Keep the file and queue its import for after the commit; `progress` and the row itself tell how far it is.

    Raises FileError for one that is too large, MappingError where kind or mapping are wrong: both are seen before anything
    is kept. What is wrong in the file's rows is told in the import's `problems`.
    """
    importer = kinds.get(kind)
    check_mapping(mapping, importer.fields, importer.open_fields)
    if file.size > settings.IMPORT_MAX_BYTES:
        raise FileError(
            _("The file has %(size)s MB; an import may have %(limit)s MB at most. Split it.")
            % {"size": f"{file.size / 2**20:,.1f}", "limit": f"{settings.IMPORT_MAX_BYTES / 2**20:,.1f}"}
        )
    name = PurePath(file.name or kind).name[:255]
    kept = Import.objects.create(kind=kind, file=file, file_name=name, mapping=mapping, created_by=actor)
    journal.record(verb="imports.file.uploaded", subject=kept, actor=actor, after={"kind": kind, "file": name})
    transaction.on_commit(partial(tasks.run_import.delay, kept.pk))
    return kept
