"""The machine door to the ledger and its statements."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import signed_in
from commissions.models import Earning, Statement


class EarningOutput(serializers.ModelSerializer[Earning]):
    base = serializers.DecimalField(max_digits=18, decimal_places=4)
    before = serializers.DecimalField(max_digits=18, decimal_places=4)
    amount = serializers.DecimalField(max_digits=18, decimal_places=4)
    program = serializers.CharField(source="program.slug")
    tier = serializers.CharField(source="tier.code", default=None)

    class Meta:
        model = Earning
        fields = ("id", "partner", "program", "sale", "number", "kind", "earned_on", "posted_at", "plan", "tier",
                  "base", "rate", "before", "amount", "currency")  # fmt: skip


class EarningViewSet(ReadOnlyModelViewSet[Earning]):
    """Ledger lines, each the difference to what was posted for its sale before. Never changed, never deleted."""

    queryset = Earning.objects.none()
    serializer_class = EarningOutput
    filterset_fields = {"partner": ["exact"], "sale": ["exact"], "earned_on": ["exact", "gte", "lt"]}

    def get_queryset(self) -> QuerySet[Earning]:
        return Earning.objects.visible_to(signed_in(self.request)).select_related("program", "tier")


class StatementOutput(serializers.ModelSerializer[Statement]):
    amount = serializers.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        model = Statement
        fields = ("id", "partner", "starts_on", "ends_on", "currency", "state", "amount")


class StatementViewSet(ReadOnlyModelViewSet[Statement]):
    """Monthly statements: one per partner, month and currency."""

    queryset = Statement.objects.none()
    serializer_class = StatementOutput
    filterset_fields = {"partner": ["exact"], "state": ["exact"], "starts_on": ["exact", "gte", "lt"]}

    def get_queryset(self) -> QuerySet[Statement]:
        return Statement.objects.visible_to(signed_in(self.request))


def routes() -> list[tuple[str, Any]]:
    return [("earnings", EarningViewSet), ("statements", StatementViewSet)]
