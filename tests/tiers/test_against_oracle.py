"""The night and the oracle come to the same figures, the same verdicts and the same tiers, to the last fraction."""

import os
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from tests.commissions.facts import run_night
from tests.tiers import oracle
from tests.tiers.generated_facts import nights
from tests.tiers.oracle_facts import Night
from tests.tiers.oracle_windows import Partner
from tests.tiers.stored import store
from tiers import explaining
from tiers.models import Evaluation

pytestmark = pytest.mark.django_db
HEALTH = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
    HealthCheck.large_base_example,
]


def compare(night: Night, chunk_size: int = 3) -> None:
    with transaction.atomic():
        _compare(night, chunk_size)
        transaction.set_rollback(True)


def _compare(night: Night, chunk_size: int) -> None:
    run_night(store(night), night.day, chunk_size=chunk_size)
    evaluations = Evaluation.objects.filter(evaluated_on=night.day).select_related(
        "enrollment__partner", "edition__program", "earned"
    )
    explained = {one.enrollment.partner.external_id: explaining.explanation(one) for one in evaluations}
    assert sorted(explained) == sorted(one.key for one in night.partners)
    for partner in night.partners:
        outcome, said = oracle.judged(night, partner), explained[partner.key]
        assert (partner.key, figures(said)) == (partner.key, expected(outcome))
        assert list(verdicts(night, outcome, partner, said)) == []
        assert said["earned"] == outcome.highest
    stored = {one.enrollment.partner.external_id: one.earned.code for one in evaluations}
    assert stored == {key: said["earned"] for key, said in explained.items()}


def figures(said: Mapping[str, Any]) -> dict[str, Any]:
    """What the explanation says of each measure; of split ones by member."""
    found: dict[str, Any] = {}
    for key, one in said["measures"].items():
        if "members" in one:
            found[key] = {member: Fraction(text) for member, text in one["members"].items()}
        else:
            found[key] = Fraction(one["figure"])
    return found


def expected(outcome: oracle.Outcome) -> dict[str, Any]:
    return {**outcome.figures, **outcome.members}


def verdicts(night: Night, outcome: oracle.Outcome, partner: Partner, said: Mapping[str, Any]) -> Iterator[str]:
    """Where the explanation and the oracle differ, for every rule at any depth."""
    for group in ("tiers", "distinctions"):
        for document, told in zip(night.edition[group], said[group], strict=True):
            for purpose in ("earn", "keep"):
                if purpose in document:
                    yield from differing(night, partner, document[purpose], told[purpose])
            if told["kept"] != outcome.keeps[document["code"]]:
                yield f"{partner.key} {document['code']} is kept: {told['kept']}"


def differing(
    night: Night, partner: Partner, rule: Mapping[str, Any], told: Mapping[str, Any], member: str | None = None
) -> Iterator[str]:
    if told["met"] != oracle.verdict(night, partner, rule, member):
        yield f"{partner.key} {told['path']} for {member or 'all'} is met: {told['met']}, {rule}"
    if "for_each" in rule:
        members = oracle.members_of(night, partner, rule["for_each"])
        if sorted(told["members"]) != sorted(members):
            yield f"{partner.key} {told['path']} has {sorted(told['members'])}, not {sorted(members)}"
        else:
            for one in members:
                yield from differing(night, partner, rule["rule"], told["members"][one], one)
    inner = [rule["rule"]] if "rule" in rule and "for_each" not in rule else []
    for group in ("all", "any", "none", "of"):
        inner += rule.get(group, [])
    for one, below in zip(inner, told.get("rules", []), strict=True):
        yield from differing(night, partner, one, below, member)


@settings(max_examples=60, deadline=None, suppress_health_check=HEALTH, print_blob=True, report_multiple_bugs=False)
@given(night=nights())
def test_the_night_and_the_oracle_agree(night: Night) -> None:
    compare(night)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("ORACLE_EXAMPLES", "20")),
    deadline=None,
    suppress_health_check=HEALTH,
    print_blob=True,
    report_multiple_bugs=False,
)
@given(night=nights(measures=24, tiers=12, partners_at_most=12, facts=150))
def test_the_night_and_the_oracle_agree_on_large_ones(night: Night) -> None:
    compare(night, chunk_size=5)
