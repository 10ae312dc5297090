"""The tables of the tier engine, in three rooms: the program as data, the night, and where partners stand."""

from tiers.models.program import CODE, Benefit, Distinction, Edition, Measure, Program, Tier, TierBenefit
from tiers.models.runs import Bound, Chunk, Measured, Run
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
    "Edition",
    "Enrollment",
    "Evaluation",
    "Grace",
    "Measure",
    "Measured",
    "Placement",
    "Program",
    "Proposal",
    "Relief",
    "Run",
    "Tier",
    "TierBenefit",
]
