"""Staff's pages of leads and deals, and of sales."""

from leads.admin import selling, working  # noqa: F401  # registers
