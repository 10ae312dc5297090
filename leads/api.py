"""The machine door to leads, deals and sales."""

from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import BooleanFilter, FilterSet
from drf_spectacular.utils import (
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
    inline_serializer,
)
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import signed_in
from leads import sales, services
from leads.models import Collection, Deal, Lead, Offer, Sale, Split
from partners.models import Member, Partner
from partners.roles import Right, may

MOST_ROWS = 1000

# Who asks for what: staff by permission, a partner's people by their portal role.
BY_STAFF = {
    ("LeadViewSet", "create"): "leads.add_lead",
    ("DealViewSet", "approve"): "leads.change_deal",
    ("DealViewSet", "refuse"): "leads.change_deal",
    ("SaleViewSet", "destroy"): "leads.delete_sale",
    ("SaleViewSet", "restore"): "leads.delete_sale",
    ("SaleViewSet", "splits"): "leads.change_sale",
    ("CollectionViewSet", "create"): "leads.add_collection",
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
                  "sourced", "registered_at", "decided_at", "closed_on")  # fmt: skip


class SplitOutput(serializers.ModelSerializer[Split]):
    partner_external_id = serializers.CharField(source="partner.external_id")

    class Meta:
        model = Split
        fields = ("partner", "partner_external_id", "parts")


class SaleOutput(serializers.ModelSerializer[Sale]):
    """With who shares it, for staff alone: a partner's callers read nothing of others."""

    amount = serializers.DecimalField(max_digits=18, decimal_places=4)
    recurring_amount = serializers.DecimalField(max_digits=18, decimal_places=4, allow_null=True)
    product = serializers.CharField(source="product.external_id", default=None)
    splits = serializers.SerializerMethodField()

    class Meta:
        model = Sale
        fields = ("id", "external_id", "partner", "kind", "order_number", "sold_on", "product", "customer_name",
                  "quantity", "amount", "recurring_amount", "currency", "sourced", "deal", "refund_of", "voided_at",
                  "void_reason", "splits", "changed_at")  # fmt: skip

    @extend_schema_field(SplitOutput(many=True))
    def get_splits(self, sale: Sale) -> list[dict[str, Any]]:
        request = self.context.get("request")
        return list(SplitOutput(sale.splits.all(), many=True).data) if request and request.user.is_staff else []


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
        sale = services.win_deal(deal=self.get_object(), actor=signed_in(request), **asked)
        return Response(SaleOutput(sale, context=self.get_serializer_context()).data)

    @extend_schema(request=LostInput, responses=DealOutput)
    @action(detail=True, methods=["post"])
    def lose(self, request: Request, pk: str) -> Response:
        """The deal came to nothing, and why."""
        asked = _valid(LostInput(data=request.data))
        return Response(DealOutput(services.lose_deal(deal=self.get_object(), actor=signed_in(request), **asked)).data)


class VoidInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200)


class SplitInput(serializers.Serializer[Any]):
    partner_external_id = serializers.CharField(max_length=64)
    parts = serializers.IntegerField(min_value=1, max_value=sales.MOST_PARTS)


class SaleFilter(FilterSet):  # type: ignore[misc]  # it has no types
    voided = BooleanFilter(
        field_name="voided_at", lookup_expr="isnull", exclude=True,
        label="true: sales that were voided; false, and left out: those that stand.",
    )  # fmt: skip

    class Meta:
        model = Sale
        fields = {
            "external_id": ["exact"], "partner": ["exact"], "sold_on": ["exact", "gte", "lt"], "refund_of": ["exact"],
        }  # fmt: skip


class SaleViewSet(ReadOnlyModelViewSet[Sale]):
    """Revenue facts, signed: a refund is negative. Voided ones are listed where they are asked for."""

    permission_classes = (IsAuthenticated, MayWrite)

    queryset = Sale.objects.none()
    serializer_class = SaleOutput
    filterset_class = SaleFilter

    def get_queryset(self) -> QuerySet[Sale]:
        visible = Sale.objects.visible_to(signed_in(self.request))
        if self.action == "list" and not self.request.query_params.get("voided"):
            visible = visible.standing()
        return visible.select_related("product").prefetch_related("splits__partner")

    @extend_schema(
        parameters=[OpenApiParameter("reason", str, required=True, description="Why its system deleted the sale.")],
        request=None, responses={204: None},
    )  # fmt: skip
    def destroy(self, request: Request, pk: str) -> Response:
        """Void a sale that its system deleted, saying why: it counts nowhere, and stays. Repeating changes nothing."""
        asked = _valid(VoidInput(data=request.query_params))
        sales.void_sale(sale=self.get_object(), actor=signed_in(request), **asked)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=SaleOutput)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """A voided sale counts again. Repeating changes nothing."""
        sale = sales.restore_sale(sale=self.get_object(), actor=signed_in(request))
        return Response(self.get_serializer(sale).data)

    @extend_schema(request=SplitInput(many=True), responses=SplitOutput(many=True))
    @action(detail=True, methods=["put"], pagination_class=None)
    def splits(self, request: Request, pk: str) -> Response:
        """Say who shares what the sale earns, the whole set at once; none: all is its partner's. Repeating changes
        nothing.
        """
        sale = self.get_object()
        asked = SplitInput(data=request.data, many=True)
        asked.is_valid(raise_exception=True)
        parts = {row["partner_external_id"]: row["parts"] for row in asked.validated_data}
        if len(parts) < len(asked.validated_data):
            raise ValidationError({"partner_external_id": [_("a partner comes twice")]})
        ids = dict(Partner.objects.filter(external_id__in=parts).values_list("external_id", "pk"))
        if unknown := sorted(parts.keys() - ids.keys()):
            raise ValidationError({"partner_external_id": [_("there is no partner %(key)s") % {"key": unknown[0]}]})
        made = sales.set_splits(
            sale=sale, parts={ids[own]: number for own, number in parts.items()}, actor=signed_in(request)
        )
        return Response(SplitOutput(made, many=True).data)


class CollectionFields(serializers.ModelSerializer[Collection]):
    sale_external_id = serializers.CharField(source="sale.external_id", max_length=64)
    currency = serializers.CharField(source="sale.currency", read_only=True)
    amount = serializers.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        model = Collection
        fields = ("id", "external_id", "sale", "sale_external_id", "amount", "currency", "collected_on")
        read_only_fields = ("sale",)
        extra_kwargs: ClassVar[Any] = {"external_id": {"validators": []}}

    def validate_amount(self, amount: Decimal) -> Decimal:
        if not amount:
            raise ValidationError(_("is nothing"))
        return amount


COLLECTED = inline_serializer(
    "Collected",
    {name: serializers.IntegerField() for name in ("added", "changed", "unchanged")},
)  # fmt: skip


class CollectionViewSet(ReadOnlyModelViewSet[Collection]):
    """Money that came in for sales, each known by its external id."""

    permission_classes = (IsAuthenticated, MayWrite)

    queryset = Collection.objects.none()
    serializer_class = CollectionFields
    filterset_fields = {
        "external_id": ["exact"], "sale": ["exact"], "sale__external_id": ["exact"],
        "collected_on": ["exact", "gte", "lt"],
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Collection]:
        return Collection.objects.visible_to(signed_in(self.request)).standing().select_related("sale")

    @extend_schema(
        request=PolymorphicProxySerializer(
            component_name="CollectionSent", serializers=[CollectionFields, CollectionFields(many=True)],
            resource_type_field_name=None, many=False,
        ),
        responses={200: COLLECTED},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Send one or a list. One that is there, by its external id, is changed where it differs. All or none; repeating
        changes nothing.
        """
        data = request.data if isinstance(request.data, list) else [request.data]
        if len(data) > MOST_ROWS:
            raise ValidationError({"detail": _("At most %(most)s rows at a time.") % {"most": MOST_ROWS}})
        asked = self.get_serializer(data=data, many=True)
        asked.is_valid(raise_exception=True)
        rows = asked.validated_data
        wanted = {row["sale"]["external_id"] for row in rows}
        ids = dict(Sale.objects.filter(external_id__in=wanted).values_list("external_id", "pk"))
        missing = _("there is no sale with this external id")
        if wanted - ids.keys():
            raise ValidationError(
                [{} if row["sale"]["external_id"] in ids else {"sale_external_id": [missing]} for row in rows]
            )
        for row in rows:
            row["sale_id"] = ids[row.pop("sale")["external_id"]]
        taken = sales.record_collections(collections=rows, actor=signed_in(request))
        return Response({"added": len(taken.added), "changed": len(taken.changed), "unchanged": len(taken.unchanged)})


def routes() -> list[tuple[str, Any]]:
    return [
        ("leads", LeadViewSet), ("deals", DealViewSet), ("sales", SaleViewSet), ("collections", CollectionViewSet),
    ]  # fmt: skip
