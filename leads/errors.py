"""What leads and deals refuse."""

from common.errors import ProgramError


class NotShareableError(ProgramError):
    """The partner's tier does not share leads."""

    code = "lead_not_shareable"


class LeadMovedError(ProgramError):
    """The lead or its offer is no longer where the person saw it."""

    code = "lead_moved"


class DealMovedError(ProgramError):
    """The deal's state does not allow what was asked."""

    code = "deal_moved"


class ReasonMissingError(ProgramError):
    """A refusal without a reason."""

    code = "reason_missing"


class SaleError(ProgramError):
    """What was asked does not fit the sale, its refunds or its shares."""

    code = "sale_refused"
