"""The tables of the tier engine, in three rooms: the program as data, the night, and where partners stand."""

from tiers.models.program import CODE, Benefit, Distinction, Edition, Measure, Program, Tier, TierBenefit
from tiers.models.runs import Bound, Chunk, DryRun, Measured, Outcome, Run
from tiers.models.standing import (
    Attestation,
    Award,
    BenefitUse,
    Enrollment,
    Evaluation,
    Grace,
    Placement,
    Proposal,
    Relief,
)

__all__ = [
    "CODE",
    "Attestation",
    "Award",
    "Benefit",
    "BenefitUse",
    "Bound",
    "Chunk",
    "Distinction",
    "DryRun",
    "Edition",
    "Enrollment",
    "Evaluation",
    "Grace",
    "Measure",
    "Measured",
    "Outcome",
    "Placement",
    "Program",
    "Proposal",
    "Relief",
    "Run",
    "Tier",
    "TierBenefit",
]
