"""Why a file was not taken."""

from typing import TYPE_CHECKING, ClassVar

from common.errors import ProgramError

if TYPE_CHECKING:
    from imports.report import Report


class FileError(ProgramError):
    """The file as a whole cannot be read: too large, binary, empty, damaged."""

    code: ClassVar[str] = "bad-file"


class MappingError(ProgramError):
    """The mapping does not fit the kind of import, or the file."""

    code: ClassVar[str] = "bad-mapping"


class ImportRefusedError(ProgramError):
    """Some rows are bad, so none was taken. `report` holds them."""

    code: ClassVar[str] = "import-refused"

    def __init__(self, message: str, report: "Report") -> None:
        super().__init__(message)
        self.report = report
