"""Refusals: what a person asked for and may not have, said so that they know what to do."""

from typing import Any, ClassVar


class ProgramError(Exception):
    """An expected refusal. Its message is for the person; `code` is stable, for machines.

    Forms show the message, the API answers 409 with both, the admin shows it as a message.
    Anything that is not a ProgramError is a fault and propagates.
    """

    code: ClassVar[str] = "refused"

    @property
    def details(self) -> dict[str, Any]:
        """What a machine may want to read beside the message, as JSON."""
        return {}


class DocumentError(ProgramError):
    """A document that is too large, or of a kind that is not taken."""

    code = "document_invalid"
