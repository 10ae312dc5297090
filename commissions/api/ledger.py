"""The machine door to the ledger."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import signed_in
from commissions.models import Earning


class EarningOutput(serializers.ModelSerializer[Earning]):
    base = serializers.DecimalField(max_digits=18, decimal_places=4)
    before = serializers.DecimalField(max_digits=18, decimal_places=4)
    amount = serializers.DecimalField(max_digits=18, decimal_places=4)
    program = serializers.CharField(source="program.slug")
    tier = serializers.CharField(source="tier.code", default=None)
    plan = serializers.IntegerField(source="terms.plan_id", default=None)
    rule = serializers.CharField()
    tried = serializers.SerializerMethodField(
        help_text="Each rule looked at: its code, what came of it, and whether each condition held."
    )
    posted_at = serializers.DateTimeField(source="posting.posted_at")

    class Meta:
        model = Earning
        fields = ("id", "partner", "owner", "program", "event", "fact", "sale", "number", "kind", "earned_on", "terms_on", "available_on",
                  "posted_at", "plan", "rule", "tier", "tried", "base", "rate", "before", "amount", "currency", "detail")  # fmt: skip

    def get_tried(self, earning: Earning) -> list[Any]:
        return list(earning.terms.document.get("tried", [])) if earning.terms else []


class EarningViewSet(ReadOnlyModelViewSet[Earning]):
    """Ledger lines, each the difference to what was posted for its sale before. Never changed, never deleted."""

    queryset = Earning.objects.none()
    serializer_class = EarningOutput
    filterset_fields = {
        "partner": ["exact"],
        "sale": ["exact"],
        "event": ["exact"],
        "earned_on": ["exact", "gte", "lt"],
    }

    def get_queryset(self) -> QuerySet[Earning]:
        return Earning.objects.visible_to(signed_in(self.request)).select_related("program", "terms__tier", "posting")
