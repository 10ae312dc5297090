"""What partners earn: effective-dated plans, the append-only ledger, and monthly statements."""

from commissions.models.disputes import Dispute, DisputeMessage, Hold
from commissions.models.ledger import Adjustment, Earning, Posting, Seal, Terms, Unpaid, Unsettled
from commissions.models.plans import PayoutCurrency, Plan
from commissions.models.settings import StatementSettings
from commissions.models.statements import Statement, StatementLine

__all__ = [
    "Adjustment", "Dispute", "DisputeMessage", "Earning", "Hold", "PayoutCurrency", "Plan", "Posting", "Seal", "Statement",
    "StatementLine", "StatementSettings", "Terms", "Unpaid", "Unsettled",
]  # fmt: skip
