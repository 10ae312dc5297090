"""Sales that are there: voided and restored, taken back, shared, collected. What is voided counts nowhere."""

from datetime import date
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from common.errors import ProgramError
from common.periods import program_today
from journal.models import Entry
from leads import sales, services
from leads.errors import ReasonMissingError, SaleError
from leads.models import Collection, Sale, Split
from partner_program import dashboard, home, partner_page
from partners.models import Partner
from tests.factories import make_collection, make_partner, make_sale, make_staff
from tests.leads.facts import TODAY, accepted, approved, make_world
from tiers.datasets import field_of, get

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_partner(external_id="P", name="Cycles Dupont")


def refund(sale: Sale, amount: str, **over: Any) -> Sale:
    fields = {"kind": "refund", "amount": Decimal(amount), "refund_of": sale, "currency": sale.currency, **over}
    return make_sale(sale.partner, **fields)


def told(verb: str) -> list[tuple[Any, Any]]:
    return list(Entry.objects.filter(verb=verb).order_by("id").values_list("before", "after"))


# --- what the database holds ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"recurring_amount": "100.01"}, {"recurring_amount": "-0.01"}, {"voided_at": "2026-01-05T00:00:00Z"},
        {"void_reason": "Deleted"}, {"kind": "refund", "amount": "-10", "recurring_amount": "-11"},
        {"kind": "refund", "amount": "-10", "recurring_amount": "1"},
    ],
)  # fmt: skip
def test_the_database_refuses_a_sale_that_cannot_be(partner: Partner, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_sale(partner, **wrong)


def test_the_database_refuses_what_does_not_fit_a_sale(partner: Partner) -> None:
    sale = make_sale(partner)
    for wrong in (
        lambda: make_sale(partner, refund_of=sale),
        lambda: make_collection(sale, amount=0),
        lambda: Split.objects.create(sale=sale, partner=partner, parts=0),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()


# --- voided and restored --------------------------------------------------------------------------


def test_a_voided_sale_stays_with_its_reason_and_counts_again_when_restored(partner: Partner) -> None:
    sale, staff = make_sale(partner, external_id="S-1"), make_staff()
    with pytest.raises(ReasonMissingError):
        sales.void_sale(sale=sale, reason=" ", actor=staff)
    voided = sales.void_sale(sale=sale, reason=" Deleted in the ERP ", actor=staff)
    assert (voided.void_reason, voided.voided_at is not None) == ("Deleted in the ERP", True)
    assert voided.changed_at > sale.changed_at
    assert sales.void_sale(sale=sale, reason="Again", actor=staff).void_reason == "Deleted in the ERP"
    assert (Sale.objects.count(), Sale.objects.standing().count()) == (1, 0)
    restored = sales.restore_sale(sale=sale, actor=staff)
    assert (restored.voided_at, restored.void_reason, restored.changed_at > voided.changed_at) == (None, "", True)
    sales.restore_sale(sale=sale, actor=staff)
    assert told("leads.sale.voided") == [({}, {"sale": "S-1", "note": "Deleted in the ERP"})]
    assert told("leads.sale.restored") == [({"note": "Deleted in the ERP"}, {"sale": "S-1"})]
    assert set(Entry.objects.values_list("actor", "partner_id")) == {(staff.pk, partner.pk)}


def test_a_sale_is_not_voided_while_a_refund_of_it_stands(partner: Partner) -> None:
    sale = make_sale(partner, external_id="S-1")
    back = refund(sale, "-40", external_id="R-1")
    with pytest.raises(SaleError, match="R-1 takes back S-1"):
        sales.void_sale(sale=sale, reason="Deleted", actor=None)
    assert Sale.objects.standing().count() == 2
    sales.void_sale(sale=back, reason="Deleted", actor=None)
    sales.void_sale(sale=sale, reason="Deleted", actor=None)
    with pytest.raises(SaleError, match="S-1, which it takes back, is voided"):
        sales.restore_sale(sale=back, actor=None)
    assert not Sale.objects.standing().exists()


def test_a_refund_is_restored_only_where_there_is_room_for_it(partner: Partner) -> None:
    sale = make_sale(partner, external_id="S-1", amount=Decimal(100), currency="EUR")
    first = refund(sale, "-60")
    sales.void_sale(sale=first, reason="Wrong", actor=None)
    refund(sale, "-40.01")
    with pytest.raises(SaleError, match="the refunds of S-1 would come to €100.01, more than its €100.00"):
        sales.restore_sale(sale=first, actor=None)
    sale.refunds.filter(amount=Decimal("-40.01")).update(amount=Decimal(-40))
    assert sales.restore_sale(sale=first, actor=None).voided_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer at a time")
def test_of_two_refunds_restored_at_once_only_as_much_as_the_sale_stands(partner: Partner) -> None:
    sale, start, outcomes = make_sale(partner, amount=Decimal(100)), Barrier(2), []
    backs = [refund(sale, "-60"), refund(sale, "-60")]
    for one in backs:
        sales.void_sale(sale=one, reason="Wrong", actor=None)

    def restore(one: Sale) -> None:
        try:
            start.wait(10)
            sales.restore_sale(sale=one, actor=None)
            outcomes.append("restored")
        except ProgramError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=restore, args=(one,)) for one in backs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["refused", "restored"]
    assert Sale.objects.standing().filter(refund_of=sale).count() == 1


def test_a_voided_sale_is_in_no_sum_list_or_page(partner: Partner) -> None:
    today = program_today()
    kept = make_sale(partner, amount=Decimal(70), sold_on=today, customer_name="Lyon", currency="EUR")
    gone = make_sale(partner, amount=Decimal(30), sold_on=today, customer_name="Bron", currency="EUR")
    make_collection(gone, collected_on=today)
    sales.void_sale(sale=gone, reason="Deleted", actor=None)
    for key, expected in {"sales": [kept.pk], "customers": [kept.pk], "collections": []}.items():
        assert list(get(key).rows(today).values_list("pk", flat=True)) == expected
    assert home.sales_by_month(partner, "EUR", today).columns[-1].datum.value == 70
    assert [(one.currency, one.total) for one in dashboard.sales(today)] == [("EUR", Decimal(70))]
    listed = {one.title: one for one in partner_page.page(partner, today).listed}["Sales"]
    assert [line.cells[0].text for line in listed.lines] == [kept.external_id]
    assert [one.pk for one in Sale.objects.standing().told()] == [kept.pk]


# --- what measures read ---------------------------------------------------------------------------


def test_margin_and_recurring_amount_are_of_the_whole_sale(partner: Partner) -> None:
    make_sale(partner, amount=Decimal("100.50"), cost=Decimal("60.25"), recurring_amount=Decimal(80), sourced="vendor")
    make_sale(partner, amount=Decimal(-10), cost=Decimal(-4), kind="refund")
    make_sale(partner, amount=Decimal(7))
    dataset = get("sales")
    named = {name: field_of(dataset, name).path for name in ("margin", "recurring_amount", "sourced")}
    rows = dataset.rows(TODAY).order_by("pk").annotate(margin=named["margin"])
    assert list(rows.values_list("margin", "recurring_amount", "sourced")) == [
        (Decimal("40.25"), Decimal(80), "vendor"), (Decimal(-6), None, ""), (None, None, ""),
    ]  # fmt: skip


def test_a_collection_is_read_with_its_sale(partner: Partner) -> None:
    sale = make_sale(partner, currency="EUR", kind="renewal", customer_name="Lyon")
    make_collection(sale, amount=Decimal(-5), collected_on=date(2026, 5, 1))
    dataset = get("collections")
    named = {f"f{number}": F(one.path) for number, one in enumerate(dataset.fields.values())}
    (row,) = dataset.rows(TODAY).values(**named)
    assert list(row.values()) == [Decimal(-5), "EUR", "renewal", None, None, "Lyon"]
    assert list(dataset.rows(TODAY).values_list(dataset.partner, "collected_on")) == [(partner.pk, date(2026, 5, 1))]


# --- who brought it -------------------------------------------------------------------------------


def test_a_deal_knows_who_brought_it_and_so_does_its_sale() -> None:
    world = make_world()
    own = approved(world)
    lead = accepted(world)
    fields = {"title": "Thirty", "amount": Decimal(100), "currency": "EUR", "expected_on": TODAY}
    given = services.convert_lead(lead=lead, actor=world.person, **fields)
    services.approve_deal(deal=given, actor=world.staff)
    assert (own.sourced, given.sourced) == ("partner", "vendor")
    for deal in (own, given):
        assert services.win_deal(deal=deal, closed_on=date(2026, 11, 20), actor=world.person).sourced == deal.sourced


# --- shared ---------------------------------------------------------------------------------------


def test_shares_are_set_as_a_whole(partner: Partner) -> None:
    sale, staff = make_sale(partner, external_id="S-1"), make_staff()
    second, third = make_partner(external_id="Q"), make_partner(external_id="R")
    parts = {partner.pk: 1, second.pk: 1, third.pk: 1}
    made = sales.set_splits(sale=sale, parts=parts, actor=staff)
    assert [(one.partner_id, one.parts) for one in made] == sorted(parts.items())
    stamp = Sale.objects.get().changed_at
    assert stamp > sale.changed_at
    sales.set_splits(sale=sale, parts=parts, actor=staff)
    assert Sale.objects.get().changed_at == stamp
    sales.set_splits(sale=sale, parts={second.pk: 3, third.pk: 1}, actor=staff)
    assert dict(Split.objects.values_list("partner", "parts")) == {second.pk: 3, third.pk: 1}
    assert sales.set_splits(sale=sale, parts={}, actor=staff) == []
    thirds = {"P": 1, "Q": 1, "R": 1}
    assert told("leads.sale.split") == [
        ({"parts": {}}, {"sale": "S-1", "parts": thirds}),
        ({"parts": thirds}, {"sale": "S-1", "parts": {"Q": 3, "R": 1}}),
        ({"parts": {"Q": 3, "R": 1}}, {"sale": "S-1", "parts": {}}),
    ]  # fmt: skip


@pytest.mark.parametrize(("parts", "says"), [(0, "from 1 to 32,767"), (32_768, "from 1 to 32,767")])
def test_a_share_without_a_part_is_refused(partner: Partner, parts: int, says: str) -> None:
    sale = make_sale(partner)
    with pytest.raises(SaleError, match=says):
        sales.set_splits(sale=sale, parts={partner.pk: parts}, actor=None)
    with pytest.raises(SaleError, match="There is no partner 99999"):
        sales.set_splits(sale=sale, parts={99_999: 1}, actor=None)
    assert not Split.objects.exists()


# --- collected ------------------------------------------------------------------------------------


def test_collections_are_kept_once_and_change(partner: Partner) -> None:
    sale, staff = make_sale(partner, currency="EUR"), make_staff()
    rows = [
        {"external_id": f"K{number}", "sale_id": sale.pk, "amount": Decimal(amount), "collected_on": date(2026, 5, number)}
        for number, amount in ((1, "60"), (2, "40"))
    ]  # fmt: skip
    taken = sales.record_collections(collections=rows, actor=staff)
    assert (len(taken.added), len(taken.changed)) == (2, 0)
    rows[1]["amount"] = Decimal("-40.5")
    taken = sales.record_collections(collections=rows, actor=staff)
    assert (taken.added, list(taken.changed), taken.unchanged) == ([], ["K2"], ["K1"])
    assert list(Collection.objects.order_by("external_id").values_list("amount", flat=True)) == [60, Decimal("-40.5")]
    assert told("leads.collection.changed") == [({"amount": "40.0000"}, {"amount": "-40.5"})]
    assert told("leads.collection.created")[0] == (
        {}, {"external_id": "K1", "sale_id": sale.pk, "amount": "60", "collected_on": "2026-05-01"},
    )  # fmt: skip
    for wrong, says in (([rows[0], rows[0]], "K1 comes twice"), ([{**rows[0], "amount": Decimal(0)}], "no money")):
        with pytest.raises(SaleError, match=says):
            sales.record_collections(collections=wrong, actor=staff)
    assert Collection.objects.count() == 2
