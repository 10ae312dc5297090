"""An edition read for its rules: a published one once by a process, a draft as it stands."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories import make_program, make_sales_edition
from tiers import lexicon, rules
from tiers.models import Edition, Measure, Tier
from tiers.services import publish_edition

pytestmark = pytest.mark.django_db


def published(edition: Edition) -> Edition:
    publish_edition(edition=edition)
    return Edition.objects.select_related("program").get(pk=edition.pk)


def asked(edition: Edition) -> list[str]:
    """What each tier above the first asks, by an edition read anew."""
    levels = lexicon.read(Edition.objects.select_related("program").get(pk=edition.pk)).rulebook().levels
    return [str(level.earn.threshold // 10_000) for level in levels if isinstance(level.earn, rules.Requirement)]


def test_a_published_edition_is_read_once() -> None:
    edition = published(make_sales_edition(make_program()))
    counts = []
    for _time in range(2):
        with CaptureQueriesContext(connection) as queries:
            words = lexicon.read(edition)
        counts.append(len(queries))
    assert counts == [3, 0]
    assert [tier.code for tier in words.tiers] == ["level-1", "level-2", "level-3"]
    assert list(words.measures) == ["net-sales-12m"]
    assert asked(edition) == ["50000", "200000"]


def test_what_one_reader_does_to_its_rows_no_other_sees() -> None:
    edition = published(make_sales_edition(make_program()))
    first = lexicon.read(edition)
    first.tiers[0].code = "other"
    first.tiers.pop()
    del first.measures["net-sales-12m"]
    second = lexicon.read(edition)
    assert [tier.code for tier in second.tiers] == ["level-1", "level-2", "level-3"]
    assert second.tiers[0].edition is edition
    assert list(second.measures) == ["net-sales-12m"]


def test_a_changed_draft_is_seen_at_once() -> None:
    draft = make_sales_edition(make_program())
    assert asked(draft) == ["50000", "200000"]
    Tier.objects.filter(edition=draft, rank=2).update(
        earn={"measure": "net-sales-12m", "is": "at_least", "value": "60000"}
    )
    assert asked(draft) == ["60000", "200000"]
    Measure.objects.filter(edition=draft).update(name={"en": "Turnover"})
    assert [str(one.name) for one in lexicon.read(draft).measures.values()] == ["Turnover"]


def test_two_published_editions_never_mix() -> None:
    program = make_program()
    first = published(make_sales_edition(program, name="First", starts_on=date(2025, 1, 1), second="10000"))
    second = published(make_sales_edition(program, name="Second", starts_on=date(2026, 1, 1), second="20000"))
    read = [asked(edition)[0] for edition in (first, second, first, second)]
    assert read == ["10000", "20000", "10000", "20000"]


def test_a_publication_that_was_rolled_back_leaves_nothing_behind() -> None:
    draft = make_sales_edition(make_program(), second="10000")
    with transaction.atomic():
        published(draft)
        assert asked(draft) == ["10000", "200000"]
        transaction.set_rollback(True)
    Tier.objects.filter(edition=draft, rank=2).update(
        earn={"measure": "net-sales-12m", "is": "at_least", "value": "30000"}
    )
    assert asked(draft) == ["30000", "200000"]
    published(draft)
    assert asked(draft) == ["30000", "200000"]


def test_a_draft_is_published_as_nothing() -> None:
    draft = make_sales_edition(make_program())
    other = published(make_sales_edition(make_program()))
    with pytest.raises(IntegrityError), transaction.atomic():
        Edition.objects.filter(pk=draft.pk).update(published_as=other.published_as)
