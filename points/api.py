"""The machine door to the ledger of points and to claims."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import StaffWrites, signed_in
from points import services
from points.models import Claim, PointEntry
from tiers.models import Enrollment


class PointEntryOutput(serializers.ModelSerializer[PointEntry]):
    points = serializers.DecimalField(max_digits=18, decimal_places=4)
    partner = serializers.IntegerField(source="enrollment.partner_id")
    program = serializers.CharField(source="enrollment.program.slug")

    class Meta:
        model = PointEntry
        fields = ("id", "partner", "program", "enrollment", "kind", "category", "source", "dataset", "fact", "units",
                  "points", "granted_on", "expires_on", "reason", "explanation", "created_at")  # fmt: skip


class AdjustmentInput(serializers.Serializer[Any]):
    enrollment = serializers.PrimaryKeyRelatedField(queryset=Enrollment.objects.all())
    points = serializers.DecimalField(max_digits=18, decimal_places=4)
    category = serializers.RegexField(r"^[a-z][a-z0-9-]*$", max_length=40)
    reason = serializers.CharField(max_length=4000)
    granted_on = serializers.DateField(required=False)
    expires_on = serializers.DateField(required=False)


class PointEntryViewSet(ReadOnlyModelViewSet[PointEntry]):
    """Lines of points: grants, differences, adjustments and approved claims. Never changed, never deleted."""

    permission_classes = (IsAuthenticated, StaffWrites)
    queryset = PointEntry.objects.none()
    serializer_class = PointEntryOutput
    filterset_fields = {
        "enrollment": ["exact"], "enrollment__partner": ["exact"], "kind": ["exact"], "category": ["exact"],
        "source": ["exact"], "granted_on": ["exact", "gte", "lt"], "expires_on": ["gte", "lt", "isnull"],
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[PointEntry]:
        return PointEntry.objects.visible_to(signed_in(self.request)).select_related("enrollment__program")

    @extend_schema(request=AdjustmentInput, responses={201: PointEntryOutput})
    def create(self, request: Request) -> Response:
        """Adjust by hand, with a reason: points to add, or to take when negative."""
        asked = AdjustmentInput(data=request.data)
        asked.is_valid(raise_exception=True)
        entry = services.adjust_points(author=signed_in(request), **asked.validated_data)
        return Response(PointEntryOutput(entry).data, status=status.HTTP_201_CREATED)


class ClaimOutput(serializers.ModelSerializer[Claim]):
    asked = serializers.DecimalField(max_digits=18, decimal_places=4)
    granted = serializers.DecimalField(max_digits=18, decimal_places=4, source="entry.points", default=None)
    partner = serializers.IntegerField(source="enrollment.partner_id")
    program = serializers.CharField(source="enrollment.program.slug")
    rule = serializers.CharField(source="rule.code", default=None)

    class Meta:
        model = Claim
        fields = ("id", "partner", "program", "enrollment", "rule", "category", "title", "text", "document_name", "asked",
                  "granted", "state", "created_at", "submitted_at", "decided_at", "reason", "entry")  # fmt: skip


class ClaimViewSet(ReadOnlyModelViewSet[Claim]):
    """What partners claimed, and what came of it. Written in the portal, decided by staff."""

    queryset = Claim.objects.none()
    serializer_class = ClaimOutput
    filterset_fields = ("enrollment", "enrollment__partner", "state", "category")

    def get_queryset(self) -> QuerySet[Claim]:
        found = Claim.objects.visible_to(signed_in(self.request))
        return found.select_related("enrollment__program", "rule", "entry")


def routes() -> list[tuple[str, Any]]:
    return [("point-entries", PointEntryViewSet), ("claims", ClaimViewSet)]
