"""What commissions refuse."""

from collections.abc import Mapping
from typing import Any

from common.errors import ProgramError


class PlanError(ProgramError):
    """A commission plan that cannot be published as it is."""

    code = "plan_invalid"


class AccountingError(ProgramError):
    """The bookkeeping's file cannot be made: the month is not over, or accounts are missing."""

    code = "accounting_refused"


class AdjustmentError(ProgramError):
    """An adjustment that cannot be proposed, or not decided by this person, or not any more."""

    code = "adjustment_refused"


class StatementIssuedError(ProgramError):
    """A statement is no longer what was seen: it changed, or went on."""

    code = "statement_issued"


class StatementStateError(ProgramError):
    """Statements were asked to go where their state does not lead. `states` names them: by key, where they are."""

    code = "statement_state"

    def __init__(self, message: str, *, states: Mapping[int, str]) -> None:
        super().__init__(message)
        self.states = dict(states)

    @property
    def details(self) -> dict[str, Any]:
        return {"states": {str(pk): state for pk, state in self.states.items()}}


class DisputeError(ProgramError):
    """A dispute that cannot be opened, written to or answered so."""

    code = "dispute_refused"


class MonthError(ProgramError):
    """A month that cannot be closed as it was seen."""

    code = "month_changed"
