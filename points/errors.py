"""What points refuse."""

from common.errors import ProgramError


class PointRuleError(ProgramError):
    """A row of the points table that cannot be, or that would rewrite what was granted."""

    code = "point_rule_invalid"


class ClaimError(ProgramError):
    """A claim that cannot be sent or decided as asked."""

    code = "claim_refused"


class AdjustmentError(ProgramError):
    """An adjustment that says nothing or not why."""

    code = "adjustment_invalid"
