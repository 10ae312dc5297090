"""The machine door to leads, deals and sales."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import signed_in
from leads import services
from leads.models import Deal, Lead, Offer, Sale
from partners.models import Member
from partners.roles import Right, may

# Who asks for what: staff by permission, a partner's people by their portal role.
BY_STAFF = {
    ("LeadViewSet", "create"): "leads.add_lead",
    ("DealViewSet", "approve"): "leads.change_deal",
    ("DealViewSet", "refuse"): "leads.change_deal",
}


class MayWrite(BasePermission):
    """Reading is open to whom it is visible. What staff decide takes staff; what partners do, a role that works leads."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        user = signed_in(request)
        needed = BY_STAFF.get((type(view).__name__, view.action))
        if needed is not None:
            return user.is_staff and user.has_perm(needed)
        member = Member.objects.signing_in_as(user).first()
        return member is not None and may(member, Right.WORK_LEADS)


def _valid(asked: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


class LeadOutput(serializers.ModelSerializer[Lead]):
    """Without the prospect's contact details: those are shown to people, in the portal, once the lead is accepted."""

    class Meta:
        model = Lead
        fields = ("id", "status", "source", "partner", "company", "city", "country", "need", "created_at", "is_made_up")


class LeadInput(serializers.ModelSerializer[Lead]):
    class Meta:
        model = Lead
        fields = ("contact_name", "contact_email", "contact_phone", "company", "city", "country", "need")


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class LeadViewSet(ReadOnlyModelViewSet[Lead]):
    """Prospects' needs. Staff enter them; the people of the partner it was offered to answer."""

    permission_classes = (IsAuthenticated, MayWrite)

    queryset = Lead.objects.none()
    serializer_class = LeadOutput
    filterset_fields = ("status", "partner")

    def get_queryset(self) -> QuerySet[Lead]:
        return Lead.objects.visible_to(signed_in(self.request))

    @extend_schema(request=LeadInput, responses={201: LeadOutput})
    def create(self, request: Request) -> Response:
        """Enter a lead that nobody has yet."""
        asked = _valid(LeadInput(data=request.data))
        lead = services.enter_lead(actor=signed_in(request), source=Lead.Source.API, **asked)
        return Response(LeadOutput(lead).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=LeadOutput)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Take the lead that was offered. Repeating changes nothing."""
        return Response(LeadOutput(services.accept_offer(offer=self._offer(), actor=signed_in(request))).data)

    @extend_schema(request=ReasonInput, responses=LeadOutput)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Leave the lead, saying why."""
        offer, asked = self._offer(), _valid(ReasonInput(data=request.data))
        return Response(LeadOutput(services.decline_offer(offer=offer, actor=signed_in(request), **asked)).data)

    def _offer(self) -> Offer:
        lead: Lead = self.get_object()
        offer = Offer.objects.filter(lead=lead, partner=lead.partner).order_by("-id").first()
        if offer is None:
            raise NotFound
        return offer


class DealOutput(serializers.ModelSerializer[Deal]):
    amount = serializers.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        model = Deal
        fields = ("id", "partner", "lead", "title", "customer_name", "amount", "currency", "expected_on", "status",
                  "registered_at", "decided_at", "closed_on")  # fmt: skip


class SaleOutput(serializers.ModelSerializer[Sale]):
    amount = serializers.DecimalField(max_digits=18, decimal_places=4)
    product = serializers.CharField(source="product.external_id", default=None)

    class Meta:
        model = Sale
        fields = ("id", "external_id", "partner", "kind", "order_number", "sold_on", "product", "customer_name",
                  "quantity", "amount", "currency", "deal")  # fmt: skip


class DealInput(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200)
    customer_name = serializers.CharField(max_length=200)
    amount = serializers.DecimalField(max_digits=18, decimal_places=4, min_value=Decimal("0.0001"))
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    expected_on = serializers.DateField()


class WonInput(serializers.Serializer[Any]):
    closed_on = serializers.DateField()


class LostInput(ReasonInput, WonInput):
    """Why, and on which day."""


class DealViewSet(ReadOnlyModelViewSet[Deal]):
    """Registered opportunities. A partner's people register them and say how they went; staff decide."""

    permission_classes = (IsAuthenticated, MayWrite)

    queryset = Deal.objects.none()
    serializer_class = DealOutput
    filterset_fields = ("status", "partner")

    def get_queryset(self) -> QuerySet[Deal]:
        return Deal.objects.visible_to(signed_in(self.request))

    @extend_schema(request=DealInput, responses={201: DealOutput})
    def create(self, request: Request) -> Response:
        """Register a deal for the caller's partner; it waits for approval."""
        asked = _valid(DealInput(data=request.data))
        member = Member.objects.signing_in_as(signed_in(request)).select_related("partner").get()
        deal = services.register_deal(partner=member.partner, actor=signed_in(request), **asked)
        return Response(DealOutput(deal).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=DealOutput)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Approve a deal that waits. Repeating changes nothing."""
        return Response(DealOutput(services.approve_deal(deal=self.get_object(), actor=signed_in(request))).data)

    @extend_schema(request=ReasonInput, responses=DealOutput)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: str) -> Response:
        """Refuse a deal that waits, saying why."""
        asked = _valid(ReasonInput(data=request.data))
        return Response(
            DealOutput(services.refuse_deal(deal=self.get_object(), actor=signed_in(request), **asked)).data
        )

    @extend_schema(request=WonInput, responses=SaleOutput)
    @action(detail=True, methods=["post"])
    def win(self, request: Request, pk: str) -> Response:
        """The deal was won: the sale that it became."""
        asked = _valid(WonInput(data=request.data))
        return Response(SaleOutput(services.win_deal(deal=self.get_object(), actor=signed_in(request), **asked)).data)

    @extend_schema(request=LostInput, responses=DealOutput)
    @action(detail=True, methods=["post"])
    def lose(self, request: Request, pk: str) -> Response:
        """The deal came to nothing, and why."""
        asked = _valid(LostInput(data=request.data))
        return Response(DealOutput(services.lose_deal(deal=self.get_object(), actor=signed_in(request), **asked)).data)


class SaleViewSet(ReadOnlyModelViewSet[Sale]):
    """Revenue facts, signed: a refund is negative."""

    queryset = Sale.objects.none()
    serializer_class = SaleOutput
    filterset_fields = {"external_id": ["exact"], "partner": ["exact"], "sold_on": ["exact", "gte", "lt"]}

    def get_queryset(self) -> QuerySet[Sale]:
        return Sale.objects.visible_to(signed_in(self.request)).select_related("product")


def routes() -> list[tuple[str, Any]]:
    return [("leads", LeadViewSet), ("deals", DealViewSet), ("sales", SaleViewSet)]
