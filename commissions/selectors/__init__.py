"""Reads that span the models of commissions: what a partner is owed, and why each line is what it is."""

from commissions.selectors.ledger import (
    REASONS,
    TERMS,
    Change,
    Explanation,
    Line,
    MonthSums,
    Nothing,
    ProgramRates,
    Rates,
    SaleOutcome,
    TierRate,
    explanation,
    month_sums,
    outcomes,
    plans_visible_to,
    rates_for,
    rates_in_force,
    why_nothing,
    without_pay,
)
from commissions.selectors.statements import (
    Balance,
    Coming,
    KindSum,
    MonthAmount,
    OrderGroup,
    Series,
    StatementSums,
    Step,
    SumLine,
    balance,
    by_order,
    coming,
    disputes_of,
    holds_of,
    monthly,
    statement_sums,
    sums_in_words,
    way,
)

__all__ = [
    "Balance", "Change", "Coming", "Explanation", "KindSum", "Line", "MonthAmount", "MonthSums", "Nothing", "OrderGroup", "ProgramRates", "REASONS", "Rates", "SaleOutcome", "Series", "StatementSums", "Step", "SumLine", "TERMS", "TierRate", "balance", "by_order", "coming", "disputes_of", "explanation", "holds_of", "month_sums", "monthly", "outcomes", "plans_visible_to", "rates_for", "rates_in_force", "statement_sums", "sums_in_words", "way", "why_nothing", "without_pay",
]  # fmt: skip
