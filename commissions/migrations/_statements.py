"""The triggers that keep statements as they were issued: the first set, and the one since they have a life after that."""

from common import triggers

OF = "EXISTS (SELECT 1 FROM commissions_statement s WHERE s.id = {row}.statement_id AND s.state {state})"
ISSUED_FIRST = [
    triggers.refuse(
        "commissions_statement",
        ("UPDATE", "DELETE"),
        "OLD.state = 'issued'",
        "an issued statement is never changed",
        "commissions_statement_frozen",
    ),
    triggers.refuse(
        "commissions_statementline",
        ("UPDATE", "DELETE"),
        OF.format(row="OLD", state="= 'issued'"),
        "a line of an issued statement is never changed",
        "commissions_statementline_frozen",
    ),
    triggers.refuse(
        "commissions_statementline",
        ("INSERT",),
        OF.format(row="NEW", state="= 'issued'"),
        "an issued statement gets no more lines",
        "commissions_statementline_closed",
    ),
]

ISSUED_WITH = ("partner_id", "starts_on", "ends_on", "currency", "opening", "amount", "released")
APPROVED_WITH = ("held", "tax", "tax_rate", "tax_mention", "total")
MOVES = (
    ("draft", "in_review"),
    ("in_review", "approved"), ("in_review", "carried"), ("in_review", "blocked"),
    ("approved", "scheduled"), ("approved", "blocked"), ("approved", "cancelled"),
    ("scheduled", "approved"), ("scheduled", "paid"), ("scheduled", "failed"),
    ("paid", "failed"),
    ("failed", "approved"), ("failed", "carried"), ("failed", "cancelled"),
    ("blocked", "in_review"), ("blocked", "approved"), ("blocked", "cancelled"),
)  # fmt: skip


def _differs(columns: tuple[str, ...]) -> str:
    return "(" + " OR ".join(f"NEW.{name} <> OLD.{name}" for name in columns) + ")"


LIFE = [
    triggers.refuse(
        "commissions_statement",
        ("UPDATE",),
        f"OLD.state <> 'draft' AND {_differs(ISSUED_WITH)}",
        "an issued statement is never changed",
        "commissions_statement_frozen",
    ),
    triggers.refuse(
        "commissions_statement",
        ("UPDATE",),
        "OLD.state <> 'draft' AND NOT (OLD.state = 'in_review' AND NEW.state IN ('approved', 'carried')) AND "
        f"{_differs(APPROVED_WITH)}",
        "an issued statement is never changed but by its approval",
        "commissions_statement_approved_frozen",
    ),
    triggers.refuse(
        "commissions_statement",
        ("DELETE",),
        "OLD.state <> 'draft'",
        "an issued statement is never deleted",
        "commissions_statement_kept",
    ),
    triggers.refuse(
        "commissions_statement",
        ("UPDATE",),
        "OLD.state <> NEW.state AND NOT ("
        + " OR ".join(f"(OLD.state = '{before}' AND NEW.state = '{after}')" for before, after in MOVES)
        + ")",
        "an issued statement does not go there from where it is",
        "commissions_statement_moves",
    ),
    triggers.refuse(
        "commissions_statement",
        ("UPDATE",),
        "OLD.state = 'blocked' AND OLD.approved_at IS NULL AND NEW.state NOT IN ('blocked', 'in_review')",
        "an issued statement is reviewed before it goes on",
        "commissions_statement_reviewed",
    ),
    triggers.refuse(
        "commissions_statement",
        ("UPDATE",),
        "OLD.state = 'paid' AND NEW.state = 'paid' AND " + _differs(("paid_on", "payment_reference")),
        "a paid statement is never changed",
        "commissions_statement_paid_once",
    ),
    triggers.refuse(
        "commissions_statement",
        ("UPDATE",),
        "OLD.carried_to_id IS NOT NULL AND (NEW.carried_to_id IS NULL OR NEW.carried_to_id <> OLD.carried_to_id)",
        "what a statement was carried to is never changed",
        "commissions_statement_carried_once",
    ),
    triggers.refuse(
        "commissions_statement",
        ("UPDATE",),
        "OLD.carried_to_id IS NULL AND NEW.carried_to_id IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM commissions_statement t WHERE t.id = NEW.carried_to_id AND t.state = 'draft' "
        "AND t.partner_id = NEW.partner_id AND t.currency = NEW.currency AND t.starts_on > NEW.starts_on)",
        "a statement is carried to a later draft of the same partner and currency",
        "commissions_statement_carried_on",
    ),
    triggers.refuse(
        "commissions_statementline",
        ("UPDATE", "DELETE"),
        OF.format(row="OLD", state="<> 'draft'"),
        "a line of an issued statement is never changed",
        "commissions_statementline_frozen",
    ),
    triggers.refuse(
        "commissions_statementline",
        ("INSERT",),
        OF.format(row="NEW", state="<> 'draft'"),
        "an issued statement gets no more lines",
        "commissions_statementline_closed",
    ),
]


def without(operations: list[triggers.Statements]) -> list[triggers.Statements]:
    """Operations that take triggers away (and bring them back when a migration is undone)."""
    return [one.turned() for one in reversed(operations)]


LINE = (
    "EXISTS (SELECT 1 FROM commissions_statementline l JOIN commissions_statement s ON s.id = l.statement_id "
    "JOIN commissions_dispute d ON d.id = NEW.dispute_id AND d.earning_id = l.earning_id "
    "WHERE l.id = NEW.line_id AND s.state = 'in_review' AND d.state = 'open')"
)
DISPUTES = [
    triggers.refuse(
        "commissions_dispute",
        ("UPDATE", "DELETE"),
        "OLD.state <> 'open'",
        "a dispute that was answered is never changed",
        "commissions_dispute_frozen",
    ),
    triggers.append_only("commissions_disputemessage"),
    triggers.refuse(
        "commissions_hold",
        ("INSERT",),
        f"NOT {LINE}",
        "only a questioned line of a statement in review is held",
        "commissions_hold_opened",
    ),
    triggers.refuse(
        "commissions_hold",
        ("UPDATE",),
        "OLD.released_to_id IS NOT NULL OR NEW.line_id <> OLD.line_id OR NEW.dispute_id <> OLD.dispute_id "
        "OR NOT EXISTS (SELECT 1 FROM commissions_statement s JOIN commissions_statementline l ON l.id = NEW.line_id "
        "JOIN commissions_statement own ON own.id = l.statement_id JOIN commissions_dispute d ON d.id = NEW.dispute_id "
        "WHERE s.id = NEW.released_to_id AND s.state = 'draft' AND s.partner_id = own.partner_id "
        "AND s.currency = own.currency AND s.starts_on > own.starts_on AND d.state <> 'open')",
        "a held line is released once, when it was answered, to a later draft",
        "commissions_hold_released",
    ),
    triggers.refuse(
        "commissions_hold",
        ("DELETE",),
        "1 = 1",
        "a held line stays held or is released",
        "commissions_hold_kept",
    ),
]
