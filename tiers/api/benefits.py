"""What partners used of their benefits."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import StaffWrites, signed_in
from tiers import services
from tiers.models import BenefitUse, Enrollment

NUMBER: dict[str, Any] = {"max_digits": 18, "decimal_places": 4}


class BenefitUseOutput(serializers.ModelSerializer[BenefitUse]):
    partner = serializers.IntegerField(source="enrollment.partner_id")
    program = serializers.CharField(source="enrollment.program.slug")
    benefit = serializers.CharField(source="benefit.code")
    quantity = serializers.DecimalField(**NUMBER)

    class Meta:
        model = BenefitUse
        fields = ("id", "external_id", "partner", "program", "enrollment", "benefit", "used_on", "quantity", "takes_back",
                  "note")  # fmt: skip


class BenefitUseInput(serializers.Serializer[Any]):
    external_id = serializers.CharField(max_length=64, help_text="The key of the use where it comes from.")
    enrollment = serializers.PrimaryKeyRelatedField(queryset=Enrollment.objects.all())
    benefit = serializers.SlugField(help_text="Its code.")
    used_on = serializers.DateField()
    quantity = serializers.DecimalField(**NUMBER, default=Decimal(1), help_text="Money in the program's currency.")
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class TakeBackInput(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=200, help_text="Why.")


class BenefitUseViewSet(ReadOnlyModelViewSet[BenefitUse]):
    """Uses of benefits, never changed: one that did not come about is taken back by a negative one."""

    permission_classes = (IsAuthenticated, StaffWrites)
    queryset = BenefitUse.objects.none()
    serializer_class = BenefitUseOutput
    filterset_fields = {
        "external_id": ["exact"], "enrollment": ["exact"], "enrollment__partner": ["exact"],
        "enrollment__partner__external_id": ["exact"], "benefit__code": ["exact"],
        "used_on": ["exact", "gte", "lt"],
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[BenefitUse]:
        own = BenefitUse.objects.visible_to(signed_in(self.request))
        return own.select_related("benefit", "enrollment__program")

    @extend_schema(request=BenefitUseInput, responses={201: BenefitUseOutput})
    def create(self, request: Request) -> Response:
        """Count a use. Repeating it, with its external id, changes nothing. More than is left is refused (409,
        `benefit_spent`) with what is `left`.
        """
        asked = BenefitUseInput(data=request.data)
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        code, on = values.pop("benefit"), values.pop("used_on")
        use = services.use_benefit(code=code, on=on, actor=signed_in(request), **values)
        return Response(BenefitUseOutput(use).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=TakeBackInput, responses={201: BenefitUseOutput})
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: str) -> Response:
        """Take a use back, whole, and why. Repeating changes nothing."""
        use: BenefitUse = self.get_object()
        asked = TakeBackInput(data=request.data)
        asked.is_valid(raise_exception=True)
        back = services.take_back_use(use=use, actor=signed_in(request), **asked.validated_data)
        return Response(BenefitUseOutput(back).data, status=status.HTTP_201_CREATED)
