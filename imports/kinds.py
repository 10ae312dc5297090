"""What can be brought in. Apps above register their importers at start-up."""

from django.utils.translation import gettext as _

from imports.engine import Importer
from imports.errors import MappingError

_registered: dict[str, type[Importer]] = {}


def register(importer: type[Importer]) -> None:
    if importer.kind in _registered:
        raise ValueError(f"imports of kind {importer.kind!r} are registered twice")
    _registered[importer.kind] = importer


def everything() -> list[type[Importer]]:
    return sorted(_registered.values(), key=lambda importer: importer.position)


def get(kind: str) -> type[Importer]:
    """Raises MappingError for a kind that there is not."""
    if kind not in _registered:
        raise MappingError(
            _("There is no import of “%(kind)s”. There are: %(known)s.")
            % {"kind": kind, "known": ", ".join(one.kind for one in everything())}
        )
    return _registered[kind]
