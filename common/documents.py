"""Documents that people send: what they are, their first bytes say, not their name."""

import zipfile
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.http import FileResponse
from django.utils.translation import gettext as _

from common.errors import DocumentError

HEAD = 16
KINDS: dict[str, tuple[bytes, ...]] = {
    ".pdf": (b"%PDF-",),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".docx": (b"PK\x03\x04",),
    ".xlsx": (b"PK\x03\x04",),
    ".pptx": (b"PK\x03\x04",),
}
# What an office file holds that is one.
INSIDE = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml", ".pptx": "ppt/presentation.xml"}
ACCEPT = ",".join(KINDS)


def checked(file: File) -> str:
    """The name of a document that may be kept. Raises DocumentError for one too large, or that is not what its name says."""
    limit = settings.DOCUMENT_MAX_BYTES
    if not file.size or file.size > limit:
        raise DocumentError(
            _("The document has %(size)s MB; between something and %(limit)s MB is taken.")
            % {"size": f"{(file.size or 0) / 2**20:,.1f}", "limit": f"{limit / 2**20:,.0f}"}
        )
    name = PurePath(file.name or "").name
    ending = PurePath(name).suffix.lower()
    file.seek(0)
    head = file.read(HEAD)
    if not head.startswith(KINDS.get(ending, ())) or not _holds(file, ending):
        raise DocumentError(
            _(
                "This is no document that is taken: send a PDF, a picture (PNG, JPEG), or an Office file (DOCX, XLSX, PPTX)."
            )
        )
    file.seek(0)
    return name[-200:]


def _holds(file: Any, ending: str) -> bool:
    if ending not in INSIDE:
        return True
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return INSIDE[ending] in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def to_download(file: Any, name: str) -> FileResponse:
    """A stored document to download, never to be shown by the browser as a page of this site."""
    return FileResponse(
        file.open("rb"), as_attachment=True, filename=name, content_type="application/octet-stream",
        headers={"X-Content-Type-Options": "nosniff"},
    )  # fmt: skip
