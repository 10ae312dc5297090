"""The machine door to disputes."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api import signed_in
from commissions import services
from commissions.api.statements import Amount
from commissions.models import Dispute, DisputeMessage, Earning
from partners.models import Member
from partners.roles import Right, roles_that_may


class PartnersWrite(BasePermission):
    """Who sees pay reads; the partner's own people question lines and withdraw. Staff answer in the admin."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        readers = Member.objects.signing_in_as(signed_in(request)).filter(role__in=roles_that_may(Right.SEE_PAY))
        return readers.exists()


class MessageOutput(serializers.ModelSerializer[DisputeMessage]):
    class Meta:
        model = DisputeMessage
        fields = ("id", "by_staff", "text", "document_name", "at")


class DisputeOutput(serializers.ModelSerializer[Dispute]):
    expected, amount = Amount(allow_null=True), Amount(allow_null=True)
    messages = MessageOutput(many=True)

    class Meta:
        model = Dispute
        fields = ("id", "partner", "earning", "category", "expected", "state", "opened_at", "due_on", "amount", "answer",
                  "answered_at", "adjustment", "messages")  # fmt: skip


class DisputeInput(serializers.Serializer[Any]):
    earning = serializers.IntegerField()
    category = serializers.ChoiceField(choices=Dispute.Category.choices)
    text = serializers.CharField(max_length=4000)
    expected = Amount(required=False, allow_null=True)
    document = serializers.FileField(required=False, allow_null=True)


class DisputeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Dispute]):
    """Lines that partners question."""

    permission_classes = (IsAuthenticated, PartnersWrite)
    queryset = Dispute.objects.none()
    serializer_class = DisputeOutput
    filterset_fields = {
        "partner": ["exact"],
        "state": ["exact"],
        "earning": ["exact"],
        "due_on": ["exact", "gte", "lt"],
    }

    def get_queryset(self) -> QuerySet[Dispute]:
        return Dispute.objects.visible_to(signed_in(self.request)).prefetch_related("messages")

    @extend_schema(request=DisputeInput, responses={201: DisputeOutput})
    def create(self, request: Request) -> Response:
        """Question a line of the caller's partner. It is held until the dispute is answered."""
        asked = DisputeInput(data=request.data)
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        own = Earning.objects.visible_to(signed_in(request))
        earning = get_object_or_404(own, pk=values.pop("earning"))
        dispute = services.open_dispute(earning=earning, actor=signed_in(request), **values)
        return Response(DisputeOutput(dispute).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=DisputeOutput)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """No longer question the line. Repeating changes nothing."""
        dispute = services.withdraw_dispute(dispute=self.get_object(), actor=signed_in(request))
        return Response(DisputeOutput(dispute).data)
