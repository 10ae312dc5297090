"""Sales as files bring them: what recurs, who brought them, what a refund takes back, voids; collections and shares."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from imports import kinds
from imports.engine import bring_in
from imports.errors import ImportRefusedError
from imports.report import Report
from journal.models import Entry
from leads.models import Collection, Sale, Split
from tests.factories import make_collection, make_partner, make_sale

pytestmark = pytest.mark.django_db
FIELDS = {
    "sales": (
        "external_id",
        "kind",
        "amount",
        "currency",
        "cost",
        "recurring_amount",
        "sourced",
        "refund_of",
        "voided",
    ),
    "collections": ("external_id", "sale", "amount", "collected_on"),
    "splits": ("sale", "partner", "parts"),
}
SOLD = {"partner": {"constant": "7"}, "sold_on": {"constant": "2026-05-04"}}


@pytest.fixture(autouse=True)
def _partner() -> None:
    make_partner(external_id="7")


def take(kind: str, *lines: str, without: tuple[str, ...] = ()) -> Report:
    """A file with the kind's columns but those in `without`."""
    names = [name for name in FIELDS[kind] if name not in without]
    fields = {name: {"column": name} for name in names}
    mapping = {"fields": {**(SOLD if kind == "sales" else {}), **fields}}
    file = io.BytesIO("\n".join([",".join(names), *lines]).encode())
    return bring_in(importer=kinds.get(kind), file=file, file_name="f.csv", mapping=mapping)


def counts(report: Report) -> tuple[int, int, int]:
    return report.added, report.changed, report.unchanged


def refused(kind: str, *lines: str, **over: Any) -> list[tuple[int, str, str]]:
    before = [list(model.objects.order_by("pk").values()) for model in (Sale, Collection, Split, Entry)]
    with pytest.raises(ImportRefusedError) as caught:
        take(kind, *lines, **over)
    assert before == [list(model.objects.order_by("pk").values()) for model in (Sale, Collection, Split, Entry)]
    return [(one.line, one.column, one.reason) for one in caught.value.report.problems]


SALE = "S1,new,100,EUR,60,80,vendor,,"
REFUNDS = ("R1,refund,-30,EUR,-18,-24,vendor,S1,", "R2,refund,-70,EUR,,,,S1,")


def test_sales_come_with_what_recurs_who_brought_them_and_what_they_take_back() -> None:
    lines = (REFUNDS[0], SALE, REFUNDS[1])
    assert counts(take("sales", *lines)) == (3, 0, 0)
    assert counts(take("sales", *lines)) == (0, 0, 3)
    assert counts(take("sales", "R1,refund,-30,EUR", without=FIELDS["sales"][4:])) == (0, 0, 1)
    names = ("external_id", "amount", "cost", "recurring_amount", "sourced", "refund_of__external_id")
    assert list(Sale.objects.order_by("external_id").values_list(*names)) == [
        ("R1", Decimal(-30), Decimal(-18), Decimal(-24), "vendor", "S1"), ("R2", Decimal(-70), None, None, "", "S1"),
        ("S1", Decimal(100), Decimal(60), Decimal(80), "vendor", None),
    ]  # fmt: skip


def test_a_refund_may_come_in_a_later_file_and_take_nothing_back_any_more() -> None:
    take("sales", SALE)
    assert counts(take("sales", REFUNDS[0])) == (1, 0, 0)
    report = take("sales", "R1,refund,-30,EUR,-18,-24,vendor,,", "R2,refund,-80,EUR,,,,S1,")
    assert (counts(report), Sale.objects.get(external_id="R1").refund_of) == ((1, 1, 0), None)


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("A,new,5,EUR,,6,,,", "recurring_amount", "is no part of the net amount"),
        ("A,new,5,EUR,,-1,,,", "recurring_amount", "is no part of the net amount"),
        ("A,refund,-5,EUR,4,,,,", "cost", "is positive, but the row is a refund"),
        ("A,new,5,EUR,,,friend,,", "sourced", "is not one of influenced, partner, vendor"),
        ("A,new,5,EUR,,,,S1,", "refund_of", "only a row of kind “refund” takes a sale back"),
        ("A,refund,-5,EUR,,,,A,", "refund_of", "is a refund itself"),
        ("A,refund,-5,EUR,,,,R1,", "refund_of", "is a refund itself"),
        ("A,refund,-5,USD,,,,S1,", "refund_of", "is a sale in another currency, EUR"),
        ("A,refund,-5,EUR,,,,V1,", "refund_of", "is a voided sale"),
        ("A,refund,-5,EUR,,,,Z,", "refund_of", "there is no sale with this external id, neither here nor on an earlier row"),
        ("A,refund,-70.01,EUR,,,,S1,", "amount", "the refunds of S1 would come to €100.01, more than its €100.00"),
        ("S1,new,29,EUR,,,,,", "amount", "the refunds of S1 would come to €30.00, more than its €29.00"),
        ("S1,new,100,USD,,,,,", "currency", "is not that of its refunds"),
        ("S1,new,100,EUR,,,,,Deleted", "voided", "refunds of this sale stand: void them with it"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(line: str, column: str, reason: str) -> None:
    take("sales", SALE, REFUNDS[0], "V1,new,9,EUR,,,,,Deleted")
    assert refused("sales", line) == [(2, column, reason)]


def test_what_does_not_fit_a_field_that_the_file_does_not_fill_is_told() -> None:
    take("sales", SALE, REFUNDS[0])
    few = ("cost", "recurring_amount", "sourced", "refund_of", "voided")
    assert refused("sales", "S1,new,79,EUR", without=few) == [(2, "recurring_amount", "is no part of the net amount")]
    assert refused("sales", "R1,new,24,EUR", without=few) == [
        (2, "recurring_amount", "is no part of the net amount"),
        (2, "refund_of", "only a row of kind “refund” takes a sale back"),
    ]  # fmt: skip
    assert refused("sales", "R1,refund,-101,EUR", without=few)[0][1] == "amount"


def test_of_refunds_that_take_back_too_much_each_row_is_told_and_doubtful_ones_are_not() -> None:
    said = "the refunds of S1 would come to €110.00, more than its €100.00"
    assert refused("sales", SALE, "R1,refund,-30,EUR,,,,S1,", "R2,refund,-80,EUR,,,,S1,") == [
        (3, "amount", said), (4, "amount", said)
    ]  # fmt: skip
    assert refused("sales", SALE.replace("100", "a lot"), REFUNDS[0]) == [(2, "amount", "is not an amount")]


def test_a_file_voids_a_sale_keeps_it_voided_and_restores_it() -> None:
    take("sales", SALE, REFUNDS[0])
    first = Sale.objects.get(external_id="S1")
    report = take("sales", SALE + "Deleted in the ERP", REFUNDS[0] + "Deleted in the ERP")
    assert (counts(report), Sale.objects.standing().count()) == ((0, 2, 0), 0)
    voided = Sale.objects.get(external_id="S1")
    assert (voided.void_reason, voided.changed_at > first.changed_at) == ("Deleted in the ERP", True)
    assert counts(take("sales", SALE + "Deleted in the ERP")) == (0, 0, 1)
    assert counts(take("sales", "S1,new,100,EUR", without=FIELDS["sales"][4:])) == (0, 0, 1)
    assert Sale.objects.get(external_id="S1").voided_at == voided.voided_at
    assert counts(take("sales", SALE.replace("60", "61"))) == (0, 1, 0)
    assert Sale.objects.get(external_id="S1").voided_at is None
    own = Entry.objects.filter(subject=f"leads.sale:{first.pk}").order_by("id")
    assert list(own.values_list("verb", "before", "after")) == [
        ("leads.sale.voided", {}, {"sale": "S1", "note": "Deleted in the ERP"}),
        ("leads.sale.changed", {"cost": "60.0000"}, {"cost": "61"}),
        ("leads.sale.restored", {"note": "Deleted in the ERP"}, {"sale": "S1"}),
    ]  # fmt: skip


def test_a_file_with_refunds_costs_the_same_queries_for_few_and_many() -> None:
    def queries(first: int, number: int) -> int:
        lines = [f"S{one},new,100,EUR,,,,," for one in range(first, first + number)]
        lines += [f"R{one},refund,-10,EUR,,,,S{one}," for one in range(first, first + number)]
        take("sales", *lines)
        with CaptureQueriesContext(connection) as asked:
            take("sales", *(line.replace("-10", "-20") for line in lines))
        return len(asked)

    queries(0, 1)
    assert queries(1, 2) == queries(10, 40)


# --- collections and shares -----------------------------------------------------------------------


def test_collections_come_from_files() -> None:
    take("sales", SALE)
    assert counts(take("collections", "K1,S1,60,2026-06-01", "K2,S1,-5.5,2026-06-02")) == (2, 0, 0)
    assert counts(take("collections", "K1,S1,60,2026-06-03", "K2,S1,-5.5,2026-06-02")) == (0, 1, 1)
    assert list(Collection.objects.order_by("external_id").values_list("amount", "collected_on")) == [
        (Decimal(60), date(2026, 6, 3)), (Decimal("-5.5"), date(2026, 6, 2)),
    ]  # fmt: skip
    entry = Entry.objects.get(verb="leads.collection.changed")
    assert (entry.before, entry.after) == ({"collected_on": "2026-06-01"}, {"collected_on": "2026-06-03"})
    assert entry.partner_id == Sale.objects.get().partner_id
    assert refused("collections", "K3,Z,1,2026-06-01", "K4,S1,0,2026-06-01") == [
        (2, "sale", "there is no sale with this external id"), (3, "amount", "is nothing"),
    ]  # fmt: skip


def test_shares_come_from_files_and_stamp_their_sale() -> None:
    take("sales", SALE)
    for name in "89":
        make_partner(external_id=name)
    before = Sale.objects.get().changed_at
    assert counts(take("splits", "S1,7,1", "S1,8,1", "S1,9,1")) == (3, 0, 0)
    stamp = Sale.objects.get().changed_at
    assert stamp > before
    assert counts(take("splits", "S1,7,1", "S1,9,1")) == (0, 0, 2)
    assert Sale.objects.get().changed_at == stamp
    assert counts(take("splits", "S1,7,2", "S1,8,0", "S1,9,1")) == (0, 2, 1)
    assert counts(take("splits", "S1,8,0")) == (0, 0, 1)
    assert dict(Split.objects.values_list("partner__external_id", "parts")) == {"7": 2, "9": 1}
    assert list(Entry.objects.filter(verb="leads.sale.split").order_by("id").values_list("before", "after")) == [
        ({"parts": {}}, {"sale": "S1", "parts": {"7": 1, "8": 1, "9": 1}}),
        ({"parts": {"7": 1, "8": 1, "9": 1}}, {"sale": "S1", "parts": {"7": 2, "9": 1}}),
    ]  # fmt: skip
    assert refused("splits", "Z,7,1", "S1,Z,1", "S1,7,-1") == [
        (4, "parts", "is not from 0 to 32767"), (2, "sale", "there is no sale with this external id"),
        (3, "partner", "there is no partner with this external id"),
    ]  # fmt: skip


def test_a_sale_whose_row_differs_is_stamped_and_one_whose_row_does_not_is_not() -> None:
    sale = make_sale(make_partner(external_id="8"), external_id="S1", currency="EUR")
    make_collection(sale)
    take("sales", SALE)
    stamp = Sale.objects.get().changed_at
    assert stamp > sale.changed_at
    take("sales", SALE)
    assert Sale.objects.get().changed_at == stamp
