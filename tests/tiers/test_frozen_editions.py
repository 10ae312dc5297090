"""What the database itself refuses, whoever asks."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from tests.factories import make_edition, make_program, make_sales_edition
from tiers.models import Benefit, Distinction, Edition, Measure, Tier, TierBenefit

pytestmark = pytest.mark.django_db
CHANGES: dict[str, Callable[[Edition], object]] = {
    "its name": lambda edition: Edition.objects.filter(pk=edition.pk).update(name="Other"),
    "its start": lambda edition: Edition.objects.filter(pk=edition.pk).update(starts_on=date(2030, 1, 1)),
    "what it is published as": lambda edition: Edition.objects.filter(pk=edition.pk).update(published_as=uuid4()),
    "back to a draft": lambda edition: Edition.objects.filter(pk=edition.pk).update(state="draft"),
    "all of it": lambda edition: edition.delete(),
    "a tier": lambda edition: Tier.objects.filter(edition=edition, rank=2).update(color="#000000"),
    "one tier more": lambda edition: Tier.objects.create(edition=edition, rank=9, code="extra", name={"en": "X"}),
    "one tier less": lambda edition: Tier.objects.filter(edition=edition, rank=1).delete(),
    "a rule": lambda edition: Tier.objects.filter(edition=edition, rank=3).update(keep={"meets": "level-2"}),
    "how long a tier is held": lambda edition: Tier.objects.filter(edition=edition).update(holds={"months": 1}),
    "its reviews": lambda edition: Edition.objects.filter(pk=edition.pk).update(life={"demotion": {"every": "never"}}),
    "a tier's own reviews": lambda edition: Tier.objects.filter(edition=edition, rank=2).update(
        life={"promotion": {"every": "year"}}
    ),
    "its exchange table": lambda edition: Edition.objects.filter(pk=edition.pk).update(exchange={"EUR": {}}),
    "its country groups": lambda edition: Edition.objects.filter(pk=edition.pk).update(country_groups={"a": ["FR"]}),
    "a measure": lambda edition: Measure.objects.filter(edition=edition).update(definition={}),
    "a distinction": lambda edition: Distinction.objects.filter(edition=edition).update(earn={"meets": "level-3"}),
    "one distinction more": lambda edition: Distinction.objects.create(edition=edition, code="x", name={"en": "X"}),
    "a benefit's terms": lambda edition: TierBenefit.objects.filter(tier__edition=edition).update(terms={"en": "less"}),
    "one benefit less": lambda edition: TierBenefit.objects.filter(tier__edition=edition).delete(),
}


def published() -> Edition:
    edition = make_sales_edition(make_program())
    benefit = Benefit.objects.create(program=edition.program, code="lead-sharing", name={"en": "Lead sharing"})
    Distinction.objects.create(edition=edition, code="champion", name={"en": "Champion"}, earn={"meets": "level-2"})
    TierBenefit.objects.create(tier=edition.tiers.get(rank=2), benefit=benefit)
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED)
    return edition


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_published_edition_refuses_a_change_of(change: Callable[[Edition], object]) -> None:
    edition = published()
    with pytest.raises(IntegrityError, match="published edition is never changed"), transaction.atomic():
        change(edition)


def test_a_tier_cannot_be_moved_into_a_published_edition() -> None:
    edition = published()
    draft = make_sales_edition(make_program())
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Tier.objects.filter(edition=draft, rank=2).update(edition=edition, rank=7)


def test_a_published_edition_may_be_retired_and_stays_so() -> None:
    edition = published()
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.RETIRED)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED)


def test_a_draft_may_be_changed_and_deleted() -> None:
    edition = make_sales_edition(make_program())
    Edition.objects.filter(pk=edition.pk).update(name="Other")
    Tier.objects.filter(edition=edition).update(color="#000000")
    edition.refresh_from_db()
    edition.delete()
    assert not Tier.objects.exists()
    assert make_edition(edition.program).tiers.count() == 3
