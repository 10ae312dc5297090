"""Programs and editions as documents, the schema of their files, and the estimate of a candidate's tier."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet, ViewSet

from accounts.api import signed_in
from common.periods import program_today
from tiers import documents, explaining, lexicon, program_file, rules, selectors, what_if
from tiers.errors import NoEditionError
from tiers.lexicon import Lexicon
from tiers.models import Edition, Program, Tier


class EditionName(serializers.ModelSerializer[Edition]):
    class Meta:
        model = Edition
        fields = ("id", "name", "starts_on")


class ProgramOutput(serializers.ModelSerializer[Program]):
    name = serializers.JSONField()
    edition = serializers.SerializerMethodField(help_text="The edition in force today; null where there is none.")

    class Meta:
        model = Program
        fields = ("id", "slug", "name", "currency", "is_public", "edition")

    @extend_schema_field(EditionName(allow_null=True))
    def get_edition(self, program: Any) -> Any:
        return EditionName(program.in_force[0]).data if program.in_force else None


class ProgramViewSet(ReadOnlyModelViewSet[Program]):
    """Programs with the edition in force: staff see all, anyone else the public ones and those of its partner."""

    queryset = Program.objects.none()
    serializer_class = ProgramOutput
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[Program]:
        in_force = Edition.objects.in_force_on(program_today())
        return selectors.programs_visible_to(signed_in(self.request)).prefetch_related(
            Prefetch("editions", in_force, to_attr="in_force")
        )


class EditionOutput(serializers.ModelSerializer[Edition]):
    program = serializers.CharField(source="program.slug")

    class Meta:
        model = Edition
        fields: Any = ("id", "program", "name", "starts_on", "state")


class EditionDetailOutput(EditionOutput):
    document = serializers.SerializerMethodField(
        help_text="Measures, tiers with their rules and benefits, distinctions and life, as in a program file."
    )

    class Meta(EditionOutput.Meta):
        fields = (*EditionOutput.Meta.fields, "document")

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_document(self, edition: Edition) -> dict[str, Any]:
        """Notes are for staff."""
        document = documents.edition(edition)
        if not signed_in(self.context["request"]).is_staff:
            document.pop("notes", None)
        return document


class EditionViewSet(ReadOnlyModelViewSet[Edition]):
    """Editions of the programs that one sees: staff see drafts too, anyone else the published ones."""

    queryset = Edition.objects.none()
    serializer_class = EditionOutput
    filterset_fields = {"program__slug": ["exact"], "state": ["exact"], "starts_on": ["exact", "gte", "lt"]}

    def get_queryset(self) -> QuerySet[Edition]:
        return selectors.editions_visible_to(signed_in(self.request)).select_related("program")

    @extend_schema(responses=EditionDetailOutput)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """An edition with its rules, as its part of a program file."""
        return Response(EditionDetailOutput(self.get_object(), context=self.get_serializer_context()).data)


class ProgramSchemaViewSet(ViewSet):
    """The JSON Schema of program files, with the sections of every part of the product."""

    basename = "program-schema"
    permission_classes = (AllowAny,)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def list(self, request: Request) -> Response:
        return Response(program_file.schema())


# --- Estimates ------------------------------------------------------------------------------------


class EstimateInput(serializers.Serializer[Any]):
    program = serializers.SlugField(help_text="The program's slug.")
    figures = serializers.DictField(
        child=serializers.DecimalField(max_digits=18, decimal_places=4), required=False,
        help_text="By the key of a measure of facts, in its own unit; left out is nothing.",
    )  # fmt: skip
    traits = serializers.DictField(
        child=serializers.CharField(max_length=100),
        required=False,
        help_text="What rules ask about a partner: country.",
    )


class TierName(serializers.ModelSerializer[Tier]):
    name = serializers.JSONField()

    class Meta:
        model = Tier
        fields = ("code", "rank", "name", "confirm")


class EstimateOutput(serializers.Serializer[Any]):
    program = serializers.CharField()
    edition = serializers.CharField()
    day = serializers.DateField()
    tier = TierName(help_text="What these figures earn; where `confirm` is true, staff confirm it.")
    next_tier = TierName(allow_null=True, help_text="The one above that can be earned.")
    explanation = serializers.DictField(help_text="Each rule with what came of it, as of an evaluation.")


class EstimateViewSet(ViewSet):
    """What a candidate would hold. Nothing is stored."""

    basename = "estimate"

    @extend_schema(request=EstimateInput, responses=EstimateOutput)
    def create(self, request: Request) -> Response:
        """The tier that the program's edition in force would give to a partner with these figures, and why."""
        asked = EstimateInput(data=request.data)
        asked.is_valid(raise_exception=True)
        values = {"figures": {}, "traits": {}, **asked.validated_data}
        program = selectors.programs_visible_to(signed_in(request)).filter(slug=values["program"]).first()
        if program is None:
            raise NotFound
        today = program_today()
        edition = selectors.edition_in_force(program, today)
        if edition is None:
            raise NoEditionError(
                _("Program “%(program)s” has no published edition in force on %(day)s.")
                % {"program": program, "day": today}
            )
        edition.program = program
        words = lexicon.read(edition)
        _expect(values, words, words.rulebook())
        case = what_if.of_a_candidate(words, values["figures"], values["traits"], today)
        earned = rules.highest_earned(case.book, case.facts)
        following = next((level for level in case.book.levels if level.rank > earned.rank and level.earn), None)
        tiers = {tier.code: tier for tier in words.tiers}
        answer = {
            "program": program.slug, "edition": edition.name, "day": today, "tier": tiers[earned.code],
            "next_tier": tiers[following.code] if following else None, "explanation": explaining.explained(case),
        }  # fmt: skip
        return Response(EstimateOutput(answer).data)


def _expect(values: Mapping[str, Any], words: Lexicon, book: rules.Rulebook) -> None:
    """Only what the rules read may be told: a key that nothing reads is a slip of the pen."""
    known = {
        "figures": [measure.key for measure in what_if.questions(words, book)],
        "traits": what_if.traits_asked(book),
    }
    wrong: dict[str, dict[str, str]] = {}
    for part, names in known.items():
        for name in values[part]:
            if name not in names:
                said = _("The rules read no such thing; they read: %(known)s.") % {"known": ", ".join(names) or "–"}
                wrong.setdefault(part, {})[name] = said
    for key, value in values["figures"].items():
        if words.units.get(key) == "count" and value != int(value):
            wrong.setdefault("figures", {}).setdefault(key, _("A whole number."))
    if wrong:
        raise ValidationError(wrong)
