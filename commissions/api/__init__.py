"""The machine door to plans, the ledger, its statements, and what is questioned of them."""

from typing import Any

from commissions.api.disputes import DisputeViewSet
from commissions.api.ledger import EarningViewSet
from commissions.api.plans import PlanViewSet
from commissions.api.statements import StatementViewSet


def routes() -> list[tuple[str, Any]]:
    return [
        ("plans", PlanViewSet),
        ("earnings", EarningViewSet),
        ("statements", StatementViewSet),
        ("disputes", DisputeViewSet),
    ]
