"""For every tier of every published program: a partner exactly at, just below and just above each threshold."""

import pytest

from tests.programs.harness import SAMPLES, Table, cases, judged
from tests.programs.tables import figures, people
from tests.programs.test_files import document_of

pytestmark = pytest.mark.django_db
TABLES = [*people.TABLES, *figures.TABLES]


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_at_below_and_above_each_threshold(table: Table) -> None:
    came, said = judged(table)
    assert came == said


def test_no_tier_and_no_threshold_is_left_out() -> None:
    """Every tier with a rule, of every published edition, has its table, and each requirement of it an edge."""
    missing = []
    for path in sorted(SAMPLES.glob("*.json")):
        document = document_of(path)
        published = [one for one in document["editions"] if one["state"] == "published"]
        if path.stem == "resellers":
            continue
        for edition, following in zip(published, [*published[1:], {"starts_on": "9999"}], strict=True):
            tested = {
                step.tier
                for table in TABLES
                if table.file == path.stem
                and edition["starts_on"] <= table.nights[-1].isoformat() < following["starts_on"]
                for step in table.steps
            }
            missing += [
                (path.stem, edition["name"], tier["code"])
                for tier in edition["tiers"]
                if "earn" in tier and tier["code"] not in tested
            ]
    # The ranking among the companies of a country takes a crowd: tests/programs/test_ladders.py.
    assert missing == [("google-partners", "2022", "premier")]
    assert sum(1 for table in TABLES for _case in cases(table)) > 300
