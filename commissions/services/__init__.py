"""Every write of commissions that a person asks for. The night's own are in `earning`, `statements` and `reviews`."""

from commissions.services.adjustments import decide_adjustment, line_of, post_adjustment, propose_adjustment
from commissions.services.disputes import (
    accept_dispute,
    open_dispute,
    refuse_dispute,
    why_closed,
    withdraw_dispute,
    write_message,
)
from commissions.services.plans import change_draft, check, delete_draft, draft_plan, publish_draft, publish_plan
from commissions.services.statements import (
    approve_statements,
    close_month,
    issue_statement,
    issue_statements,
    open_month,
    review_ends_on,
)

__all__ = [
    "accept_dispute", "approve_statements", "change_draft", "check", "close_month", "decide_adjustment", "delete_draft",
    "draft_plan", "issue_statement", "issue_statements", "line_of", "open_dispute", "open_month", "post_adjustment", "propose_adjustment",
    "publish_draft", "publish_plan", "refuse_dispute", "review_ends_on", "why_closed", "withdraw_dispute", "write_message",
]  # fmt: skip
