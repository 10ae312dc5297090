"""The machine door to facts from elsewhere: sent whole, one or many, as often as one likes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import StaffWrites, signed_in
from accounts.models import User
from common.names import check_texts
from partners.models import Partner
from records import services
from records.errors import SAYS
from records.models import PlanTarget, Record, Score
from records.selectors import HOLDS_TOGETHER, problems
from tiers.models import Award

MOST_ROWS = 1000
NUMBER: dict[str, Any] = {"max_digits": 18, "decimal_places": 4}

Rows = list[dict[str, Any]]
Write = TypeVar("Write", bound=Callable[..., Response])


class StaffSend(StaffWrites):
    """What is sent may be new or a change: staff that may do both."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        meta = view.queryset.model._meta
        return request.method in SAFE_METHODS or signed_in(request).has_perm(
            f"{meta.app_label}.change_{meta.model_name}"
        )


class OfPartner(serializers.ModelSerializer[Any]):
    """A fact of a partner, which machines name by the partner's external id."""

    class Meta:
        model: ClassVar[Any]

    partner_external_id = serializers.CharField(source="partner.external_id", max_length=64)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What does not hold together is told beside what cannot be read in other rows."""
        if wrong := HOLDS_TOGETHER[self.Meta.model](attrs):
            raise ValidationError({name: [SAYS[problem]] for name, problem in wrong.items()})
        return attrs


class RecordFields(OfPartner):
    amount = serializers.DecimalField(**NUMBER, required=False, allow_null=True)
    quantity = serializers.DecimalField(**NUMBER, required=False, allow_null=True)
    attributes = serializers.DictField(child=serializers.CharField(), required=False, validators=[check_texts])

    class Meta:
        model = Record
        fields = ("id", "external_id", "partner", "partner_external_id", "kind", "name", "occurred_on", "starts_on",
                  "ends_on", "amount", "currency", "quantity", "attributes", "is_made_up")  # fmt: skip
        read_only_fields = ("id", "partner", "is_made_up")
        extra_kwargs: ClassVar[Any] = {"external_id": {"validators": []}}


class ScoreFields(OfPartner):
    value = serializers.DecimalField(**NUMBER)

    class Meta:
        model = Score
        fields = ("id", "partner", "partner_external_id", "kind", "scope", "value", "scored_on", "source", "is_made_up")
        read_only_fields = ("id", "partner", "is_made_up")
        validators: ClassVar[list[Any]] = []


class AwardFields(OfPartner):
    external_id = serializers.CharField(max_length=64)

    class Meta:
        model = Award
        fields = ("id", "external_id", "partner", "partner_external_id", "code", "grade", "scope", "issuer", "origin",
                  "starts_on", "ends_on", "is_made_up")  # fmt: skip
        read_only_fields = ("id", "partner", "origin", "is_made_up")


class PlanTargetFields(OfPartner):
    amount = serializers.DecimalField(**NUMBER, required=False, allow_null=True)
    quantity = serializers.DecimalField(**NUMBER, required=False, allow_null=True)

    class Meta:
        model = PlanTarget
        fields = ("id", "partner", "partner_external_id", "key", "starts_on", "ends_on", "amount", "currency", "quantity",
                  "is_made_up")  # fmt: skip
        read_only_fields = ("id", "partner", "is_made_up")
        validators: ClassVar[list[Any]] = []


TAKEN = inline_serializer(
    "Taken",
    {"added": serializers.IntegerField(), "changed": serializers.IntegerField(), "unchanged": serializers.IntegerField()},
)  # fmt: skip


def sent_as(fields: type[OfPartner]) -> Callable[[Write], Write]:
    """A POST takes one row or a list of them."""
    name = fields.__name__.removesuffix("Fields")
    one_or_many = PolymorphicProxySerializer(
        component_name=f"{name}Sent", serializers=[fields, fields(many=True)], resource_type_field_name=None, many=False
    )
    described: Callable[[Write], Write] = extend_schema(request=one_or_many, responses={200: TAKEN})
    return described


class FactViewSet(ReadOnlyModelViewSet[Any]):
    """Reads what is visible; takes one row or a list, all of it or nothing."""

    permission_classes = (IsAuthenticated, StaffSend)

    facts: ClassVar[Any]  # the model
    always: ClassVar[dict[str, Any]] = {}  # what every row that is sent is

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.facts.objects.visible_to(signed_in(self.request))
        return rows.select_related("partner")

    def take(self, request: Request) -> Response:
        """All rows or none: what is wrong is told by row, then by field. Repeating changes nothing."""
        many = isinstance(request.data, list)
        data = request.data if many else [request.data]
        if len(data) > MOST_ROWS:
            raise ValidationError({"detail": _("At most %(most)s rows at a time.") % {"most": MOST_ROWS}})
        asked = self.get_serializer(data=data, many=True)
        valid = asked.is_valid()
        errors: dict[int, Any] = dict(asked.errors)
        rows = [{**row, **self.always} for row in _with_partners(asked.validated_data, errors)] if valid else []
        if not errors:
            errors = problems(self.facts, rows)
        if errors:
            said = [_by_partner(errors.get(place, {})) for place in range(len(data))]
            raise ValidationError(said if many else said[0])
        taken = self.write(rows, signed_in(request))
        return Response({"added": taken.added, "changed": taken.changed, "unchanged": taken.unchanged})

    def write(self, rows: Rows, actor: User) -> Any:
        raise NotImplementedError


def _with_partners(rows: Sequence[Mapping[str, Any]], errors: dict[int, Any]) -> Rows:
    """The rows with their partners' keys, by one query; who is not there is an error of its row."""
    wanted = {row["partner"]["external_id"] for row in rows}
    partners = dict(Partner.objects.filter(external_id__in=wanted).values_list("external_id", "pk"))
    found = []
    for place, row in enumerate(rows):
        partner_id = partners.get(row["partner"]["external_id"])
        if partner_id is None:
            errors[place] = {"partner": [_("there is no partner with this external id")]}
        found.append({**{name: value for name, value in row.items() if name != "partner"}, "partner_id": partner_id})
    return found


def _by_partner(wrong: Mapping[str, Any]) -> dict[str, Any]:
    """Errors under the names that the machine sent."""
    return {"partner_external_id" if name == "partner" else name: said for name, said in wrong.items()}


class RecordViewSet(FactViewSet):
    """Facts of any kind that another system holds, each known by its external id."""

    facts = Record
    queryset = Record.objects.none()
    serializer_class = RecordFields
    filterset_fields = {
        "external_id": ["exact"], "partner": ["exact"], "partner__external_id": ["exact"], "kind": ["exact"],
        "occurred_on": ["exact", "gte", "lt"],
    }  # fmt: skip

    @sent_as(RecordFields)
    def create(self, request: Request) -> Response:
        """Send records, each whole: what is left out is empty. One that is there, by its external id, is changed where it
        differs. All or none; repeating changes nothing.
        """
        return self.take(request)

    def write(self, rows: Rows, actor: User) -> Any:
        return services.record_facts(facts=rows, actor=actor)


class ScoreViewSet(FactViewSet):
    """How partners did in the eyes of another system, each known by partner, kind, scope and day."""

    facts = Score
    queryset = Score.objects.none()
    serializer_class = ScoreFields
    filterset_fields = {
        "partner": ["exact"], "partner__external_id": ["exact"], "kind": ["exact"], "scope": ["exact"],
        "scored_on": ["exact", "gte", "lt"],
    }  # fmt: skip

    @sent_as(ScoreFields)
    def create(self, request: Request) -> Response:
        """Send scores. One of the same partner, kind, scope and day is changed where it differs. All or none; repeating
        changes nothing.
        """
        return self.take(request)

    def write(self, rows: Rows, actor: User) -> Any:
        return services.set_scores(scores=rows, actor=actor)


class AwardViewSet(FactViewSet):
    """Distinctions that partners hold: earned here, granted by staff, or held elsewhere."""

    facts = Award
    always: ClassVar[dict[str, Any]] = {"origin": Award.Origin.IMPORTED.value}
    queryset = Award.objects.none()
    serializer_class = AwardFields
    filterset_fields = {
        "external_id": ["exact"], "partner": ["exact"], "partner__external_id": ["exact"], "code": ["exact"],
        "origin": ["exact"],
    }  # fmt: skip

    @sent_as(AwardFields)
    def create(self, request: Request) -> Response:
        """Send awards that are held elsewhere, each whole: what is left out is empty. One that is there, by its external
        id, is changed where it differs. All or none; repeating changes nothing.
        """
        return self.take(request)

    def write(self, rows: Rows, actor: User) -> Any:
        return services.give_awards(awards=rows, origin=Award.Origin.IMPORTED, actor=actor)


class PlanTargetViewSet(FactViewSet):
    """What partners and the vendor agreed to reach, each known by partner, key and first day."""

    facts = PlanTarget
    queryset = PlanTarget.objects.none()
    serializer_class = PlanTargetFields
    filterset_fields = {
        "partner": ["exact"], "partner__external_id": ["exact"], "key": ["exact"], "starts_on": ["exact", "gte", "lt"],
    }  # fmt: skip

    @sent_as(PlanTargetFields)
    def create(self, request: Request) -> Response:
        """Send targets, each whole: what is left out is empty. One of the same partner, key and first day is changed where
        it differs. All or none; repeating changes nothing.
        """
        return self.take(request)

    def write(self, rows: Rows, actor: User) -> Any:
        return services.set_plan_targets(targets=rows, actor=actor)


def routes() -> list[tuple[str, Any]]:
    return [
        ("records", RecordViewSet), ("scores", ScoreViewSet), ("awards", AwardViewSet),
        ("plan-targets", PlanTargetViewSet),
    ]  # fmt: skip
