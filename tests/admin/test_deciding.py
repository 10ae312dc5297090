"""What staff decide about tiers, on its pages: who qualified, who is in grace, excuses, extensions, an evaluation at once."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.periods import program_today
from tests.admin.world import World, make_world
from tests.factories import make_partner, make_sale, make_user
from tiers import services
from tiers.models import Grace, Placement, Proposal, Relief

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}
GAP = {
    "measure": "net-sales-12m",
    "missing": "30000",
    "threshold": "50000",
    "unit": "amount",
    "name": {"en": "Net sales"},
}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def address(kind: str, page: str, *args: Any) -> str:
    return reverse(f"admin:tiers_{kind}_{page}", args=args)


def proposed(world: World, enrollment: Any = None) -> Proposal:
    return Proposal.objects.create(
        enrollment=enrollment or world.enrollment, tier_code="level-2", proposed_on=program_today() - timedelta(days=3)
    )


def in_grace(world: World, enrollment: Any = None) -> Grace:
    today = program_today()
    return Grace.objects.create(
        enrollment=enrollment or world.enrollment, tier_code="level-2", starts_on=today, ends_on=today + timedelta(days=30),
        gaps=[GAP],
    )  # fmt: skip


def test_the_queue_counts_who_waits_and_leads_to_the_list(staff: Client, world: World) -> None:
    proposed(world)
    queues = {one.key: one for one in staff.get(reverse("admin:index")).wsgi_request._waiting}  # type: ignore[attr-defined]
    assert (queues["proposals"].count, queues["proposals"].days) == (1, 3)
    listed = staff.get(queues["proposals"].url)
    assert listed.context["cl"].result_count == 1
    assert b"Level 2" in listed.content
    assert b"3 days" in listed.content


def test_who_qualified_is_confirmed(staff: Client, world: World) -> None:
    proposal = proposed(world)
    asked = {"on": program_today().isoformat(), "note": "Met them.", **ASKED}
    assert staff.get(address("proposal", "confirm", proposal.pk)).status_code == 200
    assert Proposal.objects.get().state == "open"
    assert staff.post(address("proposal", "confirm", proposal.pk), asked).status_code == 302
    held = Placement.objects.current().get(enrollment=world.enrollment)
    assert (held.tier.code, held.reason, held.author, held.note) == ("level-2", "earned", world.staff, "Met them.")
    again = staff.post(address("proposal", "refuse", proposal.pk), {"note": "No.", **ASKED})
    assert len(list(again.context["form"].non_field_errors())) == 1
    assert b"/refuse" not in staff.get(address("proposal", "change", proposal.pk)).content


def test_who_qualified_is_refused_with_a_reason(staff: Client, world: World) -> None:
    proposal = proposed(world)
    empty = staff.post(address("proposal", "refuse", proposal.pk), {"note": "", **ASKED})
    assert list(empty.context["form"].errors) == ["note"]
    assert staff.post(address("proposal", "refuse", proposal.pk), {"note": "No.", **ASKED}).status_code == 302
    proposal.refresh_from_db()
    assert (proposal.state, proposal.note, proposal.decided_by) == ("refused", "No.", world.staff)


def test_graces_are_listed_with_what_is_missing_and_lifted(staff: Client, world: World) -> None:
    grace = in_grace(world)
    listed = staff.get(address("grace", "changelist")).content.decode()
    assert "Net sales: $30,000 of $50,000" in listed
    assert "30 days" in listed
    assert (
        "In grace until"
        in staff.get(reverse("admin:partners_partner_change", args=[world.partner.pk])).content.decode()
    )
    assert staff.post(address("grace", "lift", grace.pk), {"note": "The flood", **ASKED}).status_code == 302
    grace.refresh_from_db()
    assert (grace.outcome, grace.closed_on) == ("lifted", program_today())


def test_lists_cost_the_same_however_long(staff: Client, world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            for kind in ("proposal", "grace", "relief"):
                assert staff.get(address(kind, "changelist")).status_code == 200
        return len(asked)

    def rows() -> None:
        enrollment = services.enroll(partner=make_partner(), program=world.program, on=program_today())
        proposed(world, enrollment)
        in_grace(world, enrollment)
        tomorrow = program_today() + timedelta(days=1)
        services.excuse(
            enrollment=enrollment, starts_on=program_today(), ends_on=tomorrow, reason="x", actor=world.staff
        )

    rows()
    queries()
    few = queries()
    for _number in range(8):
        rows()
    assert queries() == few


@pytest.mark.parametrize("page", ["confirm", "refuse"])
def test_who_may_not_decide_gets_nothing(world: World, client: Client, page: str) -> None:
    proposal = proposed(world)
    client.force_login(make_user(is_staff=True))
    response = client.post(address("proposal", page, proposal.pk), {"note": "x", "on": "2026-01-01", **ASKED})
    assert response.status_code == 403
    assert Proposal.objects.get().state == "open"


def test_all_tiers_of_a_program_are_extended(staff: Client, world: World) -> None:
    today = program_today()
    asked = {"starts_on": today.isoformat(), "ends_on": today.isoformat(), "reason": "A hard summer", **ASKED}
    wrong = staff.post(address("program", "extend", world.program.pk), asked)
    assert len(list(wrong.context["form"].non_field_errors())) == 1
    asked["ends_on"] = (today + timedelta(days=90)).isoformat()
    assert staff.post(address("program", "extend", world.program.pk), asked).status_code == 302
    relief = Relief.objects.get()
    assert (relief.program, relief.enrollment, relief.author) == (world.program, None, world.staff)


def test_a_partner_is_excused(staff: Client, world: World) -> None:
    asked = {
        "enrollment": world.enrollment.pk, "starts_on": "2026-01-01", "ends_on": "2026-06-01", "reason": "Leave", **ASKED
    }  # fmt: skip
    address = reverse("admin:partners_partner_excuse", args=[world.partner.pk])
    assert staff.post(address, asked).status_code == 302
    assert Relief.objects.get().enrollment == world.enrollment
    other = services.enroll(partner=make_partner(), program=world.program, on=date(2026, 1, 1))
    wrong = staff.post(address, {**asked, "enrollment": other.pk})
    assert list(wrong.context["form"].errors) == ["enrollment"]


def test_a_partner_is_granted_a_status_match_with_its_end(staff: Client, world: World) -> None:
    today = program_today()
    asked = {
        "tier": world.edition.tiers.get(rank=3).pk, "on": today.isoformat(), "note": "Gold elsewhere", "is_match": "on",
        "ends_on": (today + timedelta(days=180)).isoformat(), **ASKED,
    }  # fmt: skip
    assert staff.post(reverse("admin:partners_partner_grant", args=[world.partner.pk]), asked).status_code == 302
    held = Placement.objects.current().get(enrollment=world.enrollment)
    assert (held.tier.code, held.reason, held.note, held.holds_until) == (
        "level-3", "matched", "Gold elsewhere", today + timedelta(days=180),
    )  # fmt: skip


def test_a_partner_is_evaluated_now(staff: Client, world: World) -> None:
    make_sale(world.partner, amount=Decimal(60_000), sold_on=program_today() - timedelta(days=1))
    address = reverse("admin:partners_partner_evaluate", args=[world.partner.pk])
    assert staff.post(address, {"enrollment": world.enrollment.pk, **ASKED}).status_code == 302
    held = Placement.objects.current().get(enrollment=world.enrollment)
    assert (held.tier.code, held.reason, held.starts_on) == ("level-2", "earned", program_today())


@pytest.mark.parametrize("kind", ["proposal", "grace"])
def test_pages_are_titled_by_the_tier_s_name(staff: Client, world: World, kind: str) -> None:
    name = str(world.edition.tiers.get(code="level-2").name)
    made = (proposed if kind == "proposal" else in_grace)(world)
    page = staff.get(address(kind, "change", made.pk))
    assert f": {name}" in str(page.context["original"])
    assert "level-2" not in str(page.context["original"])
    assert "level-2" not in page.context["subtitle"]
