"""The machine door to exchange rates: anyone signed in reads them, staff send them."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import StaffWrites, signed_in
from rates import services
from rates.errors import RateError
from rates.models import Rate

MOST_ROWS = 1000


class RateFields(serializers.ModelSerializer[Rate]):
    source = serializers.CharField(source="source_id", max_length=40)  # type: ignore[assignment]  # a field, not its own

    class Meta:
        model = Rate
        fields = ("id", "source", "base", "quote", "on", "version", "value", "imported_at")
        read_only_fields = ("id", "version", "imported_at")
        validators: ClassVar[list[Any]] = []  # a rate that is there is no error


TAKEN = inline_serializer(
    "RatesTaken",
    {"added": serializers.IntegerField(), "changed": serializers.IntegerField(), "unchanged": serializers.IntegerField()},
)  # fmt: skip
SENT = PolymorphicProxySerializer(
    component_name="RateSent",
    serializers=[RateFields, RateFields(many=True)],
    resource_type_field_name=None,
    many=False,
)


class RateViewSet(ReadOnlyModelViewSet[Rate]):
    """Dated exchange rates: one unit of `base` is `value` units of `quote`. The latest version of a day holds."""

    permission_classes = (IsAuthenticated, StaffWrites)
    queryset = Rate.objects.order_by("pk")
    serializer_class = RateFields
    filterset_fields = {
        "source": ["exact"], "base": ["exact", "in"], "quote": ["exact", "in"], "on": ["exact", "gte", "lt"],
    }  # fmt: skip
    basename = "exchangerate"

    @extend_schema(request=SENT, responses={200: TAKEN})
    def create(self, request: Request) -> Response:
        """Send rates, one or a list. All or none; what is wrong is told by row, then by field. Repeating changes nothing; a
        rate that differs from the one of its day becomes its next version.
        """
        many = isinstance(request.data, list)
        data = request.data if many else [request.data]
        if len(data) > MOST_ROWS:
            raise ValidationError({"detail": _("At most %(most)s rows at a time.") % {"most": MOST_ROWS}})
        asked = self.get_serializer(data=data, many=True)
        valid = asked.is_valid()
        errors: dict[int, Any] = dict(asked.errors)
        if valid:
            try:
                taken = services.publish_rates(rates=asked.validated_data, actor=signed_in(request))
            except RateError as error:
                errors = dict(error.problems)
        if errors:
            said = [dict(errors.get(place, {})) for place in range(len(data))]
            raise ValidationError(said if many else said[0])
        return Response({"added": taken.added, "changed": taken.changed, "unchanged": taken.unchanged})


def routes() -> list[tuple[str, Any]]:
    return [("exchange-rates", RateViewSet)]
