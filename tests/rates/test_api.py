"""The machine door to exchange rates."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from rates.models import Rate
from tests.factories import make_partner, make_portal_user, make_staff, make_user
from tests.rates.facts import FRIDAY, MONDAY, make_rate, make_source

pytestmark = pytest.mark.django_db
URL = "/api/v1/exchange-rates/"
ROW = {"source": "ecb", "base": "EUR", "quote": "USD", "on": "2026-10-30", "value": "1.1172"}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def send(client: Client, data: Any) -> Any:
    return client.post(URL, data, content_type="application/json")


def test_a_rate_is_taken_read_back_corrected_and_taken_again(staff: Client) -> None:
    assert reverse("api:exchangerate-list") == URL
    assert send(staff, ROW).json() == {"added": 1, "changed": 0, "unchanged": 0}
    assert send(staff, [ROW, {**ROW, "quote": "GBP"}]).json() == {"added": 1, "changed": 0, "unchanged": 1}
    assert send(staff, {**ROW, "value": "1.12"}).json() == {"added": 0, "changed": 1, "unchanged": 0}
    read = staff.get(URL, {"quote": "USD"}).json()["results"]
    assert [{name: one[name] for name in ("version", "value", "on", "base", "source")} for one in read] == [
        {"version": 1, "value": "1.1172000000", "on": "2026-10-30", "base": "EUR", "source": "ecb"},
        {"version": 2, "value": "1.1200000000", "on": "2026-10-30", "base": "EUR", "source": "ecb"},
    ]
    assert staff.get(f"{URL}{read[0]['id']}/").json() == read[0]


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"value": "0"}, "value"), ({"value": "-2"}, "value"), ({"value": "x"}, "value"), ({"quote": "XQQ"}, "quote"),
        ({"quote": "usd"}, "quote"), ({"quote": "EUR"}, "quote"), ({"source": "nobody"}, "source"), ({"on": "30/10/2026"}, "on"),
        ({"value": "1.12345678901"}, "value"),
    ],
)  # fmt: skip
def test_one_bad_row_and_nothing_is_taken(staff: Client, over: dict[str, str], field: str) -> None:
    answer = send(staff, [ROW, {**ROW, "on": "2026-10-29", **over}])
    assert answer.status_code == 400
    first, second = answer.json()["errors"]
    assert (first, list(second)) == ({}, [field])
    assert list(send(staff, {**ROW, **over}).json()["errors"]) == [field]
    assert not Rate.objects.exists()


def test_a_thousand_at_a_time(staff: Client) -> None:
    assert send(staff, [ROW] * 1001).status_code == 400


def test_filters(staff: Client) -> None:
    make_source("bank")
    for row in (("USD", "1", MONDAY), ("GBP", "1", MONDAY), ("USD", "1", FRIDAY)):
        make_rate(*row)
    make_rate(source="bank")

    def count(**asked: str) -> int:
        return len(staff.get(URL, asked).json()["results"])

    assert count(source="bank") == 1
    assert count(quote="USD") == 3
    assert count(quote__in="GBP,USD", source="ecb") == 3
    assert count(on__gte="2026-10-27") == 2
    assert count(on__lt="2026-10-27") == 2


def test_anyone_signed_in_reads_and_staff_with_the_permission_send(client: Client) -> None:
    make_rate()
    assert client.get(URL).status_code == 401
    client.force_login(make_portal_user(make_partner()))
    assert len(client.get(URL).json()["results"]) == 1
    assert send(client, ROW).status_code == 403
    helper = make_user(is_staff=True)
    client.force_login(helper)
    assert send(client, ROW).status_code == 403
    helper.user_permissions.add(Permission.objects.get(codename="add_rate"))
    assert send(client, ROW).status_code == 200


def test_nobody_changes_or_deletes(staff: Client) -> None:
    pk = make_rate().pk
    for method in ("put", "patch", "delete"):
        assert getattr(staff, method)(f"{URL}{pk}/").status_code == 405
