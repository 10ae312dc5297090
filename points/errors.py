"""What points refuse."""

from collections.abc import Sequence
from typing import Any

from common.errors import ProgramError


class ClaimError(ProgramError):
    """A claim that cannot be sent or decided as asked."""

    code = "claim_refused"


class AdjustmentError(ProgramError):
    """An adjustment that says nothing or not why."""

    code = "adjustment_invalid"


class PointTableError(ProgramError):
    """A table that cannot become the program's. `problems` says each thing that is wrong, and where."""

    code = "point_table_refused"

    def __init__(self, problems: Sequence[Any]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{one.path}: {one.says}" for one in problems))


class PointTableChangedError(ProgramError):
    """A table was about to be kept over changes that its author had not seen."""

    code = "point_table_changed"
