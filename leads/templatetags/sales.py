"""What templates show of a sale beside its amount."""

from fractions import Fraction
from typing import Any

from django import template

from leads.models import Sale

register = template.Library()


@register.inclusion_tag("components/sale_notes.html")
def sale_notes(sale: Sale) -> dict[str, Any]:
    """For its partner: what a refund takes back, what refunds took back of it, and the partner's share of what it earns.

    `sale` comes of `Sale.objects.told()`. Of a sale or a share that is another partner's nothing is told.
    """
    target = sale.refund_of
    splits = list(sale.splits.all())
    own = sum(split.parts for split in splits if split.partner_id == sale.partner_id)
    return {
        "target": target if target is not None and target.partner_id == sale.partner_id else None,
        "refunds": [one for one in sale.taken_back if one.partner_id == sale.partner_id],  # type: ignore[attr-defined]
        "share": Fraction(own, sum(split.parts for split in splits)) if splits else None,
        "others": sum(split.partner_id != sale.partner_id for split in splits),
    }
