"""A night of the oracle put on the real tables, through a program file and in bulk."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from random import Random
from typing import Any

from django.utils import timezone

from leads.models import Collection, Deal, Lead, Product, Sale
from partners.models import Location, Member, Partner
from records.models import PlanTarget, Record, Score
from tests.tiers.oracle_facts import Fact, Night
from tiers import program_file
from tiers.models import Attestation, Award, Enrollment, Evaluation, Placement, Program, Tier
from training.models import Certificate, Certification

By = Mapping[str, Any]


def store(night: Night, shuffle: int = 0) -> Program:
    """The night's edition, partners and facts as rows, inserted in an order, and under ids, that `shuffle` decides. Once
    per database."""
    random = Random(shuffle)  # noqa: S311  # an order, not a secret
    Partner.objects.bulk_create(
        Partner(external_id=f"X{number}", name="Other", slug=f"other-{number}", joined_on=night.day)
        for number in range(shuffle % 3)
    )
    document = {"slug": "generated", "name": {"en": "Generated"}, "currency": night.currency, "public": False,
                "editions": [night.edition]}  # fmt: skip
    program = program_file.import_program(json.dumps(document).encode())
    people = shuffled(night.partners, random)
    partners = Partner.objects.bulk_create(
        Partner(external_id=one.key, name=one.key, slug=one.key.lower(), joined_on=one.joined_on, traits=one.traits)
        for one in people
    )
    by_key = {one.external_id: one for one in partners}
    Location.objects.bulk_create(
        Location(partner=by_key[one.key], country=one.country) for one in people if one.country
    )
    _enroll(night, program, people, by_key)
    for dataset, save in SAVED.items():
        save(shuffled(night.facts.get(dataset, []), random), by_key)
    return program


def shuffled(items: Sequence[Any], random: Random) -> list[Any]:
    return random.sample(items, len(items))


def _enroll(night: Night, program: Program, people: Sequence[Any], partners: Mapping[str, Partner]) -> None:
    tiers = {one.code: one for one in Tier.objects.filter(edition__program=program)}
    enrollments = Enrollment.objects.bulk_create(
        Enrollment(partner=partners[one.key], program=program, starts_on=one.enrolled_on) for one in people
    )
    placements, evaluations = [], []
    for one, enrollment in zip(people, enrollments, strict=True):
        before = next(tier for code, tier in tiers.items() if code != one.tier)  # the time at a tier begins with it
        joined = Placement(enrollment=enrollment, tier=before, starts_on=one.enrolled_on, reason="joined")
        held = Placement(enrollment=enrollment, tier=tiers[one.tier], starts_on=one.tier_since, reason="earned")
        if one.tier_since > one.enrolled_on:
            joined.ends_on = one.tier_since
            placements.append(joined)
        placements.append(held)
        stored: dict[Any, dict[str, bool]] = {}
        for (key, span), verdicts in night.past.items():
            for day, met in verdicts if key == one.key else ():
                stored.setdefault(day, {})[span] = met
        edition = tiers["level-1"].edition
        evaluations += [
            Evaluation(
                enrollment=enrollment,
                edition=edition,
                evaluated_on=day,
                earned=tiers["level-1"],
                measured={},
                verdicts=verdicts,
            )
            for day, verdicts in sorted(stored.items())
        ]
    Placement.objects.bulk_create(placements)
    Evaluation.objects.bulk_create(evaluations)


def _sales(facts: Sequence[Fact], partners: By) -> None:
    categories = {one["product"]: one["category"] for one in facts if one["product"]}
    products = {
        code: Product.objects.create(external_id=code, code=code, name={"en": code}, category_code=category)
        for code, category in categories.items()
    }
    Sale.objects.bulk_create(
        Sale(
            external_id=one.get("sale", f"S{number}"), partner=partners[one["partner"]], product=products.get(one["product"]),
            voided_at=moment(one["sold_on"], number) if one["voided"] else None,
            void_reason="Deleted" if one["voided"] else "", **taken(one, "sold_on", "kind", "amount", "recurring_amount", "cost",
            "currency", "quantity", "sourced", "order_number", "customer_name"),
        )
        for number, one in enumerate({**PLAIN_SALE, **fact} for fact in facts)
    )  # fmt: skip


PLAIN_SALE: Fact = {"voided": False, "recurring_amount": None, "cost": None, "sourced": ""}


def _collections(facts: Sequence[Fact], partners: By) -> None:
    sales = dict(Sale.objects.values_list("external_id", "pk"))
    Collection.objects.bulk_create(
        Collection(external_id=f"K{number}", sale_id=sales[one["sale"]], **taken(one, "amount", "collected_on"))
        for number, one in enumerate(facts)
    )


def _deals(facts: Sequence[Fact], partners: By) -> None:
    closed = {"won", "lost"}
    deals = Deal.objects.bulk_create(
        Deal(
            partner=partners[one["partner"]], title="Deal", expected_on=one["registered_on"], reason="because",
            closed_on=one["registered_on"] if one["status"] in closed else None,
            **taken(one, "amount", "currency", "status", "customer_name"),
        )
        for one in facts
    )  # fmt: skip
    for number, (deal, one) in enumerate(zip(deals, facts, strict=True)):
        deal.registered_at = moment(one["registered_on"], number)
    Deal.objects.bulk_update(deals, ["registered_at"])


def _leads(facts: Sequence[Fact], partners: By) -> None:
    leads = Lead.objects.bulk_create(
        Lead(partner=partners[one["partner"]], contact_name="A", contact_email="a@example.com", need="x",
             **taken(one, "status", "source"))
        for one in facts
    )  # fmt: skip
    for number, (lead, one) in enumerate(zip(leads, facts, strict=True)):
        lead.created_at = moment(one["arrived_on"], number)
    Lead.objects.bulk_update(leads, ["created_at"])


def moment(day: Any, number: int) -> datetime:
    """A moment of that day where the program lives: its first second, its last, or noon."""
    at = [time(0, 0), time(23, 59, 59), time(12)][number % 3]
    return timezone.make_aware(datetime.combine(day, at))


def _members(facts: Sequence[Fact], partners: By) -> None:
    Member.objects.bulk_create(
        Member(partner=partners[one["partner"]], external_id=one["member"], name=one["member"],
               **taken(one, "job", "role", "joined_on", "left_on"))
        for one in facts
    )  # fmt: skip


def _certificates(facts: Sequence[Fact], partners: By) -> None:
    members = {one.external_id: one for one in Member.objects.all()}
    known = {
        code: Certification.objects.create(code=code, name={"en": code})
        for code in {one["certification"] for one in facts}
    }
    Certificate.objects.bulk_create(
        Certificate(
            external_id=f"C{number}", member=members[one["member"]], certification=known[one["certification"]],
            **taken(one, "awarded_on", "expires_on"),
        )
        for number, one in enumerate(facts)
    )  # fmt: skip


def _attestations(facts: Sequence[Fact], partners: By) -> None:
    enrollments = {one.partner_id: one for one in Enrollment.objects.all()}
    Attestation.objects.bulk_create(
        Attestation(
            enrollment=enrollments[partners[one["partner"]].pk], **taken(one, "kind", "title", "starts_on", "ends_on")
        )
        for one in facts
    )


def _awards(facts: Sequence[Fact], partners: By) -> None:
    names = ("code", "grade", "scope", "issuer", "starts_on", "ends_on")
    Award.objects.bulk_create(
        Award(partner=partners[one["partner"]], origin=["granted", "imported"][number % 2], **taken(one, *names))
        for number, one in enumerate(facts)
    )


def _records(facts: Sequence[Fact], partners: By) -> None:
    names = ("kind", "name", "occurred_on", "starts_on", "ends_on", "amount", "currency", "quantity", "attributes")
    Record.objects.bulk_create(
        Record(external_id=f"R{number}", partner=partners[one["partner"]], **taken(one, *names))
        for number, one in enumerate(facts)
    )


def _scores(facts: Sequence[Fact], partners: By) -> None:
    names = ("kind", "scope", "value", "scored_on")
    Score.objects.bulk_create(Score(partner=partners[one["partner"]], **taken(one, *names)) for one in facts)


def _targets(facts: Sequence[Fact], partners: By) -> None:
    names = ("key", "amount", "currency", "quantity", "starts_on", "ends_on")
    PlanTarget.objects.bulk_create(PlanTarget(partner=partners[one["partner"]], **taken(one, *names)) for one in facts)


def taken(fact: Fact, *names: str) -> dict[str, Any]:
    return {name: fact[name] for name in names}


SAVED: dict[str, Callable[[Sequence[Fact], By], None]] = {
    "sales": _sales, "collections": _collections, "deals": _deals, "leads": _leads, "members": _members, "certificates": _certificates,
    "attestations": _attestations, "awards": _awards, "records": _records, "score_history": _scores,
    "plan_targets": _targets,
}  # fmt: skip
