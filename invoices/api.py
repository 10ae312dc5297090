"""The machine door to documents: those written for partners, and those that they sent."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import signed_in
from common import documents
from invoices.files import download
from invoices.models import Invoice, UploadedInvoice


class InvoiceOutput(serializers.ModelSerializer[Invoice]):
    net = serializers.DecimalField(max_digits=18, decimal_places=4)
    tax = serializers.DecimalField(max_digits=18, decimal_places=4)
    gross = serializers.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        model = Invoice
        fields = ("id", "partner", "statement", "number", "kind", "issued_on", "due_on", "currency", "net", "tax", "gross",
                  "tax_category", "tax_rate", "tax_mention", "language", "validated_against", "sha256", "size", "made_at")  # fmt: skip


class InvoiceViewSet(ReadOnlyModelViewSet[Invoice]):
    """Self-billed invoices (kind 389) and credit notes (261). Never changed, never deleted."""

    queryset = Invoice.objects.none()
    serializer_class = InvoiceOutput
    filterset_fields = {"partner": ["exact"], "statement": ["exact"], "kind": ["exact"], "number": ["exact"],
                        "issued_on": ["exact", "gte", "lt"]}  # fmt: skip

    def get_queryset(self) -> QuerySet[Invoice]:
        return Invoice.objects.visible_to(signed_in(self.request))

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True)
    def document(self, request: Request, pk: str) -> HttpResponse:
        """The stored file: PDF/A-3 with the EN 16931 XML inside (Factur-X). Its SHA-256 is the invoice's."""
        return download(self.get_object())


class UploadedInvoiceOutput(serializers.ModelSerializer[UploadedInvoice]):
    net = serializers.DecimalField(max_digits=18, decimal_places=4)
    tax = serializers.DecimalField(max_digits=18, decimal_places=4)
    gross = serializers.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        model = UploadedInvoice
        fields = ("id", "partner", "statement", "number", "issued_on", "currency", "net", "tax", "gross", "profile",
                  "document_name", "sha256", "state", "sent_at", "decided_at", "reason")  # fmt: skip


class UploadedInvoiceViewSet(ReadOnlyModelViewSet[UploadedInvoice]):
    """Invoices that partners without a mandate sent. Sent in the portal, decided by staff."""

    queryset = UploadedInvoice.objects.none()
    serializer_class = UploadedInvoiceOutput
    filterset_fields = {"partner": ["exact"], "statement": ["exact"], "state": ["exact"], "number": ["exact"]}

    def get_queryset(self) -> QuerySet[UploadedInvoice]:
        return UploadedInvoice.objects.visible_to(signed_in(self.request))

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True)
    def document(self, request: Request, pk: str) -> HttpResponseBase:
        """The file as it was sent."""
        sent = self.get_object()
        return documents.to_download(sent.document, sent.document_name)


def routes() -> list[tuple[str, Any]]:
    return [("invoices", InvoiceViewSet), ("sent-invoices", UploadedInvoiceViewSet)]
