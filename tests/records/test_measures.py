"""A program's measures over what the vendor brought from elsewhere, as the night computes them."""

from datetime import date
from decimal import Decimal

import pytest

from tests.factories import make_enrollment, make_partner, make_program, make_sales_edition
from tests.records.facts import make_award, make_record, make_score, make_target
from tiers import night
from tiers.models import Evaluation, Measure
from tiers.services import publish_edition

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 1)
TODAY, EVER = {"kind": "today"}, {"kind": "lifetime"}


def test_a_night_reads_what_came_from_elsewhere() -> None:
    program = make_program(currency="EUR")
    edition = make_sales_edition(program)
    for key, definition in {
        "sites": {"aggregate": "count", "dataset": "live_records", "window": TODAY,
                  "filters": [{"field": "attr:product", "value": "crm"}]},
        "others": {"aggregate": "count", "dataset": "live_records", "window": TODAY,
                   "filters": [{"field": "attr:product", "is": "not", "value": "crm"}]},
        "products": {"aggregate": "distinct", "dataset": "records", "field": "attr:product", "window": EVER},
        "seats": {"aggregate": "sum", "dataset": "records", "field": "quantity", "window": EVER},
        "satisfaction": {"aggregate": "average", "dataset": "scores", "field": "value", "window": TODAY},
        "target": {"aggregate": "sum", "dataset": "current_plan_targets", "field": "amount", "window": TODAY},
        "specialist": {"aggregate": "count", "dataset": "awards", "window": TODAY,
                       "filters": [{"field": "code", "value": "specialist"}]},
        "second-tiers": {"aggregate": "count", "dataset": "placements", "window": TODAY,
                         "filters": [{"field": "rank", "is": "at_least", "value": 2}]},
    }.items():  # fmt: skip
        Measure.objects.create(edition=edition, key=key, name={"en": key}, definition=definition)
    publish_edition(edition=edition)
    partner = make_partner()
    enrollment = make_enrollment(partner, program)
    make_record(partner, attributes={"product": "crm"}, quantity=Decimal("2.5"))
    make_record(partner, attributes={"product": "erp"}, quantity=Decimal(1), ends_on=date(2026, 5, 1))
    make_record(partner)
    make_record(partner, attributes={"product": "crm"}, occurred_on=DAY, quantity=Decimal(1000))
    for scope, value in [("FR", "4"), ("DE", "5")]:
        make_score(partner, scope=scope, value=Decimal(value))
    make_target(partner, amount=Decimal(50000), currency="EUR")
    make_award(partner)
    night.work(night.start(program=program, day=DAY).pk)
    assert Evaluation.objects.get(enrollment=enrollment).measured == {
        "net-sales-12m": "0", "second-tiers": "0", "others": "1", "products": "2", "satisfaction": "45000", "seats": "35000", "sites": "2", "specialist": "1",
        "target": "500000000",
    }  # fmt: skip
