"""How much of a benefit is given, used and left, in the reader's words."""

from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from common.templatetags import show
from tiers.entitlements import Entitlement
from tiers.models import Benefit, BenefitUse, TierBenefit

SHORT_UP_TO = 1_000_000  # larger amounts would lose digits


def quantity_of(benefit: Benefit, quantity: Decimal, currency: str) -> str:
    """“€3,000” for money, “3” for what is counted; exact."""
    if benefit.kind != Benefit.Kind.MONEY:
        return show.exact(quantity)
    is_short = quantity == int(quantity) and abs(quantity) < SHORT_UP_TO
    return show.money_short(quantity, currency) if is_short else show.money_exact(quantity, currency)


def of_use(use: BenefitUse) -> str:
    """How much a use was of, negative for one taken back. Reads its benefit and its enrollment's program."""
    return quantity_of(use.benefit, use.quantity, use.enrollment.program.currency)


def offered(given: TierBenefit, currency: str) -> str:
    """“€3,000 a year”, “2 while the tier is held”; empty where there is no limit."""
    if given.quantity is None:
        return ""
    much = quantity_of(given.benefit, given.quantity, currency)
    if given.per:
        return f"{much} {given.get_per_display()}"
    return _("%(much)s while the tier is held") % {"much": much}


def left(held: Entitlement) -> str:
    """“€1,200 of €3,000 left, until 31 December 2026”, “4 used”; empty where there is no limit and nothing was used."""
    if held.benefit is None or (held.quantity is None and not held.used):
        return ""
    words = {"used": quantity_of(held.benefit, held.used, held.currency)}
    if held.quantity is None or held.left is None:
        words["day"] = show.day(held.starts_on)
        return _("%(used)s used since %(day)s") % words
    words["left"] = quantity_of(held.benefit, held.left, held.currency)
    words["quantity"] = quantity_of(held.benefit, held.quantity, held.currency)
    if held.ends_on is None:
        return _("%(left)s of %(quantity)s left, while the tier is held") % words
    words["day"] = show.day(held.ends_on - timedelta(days=1))
    return _("%(left)s of %(quantity)s left, until %(day)s") % words
