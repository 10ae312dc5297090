from django.db import migrations

from common import triggers

GRANTED = "EXISTS (SELECT 1 FROM points_pointentry e WHERE e.rule_id = OLD.id)"
REWRITES = " OR ".join(
    f"OLD.{column} <> NEW.{column}" for column in ("program_id", "code", "category", "starts_on", "terms")
)


class Migration(migrations.Migration):
    dependencies = [("points", "0001_initial")]
    operations = [
        triggers.append_only("points_pointentry"),
        triggers.refuse(
            "points_pointrule",
            ("UPDATE",),
            f"({REWRITES}) AND {GRANTED}",
            "a point rule that granted points keeps its values: give it an end and add another row",
            "points_pointrule_frozen",
        ),
        triggers.refuse(
            "points_claim",
            ("UPDATE", "DELETE"),
            "OLD.state IN ('approved', 'partly', 'refused')",
            "a decided claim is never changed",
            "points_claim_frozen",
        ),
    ]
