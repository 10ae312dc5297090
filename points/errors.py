"""What points refuse."""

from common.errors import ProgramError


class ClaimError(ProgramError):
    """A claim that cannot be sent or decided as asked."""

    code = "claim_refused"


class AdjustmentError(ProgramError):
    """An adjustment that says nothing or not why."""

    code = "adjustment_invalid"
