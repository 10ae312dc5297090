"""What partners hold: enrollments with their benefits, placements, the evaluations that explain them, attestations."""

from pathlib import PurePath
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import StaffWrites, signed_in
from common import documents
from common.periods import program_today
from tiers import entitlements, explaining, services
from tiers.models import Attestation, Enrollment, Evaluation, Placement
from tiers.models.program import CODE

OF_PARTNER = {"enrollment__partner": ["exact"], "enrollment__partner__external_id": ["exact"]}
NUMBER: dict[str, Any] = {"max_digits": 18, "decimal_places": 4}


# --- Enrollments and their benefits ---------------------------------------------------------------


class EnrollmentOutput(serializers.ModelSerializer[Enrollment]):
    program = serializers.CharField(source="program.slug")
    partner_external_id = serializers.CharField(source="partner.external_id")

    class Meta:
        model = Enrollment
        fields = ("id", "partner", "partner_external_id", "program", "starts_on", "ends_on")


class EntitlementOutput(serializers.Serializer[Any]):
    """How much of a benefit may be used: `quantity` and `left` are null where there is no limit."""

    benefit = serializers.CharField(source="code")
    kind = serializers.CharField(source="benefit.kind")
    name = serializers.JSONField(source="benefit.name")
    tier = serializers.CharField(source="tier.code")
    terms = serializers.JSONField()
    quantity = serializers.DecimalField(**NUMBER, allow_null=True)
    per = serializers.CharField(help_text="year, half_year, quarter, month; empty: once while the tier is held.")
    currency = serializers.CharField(help_text="Of money; else empty.")
    used = serializers.DecimalField(**NUMBER)
    left = serializers.DecimalField(**NUMBER, allow_null=True)
    starts_on = serializers.DateField(help_text="Uses count from this day on.")
    ends_on = serializers.DateField(allow_null=True, help_text="The first day after; null while the tier is held.")


class DayInput(serializers.Serializer[Any]):
    on = serializers.DateField(required=False, help_text="Left out: today.")


class EnrollmentViewSet(ReadOnlyModelViewSet[Enrollment]):
    """Who is in which program, from a day up to, not including, another."""

    queryset = Enrollment.objects.none()
    serializer_class = EnrollmentOutput
    filterset_fields = {
        "partner": ["exact"], "partner__external_id": ["exact"], "program__slug": ["exact"], "ends_on": ["isnull"]
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Enrollment]:
        own = Enrollment.objects.visible_to(signed_in(self.request))
        return own.select_related("program", "partner")

    @extend_schema(parameters=[DayInput], responses=EntitlementOutput(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def benefits(self, request: Request, pk: str) -> Response:
        """The benefits that the tier held on a day gives: how much, how much is used, and how much is left."""
        asked = DayInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        on = asked.validated_data.get("on", program_today())
        held = entitlements.entitlements(enrollment=self.get_object(), on=on)
        return Response(EntitlementOutput(held, many=True).data)


# --- Placements and evaluations -------------------------------------------------------------------


class PlacementOutput(serializers.ModelSerializer[Placement]):
    partner = serializers.IntegerField(source="enrollment.partner_id")
    program = serializers.CharField(source="enrollment.program.slug")
    tier = serializers.CharField(source="tier.code")

    class Meta:
        model = Placement
        fields = ("id", "partner", "program", "enrollment", "tier", "starts_on", "ends_on", "reason", "holds_until",
                  "evaluation")  # fmt: skip


class PlacementViewSet(ReadOnlyModelViewSet[Placement]):
    """Which tier a partner held, from a day up to, not including, another."""

    queryset = Placement.objects.none()
    serializer_class = PlacementOutput
    filterset_fields = {
        **OF_PARTNER, "enrollment": ["exact"], "ends_on": ["isnull"], "tier__code": ["exact"],
        "starts_on": ["exact", "gte", "lt"],
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Placement]:
        return Placement.objects.visible_to(signed_in(self.request)).select_related("tier", "enrollment__program")


class EvaluationOutput(serializers.ModelSerializer[Evaluation]):
    partner = serializers.IntegerField(source="enrollment.partner_id")
    program = serializers.CharField(source="enrollment.program.slug")
    edition = serializers.CharField(source="edition.name")
    earned = serializers.CharField(source="earned.code")

    class Meta:
        model = Evaluation
        fields: Any = ("id", "partner", "program", "enrollment", "edition", "evaluated_on", "earned", "measured")


class EvaluationDetailOutput(EvaluationOutput):
    explanation = serializers.SerializerMethodField(
        help_text="Each measure, and each tier's rule with what came of it: figure, threshold and what is missing."
    )

    class Meta(EvaluationOutput.Meta):
        fields = (*EvaluationOutput.Meta.fields, "explanation")

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_explanation(self, evaluation: Evaluation) -> dict[str, Any]:
        return explaining.explanation(evaluation)


class EvaluationViewSet(ReadOnlyModelViewSet[Evaluation]):
    """What a night measured for a partner and the tier that earned. Stored when it differs from the last one stored."""

    queryset = Evaluation.objects.none()
    serializer_class = EvaluationOutput
    filterset_fields = {
        **OF_PARTNER, "enrollment": ["exact"], "enrollment__program__slug": ["exact"],
        "evaluated_on": ["exact", "gte", "lt"],
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Evaluation]:
        visible = Enrollment.objects.visible_to(signed_in(self.request))
        return Evaluation.objects.filter(enrollment__in=visible).select_related(
            "enrollment__program", "edition__program", "earned"
        )

    @extend_schema(responses=EvaluationDetailOutput)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """An evaluation with the whole decision explained."""
        return Response(EvaluationDetailOutput(self.get_object()).data)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def explanation(self, request: Request, pk: str) -> HttpResponse:
        """The explanation alone, as canonical JSON: the same decision gives the same bytes."""
        said = explaining.as_text(explaining.explanation(self.get_object()))
        return HttpResponse(said, content_type="application/json")


# --- Attestations ---------------------------------------------------------------------------------


class AttestationOutput(serializers.ModelSerializer[Attestation]):
    partner = serializers.IntegerField(source="enrollment.partner_id")
    program = serializers.CharField(source="enrollment.program.slug")
    has_document = serializers.SerializerMethodField(help_text="Whether `document/` has a file.")

    class Meta:
        model = Attestation
        fields = ("id", "partner", "program", "enrollment", "kind", "title", "starts_on", "ends_on", "has_document",
                  "is_made_up")  # fmt: skip

    def get_has_document(self, attestation: Attestation) -> bool:
        return bool(attestation.document)


@extend_schema_field(OpenApiTypes.BINARY)
class Upload(serializers.FileField):
    """A file that is sent; described as what it is, not as the address that it would be read at."""


class AttestationInput(serializers.Serializer[Any]):
    enrollment = serializers.PrimaryKeyRelatedField(queryset=Enrollment.objects.all())
    kind = serializers.CharField(max_length=40, validators=[CODE], help_text="As measures name it: business-plan.")
    title = serializers.CharField(max_length=200)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False, allow_null=True)
    document = Upload(required=False, help_text="PDF, PNG, JPEG, DOCX, XLSX or PPTX.")


class AttestationViewSet(ReadOnlyModelViewSet[Attestation]):
    """What people vouch for: staff record it, the partner sees its own."""

    permission_classes = (IsAuthenticated, StaffWrites)
    parser_classes = (JSONParser, MultiPartParser, FormParser)
    queryset = Attestation.objects.none()
    serializer_class = AttestationOutput
    filterset_fields = {
        **OF_PARTNER, "enrollment": ["exact"], "kind": ["exact"], "starts_on": ["exact", "gte", "lt"],
        "ends_on": ["gte", "lt", "isnull"],
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Attestation]:
        return Attestation.objects.visible_to(signed_in(self.request)).select_related("enrollment__program")

    @extend_schema(request=AttestationInput, responses={201: AttestationOutput})
    def create(self, request: Request) -> Response:
        """Record what the caller vouches for, with a document as multipart/form-data. It is known by enrollment, kind,
        title and first day: repeating changes nothing.
        """
        asked = AttestationInput(data=request.data)
        asked.is_valid(raise_exception=True)
        given = services.attest(author=signed_in(request), **asked.validated_data)
        return Response(AttestationOutput(given).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True)
    def document(self, request: Request, pk: str) -> FileResponse:
        """The document, to download."""
        attestation: Attestation = self.get_object()
        if not attestation.document:
            raise NotFound
        return documents.to_download(attestation.document, PurePath(str(attestation.document)).name)
