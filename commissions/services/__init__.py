"""Every write of commissions that a person asks for. The night's own are in `earning`, `statements` and `reviews`."""

from commissions.services.disputes import (
    accept_dispute,
    open_dispute,
    refuse_dispute,
    why_closed,
    withdraw_dispute,
    write_message,
)
from commissions.services.plans import publish_plan
from commissions.services.statements import (
    approve_statements,
    close_month,
    issue_statement,
    issue_statements,
    open_month,
    review_ends_on,
)

__all__ = [
    "accept_dispute", "approve_statements", "close_month", "issue_statement", "issue_statements", "open_dispute", "open_month",
    "publish_plan", "refuse_dispute", "review_ends_on", "why_closed", "withdraw_dispute", "write_message",
]  # fmt: skip
