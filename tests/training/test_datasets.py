"""Who counts as certified on a day."""

from datetime import date
from fractions import Fraction

import pytest
from django.db.models import Count

from partners.models import Member, Partner
from tests.factories import make_certificate, make_certification, make_member, make_partner
from tiers.datasets import get
from training.models import Certificate

DAY = date(2026, 6, 1)

pytestmark = pytest.mark.django_db


def certified_share(partner: Partner, day: date = DAY) -> Fraction:
    people = get("members").rows(day).filter(partner=partner, job=Member.Job.SALES)
    return Fraction(people.filter(certified=True).count(), people.count())


def team(partner: Partner, size: int, certified: int) -> None:
    people = Member.objects.bulk_create(
        Member(partner=partner, external_id=f"T{n}", name=f"T{n}", job=Member.Job.SALES, joined_on=date(2026, 1, 1))
        for n in range(size)
    )
    certification = make_certification()
    Certificate.objects.bulk_create(
        Certificate(
            external_id=f"T{n}", member=person, certification=certification, awarded_on=date(2026, 1, 1),
            expires_on=date(2026, 6, 2),
        )
        for n, person in enumerate(people[:certified])
    )  # fmt: skip


def test_799_of_1000_are_less_than_four_fifths() -> None:
    partner = make_partner()
    team(partner, 1000, 799)
    assert certified_share(partner) == Fraction(799, 1000)


def test_8_of_10_are_four_fifths() -> None:
    partner = make_partner()
    team(partner, 10, 8)
    assert certified_share(partner) == Fraction(4, 5)


def test_a_certificate_that_expires_that_day_no_longer_counts() -> None:
    partner = make_partner()
    team(partner, 10, 8)
    Certificate.objects.filter(external_id="T0").update(expires_on=DAY)
    assert certified_share(partner) == Fraction(7, 10)
    assert certified_share(partner, date(2026, 5, 31)) == Fraction(8, 10)


def test_a_certificate_awarded_that_day_counts() -> None:
    partner = make_partner()
    team(partner, 10, 8)
    Certificate.objects.filter(external_id="T0").update(awarded_on=DAY)
    assert certified_share(partner) == Fraction(8, 10)
    assert certified_share(partner, date(2026, 5, 31)) == Fraction(7, 10)


def test_a_member_who_left_the_day_before_or_that_day_no_longer_counts() -> None:
    partner = make_partner()
    team(partner, 11, 8)
    Member.objects.filter(external_id="T10").update(left_on=date(2026, 5, 31))
    assert certified_share(partner) == Fraction(8, 10)
    Member.objects.filter(external_id="T10").update(left_on=DAY)
    assert certified_share(partner) == Fraction(8, 10)
    assert certified_share(partner, date(2026, 5, 31)) == Fraction(8, 11)


def test_a_member_who_joins_that_day_counts_and_one_who_joins_the_next_day_does_not() -> None:
    partner = make_partner()
    team(partner, 10, 8)
    make_member(partner, joined_on=DAY)
    make_member(partner, joined_on=date(2026, 6, 2))
    assert certified_share(partner) == Fraction(8, 11)


def test_two_certificates_make_one_certified_person() -> None:
    partner = make_partner()
    member = make_member(partner)
    make_certificate(member)
    make_certificate(member)
    assert certified_share(partner) == Fraction(1)


def test_certificates_are_those_valid_that_day_of_people_still_there() -> None:
    partner = make_partner()
    here, gone = make_member(partner), make_member(partner, left_on=DAY)
    wanted, other = make_certification(code="wanted"), make_certification()
    kept = make_certificate(here, wanted)
    make_certificate(here, other)
    make_certificate(gone, wanted)
    make_certificate(here, wanted, expires_on=DAY)
    dataset = get("certificates")
    path = dataset.fields["certification"].path
    assert list(dataset.rows(DAY).filter(**{path: "wanted"})) == [kept]
    assert list(dataset.rows(DAY).values_list(dataset.partner).annotate(n=Count("pk"))) == [(partner.pk, 2)]
