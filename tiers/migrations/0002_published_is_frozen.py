from django.db import migrations

from common import triggers

OF_TIER = (
    "EXISTS (SELECT 1 FROM tiers_edition e JOIN tiers_tier t ON t.edition_id = e.id "
    "WHERE t.id = {row}.tier_id AND e.state <> 'draft')"
)
OF_EDITION = "EXISTS (SELECT 1 FROM tiers_edition e WHERE e.id = {row}.edition_id AND e.state <> 'draft')"
TABLES = {
    "tiers_tier": OF_EDITION,
    "tiers_measure": OF_EDITION,
    "tiers_rule": OF_TIER,
    "tiers_tierbenefit": OF_TIER,
}


class Migration(migrations.Migration):
    dependencies = [("tiers", "0001_initial")]
    operations = [
        triggers.refuse(
            "tiers_edition",
            ("UPDATE",),
            "OLD.state <> 'draft' AND NOT (NEW.state IN (OLD.state, 'retired') AND NEW.program_id = OLD.program_id "
            "AND NEW.name = OLD.name AND NEW.starts_on = OLD.starts_on AND NEW.review = OLD.review)",
            "a published edition is never changed: make a new edition",
            "tiers_edition_frozen",
        ),
        triggers.refuse(
            "tiers_edition",
            ("DELETE",),
            "OLD.state <> 'draft'",
            "a published edition is never changed, nor deleted",
            "tiers_edition_kept",
        ),
        *(
            triggers.refuse(
                table,
                (event,),
                " OR ".join(condition.format(row=row) for row in rows),
                "part of a published edition is never changed: make a new edition",
                f"{table}_{name}",
            )
            for table, condition in TABLES.items()
            for event, rows, name in (
                ("UPDATE", ("OLD", "NEW"), "frozen"),
                ("DELETE", ("OLD",), "kept"),
                ("INSERT", ("NEW",), "closed"),
            )
        ),
    ]
