"""What a partner's last twelve months of sales would have paid at other tiers: for what-if and the tier page."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from commissions.selectors import rates_in_force
from common.money import minor_unit
from common.periods import trailing_months
from leads.models import Sale
from tiers import what_if
from tiers.models import Enrollment


def yearly_pay(enrollment: Enrollment, codes: Iterable[str], on: date) -> Mapping[str, Decimal] | None:
    """A year's commissions at each tier, in the program's currency, rounded to its minor unit; None without a plan.
    Three queries."""
    program = enrollment.program
    rates = rates_in_force(program, on)
    if rates.plan is None:
        return None
    year = trailing_months(on, 12)
    sold = Sale.objects.filter(
        partner=enrollment.partner_id, currency=program.currency, sold_on__gte=year.starts_on, sold_on__lt=year.ends_on
    ).aggregate(Sum("amount"))["amount__sum"] or Decimal(0)
    unit = minor_unit(program.currency)
    return {code: (sold * rates.by_tier.get(code, Decimal(0))).quantize(unit) for code in codes}


def register() -> None:
    what_if.register_pay(yearly_pay)
