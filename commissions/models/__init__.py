"""What partners earn: effective-dated plans, the append-only ledger, and monthly statements."""

from commissions.models.accounting import AccountCodes
from commissions.models.disputes import Dispute, DisputeMessage, Hold
from commissions.models.ledger import Adjustment, Earning, Posting, Seal, Terms, Unpaid, Unsettled
from commissions.models.plans import PayoutCurrency, Plan
from commissions.models.settings import StatementSettings
from commissions.models.statements import Statement, StatementLine
from commissions.models.trials import PlanTrial, TrialChunk, TrialRow

__all__ = [
    "AccountCodes", "Adjustment", "Dispute", "DisputeMessage", "Earning", "Hold", "PayoutCurrency", "Plan", "PlanTrial", "Posting",
    "Seal", "Statement", "StatementLine", "StatementSettings", "Terms", "TrialChunk", "TrialRow", "Unpaid", "Unsettled",
]  # fmt: skip
