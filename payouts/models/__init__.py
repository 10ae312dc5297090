"""How partners are paid: payee accounts, batches that become one file each, and what the bank says of them."""

from payouts.models.accounts import PayeeAccount, PayerAccount, Rail
from payouts.models.bank_files import BankFile
from payouts.models.batches import PayoutBatch, PayoutFile, PayoutItem

__all__ = ["BankFile", "PayeeAccount", "PayerAccount", "PayoutBatch", "PayoutFile", "PayoutItem", "Rail"]
