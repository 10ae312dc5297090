"""The machine door to partners and their members."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import CreateModelMixin, UpdateModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import StaffWrites, signed_in
from partners import services
from partners.models import Location, Member, Partner


class LocationOutput(serializers.ModelSerializer[Location]):
    class Meta:
        model = Location
        fields = ("is_main", "street", "street2", "postal_code", "city", "region", "country", "latitude", "longitude",
                  "accuracy")  # fmt: skip


class PartnerOutput(serializers.ModelSerializer[Partner]):
    locations = LocationOutput(many=True)

    class Meta:
        model = Partner
        fields = ("id", "external_id", "name", "slug", "kind", "status", "is_listed", "email", "phone", "website",
                  "employees", "opened_in", "joined_on", "locations")  # fmt: skip


class PartnerViewSet(ReadOnlyModelViewSet[Partner]):
    """Partners: staff see all, a member its own."""

    queryset = Partner.objects.none()
    serializer_class = PartnerOutput
    filterset_fields = ("external_id", "status", "is_listed")

    def get_queryset(self) -> QuerySet[Partner]:
        return Partner.objects.visible_to(signed_in(self.request)).prefetch_related("locations")


class MemberOutput(serializers.ModelSerializer[Member]):
    class Meta:
        model = Member
        fields = ("id", "external_id", "partner", "name", "email", "job", "job_title", "role", "joined_on", "left_on",
                  "is_made_up")  # fmt: skip

    def create(self, validated_data: dict[str, Any]) -> Member:
        return services.save_member(member=Member(**validated_data), actor=signed_in(self.context["request"]))

    def update(self, instance: Member, validated_data: dict[str, Any]) -> Member:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return services.save_member(member=instance, actor=signed_in(self.context["request"]))


class MemberViewSet(CreateModelMixin, UpdateModelMixin, ReadOnlyModelViewSet[Member]):
    """The people of partners. Staff with the permission add and change them."""

    permission_classes = (IsAuthenticated, StaffWrites)

    queryset = Member.objects.none()
    serializer_class = MemberOutput
    filterset_fields = ("external_id", "partner", "job")

    def get_queryset(self) -> QuerySet[Member]:
        return Member.objects.visible_to(signed_in(self.request))


def routes() -> list[tuple[str, Any]]:
    return [("partners", PartnerViewSet), ("members", MemberViewSet)]
