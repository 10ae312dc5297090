"""What commissions refuse."""

from common.errors import ProgramError


class PlanError(ProgramError):
    """A commission plan that cannot be published as it is."""

    code = "plan_invalid"


class StatementIssuedError(ProgramError):
    """A statement was asked to change after it was issued."""

    code = "statement_issued"
