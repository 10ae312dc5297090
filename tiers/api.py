"""The machine door to programs, placements and the evaluations that explain them."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import signed_in
from tiers.models import Enrollment, Evaluation, Placement, Program


class ProgramOutput(serializers.ModelSerializer[Program]):
    name = serializers.JSONField()

    class Meta:
        model = Program
        fields = ("id", "slug", "name", "currency", "is_public")


class ProgramViewSet(ReadOnlyModelViewSet[Program]):
    """Programs: staff see all, anyone else the public ones."""

    queryset = Program.objects.none()
    serializer_class = ProgramOutput
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[Program]:
        return Program.objects.all() if signed_in(self.request).is_staff else Program.objects.public()


class PlacementOutput(serializers.ModelSerializer[Placement]):
    partner = serializers.IntegerField(source="enrollment.partner_id")
    program = serializers.CharField(source="enrollment.program.slug")
    tier = serializers.CharField(source="tier.code")

    class Meta:
        model = Placement
        fields = ("id", "partner", "program", "tier", "starts_on", "ends_on", "reason", "evaluation")


class PlacementViewSet(ReadOnlyModelViewSet[Placement]):
    """Which tier a partner held, from a day up to, not including, another."""

    queryset = Placement.objects.none()
    serializer_class = PlacementOutput
    filterset_fields = {"enrollment__partner": ["exact"], "ends_on": ["isnull"], "tier__code": ["exact"]}

    def get_queryset(self) -> QuerySet[Placement]:
        return Placement.objects.visible_to(signed_in(self.request)).select_related("tier", "enrollment__program")


class EvaluationOutput(serializers.ModelSerializer[Evaluation]):
    partner = serializers.IntegerField(source="enrollment.partner_id")
    program = serializers.CharField(source="enrollment.program.slug")
    edition = serializers.CharField(source="edition.name")
    earned = serializers.CharField(source="earned.code")

    class Meta:
        model = Evaluation
        fields = ("id", "partner", "program", "edition", "evaluated_on", "earned", "measured")


class EvaluationViewSet(ReadOnlyModelViewSet[Evaluation]):
    """What a night measured for a partner and the tier that earned."""

    queryset = Evaluation.objects.none()
    serializer_class = EvaluationOutput
    filterset_fields = {"enrollment__partner": ["exact"], "evaluated_on": ["exact", "gte", "lt"]}

    def get_queryset(self) -> QuerySet[Evaluation]:
        visible = Enrollment.objects.visible_to(signed_in(self.request))
        return Evaluation.objects.filter(enrollment__in=visible).select_related(
            "enrollment__program", "edition", "earned"
        )


def routes() -> list[tuple[str, Any]]:
    return [("programs", ProgramViewSet), ("placements", PlacementViewSet), ("evaluations", EvaluationViewSet)]
