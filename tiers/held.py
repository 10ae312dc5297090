"""Awards and tiers as facts that measures read: what a partner held on the day, before the night of that day decided.

What a night itself gives or takes counts from the next night on. So a night that is run again finds what it found the
first time, and programs that look at each other's tiers may run in any order.
"""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tiers import datasets
from tiers.models import Award, Placement

BY_NIGHT = (Placement.Reason.EARNED, Placement.Reason.LOST, Placement.Reason.ENDED)


def awards_on(day: date) -> QuerySet[Award]:
    """Granted and imported ones in force on `day`; earned ones in force the day before it, which nights give and end."""
    eve = day - timedelta(days=1)
    given = (Q(ends_on__isnull=True) | Q(ends_on__gt=day)) & Q(starts_on__lte=day)
    earned = (Q(ends_on__isnull=True) | Q(ends_on__gt=eve)) & Q(starts_on__lte=eve)
    is_earned = Q(origin=Award.Origin.EARNED)
    return Award.objects.filter(is_earned & earned | ~is_earned & given)


def placements_on(day: date) -> QuerySet[Placement]:
    """In force on `day`, but for those that a night of that day began: there, the one it took the place of."""
    begun = Q(starts_on=day, reason__in=BY_NIGHT)
    replaced = Exists(Placement.objects.filter(begun, enrollment=OuterRef("enrollment")))
    in_force = Q(ends_on__isnull=True) | Q(ends_on__gt=day) | Q(ends_on=day) & replaced
    enrolled = Q(enrollment__ends_on__isnull=True) | Q(enrollment__ends_on__gt=day)
    return Placement.objects.filter(in_force, enrolled, starts_on__lte=day).exclude(begun)


def register() -> None:
    datasets.register(
        datasets.Dataset(
            key="awards",
            label=_("Awards"),
            rows=awards_on,
            partner="partner_id",
            dated=None,
            fields={
                "code": datasets.Field("code", _("Code"), "text"),
                "grade": datasets.Field("grade", _("Grade"), "text"),
                "scope": datasets.Field("scope", _("Scope"), "text"),
                "issuer": datasets.Field("issuer", _("Issuer"), "text"),
                "starts_on": datasets.Field("starts_on", _("Starts on"), "day"),
                "ends_on": datasets.Field("ends_on", _("Ends on"), "day"),
            },
        )
    )
    datasets.register(
        datasets.Dataset(
            key="placements",
            label=_("Tiers held"),
            rows=placements_on,
            partner="enrollment__partner_id",
            dated=None,
            fields={
                "program": datasets.Field("enrollment__program__slug", _("Program"), "text"),
                "tier": datasets.Field("tier__code", _("Tier"), "text"),
                "rank": datasets.Field("tier__rank", _("Rank"), "number"),
            },
        )
    )
