"""The machine door to statements."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import signed_in
from commissions.models import Statement, StatementLine


class Amount(serializers.DecimalField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=18, decimal_places=4, **kwargs)


class StatementOutput(serializers.ModelSerializer[Statement]):
    """total = opening + amount + released - held + tax."""

    opening, amount, released, held, tax, total = Amount(), Amount(), Amount(), Amount(), Amount(), Amount()

    class Meta:
        model = Statement
        fields = ("id", "partner", "starts_on", "ends_on", "currency", "state", "opening", "amount", "released", "held", "tax",
                  "tax_rate", "tax_mention", "total", "issued_at", "review_ends_on", "approved_at", "paid_on",
                  "payment_reference", "reason", "carried_to")  # fmt: skip


class StatementLineOutput(serializers.ModelSerializer[StatementLine]):
    """A line, held where the statement was approved without it."""

    earning = serializers.IntegerField(source="earning_id")
    earned_on = serializers.DateField(source="earning.earned_on")
    kind = serializers.CharField(source="earning.kind")
    sale = serializers.IntegerField(source="earning.sale_id", allow_null=True)
    amount = Amount(source="earning.amount")
    is_held = serializers.SerializerMethodField()

    class Meta:
        model = StatementLine
        fields = ("id", "earning", "earned_on", "kind", "sale", "amount", "is_held")

    def get_is_held(self, line: StatementLine) -> bool:
        return hasattr(line, "hold")


class StatementViewSet(ReadOnlyModelViewSet[Statement]):
    """Monthly statements: one per partner, month and currency."""

    queryset = Statement.objects.none()
    serializer_class = StatementOutput
    filterset_fields = {
        "partner": ["exact"], "state": ["exact"], "currency": ["exact"], "starts_on": ["exact", "gte", "lt"],
        "paid_on": ["exact", "gte", "lt"],
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Statement]:
        return Statement.objects.visible_to(signed_in(self.request))

    @extend_schema(responses=StatementLineOutput(many=True))
    @action(detail=True, methods=["get"])
    def lines(self, request: Request, pk: str) -> Response:
        """The lines of a statement, by pages."""
        lines = self.get_object().lines.select_related("earning", "hold")
        page: Any = self.paginate_queryset(lines)  # type: ignore[arg-type]  # not of the view's own model
        return self.get_paginated_response(StatementLineOutput(page, many=True).data)
