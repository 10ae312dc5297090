"""Staff's pages of money: the ledger to read, statements and disputes to decide, plans to publish."""

from commissions.admin import disputes, ledger, plans, statements

__all__ = ["disputes", "ledger", "plans", "statements"]
