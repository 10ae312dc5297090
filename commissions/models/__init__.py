"""What partners earn: effective-dated plans, the append-only ledger, and monthly statements."""

from commissions.models.ledger import Earning
from commissions.models.plans import Plan, Rule
from commissions.models.statements import Statement, StatementLine

__all__ = ["Earning", "Plan", "Rule", "Statement", "StatementLine"]
