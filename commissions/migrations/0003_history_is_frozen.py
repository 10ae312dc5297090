from django.db import migrations

from common import triggers

ISSUED = "EXISTS (SELECT 1 FROM commissions_statement s WHERE s.id = {row}.statement_id AND s.state = 'issued')"
PUBLISHED = "EXISTS (SELECT 1 FROM commissions_plan p WHERE p.id = {row}.plan_id AND p.state = 'published')"


class Migration(migrations.Migration):
    dependencies = [("commissions", "0002_initial")]
    operations = [
        triggers.append_only("commissions_earning"),
        triggers.refuse(
            "commissions_plan",
            ("UPDATE", "DELETE"),
            "OLD.state = 'published'",
            "a published plan is never changed: publish a new version",
            "commissions_plan_frozen",
        ),
        triggers.refuse(
            "commissions_rule",
            ("UPDATE", "DELETE"),
            PUBLISHED.format(row="OLD"),
            "a rule of a published plan is never changed",
            "commissions_rule_frozen",
        ),
        triggers.refuse(
            "commissions_rule",
            ("INSERT",),
            PUBLISHED.format(row="NEW"),
            "a published plan gets no more rules",
            "commissions_rule_closed",
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
