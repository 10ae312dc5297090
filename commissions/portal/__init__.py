"""The partner's pay: balance, statements, each line explained and questioned, and what every sale earned or why nothing."""

from commissions.portal.disputes import dispute, dispute_document, disputes, new_dispute
from commissions.portal.ledger import earning, sales
from commissions.portal.statements import statement, statement_csv, statement_pdf, statement_xlsx, statements

__all__ = [
    "dispute", "dispute_document", "disputes", "earning", "new_dispute", "sales", "statement", "statement_csv",
    "statement_pdf", "statement_xlsx", "statements",
]  # fmt: skip
