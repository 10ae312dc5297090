"""How much of a benefit is given, used and left, for templates."""

from django import template

from tiers import quantities
from tiers.entitlements import Entitlement
from tiers.models import TierBenefit

register = template.Library()


@register.filter
def how_much(given: Entitlement | TierBenefit) -> str:
    """What a partner has left of what it holds; what a tier gives where nobody holds it."""
    if isinstance(given, Entitlement):
        return quantities.left(given)
    return quantities.offered(given, given.benefit.program.currency)
