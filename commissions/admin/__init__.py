"""Staff's pages of money: the ledger and its reports, statements and disputes, plans with their editor and calculator, adjustments."""

from commissions.admin import adjustments, disputes, ledger, plan_trials, plans, reports, statements, unpaid

__all__ = ["adjustments", "disputes", "ledger", "plan_trials", "plans", "reports", "statements", "unpaid"]
