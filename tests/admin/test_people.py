"""Users, groups and attestations: who may give what to whom."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common.periods import program_today
from journal.models import Entry
from partners.models import Member
from tests.admin.world import World, make_world
from tests.factories import make_user
from tiers import datasets
from tiers.errors import AttestationError
from tiers.models import Attestation
from tiers.services import attest, end_attestation
from training.models import Certificate, Certification

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World, client: Client) -> Client:
    client.force_login(world.staff)
    return client


def keeper(*codenames: str) -> User:
    """Staff with these permissions and no others."""
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def test_staff_sign_in_by_mail_address(world: World, client: Client) -> None:
    asked = {"username": world.staff.email.upper(), "password": "correct horse battery", "next": "/admin/"}
    response = client.post(reverse("admin:login"), asked)
    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_a_user_is_made_with_a_mail_address(staff: Client) -> None:
    new = {"email": "new@example.com", "name": "New", "usable_password": "true", "password1": "correct horse 7",
           "password2": "correct horse 7"}  # fmt: skip
    assert staff.post(reverse("admin:accounts_user_add"), new).status_code == 302
    user = User.objects.get(email="new@example.com")
    assert (user.is_staff, user.check_password("correct horse 7")) == (False, True)


def test_who_may_change_users_gives_nobody_more_rights(world: World, client: Client) -> None:
    user = keeper("view_user", "change_user")
    client.force_login(user)
    url = reverse("admin:accounts_user_change", args=[user.pk])
    page = client.get(url).content.decode()
    assert 'name="name"' in page
    assert 'name="is_superuser"' not in page
    assert (
        client.post(url, {"email": user.email, "name": "Me", "is_active": "on", "is_superuser": "on"}).status_code
        == 302
    )
    user.refresh_from_db()
    assert (user.name, user.is_superuser) == ("Me", False)


def test_an_account_with_all_rights_is_changed_by_its_like_only(world: World, client: Client) -> None:
    client.force_login(keeper("view_user", "change_user"))
    password = reverse("admin:auth_user_password_change", args=[world.staff.pk])
    asked = {"password1": "taken over 77", "password2": "taken over 77", "usable_password": "true"}
    assert client.post(password, asked).status_code == 403
    assert client.post(reverse("admin:accounts_user_change", args=[world.staff.pk]), {"name": "x"}).status_code == 403
    world.staff.refresh_from_db()
    assert world.staff.check_password("correct horse battery")


def test_who_may_change_groups_gives_them_no_rights(client: Client) -> None:
    client.force_login(keeper("view_group", "add_group", "change_group"))
    page = client.get(reverse("admin:auth_group_add")).content.decode()
    assert 'name="name"' in page
    assert 'name="permissions"' not in page


def test_an_attestation_is_given_with_its_document(staff: Client, world: World) -> None:
    asked = {
        "enrollment": world.enrollment.pk, "kind": "audit", "title": "Audit passed", "starts_on": program_today(),
        "document": SimpleUploadedFile("audit.pdf", b"%PDF-1.7"),
    }  # fmt: skip
    assert staff.post(reverse("admin:tiers_attestation_add"), asked).status_code == 302
    given = Attestation.objects.get(kind="audit")
    assert (given.author, given.enrollment, given.document.read()) == (world.staff, world.enrollment, b"%PDF-1.7")
    assert Entry.objects.filter(verb="tiers.attestation.given", partner_id=world.partner.pk).count() == 2


def test_an_attestation_ends_after_it_starts(staff: Client, world: World) -> None:
    asked = {"enrollment": world.enrollment.pk, "kind": "audit", "title": "Audit", "starts_on": "2026-02-01",
             "ends_on": "2026-02-01"}  # fmt: skip
    response = staff.post(reverse("admin:tiers_attestation_add"), asked)
    assert list(response.context["adminform"].form.errors) == ["ends_on"]
    assert not Attestation.objects.filter(kind="audit").exists()


def test_a_person_leaves_and_the_journal_says_so(staff: Client, world: World) -> None:
    member = Member.objects.get(partner=world.partner)
    asked = {
        "partner": world.partner.pk, "name": member.name, "external_id": member.external_id, "job": "sales",
        "role": "sales", "joined_on": member.joined_on, "left_on": program_today(),
    }  # fmt: skip
    assert staff.post(reverse("admin:partners_member_change", args=[member.pk]), asked).status_code == 302
    entry = Entry.objects.get(verb="partners.member.changed")
    assert (entry.before, entry.after) == ({"left_on": None}, {"left_on": program_today().isoformat()})
    assert staff.post(reverse("admin:partners_member_delete", args=[member.pk]), {"post": "yes"}).status_code == 403


def test_a_certificate_takes_the_validity_of_what_it_certifies(staff: Client, world: World) -> None:
    certification = Certification.objects.create(code="sales", name={"en": "Sales"}, valid_months=24)
    asked = {"external_id": "N1", "member": Member.objects.get(partner=world.partner).pk,
             "certification": certification.pk, "awarded_on": "2026-01-31"}  # fmt: skip
    assert staff.post(reverse("admin:training_certificate_add"), asked).status_code == 302
    assert Certificate.objects.get(external_id="N1").expires_on.isoformat() == "2028-01-31"


def test_an_attestation_is_ended_by_hand_with_a_reason(staff: Client, world: World) -> None:
    today = program_today()
    given = attest(
        enrollment=world.enrollment, kind="audit", title="Audit passed", starts_on=today - timedelta(days=30),
        author=world.staff,
    )  # fmt: skip
    page, end = (reverse(f"admin:tiers_attestation_{name}", args=[given.pk]) for name in ("change", "end"))
    assert "End it" in staff.get(page).content.decode()
    assert "Audit passed" in staff.get(end).content.decode()
    asked = {"on": today.isoformat(), "reason": "The follow-up audit failed.", "_ask": "1"}
    assert staff.post(end, asked).status_code == 302
    given.refresh_from_db()
    assert (given.ends_on, given.title, given.starts_on) == (today, "Audit passed", today - timedelta(days=30))
    entry = Entry.objects.get(verb="tiers.attestation.ended")
    assert (entry.actor, entry.partner_id, entry.before, entry.after) == (
        world.staff, world.partner.pk, {"ends_on": None},
        {"title": "Audit passed", "ends_on": today.isoformat(), "note": "The follow-up audit failed."},
    )  # fmt: skip
    assert datasets.get("attestations").rows(today).filter(pk=given.pk).exists() is False
    shown = staff.get(page).content.decode()
    assert "Ended by hand" in shown
    assert "The follow-up audit failed." in shown
    assert "End it" not in shown


@pytest.mark.parametrize(
    ("days", "reason", "says"),
    [
        (0, "", "This field is required."),
        (0, "   ", "This field is required."),
        (-30, "Never was", "It ends after its first day"),
        (40, "Later", "It ends on"),
    ],
)
def test_an_end_that_says_nothing_or_comes_too_late_is_refused(
    staff: Client, world: World, days: int, reason: str, says: str
) -> None:
    today = program_today()
    starts_on, ends_on = today - timedelta(days=30), today + timedelta(days=40)
    given = attest(enrollment=world.enrollment, kind="audit", title="Audit", starts_on=starts_on, ends_on=ends_on)
    end = reverse("admin:tiers_attestation_end", args=[given.pk])
    asked = {"on": (today + timedelta(days=days)).isoformat(), "reason": reason, "_ask": "1"}
    refused = staff.post(end, asked)
    assert (refused.status_code, says in refused.content.decode()) == (200, True)
    assert refused.context["form"]["on"].value() == asked["on"]
    given.refresh_from_db()
    assert given.ends_on == ends_on
    assert not Entry.objects.filter(verb="tiers.attestation.ended").exists()
    with pytest.raises(AttestationError):
        end_attestation(attestation=given, on=date.fromisoformat(asked["on"]), reason=reason.strip())


def test_who_may_not_change_attestations_does_not_end_them(client: Client, world: World) -> None:
    given = Attestation.objects.get()
    client.force_login(keeper("view_attestation"))
    end = reverse("admin:tiers_attestation_end", args=[given.pk])
    assert client.post(end, {"on": "2090-01-01", "reason": "x", "_ask": "1"}).status_code == 403
    assert Attestation.objects.get().ends_on is None
