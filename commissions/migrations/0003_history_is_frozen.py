from django.db import migrations

from common import triggers

ISSUED = "EXISTS (SELECT 1 FROM commissions_statement s WHERE s.id = {row}.statement_id AND s.state = 'issued')"


class Migration(migrations.Migration):
    dependencies = [("commissions", "0001_initial")]
    operations = [
        triggers.append_only("commissions_earning"),
        triggers.refuse(
            "commissions_plan",
            ("UPDATE", "DELETE"),
            "OLD.state = 'published'",
            "a published plan is never changed: publish a new version",
            "commissions_plan_frozen",
        ),
        triggers.append_only("commissions_terms"),
        triggers.append_only("commissions_seal"),
        triggers.append_only("commissions_payoutcurrency"),
        triggers.refuse(
            "commissions_posting",
            ("DELETE",),
            "1 = 1",
            "a posting is never deleted",
            "commissions_posting_kept",
        ),
        triggers.refuse(
            "commissions_posting",
            ("UPDATE",),
            "OLD.digest <> '' AND (NEW.digest <> OLD.digest OR NEW.lines <> OLD.lines OR NEW.posted_at <> OLD.posted_at "
            "OR NEW.program_id <> OLD.program_id OR OLD.seal_id IS NOT NULL)",
            "a posting is never changed",
            "commissions_posting_frozen",
        ),
        triggers.refuse(
            "commissions_adjustment",
            ("UPDATE", "DELETE"),
            "OLD.state <> 'proposed'",
            "a decided adjustment is never changed",
            "commissions_adjustment_frozen",
        ),
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
            ISSUED.format(row="OLD"),
            "a line of an issued statement is never changed",
            "commissions_statementline_frozen",
        ),
        triggers.refuse(
            "commissions_statementline",
            ("INSERT",),
            ISSUED.format(row="NEW"),
            "an issued statement gets no more lines",
            "commissions_statementline_closed",
        ),
    ]
