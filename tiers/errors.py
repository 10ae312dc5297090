"""What the tier engine refuses."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from common.errors import ProgramError


class NoEditionError(ProgramError):
    """The program has no published edition in force on the day."""

    code = "no_edition"


class EditionFrozenError(ProgramError):
    """A published edition was about to be changed."""

    code = "edition_frozen"


class BackdatedPlacementError(ProgramError):
    """A placement would start before one that is already in force: history is never rewritten."""

    code = "backdated_placement"


class MeasureError(ProgramError):
    """A measure names a dataset, field, filter or window that does not exist or does not fit."""

    code = "measure_invalid"


class RuleError(ProgramError):
    """A rule tree cannot be evaluated as it stands."""

    code = "rule_invalid"


class GrantError(ProgramError):
    """A tier cannot be granted, or a grant not ended, as asked."""

    code = "grant_invalid"


class ProposalError(ProgramError):
    """A proposal cannot be decided so: it is decided or withdrawn by now, or what it proposes is no more."""

    code = "proposal_not_open"


class ReliefError(ProgramError):
    """A time without losses needs a reason, and an end after its start."""

    code = "relief_invalid"


class GraceClosedError(ProgramError):
    """A grace is over by now."""

    code = "grace_closed"


class EnrollmentOverError(ProgramError):
    """The enrollment is not in force on the day."""

    code = "enrollment_over"


class AwardError(ProgramError):
    """An award cannot be given, corrected or ended so."""

    code = "award_invalid"


class BenefitNotGivenError(ProgramError):
    """The tier that is held on the day does not give the benefit."""

    code = "benefit_not_given"


class BenefitSpentError(ProgramError):
    """More of a benefit was asked for than is left of it. `left` says how much that is."""

    code = "benefit_spent"

    def __init__(self, message: str, *, left: Decimal) -> None:
        super().__init__(message)
        self.left = left

    @property
    def details(self) -> dict[str, Any]:
        return {"left": str(self.left)}


class BenefitUseError(ProgramError):
    """A use of a benefit that cannot be counted, or taken back, so."""

    code = "benefit_use_invalid"


class AttestationError(ProgramError):
    """An attestation that cannot be recorded so."""

    code = "attestation_invalid"


class DraftChangedError(ProgramError):
    """A draft was about to be kept over changes that its author had not seen."""

    code = "draft_changed"


class DraftShapeError(ProgramError):
    """A document that no draft can hold. `problems` says each thing that is wrong, and where."""

    code = "draft_invalid"

    def __init__(self, problems: Sequence[Any]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{one.path}: {one.says}" for one in problems))
