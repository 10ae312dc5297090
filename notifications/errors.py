from common.errors import ProgramError


class EndpointError(ProgramError):
    """An address that may not be called, or a verb that is not published."""

    code = "webhook_refused"


class RequiredKindError(ProgramError):
    """A kind of notice that cannot be turned off."""

    code = "notice_required"
