"""Sales in the admin: shared, collected, voided and restored; the list holds what counts."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from leads.models import Collection, Sale, Split
from partners.models import Partner
from tests.factories import make_collection, make_partner, make_sale, make_staff, make_user

pytestmark = pytest.mark.django_db
ASKED = {"_ask": "1"}


@pytest.fixture
def partner() -> Partner:
    return make_partner(name="Cycles Dupont")


@pytest.fixture
def sale(partner: Partner) -> Sale:
    return make_sale(partner, external_id="S-1", currency="EUR")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def url(page: str, *args: Any) -> str:
    return reverse(f"admin:leads_sale_{page}", args=args)


def set_to(*shares: tuple[Partner, str], kept: tuple[Split, ...] = (), gone: tuple[Split, ...] = ()) -> dict[str, Any]:
    """The form of the shares as it is sent: those kept first."""
    sent: dict[str, Any] = {"splits-TOTAL_FORMS": len(shares), "splits-INITIAL_FORMS": len(kept)}
    sent |= {f"{name}-{which}_FORMS": 0 for name in ("collections", "refunds") for which in ("TOTAL", "INITIAL")}
    for number, (partner, parts) in enumerate(shares):
        sent |= {f"splits-{number}-partner": partner.pk, f"splits-{number}-parts": parts}
        if number < len(kept):
            sent |= {f"splits-{number}-id": kept[number].pk, f"splits-{number}-sale": kept[number].sale_id}
            if kept[number] in gone:
                sent[f"splits-{number}-DELETE"] = "on"
    return sent


def shares() -> dict[str, int]:
    return dict(Split.objects.values_list("partner__name", "parts"))


def test_shares_are_set_on_the_page_of_the_sale_and_shown_as_fractions(
    staff: Client, sale: Sale, partner: Partner
) -> None:
    second, third = make_partner(name="Deux"), make_partner(name="Trois")
    page = url("change", sale.pk)
    assert staff.post(page, set_to((partner, "1"), (second, "1"), (third, "1"))).status_code == 302
    assert shares() == {"Cycles Dupont": 1, "Deux": 1, "Trois": 1}
    assert staff.get(page).content.decode().count("1/3") == 3
    kept = tuple(Split.objects.order_by("sale", "partner"))
    # A partner moves to the row of another, whose own goes away.
    sent = set_to((third, "3"), (second, "1"), (third, "1"), kept=kept, gone=kept[2:])
    assert staff.post(page, sent).status_code == 302
    assert shares() == {"Trois": 3, "Deux": 1}
    refused = staff.post(page, set_to((partner, "0")))
    assert (refused.status_code, shares()) == (200, {"Trois": 3, "Deux": 1})
    twice = staff.post(page, set_to((partner, "1"), (partner, "2")))
    assert (twice.status_code, shares()) == (200, {"Trois": 3, "Deux": 1})
    assert Sale.objects.get().external_id == "S-1"


def test_a_sale_itself_is_not_edited(staff: Client, sale: Sale) -> None:
    sent = {**set_to(), "amount": "1", "external_id": "X"}
    assert staff.post(url("change", sale.pk), sent).status_code == 302
    assert (Sale.objects.get().amount, Sale.objects.get().external_id) == (Decimal(100), "S-1")
    assert staff.get(url("add")).status_code == 403
    assert staff.post(url("delete", sale.pk), {"post": "yes"}).status_code == 403


def test_a_sale_is_voided_with_its_reason_seen_where_asked_for_and_restored(staff: Client, sale: Sale) -> None:
    page = url("void", sale.pk)
    assert staff.get(page).status_code == 200
    assert staff.post(page, {**ASKED, "reason": ""}).status_code == 200
    assert Sale.objects.standing().exists()
    assert staff.post(page, {**ASKED, "reason": "Deleted in the ERP"}).status_code == 302
    seen = {
        value: staff.get(url("changelist"), {"voided": value}).context["cl"].result_count
        for value in ("no", "yes", "all")
    }
    assert seen == {"no": 0, "yes": 1, "all": 1}
    assert staff.get(url("changelist")).context["cl"].result_count == 0
    shown = staff.get(url("change", sale.pk)).content.decode()
    assert "Deleted in the ERP" in shown
    assert url("restore", sale.pk) in shown
    assert page not in shown
    assert staff.post(url("restore", sale.pk), ASKED).status_code == 302
    assert Sale.objects.standing().exists()


def test_what_does_not_fit_comes_back_with_what_to_do(staff: Client, sale: Sale) -> None:
    make_sale(sale.partner, external_id="R-1", kind="refund", amount=Decimal(-1), currency="EUR", refund_of=sale)
    refused = staff.post(url("void", sale.pk), {**ASKED, "reason": "Deleted"})
    assert "void the refund first" in refused.content.decode()
    assert 'value="Deleted"' in refused.content.decode()
    assert "R-1" in staff.get(url("change", sale.pk)).content.decode()


def test_money_that_came_in_is_recorded_once(staff: Client, sale: Sale) -> None:
    page, sent = url("collect", sale.pk), {**ASKED, "external_id": "K1", "amount": "60.5", "collected_on": "2026-05-01"}
    assert staff.get(page).status_code == 200
    assert staff.post(page, sent).status_code == 302
    assert staff.post(page, {**sent, "amount": "1"}).status_code == 200
    assert list(Collection.objects.values_list("external_id", "amount")) == [("K1", Decimal("60.5"))]
    make_collection(sale, external_id="K2")
    shown = staff.get(url("change", sale.pk)).content.decode()
    assert "€60.50" in shown
    assert "K2" in shown


def test_who_may_only_look_does_nothing(sale: Sale, client: Client) -> None:
    user = make_user(is_staff=True)
    client.force_login(user)
    for name in ("void", "restore", "collect"):
        assert client.post(url(name, sale.pk), {**ASKED, "reason": "No"}).status_code == 403
    assert client.post(url("change", sale.pk), set_to()).status_code == 403
    assert Sale.objects.standing().exists()
