"""What a partner's last twelve months would have paid at other tiers: for what-if and the tier page."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from commissions import trying
from common.money import from_units
from tiers import what_if
from tiers.models import Enrollment


def yearly_pay(enrollment: Enrollment, codes: Iterable[str], on: date) -> Mapping[str, Decimal] | None:
    """A year's pay at each tier in the program's currency, by the plan in force; None without a plan. A fixed number of queries."""
    program = enrollment.program
    plan = trying.plan_in_force(program, on)
    if plan is None:
        return None
    asked = list(codes)
    found = dict.fromkeys(asked, Decimal(0))
    for _partner, code, sums in trying.yearly(
        program, plan, [enrollment.partner_id], on, {enrollment.partner_id: asked}
    ):
        found[code] = from_units(sums.get(program.currency, 0))
    return found


def register() -> None:
    what_if.register_pay(yearly_pay)
