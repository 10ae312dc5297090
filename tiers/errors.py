"""What the tier engine refuses."""

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
