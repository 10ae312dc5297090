"""The machine door of the tier engine: who sees what, what is written once, and what an estimate says."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle
from time_machine import travel

from accounts.models import User
from tests.factories import make_enrollment, make_partner, make_portal_user, make_program, make_sale, make_sales_edition
from tests.leads.facts import World, make_world
from tests.tiers.life import nights
from tiers import explaining, program_file, services
from tiers.models import Attestation, Benefit, BenefitUse, Edition, Enrollment, Evaluation, Program, TierBenefit

pytestmark = pytest.mark.django_db
D = Decimal
TODAY = "2026-11-24"


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with travel("2026-11-24T10:00:00+01:00", tick=False):
        yield


@pytest.fixture
def world() -> World:
    """Beside lead sharing, level 2 gives 3,000 a year of event money; the edition has a note for staff."""
    made = make_world()
    draft = services.copy_edition(edition=made.program.editions.get(), name="2026", starts_on=date(2026, 3, 1))
    fund = Benefit.objects.create(program=made.program, code="fund", kind="money", name={"en": "Fund"}, position=1)
    TierBenefit.objects.create(tier=draft.tiers.get(rank=2), benefit=fund, quantity=D(3000), per="year")
    Edition.objects.filter(pk=draft.pk).update(notes={"en": "Ask legal."})
    services.publish_edition(edition=draft)
    services.place(enrollment=own(made), tier=draft.tiers.get(rank=2), on=date(2026, 3, 1), reason="granted")
    return made


def own(world: World) -> Enrollment:
    return Enrollment.objects.get(partner=world.near)


def ask(user: User | None, address: str, body: Any = None, *, status: int = 200, format: str = "json") -> Any:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    at = f"/api/v1/{address}"
    answer = client.get(at) if body is None else client.post(at, body, format=format)
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)


def names(user: User, address: str, name: str) -> list[Any]:
    return [one[name] for one in ask(user, address)["results"]]


# --- Programs and editions ------------------------------------------------------------------------


def test_a_program_names_the_edition_in_force(world: World) -> None:
    edition = world.program.editions.get(name="2026")
    said = ask(world.staff, f"programs/{world.program.slug}/")
    assert said["edition"] == {"id": edition.pk, "name": "2026", "starts_on": "2026-03-01"}
    empty = make_program()
    assert ask(world.staff, f"programs/{empty.slug}/")["edition"] is None


def test_a_program_that_is_not_public_is_seen_by_staff_and_by_its_partners(world: World) -> None:
    stranger = make_portal_user(make_partner())
    Program.objects.filter(pk=world.program.pk).update(is_public=False)
    assert names(world.staff, "programs/", "slug") == names(world.person, "programs/", "slug") == [world.program.slug]
    assert names(stranger, "programs/", "slug") == names(stranger, "editions/", "name") == []
    ask(stranger, f"programs/{world.program.slug}/", status=404)
    ask(stranger, f"editions/{world.program.editions.get(name='2026').pk}/", status=404)
    ask(stranger, "estimates/", {"program": world.program.slug}, status=404)


def test_drafts_and_notes_are_for_staff(world: World) -> None:
    edition = world.program.editions.get(name="2026")
    draft = services.copy_edition(edition=edition, name="2027", starts_on=date(2027, 1, 1))
    assert len(names(world.staff, "editions/", "id")) == 3
    assert draft.pk not in names(world.person, "editions/", "id")
    assert names(world.staff, "editions/?state=draft", "name") == ["2027"]
    ask(world.person, f"editions/{draft.pk}/", status=404)
    whole = ask(world.staff, f"editions/{edition.pk}/")["document"]
    assert whole["notes"] == {"en": "Ask legal."}
    seen = ask(world.person, f"editions/{edition.pk}/")["document"]
    assert seen == {name: value for name, value in whole.items() if name != "notes"}
    assert seen["tiers"][1]["benefits"][1] == {"code": "fund", "quantity": "3000", "per": "year"}
    assert seen["tiers"][1]["earn"] == {"measure": "net-sales-12m", "is": "at_least", "value": "50000"}


def test_the_schema_of_program_files_is_open_and_has_every_section() -> None:
    schema = ask(None, "program-schema/")
    assert schema == program_file.schema()
    assert {"plans", "points", "editions"} <= set(schema["properties"])


# --- Evaluations ----------------------------------------------------------------------------------


def test_an_evaluation_explains_itself_in_the_same_bytes(world: World) -> None:
    make_sale(world.near, sold_on=date(2026, 10, 1), amount=D(49_999), currency="EUR")
    nights(world.program, TODAY)
    evaluation = Evaluation.objects.get(enrollment=own(world))
    (listed,) = ask(world.person, "evaluations/")["results"]
    assert (listed["earned"], listed["measured"]) == ("level-1", {"net-sales-12m": "499990000"})
    said = ask(world.person, f"evaluations/{evaluation.pk}/")["explanation"]
    assert said["tiers"][1]["earn"] == {
        "path": "tiers[1].earn", "met": False, "kind": "requirement", "measure": "net-sales-12m", "is": "at_least",
        "figure": "49999", "threshold": "50000", "missing": "1",
    }  # fmt: skip
    client = APIClient()
    client.force_authenticate(world.person)
    answer = client.get(f"/api/v1/evaluations/{evaluation.pk}/explanation/")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content.decode() == explaining.as_text(explaining.explanation(evaluation))
    assert json.loads(answer.content) == said


# --- Benefits -------------------------------------------------------------------------------------


def use(world: World, **over: Any) -> dict[str, Any]:
    return {"external_id": "E-1", "enrollment": own(world).pk, "benefit": "fund", "used_on": "2026-11-20",
            "quantity": "1000.50", "note": "Fair", **over}  # fmt: skip


def test_what_a_partner_may_use(world: World) -> None:
    ask(world.staff, "benefit-uses/", use(world), status=201)
    address = f"enrollments/{own(world).pk}/benefits/"
    sharing, fund = ask(world.person, address)
    assert sharing == {
        "benefit": "lead-sharing", "kind": "access", "name": {"en": "Shared leads"}, "tier": "level-2", "terms": {},
        "quantity": None, "per": "", "currency": "", "used": "0.0000", "left": None, "starts_on": "2026-02-01",
        "ends_on": None,
    }  # fmt: skip
    assert fund == {
        "benefit": "fund", "kind": "money", "name": {"en": "Fund"}, "tier": "level-2", "terms": {},
        "quantity": "3000.0000", "per": "year", "currency": "EUR", "used": "1000.5000", "left": "1999.5000",
        "starts_on": "2026-01-01", "ends_on": "2027-01-01",
    }  # fmt: skip
    assert [one["benefit"] for one in ask(world.person, f"{address}?on=2026-02-28")] == ["lead-sharing"]
    assert ask(world.person, f"{address}?on=2026-01-31") == []
    ask(world.person, f"{address}?on=soon", status=400)
    ask(make_portal_user(world.low), address, status=404)
    assert names(world.staff, f"enrollments/?partner__external_id={world.near.external_id}", "id") == [own(world).pk]


def test_a_use_is_counted_once_and_refused_where_less_is_left(world: World) -> None:
    first = ask(world.staff, "benefit-uses/", use(world), status=201)
    assert ask(world.staff, "benefit-uses/", use(world), status=201) == first
    assert first == {
        "id": first["id"], "external_id": "E-1", "partner": world.near.pk, "program": world.program.slug,
        "enrollment": own(world).pk, "benefit": "fund", "used_on": "2026-11-20", "quantity": "1000.5000",
        "takes_back": None, "note": "Fair",
    }  # fmt: skip
    refused = ask(world.staff, "benefit-uses/", use(world, external_id="E-2", quantity="2000"), status=409)
    assert (refused["code"], refused["left"]) == ("benefit_spent", "1999.5000")
    assert ask(world.staff, "benefit-uses/", use(world, quantity="1"), status=409)["code"] == "benefit_use_invalid"
    assert ask(world.staff, "benefit-uses/", use(world, external_id="E-3", benefit="no"), status=409)["code"] == (
        "benefit_not_given"
    )
    back = ask(world.staff, f"benefit-uses/{first['id']}/take-back/", {"note": "Cancelled"}, status=201)
    assert ask(world.staff, f"benefit-uses/{first['id']}/take-back/", {"note": "Cancelled"}, status=201) == back
    assert (back["takes_back"], back["quantity"], back["used_on"]) == (first["id"], "-1000.5000", "2026-11-20")
    assert BenefitUse.objects.count() == 2


def test_partners_see_their_uses_and_write_none(world: World) -> None:
    made = ask(world.staff, "benefit-uses/", use(world), status=201)["id"]
    assert names(world.person, "benefit-uses/", "id") == [made]
    assert names(make_portal_user(world.low), "benefit-uses/", "id") == []
    ask(world.person, "benefit-uses/", use(world, external_id="E-2"), status=403)
    ask(world.person, f"benefit-uses/{made}/take-back/", {"note": "x"}, status=403)
    assert BenefitUse.objects.count() == 1


# --- Attestations ---------------------------------------------------------------------------------


def attestation(world: World, **over: Any) -> dict[str, Any]:
    return {"enrollment": own(world).pk, "kind": "business-plan", "title": "Plan agreed", "starts_on": "2026-11-01",
            "ends_on": "2027-11-01", **over}  # fmt: skip


def pdf(content: bytes = b"%PDF-1.7 plan", name: str = "plan.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_staff_attest_with_a_document_once(world: World) -> None:
    first = ask(world.staff, "attestations/", attestation(world, document=pdf()), status=201, format="multipart")
    again = ask(world.staff, "attestations/", attestation(world, document=pdf()), status=201, format="multipart")
    assert again == first == {
        "id": first["id"], "partner": world.near.pk, "program": world.program.slug, **attestation(world),
        "has_document": True, "is_made_up": False,
    }  # fmt: skip
    assert Attestation.objects.get().author == world.staff
    client = APIClient()
    client.force_authenticate(world.person)
    answer = client.get(f"/api/v1/attestations/{first['id']}/document/")
    assert b"".join(answer.streaming_content) == b"%PDF-1.7 plan"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    plain = ask(world.staff, "attestations/", attestation(world, title="Another"), status=201)
    assert plain["has_document"] is False
    ask(world.person, f"attestations/{plain['id']}/document/", status=404)


@pytest.mark.parametrize(
    ("over", "status", "code"),
    [
        ({"ends_on": "2027-12-01"}, 409, "attestation_invalid"),
        ({"document": pdf()}, 409, "attestation_invalid"),
        ({"title": "New", "ends_on": "2026-11-01"}, 409, "attestation_invalid"),
        ({"title": "New", "document": pdf(b"<html>", "plan.html")}, 409, "document_invalid"),
        ({"title": "New", "kind": "Business Plan"}, 400, "invalid"),
    ],
)
def test_an_attestation_that_does_not_hold_together_is_refused(
    world: World, over: dict[str, Any], status: int, code: str
) -> None:
    ask(world.staff, "attestations/", attestation(world), status=201)
    said = ask(world.staff, "attestations/", attestation(world, **over), status=status, format="multipart")
    assert said["code"] == code
    assert Attestation.objects.count() == 1


def test_partners_attest_nothing_and_see_their_own(world: World) -> None:
    ask(world.person, "attestations/", attestation(world), status=403)
    made = ask(world.staff, "attestations/", attestation(world), status=201)["id"]
    assert names(world.person, "attestations/?kind=business-plan", "id") == [made]
    ask(make_portal_user(world.low), f"attestations/{made}/", status=404)


# --- Estimates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sales", "tier", "following"),
    [
        ("49999.9999", "level-1", "level-2"),
        ("50000", "level-2", "level-3"),
        ("200000", "level-3", None),
        (None, "level-1", "level-2"),
    ],
)
def test_an_estimate_says_the_tier_and_why(world: World, sales: str | None, tier: str, following: str | None) -> None:
    figures = {"net-sales-12m": sales} if sales else {}
    said = ask(world.person, "estimates/", {"program": world.program.slug, "figures": figures})
    assert (said["program"], said["edition"], said["day"]) == (world.program.slug, "2026", TODAY)
    assert said["tier"]["code"] == said["explanation"]["earned"] == tier
    assert (said["next_tier"] or {}).get("code") == following
    assert said["explanation"]["measures"]["net-sales-12m"]["figure"] == (sales or "0")
    assert Evaluation.objects.count() == 0


def test_an_estimate_by_country(world: World) -> None:
    program = make_program()
    edition = make_sales_edition(program, country_groups={"growth": ["BR", "IN"]})
    edition.tiers.filter(rank=2).update(earn={
        "measure": "net-sales-12m", "is": "at_least", "value": 50000,
        "cases": [{"when": {"partner": "country_group", "is": "equal", "value": "growth"}, "value": 10000}],
    })  # fmt: skip
    services.publish_edition(edition=edition)
    asked = {"program": program.slug, "figures": {"net-sales-12m": "10000"}}
    assert ask(world.staff, "estimates/", asked)["tier"]["code"] == "level-1"
    assert ask(world.staff, "estimates/", {**asked, "traits": {"country": "BR"}})["tier"]["code"] == "level-2"
    wrong = ask(world.staff, "estimates/", {**asked, "traits": {"segment": "x"}}, status=400)
    assert wrong["errors"] == {"traits": {"segment": "The rules read no such thing; they read: country."}}


def test_an_estimate_of_what_no_rule_reads_is_refused(world: World) -> None:
    slug = world.program.slug
    wrong = ask(world.staff, "estimates/", {"program": slug, "figures": {"sales": "1"}}, status=400)
    assert wrong["errors"] == {"figures": {"sales": "The rules read no such thing; they read: net-sales-12m."}}
    ask(world.staff, "estimates/", {"program": slug, "figures": {"net-sales-12m": "many"}}, status=400)
    ask(world.staff, "estimates/", {"program": "none-such"}, status=404)
    ask(world.staff, "estimates/", {"program": make_program().slug}, status=409)
    ask(None, "estimates/", {"program": slug}, status=401)


# --- For all --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["programs/", "editions/", "enrollments/", "placements/", "evaluations/", "attestations/", "benefit-uses/"],
)
def test_a_list_costs_the_same_however_long(world: World, address: str) -> None:
    def more(number: int) -> None:
        for _one in range(number):
            program = make_program()
            edition = make_sales_edition(program)
            kit = Benefit.objects.create(program=program, code="kit", name={"en": "Kit"})
            TierBenefit.objects.create(tier=edition.tiers.get(rank=1), benefit=kit)
            services.publish_edition(edition=edition)
            enrollment = make_enrollment(make_partner(), program)
            services.place(enrollment=enrollment, tier=edition.tiers.get(rank=1), on=date(2026, 1, 1), reason="joined")
            services.use_benefit(enrollment=enrollment, code="kit", on=date(2026, 11, 1))
            services.attest(enrollment=enrollment, kind="audit", title="Audit", starts_on=date(2026, 1, 1))
            nights(program, TODAY)

    counts = []
    for number in (1, 3):
        more(number)
        with CaptureQueriesContext(connection) as captured:
            listed = len(ask(world.staff, address)["results"])
        counts.append((listed, len(captured)))
    assert counts[1][0] - counts[0][0] == 3
    assert counts[0][1] == counts[1][1]


def test_the_api_is_described_without_a_warning() -> None:
    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert {**GENERATOR_STATS._warn_cache, **GENERATOR_STATS._error_cache} == {}
    paths = schema["paths"]
    sent = paths["/api/v1/attestations/"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    described = schema["components"]["schemas"][sent["$ref"].rsplit("/", 1)[1]]["properties"]
    assert described["document"]["format"] == "binary"
    for path in ("editions/{id}/", "evaluations/{id}/explanation/", "enrollments/{id}/benefits/", "program-schema/"):
        assert "get" in paths[f"/api/v1/{path}"]
    assert "post" in paths["/api/v1/estimates/"]


def test_estimates_count_towards_the_callers_rate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min"})
    asked = {"program": world.program.slug}
    for _number in range(2):
        ask(world.person, "estimates/", asked)
    assert ask(world.person, "estimates/", asked, status=429)["code"] == "throttled"
    ask(world.staff, "estimates/", asked)
