"""What partners' services refuse."""

from common.errors import ProgramError


class PartnerError(ProgramError):
    """A change of a partner that lacks something."""

    code = "partner_invalid"


class SponsorshipError(ProgramError):
    """A sponsor that a partner cannot have at that time."""

    code = "sponsorship_refused"
