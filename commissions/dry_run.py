"""What a dry run of an edition would change in pay: the last twelve months' facts by the plan in force."""

from decimal import Decimal
from itertools import islice

from django.utils.translation import gettext_lazy as _

from commissions import trying
from common.money import from_units
from tiers import dry_run
from tiers.models import Outcome, Run

PARTNERS_AT_ONCE = 2000


def yearly_pay(run: Run) -> tuple[Decimal, Decimal] | None:
    """A year's pay at the tiers held on the day of the run, and at those of its edition, in the program's currency; None without
    a plan. Partner after partner, in flat memory.
    """
    plan = trying.plan_in_force(run.program, run.day)
    if plan is None:
        return None
    now = then = 0
    rows = Outcome.objects.filter(run=run).order_by("enrollment__partner_id")
    moved = rows.values_list("enrollment__partner_id", "held", "would").iterator(chunk_size=PARTNERS_AT_ONCE)
    while batch := list(islice(moved, PARTNERS_AT_ONCE)):
        codes = {partner: tuple({held, would} - {""}) for partner, held, would in batch}
        tiers = {partner: (held, would) for partner, held, would in batch}
        for partner, code, sums in trying.yearly(run.program, plan, list(codes), run.day, codes):
            held, would = tiers[partner]
            earned = sums.get(run.program.currency, 0)
            now += earned if code == held else 0
            then += earned if code == would else 0
    return from_units(now), from_units(then)


def register() -> None:
    dry_run.register_cost(dry_run.Cost("commissions", _("Pay, by the last twelve months’ facts"), yearly_pay))
