"""The triggers that keep a published edition as it is: the first set, and the one since rules stand in their tiers."""

from common import triggers

OF_TIER = (
    "EXISTS (SELECT 1 FROM tiers_edition e JOIN tiers_tier t ON t.edition_id = e.id "
    "WHERE t.id = {row}.tier_id AND e.state <> 'draft')"
)
OF_EDITION = "EXISTS (SELECT 1 FROM tiers_edition e WHERE e.id = {row}.edition_id AND e.state <> 'draft')"
KEPT = triggers.refuse(
    "tiers_edition",
    ("DELETE",),
    "OLD.state <> 'draft'",
    "a published edition is never changed, nor deleted",
    "tiers_edition_kept",
)


def frozen_edition(*columns: str) -> triggers.Statements:
    """`columns` are names, or SQL with {row} in the place of OLD and NEW."""
    asked = [column if "{row}" in column else "{row}." + column for column in columns]
    same = " AND ".join(f"{column.format(row='NEW')} = {column.format(row='OLD')}" for column in asked)
    return triggers.refuse(
        "tiers_edition",
        ("UPDATE",),
        f"OLD.state <> 'draft' AND NOT (NEW.state IN (OLD.state, 'retired') AND {same})",
        "a published edition is never changed: make a new edition",
        "tiers_edition_frozen",
    )


def frozen_parts(tables: dict[str, str]) -> list[triggers.Statements]:
    return [
        triggers.refuse(
            table,
            (event,),
            " OR ".join(condition.format(row=row) for row in rows),
            "part of a published edition is never changed: make a new edition",
            f"{table}_{name}",
        )
        for table, condition in tables.items()
        for event, rows, name in (
            ("UPDATE", ("OLD", "NEW"), "frozen"),
            ("DELETE", ("OLD",), "kept"),
            ("INSERT", ("NEW",), "closed"),
        )
    ]


def dropped(operation: triggers.Statements) -> triggers.Statements:
    """The operation that takes the trigger away, and puts it back where the migration is undone."""
    return operation.turned()


FIRST = [
    frozen_edition("program_id", "name", "starts_on", "review"),
    KEPT,
    *frozen_parts(
        {"tiers_tier": OF_EDITION, "tiers_measure": OF_EDITION, "tiers_rule": OF_TIER, "tiers_tierbenefit": OF_TIER}
    ),
]
# JSON is compared as text: PostgreSQL's jsonb and SQLite's text both give one.
SECOND = [
    frozen_edition(
        "program_id", "name", "starts_on", "CAST({row}.life AS text)", "CAST({row}.country_groups AS text)",
        "CAST({row}.exchange AS text)", "CAST({row}.notes AS text)",
    ),
    KEPT,
    *frozen_parts(
        {"tiers_tier": OF_EDITION, "tiers_distinction": OF_EDITION, "tiers_measure": OF_EDITION, "tiers_tierbenefit": OF_TIER}
    ),
]  # fmt: skip
# What an edition is published as is not changed either.
THIRD = [
    frozen_edition(
        "program_id", "name", "starts_on", "CAST({row}.life AS text)", "CAST({row}.country_groups AS text)",
        "CAST({row}.exchange AS text)", "CAST({row}.notes AS text)",
        "COALESCE(CAST({row}.published_as AS text), '')",
    ),
    *SECOND[1:],
]  # fmt: skip
