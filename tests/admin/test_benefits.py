"""Staff record what partners used of their benefits, from the partner's page and from the list, and take it back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from common.periods import program_today
from tests.admin.world import World, make_world
from tests.factories import make_user
from tiers.models import Benefit, BenefitUse

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def used() -> list[Decimal]:
    return list(BenefitUse.objects.order_by("pk").values_list("quantity", flat=True))


def test_a_use_is_recorded_from_the_partners_page_which_says_what_is_left(staff: Client, world: World) -> None:
    address = reverse("admin:partners_partner_use_benefit", args=[world.partner.pk])
    choices = staff.get(address).context["form"].fields["benefit"].choices
    key = f"{world.enrollment.pk}:kit"
    assert [(choice, says.split(",")[0]) for choice, says in choices] == [(key, "Kit (4 of 5 left")]
    asked = {"benefit": key, "on": program_today().isoformat(), "quantity": "4", "note": "Sent", **ASKED}
    assert staff.post(address, asked).status_code == 302
    use = BenefitUse.objects.latest("pk")
    assert (use.quantity, use.note, use.author) == (4, "Sent", world.staff)
    refused = staff.post(address, {**asked, "quantity": "1"})
    assert list(refused.context["form"].non_field_errors()) == ["Of “Kit” there is 0 left, and 1 was asked for."]
    assert used() == [1, 4]


def test_a_use_is_recorded_from_the_list_and_refused_on_the_form(staff: Client, world: World) -> None:
    address = reverse("admin:tiers_benefituse_add")
    asked = {
        "enrollment": world.enrollment.pk, "benefit": Benefit.objects.get(code="kit").pk,
        "used_on": program_today().isoformat(), "quantity": "3", "note": "",
    }  # fmt: skip
    assert staff.post(address, asked).status_code == 302
    refused = staff.post(address, asked)
    assert "Of “Kit” there is 1 left, and 3 was asked for." in refused.content.decode()
    later = {**asked, "quantity": "1", "used_on": (program_today() + timedelta(days=1)).isoformat()}
    assert staff.post(address, later).status_code == 200
    assert used() == [1, 3]


def test_a_use_is_taken_back_once(staff: Client, world: World) -> None:
    use = BenefitUse.objects.get()
    page = reverse("admin:tiers_benefituse_change", args=[use.pk])
    address = reverse("admin:tiers_benefituse_take_back", args=[use.pk])
    assert address in staff.get(page).content.decode()
    assert staff.post(address, {"note": "Not sent", **ASKED}).status_code == 302
    assert used() == [1, -1]
    assert address not in staff.get(page).content.decode()


def test_who_may_not_add_uses_records_none(world: World, client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    address = reverse("admin:partners_partner_use_benefit", args=[world.partner.pk])
    assert client.post(address, {"benefit": f"{world.enrollment.pk}:kit", "quantity": "1", **ASKED}).status_code == 403
    assert used() == [1]
