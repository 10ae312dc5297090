"""Every page of the admin: staff get it, others do not, and a list costs the same however long it is."""

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.admin.world import World, make_world, more_rows, told
from tests.factories import make_portal_user, make_user

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = make_world()
    told(made.partner, made.enrollment, made.staff)
    return made


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def address(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_staff_get_the_home(staff: Client) -> None:
    assert staff.get(reverse("admin:index")).status_code == 200


def test_the_sign_in_page_is_there(client: Client) -> None:
    assert client.get(reverse("admin:login")).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_staff_get_every_page_of(model: type[models.Model], staff: Client) -> None:
    assert staff.get(address(model, "changelist")).status_code == 200
    assert staff.get(address(model, "changelist"), {"q": "dupont"}).status_code == 200
    own = admin.site._registry[model]
    request = staff.get(address(model, "changelist")).wsgi_request
    assert staff.get(address(model, "add")).status_code == (200 if own.has_add_permission(request) else 403)
    row = model._default_manager.first()
    if row is not None:
        assert staff.get(address(model, "change", row.pk)).status_code == 200
    assert staff.get(address(model, "change", "no-key")).status_code in (302, 403)


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_others_do_not_get(model: type[models.Model], world: World, client: Client) -> None:
    sign_in = reverse("admin:login")
    for user in (None, make_user(), make_portal_user(world.partner)):
        if user is not None:
            client.force_login(user)
        response = client.get(address(model, "changelist"))
        assert response.status_code == 302
        assert response["Location"].startswith(sign_in)


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_staff_without_a_permission_do_not_get(model: type[models.Model], world: World, client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    assert client.get(address(model, "changelist")).status_code == 403
    row = model._default_manager.first()
    if row is not None and not isinstance(row, User):
        assert client.get(address(model, "change", row.pk)).status_code == 403


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_a_list_costs_the_same_however_long(model: type[models.Model], world: World, staff: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert staff.get(address(model, "changelist")).status_code == 200
        return len(asked)

    staff.get(address(model, "changelist"))
    more_rows(world, 2)
    few = queries()
    more_rows(world, 8)
    assert queries() == few
