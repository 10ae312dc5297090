"""Pages as PDF, drawn from HTML by WeasyPrint, whose system libraries (Pango) not every machine has."""

from dataclasses import dataclass
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


def library() -> Any:
    """WeasyPrint. Raises PdfError, saying what to install, where it or what it needs is missing: everything else goes on without."""
    try:
        return import_module("weasyprint")  # here: where it is missing, nothing else may fail
    except (ImportError, OSError) as missing:
        raise PdfError(
            _(
                "This machine cannot make PDF files: WeasyPrint or its system libraries are missing (%(missing)s). Install"
                " Pango (on Debian and Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)."
            )
            % {"missing": str(missing).splitlines()[0]}
        ) from missing


@dataclass(frozen=True, slots=True)
class Look:
    """A style and its fonts, read once for many documents."""

    fonts: Any
    style: Any


def look(css: str) -> Look:
    """The style that `css` describes; addresses in it are those of static files. Raises PdfError."""
    weasyprint = library()
    fonts = weasyprint.text.fonts.FontConfiguration()
    style = weasyprint.CSS(string=css, font_config=fonts, base_url=_base(), url_fetcher=_static(weasyprint, _base()))
    return Look(fonts, style)


def from_html(html: str, *, look: Look | None = None, variant: str | None = None) -> bytes:
    """The document that `html` describes. Addresses in it are those of static files ("css/print.css"); nothing else is read,
    and no network is used. `variant` is a kind of PDF to keep to, as "pdf/a-3b". Raises PdfError.
    """
    weasyprint = library()
    document = weasyprint.HTML(string=html, base_url=_base(), url_fetcher=_static(weasyprint, _base()))
    dressed = {"stylesheets": [look.style], "font_config": look.fonts} if look else {}
    return bytes(document.write_pdf(pdf_variant=variant, **dressed))


def _base() -> str:
    return f"{Path(settings.BASE_DIR).as_uri()}/"


def _static(weasyprint: Any, base: str) -> Any:
    class StaticFiles(weasyprint.urls.URLFetcher):  # type: ignore[misc]  # known once the library is loaded
        """Static files alone: a page never makes this machine read another file, or ask another one."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            found = finders.find(url.removeprefix(base)) if url.startswith(base) else None
            if found is None:
                raise ValueError(f"{url} is no static file")
            return super().fetch(Path(str(found)).as_uri(), headers)

    return StaticFiles()
