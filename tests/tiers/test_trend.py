"""The evaluations that the tier page is drawn from, month by month."""

from datetime import date

import pytest

from tests.factories import make_enrollment, make_partner, make_program, make_sales_edition
from tiers.models import Edition, Enrollment, Evaluation
from tiers.standing import standing
from tiers.trend import by_month

pytestmark = pytest.mark.django_db
STORED = {date(2025, 3, 10): 1, date(2026, 1, 5): 2, date(2026, 1, 20): 3, date(2026, 3, 2): 4, date(2026, 3, 20): 5}


def enrolled() -> Enrollment:
    """Somebody with net sales of 1, 2, 3, 4 and 5 on the days of STORED."""
    edition = make_sales_edition(make_program())
    enrollment = make_enrollment(make_partner(), edition.program)
    for day, sales in STORED.items():
        Evaluation.objects.create(
            enrollment=enrollment, edition=edition, evaluated_on=day, earned=edition.tiers.get(rank=1),
            measured={"net-sales-12m": str(sales)},
        )  # fmt: skip
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED, starts_on=date(2020, 1, 1))
    return enrollment


@pytest.mark.parametrize(
    ("on", "months", "days"),
    [
        (date(2026, 3, 15), 1, [date(2026, 3, 2)]),
        (date(2026, 3, 15), 12, [date(2026, 3, 2), date(2026, 1, 20), date(2025, 3, 10)]),
        (date(2026, 3, 20), 2, [date(2026, 3, 20), date(2026, 1, 20)]),
        (date(2026, 1, 19), 12, [date(2026, 1, 5), date(2025, 3, 10)]),
        (date(2025, 3, 9), 12, []),
    ],
)
def test_the_last_evaluation_of_each_month_is_read(on: date, months: int, days: list[date]) -> None:
    found = standing(enrollment=enrolled(), on=on, months=months)
    assert found is not None
    assert [one.evaluated_on for one in found.evaluations] == days


def test_an_evaluation_stands_until_the_next() -> None:
    on = date(2026, 3, 15)
    found = standing(enrollment=enrolled(), on=on, months=12)
    assert found is not None
    points = by_month(found.case, found.evaluations, ["net-sales-12m"], on)["net-sales-12m"]
    assert [one.figure for one in points] == [*[1] * 9, 3, 3, 4]
    assert (points[0].month, points[-1].month) == (date(2025, 4, 1), date(2026, 3, 1))


def test_nothing_is_known_before_the_first_evaluation() -> None:
    on = date(2025, 3, 31)
    found = standing(enrollment=enrolled(), on=on, months=12)
    assert found is not None
    points = by_month(found.case, found.evaluations, ["net-sales-12m"], on)["net-sales-12m"]
    assert [one.figure for one in points] == [*[None] * 11, 1]
