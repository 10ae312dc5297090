"""Staff's pages of payouts: accounts to confirm, batches, payments, files of the bank."""

from payouts.admin.accounts import PayeeAccountAdmin, PayerAccountAdmin
from payouts.admin.bank_files import BankFileAdmin
from payouts.admin.batches import PayoutBatchAdmin
from payouts.admin.payments import PayoutItemAdmin

__all__ = ["BankFileAdmin", "PayeeAccountAdmin", "PayerAccountAdmin", "PayoutBatchAdmin", "PayoutItemAdmin"]
