"""The partner's page: everything about one partner, and what staff decide about it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.periods import program_today
from journal.models import Entry
from partners.models import Location, Partner, Sponsorship
from partners.services import sponsor
from tests.admin.world import World, make_world
from tests.factories import make_member, make_partner, make_program, make_sale, make_sales_edition
from tiers import services
from tiers.models import Enrollment, Placement

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def url(page: str, partner: Partner) -> str:
    return reverse(f"admin:partners_partner_{page}", args=[partner.pk])


def held(partner: Partner) -> list[tuple[str, str]]:
    rows = Placement.objects.filter(enrollment__partner=partner).order_by("starts_on")
    return list(rows.values_list("tier__code", "reason"))


def test_everything_about_the_partner_with_the_way_to_the_rest(staff: Client, world: World) -> None:
    sponsor(partner=world.partner, sponsor=make_partner(), starts_on=program_today())
    sponsor(partner=make_partner(), sponsor=world.partner, starts_on=program_today())
    page = staff.get(url("change", world.partner)).context["page"]
    assert [(one.title, len(one.lines)) for one in page.listed] == [
        ("People", 1), ("Certificates", 1), ("Attestations", 1), ("Sponsors", 1), ("Sponsored partners", 1),
        ("Uses of benefits", 1), ("Leads", 1), ("Deals", 1),
        ("Sales", 1), ("Statements", 1), ("Ledger", 1),
    ]  # fmt: skip
    for one in page.listed:
        assert staff.get(one.url).context["cl"].result_count == 1, one.title
        assert staff.get(one.lines[0].url).status_code == 200
    assert staff.get(page.journal_url).context["cl"].result_count == len(page.happened)
    (standing,) = page.held
    assert standing.standing.tier.code == "level-1"
    assert [row.says for row in standing.reach] == ["Net sales: at least $50,000 over 12 months"]


def test_the_page_costs_the_same_whatever_the_partner_has(staff: Client, world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert staff.get(url("change", world.partner)).status_code == 200
        return len(asked)

    staff.get(url("change", world.partner))
    few = queries()
    for _one in range(12):
        make_member(world.partner)
        make_sale(world.partner)
    assert queries() == few


def test_a_tier_is_granted_and_the_grant_ended(staff: Client, world: World) -> None:
    level_2 = world.edition.tiers.get(rank=2)
    today = program_today()
    assert staff.get(url("grant", world.partner)).status_code == 200
    assert held(world.partner) == [("level-1", "joined")]
    granted = {"tier": level_2.pk, "on": today.isoformat(), "note": "Founding partner", **ASKED}
    assert staff.post(url("grant", world.partner), granted).status_code == 302
    assert held(world.partner) == [("level-1", "joined"), ("level-2", "granted")]
    assert Entry.objects.filter(verb="tiers.placement.changed", actor=world.staff).count() == 1
    assert staff.post(url("end_grant", world.partner), ASKED).status_code == 302
    assert held(world.partner) == [("level-1", "joined"), ("level-2", "granted")]  # until the next night
    assert Placement.objects.current().get(enrollment=world.enrollment).holds_until == today
    assert Entry.objects.filter(verb="tiers.grant.ended", actor=world.staff).count() == 1


def test_a_grant_that_would_rewrite_history_is_refused_on_the_form(staff: Client, world: World) -> None:
    before = (world.enrollment.starts_on - timedelta(days=1)).isoformat()
    response = staff.post(
        url("grant", world.partner), {"tier": world.edition.tiers.get(rank=3).pk, "on": before, "note": "x", **ASKED}
    )  # fmt: skip
    assert response.status_code == 200
    assert len(list(response.context["form"].non_field_errors())) == 1
    assert response.context["form"]["on"].value() == before
    assert held(world.partner) == [("level-1", "joined")]


def test_a_partner_is_enrolled(staff: Client, world: World) -> None:
    partner = make_partner()
    asked = {"program": world.program.pk, "on": program_today().isoformat(), **ASKED}
    assert staff.post(url("enroll", partner), asked).status_code == 302
    assert held(partner) == [("level-1", "joined")]


def test_a_program_without_an_edition_in_force_takes_nobody(staff: Client, world: World) -> None:
    empty = make_program()
    asked = {"program": empty.pk, "on": program_today().isoformat(), **ASKED}
    response = staff.post(url("enroll", world.partner), asked)
    assert len(list(response.context["form"].non_field_errors())) == 1
    assert not Enrollment.objects.filter(program=empty).exists()


def test_a_tier_of_another_program_cannot_be_granted(staff: Client, world: World) -> None:
    other = make_sales_edition(make_program())
    services.publish_edition(edition=other)
    asked = {"tier": other.tiers.get(rank=2).pk, "on": program_today().isoformat(), "note": "x", **ASKED}
    assert list(staff.post(url("grant", world.partner), asked).context["form"].errors) == ["tier"]


def test_a_partner_is_suspended_with_a_reason(staff: Client, world: World) -> None:
    assert (
        staff.post(url("set_status", world.partner), {"status": "suspended", "reason": " ", **ASKED}).status_code == 200
    )
    asked = {"status": "suspended", "reason": "No contract.", **ASKED}
    assert staff.post(url("set_status", world.partner), asked).status_code == 302
    world.partner.refresh_from_db()
    assert world.partner.status == "suspended"
    entry = Entry.objects.get(verb="partners.partner.status")
    assert (entry.before, entry.after) == ({"status": "active"}, {"status": "suspended", "reason": "No contract."})


def form_of(world: World, **over: str) -> dict[str, str]:
    location = Location.objects.get(partner=world.partner)
    return {
        "name": "Cycles Dupont", "external_id": world.partner.external_id, "slug": world.partner.slug, "is_listed": "on",
        "joined_on": world.partner.joined_on.isoformat(), "locations-TOTAL_FORMS": "1", "locations-INITIAL_FORMS": "1",
        "locations-0-id": str(location.pk), "locations-0-partner": str(world.partner.pk), "locations-0-is_main": "on",
        "locations-0-city": "Lyon", "locations-0-postal_code": "69003", "locations-0-country": "FR",
        "locations-0-latitude": "45.7603", "locations-0-longitude": "4.8494", **over,
    }  # fmt: skip


def test_a_change_leaves_an_entry_that_says_what_differs(staff: Client, world: World) -> None:
    response = staff.post(
        url("change", world.partner), form_of(world, name="Cycles Durand", website="https://d.example")
    )
    assert response.status_code == 302
    entry = Entry.objects.get(verb="partners.partner.changed")
    assert entry.before == {"name": "Cycles Dupont", "website": ""}
    assert entry.after == {"name": "Cycles Durand", "website": "https://d.example"}
    assert (entry.actor, entry.partner_id) == (world.staff, world.partner.pk)
    assert not Entry.objects.filter(verb__startswith="partners.location").exists()


def test_a_place_without_coordinates_is_not_placed(staff: Client, world: World) -> None:
    changed = form_of(world, **{"locations-0-latitude": "", "locations-0-longitude": "", "locations-0-city": "Bron"})
    assert staff.post(url("change", world.partner), changed).status_code == 302
    location = Location.objects.get(partner=world.partner)
    assert (location.city, location.latitude, location.accuracy) == ("Bron", None, "unknown")


def test_a_new_partner_gets_an_address_of_its_own(staff: Client, world: World) -> None:
    Partner.objects.filter(pk=world.partner.pk).update(slug="cycles-dupont")
    new = {"name": "Cycles Dupont", "external_id": "N1", "is_listed": "on", "joined_on": "2026-01-01",
           "locations-TOTAL_FORMS": "0", "locations-INITIAL_FORMS": "0"}  # fmt: skip
    assert staff.post(reverse("admin:partners_partner_add"), new).status_code == 302
    assert Partner.objects.get(external_id="N1").slug == "cycles-dupont-2"


def test_staff_set_the_sponsor_and_take_it_away(staff: Client, world: World) -> None:
    first, second, today = make_partner(name="Grossiste"), make_partner(name="Distributeur"), program_today()
    page, asked = url("set_sponsor", world.partner), {"on": (today - timedelta(days=30)).isoformat(), **ASKED}
    assert staff.get(page).status_code == 200
    assert staff.post(page, {**asked, "sponsor": first.pk}).status_code == 302
    assert staff.post(page, {"sponsor": second.pk, "on": today.isoformat(), **ASKED}).status_code == 302
    rows = Sponsorship.objects.filter(partner=world.partner).order_by("starts_on")
    assert list(rows.values_list("sponsor", "starts_on", "ends_on")) == [
        (first.pk, today - timedelta(days=30), today), (second.pk, today, None),
    ]  # fmt: skip
    refused = staff.post(url("set_sponsor", second), {"sponsor": world.partner.pk, "on": today.isoformat(), **ASKED})
    assert "so it cannot be its sponsor" in refused.content.decode()
    assert f'value="{world.partner.pk}" selected' in refused.content.decode()
    assert staff.post(page, {"sponsor": "", "on": (today + timedelta(days=5)).isoformat(), **ASKED}).status_code == 302
    assert rows.last().ends_on == today + timedelta(days=5)
    found = staff.get(reverse("admin:partners_partner_sponsors"), {"term": "grossis"}).json()
    assert [one["text"] for one in found["results"]] == ["Grossiste"]
