"""Sales through the API and in the portal: who reads and writes what."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from journal.models import Entry
from leads import sales, services
from leads.models import Collection, Sale, Split
from partners.models import Partner
from tests.factories import make_collection, make_partner, make_portal_user, make_sale, make_staff, make_user
from tests.leads.facts import TODAY, approved, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_partner(external_id="P")


@pytest.fixture
def sale(partner: Partner) -> Sale:
    return make_sale(partner, external_id="S-1", currency="EUR", recurring_amount=Decimal(80), sourced="vendor")


def ask(user: User, method: str, address: str, body: Any = None, status: int = 200) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    answer = getattr(client, method)(f"/api/v1/{address}", body, format="json")
    assert answer.status_code == status, answer.data
    return answer.data


def listed(user: User, address: str) -> list[str]:
    return [one["external_id"] for one in ask(user, "get", address)["results"]]


def test_a_sale_is_read_with_what_is_known_of_it(sale: Sale, partner: Partner) -> None:
    staff, other = make_staff(), make_partner(external_id="Q")
    back = make_sale(partner, kind="refund", amount=Decimal(-10), currency="EUR", refund_of=sale)
    sales.set_splits(sale=sale, parts={partner.pk: 2, other.pk: 1}, actor=staff)
    read = ask(staff, "get", f"sales/{sale.pk}/")
    assert (read["recurring_amount"], read["sourced"], read["voided_at"], read["refund_of"]) == (
        "80.0000", "vendor", None, None,
    )  # fmt: skip
    assert ask(staff, "get", f"sales/{back.pk}/")["refund_of"] == sale.pk
    assert listed(staff, f"sales/?refund_of={sale.pk}") == [back.external_id]
    shares = [(one["partner_external_id"], one["parts"]) for one in read["splits"]]
    assert shares == [("P", 2), ("Q", 1)]
    assert ask(make_portal_user(partner), "get", f"sales/{sale.pk}/")["splits"] == []


def test_a_machine_voids_and_restores(sale: Sale) -> None:
    staff, seller = make_staff(), make_portal_user(sale.partner)
    ask(seller, "delete", f"sales/{sale.pk}/?reason=No", status=403)
    ask(make_user(is_staff=True), "delete", f"sales/{sale.pk}/?reason=No", status=403)
    assert "reason" in ask(staff, "delete", f"sales/{sale.pk}/", status=400)["errors"]
    assert Sale.objects.standing().exists()
    for _again in range(2):
        ask(staff, "delete", f"sales/{sale.pk}/?reason=Deleted", status=204)
    assert (listed(staff, "sales/"), listed(staff, "sales/?voided=true")) == ([], ["S-1"])
    assert listed(seller, "sales/?voided=false") == []
    assert ask(staff, "get", f"sales/{sale.pk}/")["void_reason"] == "Deleted"
    assert ask(staff, "post", f"sales/{sale.pk}/restore/")["voided_at"] is None
    assert (listed(staff, "sales/"), Entry.objects.filter(verb="leads.sale.voided").count()) == (["S-1"], 1)
    make_sale(sale.partner, kind="refund", amount=Decimal(-10), currency="EUR", refund_of=sale)
    assert ask(staff, "delete", f"sales/{sale.pk}/?reason=Deleted", status=409)["code"] == "sale_refused"


def test_shares_are_put_as_a_whole(sale: Sale) -> None:
    staff = make_staff()
    make_partner(external_id="Q")
    address, thirds = f"sales/{sale.pk}/splits/", [{"partner_external_id": name, "parts": 1} for name in "PQ"]
    assert [one["parts"] for one in ask(staff, "put", address, thirds)] == [1, 1]
    for wrong in ([*thirds, thirds[0]], [{**thirds[0], "parts": 0}], [{**thirds[0], "partner_external_id": "Z"}]):
        ask(staff, "put", address, wrong, 400)
    ask(make_portal_user(sale.partner), "put", address, [], 403)
    assert Split.objects.count() == 2
    assert ask(staff, "put", address, []) == []
    assert not Split.objects.exists()


def test_collections_are_sent_and_read(sale: Sale) -> None:
    staff, seller, stranger = make_staff(), make_portal_user(sale.partner), make_portal_user(make_partner())
    row = {"external_id": "K1", "sale_external_id": "S-1", "amount": "60.5", "collected_on": "2026-05-01"}
    assert ask(staff, "post", "collections/", row) == {"added": 1, "changed": 0, "unchanged": 0}
    rows = [{**row, "amount": "61"}, {**row, "external_id": "K2"}]
    assert ask(staff, "post", "collections/", rows) == {"added": 1, "changed": 1, "unchanged": 0}
    for wrong in ({**row, "amount": "0"}, {**row, "sale_external_id": "Z"}, {"external_id": "K3"}):
        ask(staff, "post", "collections/", [row, wrong], 400)
    ask(staff, "post", "collections/", [row, row], 409)
    ask(seller, "post", "collections/", row, 403)
    assert dict(Collection.objects.values_list("external_id", "amount")) == {"K1": Decimal(61), "K2": Decimal("60.5")}
    read = ask(seller, "get", "collections/")["results"]
    assert [(one["external_id"], one["currency"]) for one in read] == [("K1", "EUR"), ("K2", "EUR")]
    assert listed(stranger, "collections/") == []
    sales.void_sale(sale=sale, reason="Deleted", actor=None)
    assert listed(seller, "collections/") == []


def test_a_list_of_sales_costs_the_same_queries(sale: Sale) -> None:
    staff = make_staff()

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            ask(staff, "get", "sales/")
            ask(staff, "get", "collections/")
        return len(asked)

    make_collection(sale)
    Split.objects.create(sale=sale, partner=sale.partner, parts=1)
    few = queries()
    for number in range(12):
        one = make_sale(make_partner(), sold_on=date(2026, 1, 1 + number))
        make_collection(one)
        Split.objects.create(sale=one, partner=sale.partner, parts=1)
    assert queries() == few


# --- in the portal --------------------------------------------------------------------------------


def page(partner: Partner, address: str) -> str:
    client = Client()
    client.force_login(make_portal_user(partner))
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().split()).replace("\xa0", " ")


def test_refunds_stand_beside_what_they_take_back_and_shares_beside_what_is_shared(
    sale: Sale, partner: Partner
) -> None:
    others = [make_partner(name="Secret One"), make_partner(name="Secret Two")]
    sales.set_splits(sale=sale, parts={one.pk: 1 for one in (partner, *others)}, actor=None)
    for amount, over in ((-10, {}), (-20, {}), (-5, {"partner": others[0], "external_id": "R-secret"})):
        fields = {"kind": "refund", "amount": Decimal(amount), "currency": "EUR", "refund_of": sale, **over}
        make_sale(fields.pop("partner", partner), **fields)
    sales.void_sale(sale=Sale.objects.get(amount=-20), reason="Deleted", actor=None)
    shown = page(partner, reverse("portal:sales"))
    assert "Takes back “S-1” of 1 Jan 2026, €100.00" in shown
    assert shown.count("Taken back on 1 Jan 2026") == 1
    assert "Taken back on 1 Jan 2026: -€10.00" in shown
    assert "Your share: 1/3, with 2 other partners" in shown
    assert "Secret" not in shown
    assert "R-secret" not in shown
    assert "S-1" not in page(others[0], reverse("portal:sales"))


def test_a_deal_whose_sale_was_voided_says_so(time_machine: Any) -> None:
    time_machine.move_to("2026-11-24T10:00:00+01:00", tick=False)
    world = make_world()
    deal = approved(world)
    won = services.win_deal(deal=deal, closed_on=TODAY, actor=world.person)
    address = reverse("portal:deal", args=[deal.pk])
    assert "It is a sale now" in page(world.near, address)
    sales.void_sale(sale=won, reason="Order cancelled", actor=None)
    assert "counts no more. Reason: Order cancelled" in page(world.near, address)
