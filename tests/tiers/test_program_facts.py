"""Facts that belong to one program are seen by its measures alone."""

from datetime import date

import pytest

from tests.commissions.facts import run_night
from tests.factories import make_edition, make_enrollment, make_partner, make_placement, make_program
from tiers.models import Evaluation, Measure, Program
from tiers.services import attest, publish_edition

pytestmark = pytest.mark.django_db
NIGHT = date(2026, 6, 1)


def program_that_counts_plans() -> Program:
    program = make_program()
    edition = make_edition(program)
    counted = {"aggregate": "count", "dataset": "attestations", "window": {"kind": "today"}}
    Measure.objects.create(edition=edition, key="plans", name={"en": "Plans"}, definition=counted)
    edition.tiers.filter(rank__gt=1).update(earn={"measure": "plans", "is": "at_least", "value": 1})
    publish_edition(edition=edition)
    return program


def test_an_attestation_counts_in_its_own_program() -> None:
    partner = make_partner()
    for program in (program_that_counts_plans(), program_that_counts_plans()):
        enrollment = make_enrollment(partner, program)
        make_placement(enrollment, program.editions.get().tiers.get(rank=1))
    attest(enrollment=enrollment, kind="business-plan", title="Plan", starts_on=date(2026, 1, 1))
    for program in Program.objects.order_by("pk"):
        run_night(program, NIGHT)
    measured = Evaluation.objects.order_by("enrollment").values_list("measured", "earned__code")
    assert list(measured) == [({"plans": "0"}, "level-1"), ({"plans": "1"}, "level-3")]
