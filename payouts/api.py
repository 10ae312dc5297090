"""The machine door to payouts: payments and masked accounts to read, batches to build and fetch, bank files to bring."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import FileUploadParser, MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from accounts.api import StaffWrites, signed_in
from payouts.models import BankFile, PayeeAccount, PayerAccount, PayoutBatch, PayoutItem
from payouts.rules import message_id
from payouts.services import batches, settling


class StaffReads(BasePermission):
    """Staff with the model's permission to view: nobody else knows that these exist."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user, meta = signed_in(request), view.queryset.model._meta
        return user.is_staff and user.has_perm(f"{meta.app_label}.view_{meta.model_name}")


class PayoutOutput(serializers.ModelSerializer[PayoutItem]):
    amount = serializers.DecimalField(max_digits=18, decimal_places=4)
    execute_on = serializers.DateField(source="batch.execute_on")
    account = serializers.CharField(source="account.mask")

    class Meta:
        model = PayoutItem
        fields = ("id", "partner", "statement", "batch", "attempt", "amount", "currency", "account", "end_to_end_id",
                  "remittance", "state", "execute_on", "paid_on", "returned_on", "bank_reference", "reason", "reason_text")  # fmt: skip


class PayoutViewSet(ReadOnlyModelViewSet[PayoutItem]):
    """Payments that left for a partner, one for each statement and attempt."""

    queryset = PayoutItem.objects.none()
    serializer_class = PayoutOutput
    filterset_fields = {"partner": ["exact"], "statement": ["exact"], "state": ["exact"], "batch": ["exact"]}

    def get_queryset(self) -> QuerySet[PayoutItem]:
        return PayoutItem.objects.left().visible_to(signed_in(self.request)).select_related("batch", "account")


class PayeeAccountOutput(serializers.ModelSerializer[PayeeAccount]):
    account = serializers.CharField(source="mask")

    class Meta:
        model = PayeeAccount
        fields = ("id", "partner", "currency", "version", "rail", "holder", "account", "country", "bank_name", "bic",
                  "state", "asked_at", "decided_at", "usable_on", "flag")  # fmt: skip


class PayeeAccountViewSet(ReadOnlyModelViewSet[PayeeAccount]):
    """Where partners are paid, as versions. Account numbers are masked."""

    queryset = PayeeAccount.objects.none()
    serializer_class = PayeeAccountOutput
    filterset_fields = {"partner": ["exact"], "currency": ["exact"], "state": ["exact"]}

    def get_queryset(self) -> QuerySet[PayeeAccount]:
        return PayeeAccount.objects.visible_to(signed_in(self.request))


class BatchOutput(serializers.ModelSerializer[PayoutBatch]):
    total = serializers.DecimalField(max_digits=18, decimal_places=4)
    message_id = serializers.SerializerMethodField()
    sha256 = serializers.CharField(source="file.sha256", default=None)

    class Meta:
        model = PayoutBatch
        fields = ("id", "message_id", "payer", "rail", "currency", "execute_on", "state", "count", "total", "built_at",
                  "approved_at", "sent_at", "sha256")  # fmt: skip

    def get_message_id(self, batch: PayoutBatch) -> str:
        return message_id(batch.pk)


class BatchInput(serializers.Serializer[Any]):
    payer = serializers.PrimaryKeyRelatedField(queryset=PayerAccount.objects.filter(is_active=True))
    execute_on = serializers.DateField()
    statements = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=1, max_length=5000)


class BatchViewSet(ReadOnlyModelViewSet[PayoutBatch]):
    """Batches. A machine may build one and fetch the file of one that people approved and paid; it approves none."""

    queryset = PayoutBatch.objects.none()
    serializer_class = BatchOutput
    permission_classes = [StaffReads, StaffWrites]
    filterset_fields = {"state": ["exact"], "currency": ["exact"], "execute_on": ["exact", "gte", "lt"]}

    def get_queryset(self) -> QuerySet[PayoutBatch]:
        return PayoutBatch.objects.select_related("file")

    @extend_schema(request=BatchInput, responses={201: BatchOutput})
    def create(self, request: Request) -> Response:
        """Build a draft that pays these statements: all of them, or nothing and why."""
        asked = BatchInput(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        batch = batches.build_batch(
            payer=values["payer"], execute_on=values["execute_on"], statement_ids=values["statements"],
            actor=signed_in(request),
        )  # fmt: skip
        return Response(BatchOutput(batch).data, status=201)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str) -> HttpResponse:
        """The file of a batch that was paid: the same bytes every time. Each download is in the journal."""
        if not signed_in(request).has_perm("payouts.send_payoutbatch"):
            raise PermissionDenied
        name, content = batches.open_file(batch=self.get_object(), actor=signed_in(request))
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return HttpResponse(content, content_type="application/octet-stream", headers=headers)


class BankFileOutput(serializers.ModelSerializer[BankFile]):
    class Meta:
        model = BankFile
        fields = ("id", "kind", "name", "message_id", "sha256", "taken_at", "report")


class BankFileViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[BankFile]):
    """Files of the bank (pain.002, camt.054) and what each matched."""

    queryset = BankFile.objects.all()
    serializer_class = BankFileOutput
    permission_classes = [StaffReads, StaffWrites]
    parser_classes = [MultiPartParser, FileUploadParser]
    filterset_fields = {"kind": ["exact"], "sha256": ["exact"]}

    @extend_schema(
        request={
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        },
        responses={201: BankFileOutput, 200: OpenApiResponse(BankFileOutput, description="It was read before.")},
    )
    def create(self, request: Request) -> Response:
        """Read a file back: all of it, or nothing and why. The same file again is answered with 200 and changes nothing."""
        file = request.FILES.get("file")
        if file is None:
            raise serializers.ValidationError({"file": ["Send the file in the field “file”."]})
        kept, is_new = settling.read_bank_file(
            content=file.read(settings.BANK_FILE_MAX_BYTES + 1), name=file.name or "", actor=signed_in(request)
        )
        return Response(BankFileOutput(kept).data, status=201 if is_new else 200)


def routes() -> list[tuple[str, Any]]:
    return [
        ("payouts", PayoutViewSet),
        ("payee-accounts", PayeeAccountViewSet),
        ("payout-batches", BatchViewSet),
        ("bank-files", BankFileViewSet),
    ]
