"""What a dry run of an edition would change in pay: the last twelve months' sales at the rates of the plan in force."""

from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from commissions.selectors import rates_in_force
from common.periods import trailing_months
from tiers import dry_run
from tiers.models import Outcome, Run


def yearly_pay(run: Run) -> tuple[Decimal, Decimal] | None:
    """A year's commissions at the tiers held on the day of the run, and at those of its edition; unrounded. None without a
    plan. One statement over the year's sales in the program's currency."""
    rates = rates_in_force(run.program, run.day)
    if rates.plan is None:
        return None
    year = trailing_months(run.day, 12)
    sold = (
        Outcome.objects.filter(
            run=run, enrollment__partner__sales__sold_on__gte=year.starts_on,
            enrollment__partner__sales__sold_on__lt=year.ends_on,
            enrollment__partner__sales__currency=run.program.currency,
        )
        .order_by()
        .values_list("held", "would")
        .annotate(Sum("enrollment__partner__sales__amount"))
    )  # fmt: skip
    now = then = Decimal(0)
    for held, would, amount in sold:
        now += amount * rates.by_tier.get(held, Decimal(0))
        then += amount * rates.by_tier.get(would, Decimal(0))
    return now, then


def register() -> None:
    dry_run.register_cost(dry_run.Cost("commissions", _("Commissions, at the last twelve months’ sales"), yearly_pay))
