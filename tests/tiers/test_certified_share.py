"""80% certified sales people, at 79.9% and at 80%, where a day decides."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.core.management import call_command

from partners.models import Member, Partner
from tests.factories import (
    make_certification,
    make_edition,
    make_enrollment,
    make_partner,
    make_placement,
    make_program,
)
from tiers.models import Evaluation, Measure, Placement
from tiers.services import publish_edition
from training.models import Certificate, Certification

pytestmark = pytest.mark.django_db
NIGHT = date(2026, 6, 1)
BEFORE, AFTER = date(2026, 5, 31), date(2026, 6, 2)


@pytest.fixture
def partner() -> Iterator[Partner]:
    """In a program whose level 2 asks that at least 80% of the active sales people are certified."""
    program = make_program()
    edition = make_edition(program)
    sales = {"field": "job", "is": "equal", "value": "sales"}
    people = {"aggregate": "count", "dataset": "members", "filters": [sales], "window": {"kind": "today"}}
    for key, definition in (
        ("people", people),
        ("certified", {**people, "filters": [sales, {"field": "certified", "value": True}]}),
        ("share", {"ratio": ["certified", "people"]}),
    ):
        Measure.objects.create(edition=edition, key=key, name={"en": key}, definition=definition)
    for rank, needed in ((2, "0.8"), (3, "0.9")):
        edition.tiers.filter(rank=rank).update(earn={"measure": "share", "is": "at_least", "value": needed})
    publish_edition(edition=edition)
    made = make_partner()
    make_placement(make_enrollment(made, program), edition.tiers.get(rank=1))
    return made


def team(
    partner: Partner, size: int, certified: int, *, left_on: date | None = None, expires_on: date | None = None
) -> None:
    """`size` sales people, `certified` of them with a certificate that ends on `expires_on`."""
    certification = Certification.objects.first() or make_certification()
    start = Member.objects.count()
    members = Member.objects.bulk_create(
        Member(
            partner=partner, external_id=f"M{start + number}", name="M", job="sales", joined_on=date(2026, 1, 1),
            left_on=left_on,
        )
        for number in range(size)
    )  # fmt: skip
    Certificate.objects.bulk_create(
        Certificate(
            external_id=f"C{member.pk}", member=member, certification=certification, awarded_on=date(2026, 1, 1),
            expires_on=expires_on,
        )
        for member in members[:certified]
    )  # fmt: skip


def tier_after_the_night(partner: Partner) -> str:
    call_command("night", "--as-of", NIGHT.isoformat())
    return Placement.objects.current().get(enrollment__partner=partner).tier.code


def measured(partner: Partner) -> dict[str, str]:
    return Evaluation.objects.get(enrollment__partner=partner).measured


def test_79_9_percent_is_not_80(partner: Partner) -> None:
    team(partner, 1000, 799)
    assert tier_after_the_night(partner) == "level-1"
    assert measured(partner) == {"certified": "799", "people": "1000"}


def test_80_percent_is_80(partner: Partner) -> None:
    team(partner, 1000, 800)
    assert tier_after_the_night(partner) == "level-2"
    assert measured(partner) == {"certified": "800", "people": "1000"}


def test_a_certificate_that_expires_that_day_no_longer_counts(partner: Partner) -> None:
    team(partner, 999, 799)
    team(partner, 1, 1, expires_on=NIGHT)
    assert tier_after_the_night(partner) == "level-1"
    assert measured(partner) == {"certified": "799", "people": "1000"}


def test_a_certificate_that_expires_the_day_after_counts(partner: Partner) -> None:
    team(partner, 999, 799)
    team(partner, 1, 1, expires_on=AFTER)
    assert tier_after_the_night(partner) == "level-2"


def test_a_member_who_left_the_day_before_counts_on_neither_side(partner: Partner) -> None:
    team(partner, 1000, 800)
    team(partner, 1, 0, left_on=BEFORE)  # 800 of 1001 would be less than 80%
    assert tier_after_the_night(partner) == "level-2"
    assert measured(partner) == {"certified": "800", "people": "1000"}


def test_a_certified_member_who_left_the_day_before_does_not_lift_the_share(partner: Partner) -> None:
    team(partner, 1000, 799)
    team(partner, 1, 1, left_on=BEFORE)  # 800 of 1001 with that person, 799 of 1000 without
    assert tier_after_the_night(partner) == "level-1"
    assert measured(partner) == {"certified": "799", "people": "1000"}


def test_a_member_who_leaves_the_day_after_still_counts(partner: Partner) -> None:
    team(partner, 999, 799)
    team(partner, 1, 1, left_on=AFTER)
    assert tier_after_the_night(partner) == "level-2"


def test_other_jobs_do_not_count(partner: Partner) -> None:
    team(partner, 10, 8)
    Member.objects.create(partner=partner, external_id="T1", name="T", job="technical", joined_on=date(2026, 1, 1))
    assert tier_after_the_night(partner) == "level-2"


def test_nobody_of_nobody_is_certified(partner: Partner) -> None:
    assert tier_after_the_night(partner) == "level-1"
