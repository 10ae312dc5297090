"""Attestations as facts that measures read: those in force on the day."""

from datetime import date

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tiers import datasets
from tiers.models import Attestation


def _rows(day: date) -> QuerySet[Attestation]:
    return Attestation.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


def register() -> None:
    datasets.register(
        datasets.Dataset(
            key="attestations",
            label=_("Attestations"),
            rows=_rows,
            partner="enrollment__partner_id",
            program="enrollment__program_id",
            dated=None,
            fields={
                "kind": datasets.Field("kind", _("Kind"), "text"),
                "title": datasets.Field("title", _("Title"), "text"),
            },
        )
    )
