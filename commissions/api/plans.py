"""The machine door to plans."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.api import signed_in
from commissions import plan_documents, plan_words, selectors
from commissions.models import Plan


class RuleOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    sentence = serializers.CharField(help_text="The rule in words, in the language asked for.")
    by_tier = serializers.DictField(child=serializers.CharField())


class PlanOutput(serializers.ModelSerializer[Plan]):
    program = serializers.CharField(source="program.slug")
    name = serializers.DictField(child=serializers.CharField(), help_text="By language.")
    definition = serializers.SerializerMethodField(help_text="As its part of a program file.")
    rules = serializers.SerializerMethodField()

    class Meta:
        model = Plan
        fields = (
            "id",
            "program",
            "name",
            "version",
            "starts_on",
            "ends_on",
            "state",
            "published_at",
            "definition",
            "rules",
        )

    def get_definition(self, plan: Plan) -> dict[str, Any]:
        return dict(plan_documents.in_order(plan.definition))

    @extend_schema_field(RuleOutput(many=True))
    def get_rules(self, plan: Plan) -> Any:
        return RuleOutput(plan_words.rules(plan), many=True).data


class PlanViewSet(ReadOnlyModelViewSet[Plan]):
    """How programs pay: staff see drafts too, anyone else the published plans of the programs that it sees."""

    queryset = Plan.objects.none()
    serializer_class = PlanOutput
    filterset_fields = {"program__slug": ["exact"], "state": ["exact"], "starts_on": ["exact", "gte", "lt"]}

    def get_queryset(self) -> QuerySet[Plan]:
        return selectors.plans_visible_to(signed_in(self.request)).select_related("program")
