"""Every write of the tier engine that a person or another app asks for. The night's own are in `tiers.placing`."""

from tiers.services.attestations import attest, end_attestation
from tiers.services.benefits import take_back_use, use_benefit
from tiers.services.editions import (
    Part,
    check_edition,
    copy_edition,
    lock_draft,
    publish_edition,
    remove_from_draft,
    save_benefit,
    save_draft,
    save_program,
)
from tiers.services.enrolling import enroll, enroll_all
from tiers.services.evaluations import evaluate_now
from tiers.services.granting import end_grant, grant, place
from tiers.services.proposals import confirm_proposal, refuse_proposal
from tiers.services.reliefs import excuse, extend_program, lift_grace

__all__ = [
    "Part",
    "attest",
    "check_edition",
    "confirm_proposal",
    "copy_edition",
    "end_attestation",
    "end_grant",
    "enroll",
    "enroll_all",
    "evaluate_now",
    "excuse",
    "extend_program",
    "grant",
    "lift_grace",
    "lock_draft",
    "place",
    "publish_edition",
    "refuse_proposal",
    "remove_from_draft",
    "save_benefit",
    "save_draft",
    "save_program",
    "take_back_use",
    "use_benefit",
]
