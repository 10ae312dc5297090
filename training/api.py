"""The machine door to certificates."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import CreateModelMixin, UpdateModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import StaffWrites, signed_in
from training import services
from training.models import Certificate, Certification


class CertificateOutput(serializers.ModelSerializer[Certificate]):
    certification = serializers.SlugRelatedField(slug_field="code", queryset=Certification.objects.all())

    class Meta:
        model = Certificate
        fields = ("id", "external_id", "member", "certification", "awarded_on", "expires_on", "is_made_up")

    def create(self, validated_data: dict[str, Any]) -> Certificate:
        return services.save_certificate(
            certificate=Certificate(**validated_data), actor=signed_in(self.context["request"])
        )

    def update(self, instance: Certificate, validated_data: dict[str, Any]) -> Certificate:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return services.save_certificate(certificate=instance, actor=signed_in(self.context["request"]))


class CertificateViewSet(CreateModelMixin, UpdateModelMixin, ReadOnlyModelViewSet[Certificate]):
    """Who is certified in what, and until when: `expires_on` is the first day without it.

    Staff with the permission add and change them; a new one without an end takes its certification's validity.
    """

    permission_classes = (IsAuthenticated, StaffWrites)

    queryset = Certificate.objects.none()
    serializer_class = CertificateOutput
    filterset_fields = {"external_id": ["exact"], "member": ["exact"], "member__partner": ["exact"]}

    def get_queryset(self) -> QuerySet[Certificate]:
        return Certificate.objects.visible_to(signed_in(self.request)).select_related("certification")


def routes() -> list[tuple[str, Any]]:
    return [("certificates", CertificateViewSet)]
