"""Refusals of invoicing."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from common.errors import ProgramError


class IdentityError(ProgramError):
    """Legal details that cannot stand on an invoice."""

    code: ClassVar[str] = "invoice_identity_invalid"

    def __init__(self, problems: Mapping[str, str] | str) -> None:
        self.problems = {"": problems} if isinstance(problems, str) else dict(problems)
        super().__init__(" ".join(self.problems.values()))

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": {name: text for name, text in self.problems.items() if name}}


class MandateError(ProgramError):
    """A self-billing mandate that cannot be given or revoked as asked."""

    code: ClassVar[str] = "invoice_mandate_refused"


class UploadError(ProgramError):
    """An uploaded invoice that does not fit its statement, or was decided already."""

    code: ClassVar[str] = "invoice_upload_refused"


class InvalidDocumentError(ProgramError):
    """The document does not pass the norm's own checks: nothing is stored, no number is used."""

    code: ClassVar[str] = "invoice_document_invalid"

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__(
            _("The document does not pass its checks: %(complaints)s") % {"complaints": " · ".join(complaints)}
        )
        self.complaints = list(complaints)

    @property
    def details(self) -> dict[str, Any]:
        return {"complaints": self.complaints}
