"""What payouts refuse."""

from common.errors import ProgramError


class AccountError(ProgramError):
    """Bank details that cannot be kept, confirmed or used. `field` is the one to mend, where there is one."""

    code = "payee_account_refused"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class BatchError(ProgramError):
    """A batch that cannot be built, approved, sent or cancelled as asked."""

    code = "payout_batch_refused"


class BankFileError(ProgramError):
    """A file of the bank that cannot be read, or that contradicts what is known: nothing of it was taken."""

    code = "bank_file_refused"
