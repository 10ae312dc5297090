"""The machine door to facts from elsewhere: who sends, what comes of it, who sees it."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from journal.models import Entry
from partners.models import Partner
from records.models import PlanTarget, Record, Score
from tests.factories import make_partner, make_portal_user, make_staff, make_user
from tests.records.facts import make_award, make_record, make_score, make_target
from tiers.models import Award

pytestmark = pytest.mark.django_db

RECORD = {"external_id": "A1", "partner_external_id": "7", "kind": "installation", "occurred_on": "2026-01-01"}
SCORE = {"partner_external_id": "7", "kind": "csat", "value": "4.5", "scored_on": "2026-01-01"}
AWARD = {"external_id": "E1", "partner_external_id": "7", "code": "cloud", "starts_on": "2026-01-01"}
TARGET = {"partner_external_id": "7", "key": "revenue", "starts_on": "2026-01-01", "ends_on": "2027-01-01",
          "amount": "50000", "currency": "EUR"}  # fmt: skip
KINDS = [("record", RECORD), ("score", SCORE), ("award", AWARD), ("plantarget", TARGET)]


@pytest.fixture(autouse=True)
def partner() -> Partner:
    make_partner(external_id="8")
    return make_partner(external_id="7")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def url(kind: str) -> str:
    return reverse(f"api:{kind}-list")


def send(client: Client, kind: str, data: Any) -> Any:
    return client.post(url(kind), data, content_type="application/json")


@pytest.mark.parametrize(("kind", "row"), KINDS)
def test_one_is_taken_and_read_back_and_taken_again_changes_nothing(
    staff: Client, kind: str, row: dict[str, Any]
) -> None:
    answer = send(staff, kind, row)
    assert (answer.status_code, answer.json()) == (200, {"added": 1, "changed": 0, "unchanged": 0})
    (read,) = staff.get(url(kind)).json()["results"]
    assert {name: read[name] for name in row} == {
        **row, **{name: f"{float(row[name]):.4f}" for name in ("value", "amount") if name in row},
    }  # fmt: skip
    assert read["partner"] == Partner.objects.get(external_id="7").pk
    entries = Entry.objects.count()
    assert send(staff, kind, read).json() == {"added": 0, "changed": 0, "unchanged": 1}
    assert Entry.objects.count() == entries


@pytest.mark.parametrize(("kind", "row"), KINDS)
def test_many_are_taken_or_none(staff: Client, kind: str, row: dict[str, Any]) -> None:
    other = {**row, "partner_external_id": "8", **({"external_id": "X2"} if "external_id" in row else {})}
    nobody = {**other, "partner_external_id": "9", **({"external_id": "X3"} if "external_id" in row else {})}
    refused = send(staff, kind, [row, nobody, other])
    assert refused.status_code == 400
    assert refused.json()["errors"] == [{}, {"partner_external_id": ["there is no partner with this external id"]}, {}]
    assert [model.objects.count() for model in (Record, Score, Award, PlanTarget)] == [0, 0, 0, 0]
    assert send(staff, kind, [row, other]).json() == {"added": 2, "changed": 0, "unchanged": 0}


def test_a_record_is_sent_whole(staff: Client) -> None:
    whole = {**RECORD, "amount": "12.5", "currency": "EUR", "quantity": "2", "attributes": {"product": "crm"},
             "name": "Site", "ends_on": "2026-06-01"}  # fmt: skip
    send(staff, "record", whole)
    assert send(staff, "record", RECORD).json() == {"added": 0, "changed": 1, "unchanged": 0}
    one = Record.objects.get()
    assert (one.name, one.amount, one.currency, one.quantity, one.attributes, one.ends_on) == (
        "",
        None,
        "",
        None,
        {},
        None,
    )


def test_what_is_wrong_is_told_by_row_and_field(staff: Client) -> None:
    rows = [RECORD, {**RECORD, "external_id": "A2", "kind": "No Code"}, {**RECORD, "external_id": "A3", "amount": "1"},
            RECORD, {**RECORD, "external_id": "A4", "attributes": {"Bad": "x"}},
            {**RECORD, "external_id": "A5", "ends_on": "2026-01-01"}]  # fmt: skip
    answer = send(staff, "record", rows)
    assert [sorted(one) for one in answer.json()["errors"]] == [
        [], ["kind"], ["currency"], [], ["attributes"], ["ends_on"],
    ]  # fmt: skip
    twice = send(staff, "record", [RECORD, RECORD])
    assert [sorted(one) for one in twice.json()["errors"]] == [[], ["external_id"]]
    assert sorted(send(staff, "record", {**rows[5]}).json()["errors"]) == ["ends_on"]
    assert send(staff, "record", "no row").status_code == 400
    assert send(staff, "record", [RECORD] * 1001).status_code == 400
    assert not Record.objects.exists()


def test_statements_do_not_grow_with_rows_sent(staff: Client, django_assert_max_num_queries: Any) -> None:
    rows = [{**RECORD, "external_id": f"F{n}", "partner_external_id": "78"[n % 2]} for n in range(40)]
    with django_assert_max_num_queries(14):
        assert send(staff, "record", rows).json()["added"] == 40


@pytest.mark.parametrize(("kind", "row"), KINDS)
def test_who_may_send(client: Client, partner: Partner, kind: str, row: dict[str, Any]) -> None:
    assert send(client, kind, row).status_code == 401
    adder = make_user(is_staff=True)
    adder.user_permissions.set(Permission.objects.filter(codename=f"add_{kind}"))
    for user in (make_portal_user(partner), make_user(), make_user(is_staff=True), adder):
        client.force_login(user)
        assert send(client, kind, row).status_code == 403
    adder.user_permissions.set(Permission.objects.filter(codename__in=[f"add_{kind}", f"change_{kind}"]))
    assert send(client, kind, row).status_code == 200


def test_a_member_reads_its_own_partner_s_alone(client: Client, partner: Partner) -> None:
    other = Partner.objects.get(external_id="8")
    for make in (make_record, make_score, make_award, make_target):
        make(partner), make(other)
    client.force_login(make_portal_user(partner))
    for kind, _row in KINDS:
        (one,) = client.get(url(kind)).json()["results"]
        assert one["partner"] == partner.pk


def test_an_earned_award_is_not_to_be_sent_over(staff: Client, partner: Partner) -> None:
    send(staff, "award", {**AWARD, "origin": "earned"})
    assert Award.objects.get().origin == "imported"


def test_lists_are_filtered(staff: Client, partner: Partner) -> None:
    make_record(partner, external_id="A1", kind="audit")
    make_record(Partner.objects.get(external_id="8"))
    for query, found in [({"kind": "audit"}, 1), ({"partner__external_id": "8"}, 1), ({"external_id": "A1"}, 1),
                         ({"occurred_on__gte": "2026-01-02"}, 0), ({}, 2)]:  # fmt: skip
        assert len(staff.get(url("record"), query).json()["results"]) == found


def test_the_schema_says_what_may_be_sent(client: Client) -> None:
    schema = client.get(reverse("api:schema"), HTTP_ACCEPT="application/vnd.oai.openapi+json").json()
    for path, name in [("records", "Record"), ("scores", "Score"), ("awards", "Award"), ("plan-targets", "PlanTarget")]:
        post = schema["paths"][f"/api/v1/{path}/"]["post"]
        sent = post["requestBody"]["content"]["application/json"]["schema"]
        assert sent == {"$ref": f"#/components/schemas/{name}Sent"}
        one, many = schema["components"]["schemas"][f"{name}Sent"]["oneOf"]
        assert many == {"type": "array", "items": one}
        assert post["responses"]["200"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Taken"
        }
