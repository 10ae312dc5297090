"""The machine door to programs and what partners hold in them: placements, evaluations that explain them, benefits."""

from typing import Any

from tiers.api.benefits import BenefitUseViewSet
from tiers.api.programs import EditionViewSet, EstimateViewSet, ProgramSchemaViewSet, ProgramViewSet
from tiers.api.standing import AttestationViewSet, EnrollmentViewSet, EvaluationViewSet, PlacementViewSet


def routes() -> list[tuple[str, Any]]:
    return [
        ("programs", ProgramViewSet), ("editions", EditionViewSet), ("program-schema", ProgramSchemaViewSet),
        ("estimates", EstimateViewSet), ("enrollments", EnrollmentViewSet), ("placements", PlacementViewSet),
        ("evaluations", EvaluationViewSet), ("attestations", AttestationViewSet), ("benefit-uses", BenefitUseViewSet),
    ]  # fmt: skip
