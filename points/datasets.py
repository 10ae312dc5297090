"""Points as facts that measures read: what is live on the day."""

from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from points.models import PointEntry
from tiers import datasets


def _rows(day: date) -> QuerySet[PointEntry]:
    return PointEntry.objects.live_on(day)


def register() -> None:
    datasets.register(
        datasets.Dataset(
            key="points",
            label=_("Points"),
            rows=_rows,
            partner="enrollment__partner_id",
            program="enrollment__program_id",
            dated=None,
            fields={
                "points": datasets.Field("points", _("Points"), "decimal"),
                "category": datasets.Field("category", _("Category"), "text"),
                "source": datasets.Field("source", _("Source"), "text"),
                "granted_on": datasets.Field("granted_on", _("Granted on"), "day"),
            },
        )
    )
