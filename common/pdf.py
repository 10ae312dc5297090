"""Pages as PDF, drawn from HTML by WeasyPrint, whose system libraries (Pango) not every machine has."""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils.translation import gettext as _

from common.errors import ProgramError


class PdfError(ProgramError):
    """This machine cannot draw PDF files."""

    code = "pdf_unavailable"


def from_html(html: str) -> bytes:
    """The document that `html` describes. Addresses in it are those of static files ("css/print.css"); nothing else is read,
    and no network is used. Raises PdfError where the library or what it needs is missing: everything else goes on without.
    """
    try:
        weasyprint: Any = import_module("weasyprint")  # here: where it is missing, nothing else may fail
    except (ImportError, OSError) as missing:
        raise PdfError(
            _(
                "This machine cannot make PDF files: WeasyPrint or its system libraries are missing (%(missing)s). Install"
                " Pango (on Debian and Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0), or take the Excel or CSV file."
            )
            % {"missing": missing}
        ) from missing
    base = f"{Path(settings.BASE_DIR).as_uri()}/"
    document = weasyprint.HTML(string=html, base_url=base, url_fetcher=_static(weasyprint, base))
    return bytes(document.write_pdf())


def _static(weasyprint: Any, base: str) -> Any:
    class StaticFiles(weasyprint.urls.URLFetcher):
        """Static files alone: a page never makes this machine read another file, or ask another one."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            found = finders.find(url.removeprefix(base)) if url.startswith(base) else None
            if found is None:
                raise ValueError(f"{url} is no static file")
            return super().fetch(Path(str(found)).as_uri(), headers)

    return StaticFiles()
