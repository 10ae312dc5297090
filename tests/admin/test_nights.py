"""The night's page: followed while it runs, read when it is done, started by who may."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from commissions.models import Earning
from common.periods import program_today
from journal.models import Entry
from tests.admin.world import World, make_world
from tests.factories import make_sale, make_user
from tiers import night
from tiers.models import Chunk, Run

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def progress(client: Client, run: Run) -> dict:
    return client.get(reverse("admin:tiers_run_progress", args=[run.pk])).json()


def test_a_running_night_tells_how_far_each_step_is(staff: Client, world: World) -> None:
    run = night.start(program=world.program, day=program_today())
    told = progress(staff, run)
    assert (told["running"], told["state"]) == (True, "Running")
    assert [(step["key"], step["done"], step["total"], step["says"]) for step in told["steps"]] == [
        ("points", 0, 0, "nothing to do"), ("measure", 0, 1, "0 / 1"), ("rank", 0, None, "to come"),
        ("place", 0, None, "to come"), ("earn", 0, None, "to come"),
        *((key, 0, None, "to come") for key in ("seal", "statements", "reviews", "disputes", "payees", "invoices")),
    ]  # fmt: skip
    page = staff.get(reverse("admin:tiers_run_change", args=[run.pk])).content.decode()
    assert f'data-progress="{reverse("admin:tiers_run_progress", args=[run.pk])}" data-running="yes"' in page
    night.work(run.pk)
    told = progress(staff, run)
    assert (told["running"], told["state"]) == (False, "Done")
    assert [(step["done"], step["total"]) for step in told["steps"]] == [
        (0, 0), (1, 1), (0, 0), (1, 1), *[(0, 0)] * 7
    ]  # fmt: skip
    assert [step["says"] for step in told["steps"]][4:] == ["nothing to do"] * 7


def test_failed_parts_are_counted(staff: Client, world: World) -> None:
    Chunk.objects.filter(run=world.run, step="earn").update(state=Chunk.State.FAILED)
    Run.objects.filter(pk=world.run.pk).update(state=Run.State.FAILED, error="earn 1: ValueError: no")
    assert [step["says"] for step in progress(staff, world.run)["steps"]] == [
        "nothing to do",
        "1 / 1",
        "nothing to do",
        "1 / 1",
        "0 / 1, 1 failed",
        *["1 / 1"] * 2,
        *["nothing to do"] * 4,
    ]
    page = staff.get(reverse("admin:tiers_run_change", args=[world.run.pk])).content.decode()
    assert "earn 1: ValueError: no" in page


def test_progress_is_for_who_may_see_nights(world: World, client: Client) -> None:
    url = reverse("admin:tiers_run_progress", args=[world.run.pk])
    assert client.get(url).status_code == 302
    client.force_login(make_user(is_staff=True))
    assert client.get(url).status_code == 403


def test_the_page_lists_who_moved_and_links_to_what_was_posted(staff: Client, world: World) -> None:
    make_sale(world.partner, amount="60000.00", sold_on=program_today() - timedelta(days=2))
    night.work(night.start(program=world.program, day=program_today()).pk)
    page = staff.get(reverse("admin:tiers_run_change", args=[world.run.pk])).context
    assert [(one.enrollment.partner, one.tier.code) for one in page["moved"]] == [(world.partner, "level-2")]
    assert staff.get(page["moved_url"]).context["cl"].result_count == 1
    assert (
        staff.get(page["posted_url"]).context["cl"].result_count
        == Earning.objects.filter(posting__run=world.run).count()
        == 2
    )


def test_a_night_is_run_by_hand(
    staff: Client, world: World, django_capture_on_commit_callbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = program_today() - timedelta(days=1)
    url = reverse("admin:tiers_run_run_now")
    assert staff.get(url).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        response = staff.post(url, {"program": world.program.pk, "day": day.isoformat(), **ASKED})
    run = Run.objects.get(program=world.program, day=day)
    assert response["Location"] == reverse("admin:tiers_run_change", args=[run.pk])
    assert run.state == "done"
    assert Entry.objects.get(verb="tiers.run.started").actor == world.staff


def test_a_night_to_come_is_not_run(staff: Client, world: World) -> None:
    day = program_today() + timedelta(days=1)
    response = staff.post(
        reverse("admin:tiers_run_run_now"), {"program": world.program.pk, "day": day.isoformat(), **ASKED}
    )  # fmt: skip
    assert list(response.context["form"].errors) == ["day"]
    assert Run.objects.count() == 1


def test_a_night_without_rules_in_force_is_refused_on_the_form(staff: Client, world: World) -> None:
    response = staff.post(
        reverse("admin:tiers_run_run_now"), {"program": world.program.pk, "day": "2015-01-01", **ASKED}
    )
    assert len(list(response.context["form"].non_field_errors())) == 1
    assert Run.objects.count() == 1


def test_a_night_is_run_again_and_changes_nothing(
    staff: Client, world: World, django_capture_on_commit_callbacks
) -> None:
    lines = list(Earning.objects.values_list("pk", flat=True))
    url = reverse("admin:tiers_run_run_again", args=[world.run.pk])
    assert staff.get(url).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(url, ASKED).status_code == 302
    assert list(Earning.objects.values_list("pk", flat=True)) == lines
    assert Run.objects.get().state == "done"


def test_who_may_only_look_cannot_start_one(world: World, client: Client) -> None:
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_run"))
    client.force_login(user)
    assert client.get(reverse("admin:tiers_run_changelist")).status_code == 200
    assert client.get(reverse("admin:tiers_run_run_now")).status_code == 403
    assert client.post(reverse("admin:tiers_run_run_again", args=[world.run.pk]), ASKED).status_code == 403
