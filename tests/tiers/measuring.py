"""Measures in tests: defined, measured for everyone, read back."""

from datetime import date
from fractions import Fraction
from typing import Any

from tests.factories import make_edition, make_enrollment, make_partner, make_program
from tiers.measures import measure_everyone
from tiers.models import Edition, Enrollment, Measure, Measured, Run

DAY = date(2020, 6, 1)
YEAR = {"last": 12, "unit": "months"}
SALES = {"aggregate": "sum", "dataset": "sales", "field": "amount", "window": YEAR}


def make_measure(edition: Edition, key: str = "m", **definition: Any) -> Measure:
    """Net sales of twelve months, with other parts as given; None takes one away."""
    whole = {name: part for name, part in {**SALES, **definition}.items() if part is not None}
    return Measure.objects.create(edition=edition, key=key, name={"en": key}, definition=whole)


def make_run(edition: Edition, day: date = DAY) -> Run:
    return Run.objects.get_or_create(program=edition.program, day=day, defaults={"edition": edition})[0]


def enrolled(edition: Edition, **over: Any) -> Enrollment:
    return make_enrollment(make_partner(), edition.program, **over)


def dollars() -> Edition:
    """A draft of a program in US dollars."""
    return make_edition(make_program())


def measured(measure: Measure, day: date = DAY) -> dict[Any, Fraction | int]:
    """What everyone measured, as the work table has it: by enrollment, or by enrollment and member."""
    run = make_run(measure.edition, day)
    rows = measure_everyone(measure, run)
    found = list(Measured.objects.filter(run=run, measure=measure).values_list("enrollment", "member", "value", "over"))
    assert rows == len(found)
    figures: dict[Any, Fraction | int] = {}
    for enrollment, member, value, over in found:
        key = (enrollment, member) if measure.definition.get("by") else enrollment
        assert key not in figures
        figures[key] = Fraction(value, over)
    return figures
