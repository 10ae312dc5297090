"""Files come in by the admin: kept, followed, and their bad rows told."""

import json

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from imports.admin import sample_mappings
from imports.models import Import
from partners.models import Partner
from tests.admin.world import World, make_world
from tests.factories import make_user

pytestmark = pytest.mark.django_db
UPLOAD = "admin:imports_import_upload"
MAPPING = {
    "fields": {"external_id": {"column": "Id"}, "name": {"column": "Name"}, "joined_on": {"constant": "2026-01-01"}}
}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def sent(rows: str, mapping: object = MAPPING, **over: object) -> dict[str, object]:
    text = mapping if isinstance(mapping, str) else json.dumps(mapping)
    return {
        "kind": "partners", "file": SimpleUploadedFile("partners.csv", rows.encode()),
        "mapping_file": SimpleUploadedFile("mapping.json", text.encode()), "_ask": "1", **over,
    }  # fmt: skip


def test_a_file_is_uploaded_and_brought_in(staff: Client, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = staff.post(reverse(UPLOAD), sent("Id,Name\nN1,Vélo Nord\nN2,Vélo Sud\n"))
    one = Import.objects.latest("pk")
    assert response["Location"] == reverse("admin:imports_import_change", args=[one.pk])
    assert (one.state, one.rows_read, one.added) == ("done", 2, 2)
    assert Partner.objects.filter(external_id__in=["N1", "N2"]).count() == 2


def test_bad_rows_are_listed_and_nothing_is_taken(staff: Client, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(reverse(UPLOAD), sent("Id,Name\nN1,Vélo Nord\nN1,Vélo Sud\n,Vélo Est\n"))
    one = Import.objects.latest("pk")
    assert one.state == "refused"
    assert not Partner.objects.filter(external_id="N1").exists()
    page = staff.get(reverse("admin:imports_import_change", args=[one.pk])).content.decode()
    assert "stands on line 2 already" in page
    assert "is empty" in page


def test_an_earlier_mapping_serves_again(staff: Client, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(reverse(UPLOAD), sent("Id,Name\nN1,Vélo Nord\n"))
    again = sent("Id,Name\nN3,Vélo Ouest\n", known=f"import:{Import.objects.latest('pk').pk}")
    del again["mapping_file"]
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(reverse(UPLOAD), again).status_code == 302
    assert Partner.objects.filter(external_id="N3").exists()


def test_a_sample_s_mapping_serves_as_it_is(staff: Client, django_capture_on_commit_callbacks) -> None:
    header = "ProductKey,ProductAlternateKey,EnglishProductName"
    assert "products" in sample_mappings()
    asked = sent(header, kind="products", known="sample:products")
    del asked["mapping_file"]
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(reverse(UPLOAD), asked).status_code == 302
    assert Import.objects.latest("pk").mapping == json.loads(sample_mappings()["products"].read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"mapping_file": SimpleUploadedFile("m.json", b"{nothing")}, "The mapping is not JSON"),
        ({"mapping_file": ""}, "Give a mapping file, or choose one that is known"),
        ({"mapping_file": SimpleUploadedFile("m.json", b'{"fields": {"name": {"column": "Name"}}}')}, "external_id"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_at_once(staff: Client, over: dict[str, object], said: str) -> None:
    before = Import.objects.count()
    response = staff.post(reverse(UPLOAD), sent("Id,Name\nN1,Vélo Nord\n", **over))
    assert response.status_code == 200
    assert said in str(response.context["form"].errors)
    assert Import.objects.count() == before


def test_an_import_tells_how_far_it_is(staff: Client, world: World) -> None:
    one = Import.objects.get()
    url = reverse("admin:imports_import_progress", args=[one.pk])
    assert staff.get(url).json() == {
        "running": False, "state": "Refused",
        "steps": [{"key": "rows", "label": "Rows", "done": 0, "total": None, "says": "0"}],
    }  # fmt: skip
    Import.objects.update(state=Import.State.RUNNING, rows_read=50, rows_total=2000)
    told = staff.get(url).json()
    assert (told["running"], told["steps"][0]["says"]) == (True, "50 / 2,000")


def test_who_may_only_look_cannot_upload(world: World, client: Client) -> None:
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_import"))
    client.force_login(user)
    assert client.get(reverse("admin:imports_import_changelist")).status_code == 200
    assert client.post(reverse(UPLOAD), sent("Id,Name\nN1,Vélo Nord\n")).status_code == 403
