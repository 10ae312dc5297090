"""Enrolling everyone who came in."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from journal.models import Entry
from partners.models import Partner
from tests.factories import make_partner, make_program, make_sales_edition
from tiers import services
from tiers.errors import NoEditionError
from tiers.models import Edition, Enrollment, Placement, Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    program = make_program(slug="resellers")
    services.publish_edition(edition=make_sales_edition(program, starts_on=date(2020, 1, 1)))
    return program


def enroll(*options: str) -> str:
    out = StringIO()
    call_command("enroll", "--program", "resellers", *options, stdout=out)
    return out.getvalue()


def test_enrolling_takes_every_active_partner_once_from_the_day_it_joined(program: Program) -> None:
    early, late = make_partner(joined_on=date(2021, 5, 1)), make_partner(joined_on=date(2023, 5, 1))
    make_partner(status=Partner.Status.LEFT)
    services.enroll(partner=early, program=program, on=date(2022, 1, 1))
    assert "1 partners enrolled" in enroll()
    assert "0 partners enrolled" in enroll()
    assert dict(Enrollment.objects.values_list("partner", "starts_on")) == {
        early.pk: date(2022, 1, 1),
        late.pk: date(2023, 5, 1),
    }
    placement = Placement.objects.get(enrollment__partner=late)
    assert (placement.tier.rank, placement.starts_on, placement.reason) == (1, date(2023, 5, 1), "joined")
    assert Entry.objects.filter(verb="tiers.enrollment.started", partner_id=late.pk).count() == 1


def test_enrolling_on_a_day_is_never_before_a_partner_joined(program: Program) -> None:
    early, late = make_partner(joined_on=date(2021, 5, 1)), make_partner(joined_on=date(2023, 5, 1))
    enroll("--on", "2022-01-01")
    assert dict(Enrollment.objects.values_list("partner", "starts_on")) == {
        early.pk: date(2022, 1, 1),
        late.pk: date(2023, 5, 1),
    }


def test_enrolling_before_the_first_edition_enrolls_nobody(program: Program) -> None:
    make_partner(joined_on=date(2021, 5, 1))
    make_partner(joined_on=date(2019, 5, 1))
    with pytest.raises(NoEditionError):
        services.enroll_all(program=program)
    with pytest.raises(CommandError, match="no published edition"):
        enroll()
    assert not Enrollment.objects.exists()
    assert Edition.objects.count() == 1
    with pytest.raises(CommandError, match="There is no program “dealers”. Programs: resellers."):
        call_command("enroll", "--program", "dealers")


def test_enrolling_many_costs_as_much_as_enrolling_few(program: Program) -> None:
    def queries(partners: int) -> int:
        for _number in range(partners):
            make_partner()
        with CaptureQueriesContext(connection) as captured:
            services.enroll_all(program=program)
        return len(captured)

    assert queries(2) == queries(40)
