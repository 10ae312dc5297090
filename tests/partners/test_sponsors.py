"""Who sponsors whom: one at a time, never itself, no circle on any day; by a person and by a file."""

import io
from datetime import date
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from common.errors import ProgramError
from imports import kinds
from imports.engine import bring_in
from imports.errors import ImportRefusedError
from imports.report import Report
from journal.models import Entry
from partners import services
from partners.errors import SponsorshipError
from partners.models import Partner, Sponsorship
from partners.rules import Bond, circles
from tests.factories import make_partner, make_staff

pytestmark = pytest.mark.django_db
JANUARY, MARCH, MAY, JULY = (date(2026, month, 1) for month in (1, 3, 5, 7))


@pytest.fixture
def few() -> list[Partner]:
    return [make_partner(external_id=name, name=name) for name in "ABCD"]


def held() -> list[tuple[str, str, date, date | None]]:
    rows = Sponsorship.objects.order_by("partner__external_id", "starts_on")
    return list(rows.values_list("partner__external_id", "sponsor__external_id", "starts_on", "ends_on"))


def test_a_sponsor_is_set_changed_and_ended(few: list[Partner]) -> None:
    a, b, c, _d = few
    staff = make_staff()
    made = services.sponsor(partner=a, sponsor=b, starts_on=JANUARY, actor=staff)
    assert services.sponsor(partner=a, sponsor=b, starts_on=JANUARY, actor=staff) == made
    with pytest.raises(SponsorshipError, match="A has a sponsor at that time, B: end that first"):
        services.sponsor(partner=a, sponsor=c, starts_on=MAY, actor=staff)
    services.end_sponsorship(sponsorship=made, ends_on=MAY, actor=staff)
    services.sponsor(partner=a, sponsor=c, starts_on=MAY, actor=staff)
    assert held() == [("A", "B", JANUARY, MAY), ("A", "C", MAY, None)]
    assert [one.sponsor for one in Sponsorship.objects.on(date(2026, 4, 30))] == [b]
    assert [one.sponsor for one in Sponsorship.objects.on(MAY)] == [c]
    assert list(Entry.objects.order_by("id").values_list("verb", "before", "after")) == [
        ("partners.sponsorship.started", {}, {"sponsor": "B", "starts_on": "2026-01-01", "ends_on": None}),
        ("partners.sponsorship.changed", {"ends_on": None},
         {"sponsor": "B", "starts_on": "2026-01-01", "ends_on": "2026-05-01"}),
        ("partners.sponsorship.started", {}, {"sponsor": "C", "starts_on": "2026-05-01", "ends_on": None}),
    ]  # fmt: skip


def test_from_a_day_on_another_or_none(few: list[Partner]) -> None:
    a, b, c, _d = few
    services.set_sponsor(partner=a, sponsor=b, on=JANUARY)
    services.set_sponsor(partner=a, sponsor=b, on=MARCH)
    services.set_sponsor(partner=a, sponsor=c, on=MAY)
    assert services.set_sponsor(partner=a, sponsor=None, on=JULY) is None
    assert held() == [("A", "B", JANUARY, MAY), ("A", "C", MAY, JULY)]


def test_none_sponsors_itself_or_whom_it_is_sponsored_by(few: list[Partner]) -> None:
    a, b, c, _d = few
    with pytest.raises(SponsorshipError, match="A cannot sponsor itself"):
        services.sponsor(partner=a, sponsor=a, starts_on=JANUARY)
    with pytest.raises(SponsorshipError, match="end comes before"):
        services.sponsor(partner=a, sponsor=b, starts_on=MAY, ends_on=JANUARY)
    services.sponsor(partner=a, sponsor=b, starts_on=JANUARY, ends_on=MAY)
    services.sponsor(partner=b, sponsor=c, starts_on=MARCH)
    with pytest.raises(SponsorshipError, match="A has C above it at that time"):
        services.sponsor(partner=c, sponsor=a, starts_on=JANUARY)
    services.sponsor(partner=c, sponsor=a, starts_on=MAY)
    with pytest.raises(SponsorshipError, match="B has A above it"):
        services.sponsor(partner=a, sponsor=b, starts_on=MAY)
    assert held() == [("A", "B", JANUARY, MAY), ("B", "C", MARCH, None), ("C", "A", MAY, None)]


def test_the_database_holds_one_open_sponsor(few: list[Partner]) -> None:
    a, b, c, _d = few
    Sponsorship.objects.create(partner=a, sponsor=b, starts_on=JANUARY)
    for wrong in ({"sponsor": c}, {"sponsor": a, "ends_on": MAY}, {"sponsor": c, "ends_on": date(2025, 1, 1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Sponsorship.objects.create(partner=a, starts_on=MARCH, **wrong)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer at a time")
def test_of_two_who_close_a_circle_at_once_one_is_refused(few: list[Partner]) -> None:
    a, b, c, d = few
    services.sponsor(partner=b, sponsor=c, starts_on=JANUARY)
    services.sponsor(partner=d, sponsor=a, starts_on=JANUARY)
    start, outcomes = Barrier(2), []

    def bind(partner: Partner, sponsor: Partner) -> None:
        try:
            start.wait(10)
            services.sponsor(partner=partner, sponsor=sponsor, starts_on=JANUARY)
            outcomes.append("set")
        except ProgramError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=bind, args=pair) for pair in ((a, b), (c, d))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["refused", "set"]


# --- from files -----------------------------------------------------------------------------------

MAPPING = {"fields": {name: {"column": name} for name in ("partner", "sponsor", "starts_on", "ends_on")}}


def take(*lines: str) -> Report:
    file = io.BytesIO("\n".join(["partner,sponsor,starts_on,ends_on", *lines]).encode())
    return bring_in(importer=kinds.get("sponsorships"), file=file, file_name="s.csv", mapping=MAPPING)


def refused(*lines: str) -> list[tuple[int, str, str]]:
    before = held()
    with pytest.raises(ImportRefusedError) as caught:
        take(*lines)
    assert held() == before
    return [(one.line, one.column, one.reason) for one in caught.value.report.problems]


def test_a_file_ends_one_sponsor_and_begins_another(few: list[Partner]) -> None:
    assert take("A,B,2026-01-01,", "C,B,2026-01-01,").added == 2
    report = take("A,C,2026-05-01,", "A,B,2026-01-01,2026-05-01", "C,B,2026-01-01,")
    assert (report.added, report.changed, report.unchanged) == (1, 1, 1)
    assert held() == [("A", "B", JANUARY, MAY), ("A", "C", MAY, None), ("C", "B", JANUARY, None)]
    entry = Entry.objects.get(verb="partners.sponsorship.changed")
    assert (entry.before, entry.after) == ({"ends_on": None}, {"ends_on": "2026-05-01"})


def test_a_file_is_refused_with_every_bad_row(few: list[Partner]) -> None:
    take("A,B,2026-01-01,2026-07-01")
    assert refused("A,C,2026-03-01,", "Z,A,2026-01-01,", "C,C,2026-01-01,", "D,A,2026-05-01,2026-03-01") == [
        (3, "partner", "there is no partner with this external id"), (4, "sponsor", "is the partner itself"),
        (5, "ends_on", "is before the first day"), (2, "starts_on", "has another sponsor at that time"),
    ]  # fmt: skip
    above = "has this partner above it at that time"
    assert refused("B,C,2026-05-01,", "C,A,2026-06-30,") == [(2, "sponsor", above), (3, "sponsor", above)]
    assert take("B,C,2026-05-01,", "C,A,2026-07-01,").added == 2


def test_a_file_costs_the_same_queries_for_few_and_many(few: list[Partner]) -> None:
    many = [make_partner(external_id=f"M{number}") for number in range(40)]
    with CaptureQueriesContext(connection) as little:
        take("M0,A,2026-01-01,")
    with CaptureQueriesContext(connection) as much:
        take(*(f"{one.external_id},A,2026-01-01," for one in many[1:]))
    assert len(much) == len(little)


def test_a_long_chain_is_climbed_a_step_at_a_time_and_a_circle_apart_is_not_climbed_for_ever() -> None:
    chain = [Bond(number, number + 1, JANUARY, None) for number in range(50)]
    asked: list[set[int]] = []

    def above(partners: set[int]) -> list[Bond]:
        asked.append(partners)
        return [
            bond
            for bond in [*chain, Bond(90, 91, JANUARY, None), Bond(91, 90, JANUARY, None)]
            if bond.partner in partners
        ]

    assert circles([Bond(50, 0, JANUARY, None)], above) == {0}
    assert len(asked) == 50
    assert circles([Bond(80, 90, JANUARY, None)], above) == set()
