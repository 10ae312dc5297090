"""Files as people send them: what is taken, what is refused, and what people read about it."""

import gzip
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from imports import jobs, kinds, services
from imports.engine import BATCH, bring_in
from imports.errors import FileError, ImportRefusedError, MappingError
from imports.models import Import
from imports.report import Report
from journal.models import Entry
from leads.models import Product, Sale
from partners.models import Location, Member, Partner
from tests.factories import make_member, make_partner, make_sale, make_staff
from training.models import Certificate, Certification

pytestmark = pytest.mark.django_db

SALES = {
    "fields": {
        "external_id": {"column": "Invoice"},
        "partner": {"column": "Partner"},
        "sold_on": {"column": "Date"},
        "amount": {"column": "Amount"},
        "quantity": {"column": "Qty", "default": "1"},
        "currency": {"constant": "EUR"},
    }
}
PARTNERS = {
    "fields": {
        "external_id": {"column": "Id"},
        "name": {"column": "Name"},
        "joined_on": {"constant": "2024-01-01"},
        "city": {"column": "City"},
        "country": {"column": "Country"},
    }
}
HEADER = "Invoice,Partner,Date,Amount,Qty\n"


def take(kind: str, content: str | bytes, mapping: Any, **over: Any) -> Report:
    data = content.encode() if isinstance(content, str) else content
    return bring_in(importer=kinds.get(kind), file=io.BytesIO(data), file_name="file.csv", mapping=mapping, **over)


def counts(report: Report) -> tuple[int, int, int]:
    return report.added, report.changed, report.unchanged


def refused(kind: str, content: str | bytes, mapping: Any) -> list[tuple[int, str, str, str]]:
    """The problems of a file that is refused, and nothing was written."""
    before = [model.objects.count() for model in (Partner, Member, Product, Sale, Certificate, Entry)]
    with pytest.raises(ImportRefusedError) as caught:
        take(kind, content, mapping)
    assert before == [model.objects.count() for model in (Partner, Member, Product, Sale, Certificate, Entry)]
    report = caught.value.report
    assert report.problem_count == len(report.problems)
    return [(one.line, one.column, one.value, one.reason) for one in report.problems]


def workbook(*rows: Any, title: str = "Sheet") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# --- what is taken -------------------------------------------------------------------------------


def test_rows_are_added_then_left_alone_then_changed_with_a_journal_entry() -> None:
    partner = make_partner(external_id="7")
    assert counts(take("sales", HEADER + "A1,7,2026-01-05,100.10,2\nA2,7,2026-01-06,5,1\n", SALES)) == (2, 0, 0)
    assert counts(take("sales", HEADER + "A1,7,2026-01-05,100.1000,2\nA2,7,2026-01-06,5.0,1\n", SALES)) == (0, 0, 2)
    assert not Entry.objects.filter(verb="leads.sale.changed").exists()
    staff = make_staff()
    report = take(
        "sales", HEADER + "A1,7,2026-01-05,100.20,2\nA2,7,2026-01-06,5,1\nA3,7,2026-01-07,1,1\n", SALES, actor=staff
    )
    assert counts(report) == (1, 1, 1)
    sale = Sale.objects.get(external_id="A1")
    assert (sale.amount, sale.currency, sale.partner, sale.sold_on) == (
        Decimal("100.20"),
        "EUR",
        partner,
        date(2026, 1, 5),
    )
    entry = Entry.objects.get(verb="leads.sale.changed")
    assert (entry.subject, entry.partner_id, entry.actor) == (f"leads.sale:{sale.pk}", partner.pk, staff)
    assert (entry.before, entry.after) == ({"amount": "100.1000"}, {"amount": "100.20"})


def test_a_changed_row_is_stamped_and_fields_that_are_not_mapped_stay() -> None:
    sale = make_sale(
        make_partner(external_id="7"), external_id="A1", customer_name="Zoé", cost=Decimal(3), currency="EUR"
    )
    take("sales", HEADER + "A1,7,2026-01-01,90,1\n", SALES)
    again = Sale.objects.get(external_id="A1")
    assert (again.pk, again.amount, again.customer_name, again.cost) == (sale.pk, 90, "Zoé", 3)
    assert again.changed_at > sale.changed_at
    assert again.created_at == sale.created_at


def test_a_sale_may_go_to_another_partner() -> None:
    make_sale(make_partner(external_id="7"), external_id="A1", currency="EUR")
    other = make_partner(external_id="8")
    assert counts(take("sales", HEADER + "A1,8,2026-01-01,100,1\n", SALES)) == (0, 1, 0)
    assert Sale.objects.get().partner == other


@pytest.mark.parametrize(
    "content",
    [
        "Id;Name;City;Country\n1;Vélos d’Été;Orléans;FR\n".encode(),
        "\ufeffId;Name;City;Country\r\n1;Vélos d’Été;Orléans;FR\r\n".encode(),
        "Id;Name;City;Country\n1;Vélos d’Été;Orléans;FR".encode("cp1252"),
        "Id\tName\tCity\tCountry\n1\tVélos d’Été\tOrléans\tfr\n".encode("utf-16"),
        gzip.compress('Id,Name,City,Country\n1,"Vélos d’Été",Orléans,FR\n\n,,,\n'.encode()),
        workbook(["Id", "Name", "City", "Country"], [1, "Vélos d’Été", "Orléans", "FR"], [None, None]),
        workbook(["Id", "Name", "City", "Country"], [1.0, "  Vélos d’Été ", "Orléans", "FR", None]),
    ],
    ids=["utf-8", "bom-crlf", "windows", "utf-16", "gz-blank-lines", "xlsx", "xlsx-floats"],
)
def test_accents_survive_every_way_a_file_is_written(content: bytes) -> None:
    assert counts(take("partners", content, PARTNERS)) == (1, 0, 0)
    partner = Partner.objects.get()
    assert (partner.external_id, partner.name, partner.slug) == ("1", "Vélos d’Été", "velos-dete")
    location = Location.objects.get()
    assert (location.city, location.country, location.accuracy) == ("Orléans", "FR", "city")
    assert (location.latitude, location.longitude) == (47.902, 1.904)


def test_excel_cells_are_read_as_they_are_seen() -> None:
    make_partner(external_id="7")
    content = workbook(
        ["Invoice", "Partner", "Date", "Amount", "Qty"],
        ["A1", 7, datetime(2026, 1, 5), 0.1 + 0.2, 2],  # noqa: DTZ001
        ["A2", "7", "2026-01-06T10:00:00", "12.5", None],
    )
    take("sales", content, SALES)
    assert list(Sale.objects.order_by("external_id").values_list("sold_on", "amount", "quantity")) == [
        (date(2026, 1, 5), Decimal("0.3"), 2),
        (date(2026, 1, 6), Decimal("12.5"), 1),
    ]


def test_a_mapping_says_how_columns_are_written() -> None:
    make_partner(external_id="7")
    mapping = {
        "file": {"delimiter": "|", "encoding": "latin-1"},
        "fields": {
            "external_id": {"columns": ["Order", "Line"], "join": "-"},
            "partner": {"constant": "7"},
            "sold_on": {"column": "Day", "format": "%d/%m/%Y", "shift_months": 1},
            "amount": {"column": "Net", "decimal": ","},
            "currency": {"column": "Cur", "values": {"€": "EUR", "E": "EUR"}, "default": "USD"},
            "kind": {"column": "Type", "values": {"R": "refund", "N": "new"}, "default": "new"},
            "quantity": {"column": "Qty"},
        },
    }
    rows = "Order|Line|Day|Net|Cur|Type|Qty\nO1|1|31/01/2026|1 234,50|E|N|3\nO1|2|31/01/2026|-1.234,50||R|-3\n"
    take("sales", rows, mapping)
    fields = ("external_id", "sold_on", "amount", "currency", "kind", "quantity")
    assert list(Sale.objects.order_by("external_id").values_list(*fields)) == [
        ("O1-1", date(2026, 2, 28), Decimal("1234.50"), "EUR", "new", 3),
        ("O1-2", date(2026, 2, 28), Decimal("-1234.50"), "USD", "refund", -3),
    ]


def test_quoted_cells_may_hold_separators_quotes_and_line_ends_and_lines_are_still_told_right() -> None:
    content = 'Id,Name,City,Country\n1,"Smith, ""Bob""\n& Sons",Paris,FR\n2,Other,Paris,France\n'
    problems = refused("partners", content, PARTNERS)
    assert problems == [(4, "Country", "France", "is longer than 2 characters")]
    take("partners", content.replace("France", "FR"), PARTNERS)
    assert Partner.objects.get(external_id="1").name == 'Smith, "Bob"\n& Sons'


def test_partners_of_one_name_get_pages_of_their_own_and_keep_them() -> None:
    make_partner(slug="bike-store")
    rows = "Id,Name,City,Country\n1,Bike Store,Lyon,FR\n2,Bike  Store,Lyon,FR\n3,自転車,,\n"
    take("partners", rows, PARTNERS)
    slugs = Partner.objects.exclude(slug="bike-store").order_by("external_id").values_list("slug", flat=True)
    assert list(slugs) == ["bike-store-1", "bike-store-2", "partner"]
    report = take("partners", rows.replace("Bike  Store", "Bicycle Store"), PARTNERS)
    assert counts(report) == (0, 1, 2)
    assert Partner.objects.get(external_id="2").slug == "bike-store-2"


def test_who_cannot_be_placed_is_listed_and_not_dropped() -> None:
    report = take("partners", "Id,Name,City,Country\n1,A,Chalk Riber,CA\n2,B,,\n3,C,Lyon,FR\n", PARTNERS)
    assert report.notices == ["A is not placed: Chalk Riber, CA.", "B is not placed: no address."]
    accuracies = Location.objects.order_by("partner__external_id").values_list("accuracy", flat=True)
    assert list(accuracies) == ["unknown", "unknown", "city"]


def test_a_partner_that_moves_is_placed_anew_and_coordinates_that_staff_set_stay() -> None:
    take("partners", "Id,Name,City,Country\n1,A,Lyon,FR\n2,B,Lyon,FR\n", PARTNERS)
    Location.objects.filter(partner__external_id="2").update(latitude=45.5, longitude=4.5, accuracy="exact")
    report = take("partners", "Id,Name,City,Country\n1,A,Nice,FR\n2,B,Lyon,FR\n", PARTNERS)
    assert counts(report) == (0, 1, 1)
    assert list(Location.objects.order_by("partner__external_id").values_list("latitude", "accuracy")) == [
        (43.703, "city"),
        (45.5, "exact"),
    ]
    entry = Entry.objects.get(verb="partners.partner.changed")
    assert (entry.before["city"], entry.after["city"]) == ("Lyon", "Nice")


def test_given_coordinates_are_exact_and_come_together() -> None:
    mapping = {"fields": {**PARTNERS["fields"], "latitude": {"column": "Lat"}, "longitude": {"column": "Lon"}}}
    header = "Id,Name,City,Country,Lat,Lon\n"
    assert refused("partners", header + "1,A,Lyon,FR,45.7,\n2,B,Lyon,FR,91,0\n", mapping) == [
        (3, "Lat", "91", "is not from -90 to 90"),
        (2, "Lat", "45.7", "latitude and longitude come together"),
    ]
    take("partners", header + "1,A,Lyon,FR,45.7001,4.8002\n", mapping)
    location = Location.objects.get()
    assert (location.latitude, location.longitude, location.accuracy) == (45.7001, 4.8002, "exact")


def test_members_and_certificates() -> None:
    make_partner(external_id="7")
    members = {
        "fields": {
            "external_id": {"column": "id"}, "partner": {"column": "partner"}, "name": {"column": "name"},
            "job": {"column": "job"}, "joined_on": {"column": "from"}, "left_on": {"column": "to"},
        }
    }  # fmt: skip
    header = "id,partner,name,job,from,to\n"
    assert refused("members", header + "m1,7,Zoé,sales,2026-01-02,2026-01-01\nm2,9,A,boss,2026-01-01,\n", members) == [
        (3, "job", "boss", "is not one of finance, management, marketing, other, sales, technical"),
        (2, "to", "2026-01-01", "is before the day the person joined"),
    ]
    take("members", header + "m1,7,Zoé,Sales,2026-01-02,\nm2,7,A,technical,2026-01-01,2026-01-01\n", members)
    assert list(Member.objects.order_by("external_id").values_list("name", "job", "role", "left_on")) == [
        ("Zoé", "sales", "sales", None),
        ("A", "technical", "sales", date(2026, 1, 1)),
    ]
    certificates = {
        "fields": {
            "external_id": {"column": "id"}, "member": {"column": "member"}, "certification": {"column": "course"},
            "awarded_on": {"column": "on"},
        }
    }  # fmt: skip
    Certification.objects.create(code="sales-101", name={"en": "Sales"}, valid_months=12)
    report = take(
        "certificates", "id,member,course,on\nc1,m1,SALES 101,2026-02-28\nc2,m1,New Course,2026-01-01\n", certificates
    )
    assert report.notices == ["The certification “new-course” was not known, and was created."]
    assert list(Certificate.objects.order_by("external_id").values_list("certification__code", "expires_on")) == [
        ("sales-101", date(2027, 2, 28)),
        ("new-course", None),
    ]
    assert counts(take("certificates", "id,member,course,on\nc1,m1,sales-101,2026-02-28\n", certificates)) == (0, 0, 1)
    assert refused("certificates", "id,member,course,on\nc3,m9,sales-101,2026-02-28\n", certificates) == [
        (2, "member", "m9", "there is no person with this external id")
    ]


def test_certificates_expire_after_their_award() -> None:
    make_member(make_partner(), external_id="m1")
    fields = ("external_id", "member", "certification", "awarded_on", "expires_on")
    mapping = {"fields": {name: {"column": name} for name in fields}}
    rows = ",".join(fields) + "\nc1,m1,a,2026-02-28,2026-02-28\n"
    assert refused("certificates", rows, mapping) == [
        (2, "expires_on", "2026-02-28", "is not after the day of the award")
    ]


# --- what is refused -----------------------------------------------------------------------------


def test_every_bad_row_is_told_with_line_column_value_and_reason() -> None:
    make_partner(external_id="7")
    rows = (
        "A1,7,2026-01-05,100,1\n"
        "A2,7,05/01/2026,100,1\n"
        "A3,7,2026-01-05,100,-1\n"
        "A4,999,2026-01-05,100,1\n"
        "A1,7,2026-01-05,100,1\n"
        "A6,7,2026-02-30,ten,1.5\n"
        ",7,2026-01-05,100,1\n"
        "A8,7,2026-01-05,-100,1\n"
        "A9,7,2026-01-05,1.23456,1\n"
        "A10,7,0202-01-05,NaN,1\n"
        "A11,7,2026-01-05\n"
        "A12,7,2026-01-05,1,234.50,1\n"
        "A13,7,2026-01-05,1e30,99999999999\n"
    )
    assert sorted(refused("sales", HEADER + rows, SALES)) == [
        (3, "Date", "05/01/2026", "is not a date written as 2020-05-31"),
        (4, "Qty", "-1", "is negative; only in a row of kind “refund” may it be"),
        (5, "Partner", "999", "there is no partner with this external id"),
        (6, "Invoice", "A1", "stands on line 2 already"),
        (7, "Amount", "ten", "is not an amount"),
        (7, "Date", "2026-02-30", "is not a date written as 2020-05-31"),
        (7, "Qty", "1.5", "is not a whole number"),
        (8, "Invoice", "", "is empty"),
        (9, "Amount", "-100", "is negative; only a row of kind “refund” may be"),
        (10, "Amount", "1.23456", "has more than four decimals"),
        (11, "Amount", "NaN", "is not an amount that this system can hold"),
        (11, "Date", "0202-01-05", "is not a date from 1900 to 2199"),
        (12, "", "", "has 3 cells, the first line has 5"),
        (13, "", "", "has 6 cells, the first line has 5; is a text with a separator not quoted?"),
        (14, "Amount", "1e30", "is not an amount that this system can hold"),
        (14, "Qty", "99999999999", "is not from -2147483647 to 2147483647"),
    ]


@pytest.mark.parametrize(
    ("cell", "decimal", "amount"),
    [
        ("1234.5", "", "1234.5"),
        ("1,234.50", "", "1234.50"),
        ("1,234,567", "", "1234567"),
        ("1,234", ".", "1234"),
        ("1,234", ",", "1.234"),
        ("1.234,5", ",", "1234.5"),
        ("1\u202f234,5", ",", "1234.5"),
        ("1'234.5", "", "1234.5"),
        ("1,234", "", None),
        ("1234,50", "", None),
        ("", "", None),
        ("12€", "", None),
    ],
)
def test_amounts_are_read_as_they_are_meant_or_refused(cell: str, decimal: str, amount: str | None) -> None:
    make_partner(external_id="7")
    column = {"column": "Amount", **({"decimal": decimal} if decimal else {})}
    mapping = {"fields": {**SALES["fields"], "amount": column}}
    content = HEADER + f'A1,7,2026-01-05,"{cell}",1\n'
    if amount is None:
        assert [(line, name) for line, name, _value, _reason in refused("sales", content, mapping)] == [(2, "Amount")]
    else:
        take("sales", content, mapping)
        assert Sale.objects.get().amount == Decimal(amount)


def test_a_refund_is_not_positive() -> None:
    make_partner(external_id="7")
    mapping = {"fields": {**SALES["fields"], "kind": {"constant": "refund"}}}
    assert refused("sales", HEADER + "A1,7,2026-01-05,5,-1\n", mapping) == [
        (2, "Amount", "5", "is positive, but the row is a refund")
    ]


def test_a_duplicate_is_found_across_batches_and_the_first_rows_are_taken_back() -> None:
    make_partner(external_id="7")
    rows = [f"A{number},7,2026-01-05,1,1\n" for number in range(BATCH + 10)]
    problems = refused("sales", HEADER + "".join(rows) + "A5,7,2026-01-05,1,1\n", SALES)
    assert problems == [(BATCH + 12, "Invoice", "A5", "stands on line 7 already")]


def test_the_list_of_bad_rows_is_short_and_the_count_is_not() -> None:
    make_partner(external_id="7")
    with pytest.raises(ImportRefusedError, match="1,?000 rows or values are bad; nothing was written") as caught:
        take("sales", HEADER + "".join(f"A{n},7,never,1,1\n" for n in range(1000)), SALES)
    shown = caught.value.report.problems_as_json()
    assert (len(shown), shown[-1]["line"], shown[-1]["reason"]) == (201, None, "and 800 more")


def test_a_missing_column_is_named_with_the_columns_there_are() -> None:
    with pytest.raises(MappingError) as caught:
        take("sales", "Invoice,Partner,Day,Amount,Qty\n", SALES)
    assert str(caught.value) == "The file has no column “Date”. It has: Invoice, Partner, Day, Amount, Qty."
    with pytest.raises(MappingError, match="The file has the column “Date” twice"):
        take("sales", "Invoice,Partner,Date,Date,Amount,Qty\n", SALES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The first line is empty; it must name the columns."),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This is a binary file."),
        (b"Invoice\n" + b"x" * 3_000_000 + b"\x00", "This is a binary file."),
        (b"PK\x03\x04 not a workbook", "This is not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0 an old one", r"This is an old Excel file \(.xls\)"),
        (gzip.compress(b"Invoice,Partner\n" * 500)[:-20], "The file is damaged"),
        (b"Invoice,Partner\n\x81\x8d\n", "Line 2 is not written in utf-8."),
        ("Id;Name\n1;Zoé\n2;Chloé\n3;Ren".encode() + b"\xe9\n", "Line 4 is not written in utf-8."),
    ],
    ids=["empty", "blank", "png", "late-nul", "zip", "xls", "cut-gz", "unknown-letters", "utf-8-with-a-wrong-byte"],
)
def test_what_is_not_a_table_is_said_to_be_none(content: bytes, said: str) -> None:
    with pytest.raises(FileError, match=said):
        take("sales", content, SALES)


def test_an_open_quotation_mark_loses_no_row_in_silence() -> None:
    problems = refused("partners", 'Id,Name,City,Country\n1,"A,Lyon,FR\n2,B,Lyon,FR\n', PARTNERS)
    assert [(line, "quotation mark" in reason) for line, _column, _value, reason in problems] == [(2, True)]


def test_a_file_over_the_limit_is_refused_before_it_is_read(settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 2 * 1024 * 1024

    class Unread(io.BytesIO):
        def read(self, *args: Any) -> bytes:
            raise AssertionError("read")

    with pytest.raises(FileError, match=r"The file has 3\.0 MB; an import may have 2\.0 MB at most"):
        bring_in(importer=kinds.get("sales"), file=Unread(b"x" * 3 * 1024 * 1024), file_name="x", mapping=SALES)


def test_a_small_archive_of_a_huge_file_is_refused(settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1024 * 1024
    with pytest.raises(FileError, match="Unpacked, the file is larger"):
        take("sales", gzip.compress(b"Invoice\n" + b"x\n" * 1024 * 1024), SALES)
    with pytest.raises(FileError, match="Unpacked, the file is larger"):
        take("sales", workbook(*[["0123456789" * 20, number] for number in range(20_000)]), SALES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": {"column": "C"}}, "There is no field “colour” here. The fields are: external_id, partner"),
        ({"amount": None}, "The mapping must say where “amount” comes from."),
        ({"amount": {}}, "fields.amount: give exactly one of “column”, “columns” and “constant”."),
        ({"amount": {"column": "A", "constant": "1"}}, "fields.amount: give exactly one of"),
        ({"amount": {"column": 3}}, "fields.amount.column: 3 is not of type 'string'"),
        ({"amount": {"column": "A", "format": "d/m/y"}}, "fields.amount.format: 'd/m/y' does not match '%'"),
        ({"amount": {"column": "A", "comma": True}}, "fields.amount: Additional properties are not allowed"),
    ],
)
def test_a_mapping_that_does_not_fit_says_where(change: dict[str, Any], said: str) -> None:
    fields = {name: column for name, column in {**SALES["fields"], **change}.items() if column is not None}
    with pytest.raises(MappingError) as caught:
        take("sales", HEADER, {"fields": fields})
    assert said in str(caught.value)


@pytest.mark.parametrize("mapping", [None, [], "x", {}, {"fields": {}}, {"fields": SALES["fields"], "more": 1}])
def test_a_mapping_of_another_shape_is_refused(mapping: Any) -> None:
    with pytest.raises(MappingError):
        take("sales", HEADER, mapping)


def test_a_mapping_may_name_a_sheet() -> None:
    mapping = {"file": {"sheet": "Sales"}, "fields": SALES["fields"]}
    with pytest.raises(FileError, match="The workbook has no sheet “Sales”; it has: Other."):
        take("sales", workbook(HEADER.strip().split(","), title="Other"), mapping)
    assert take("sales", workbook(HEADER.strip().split(","), title="Sales"), mapping).rows == 0


def test_an_unknown_encoding_and_kind_are_named() -> None:
    with pytest.raises(FileError, match="“klingon” is not an encoding"):
        take("sales", HEADER, {"file": {"encoding": "klingon"}, "fields": SALES["fields"]})
    with pytest.raises(MappingError, match="There is no import of “pets”. There are: partners, products, sales"):
        kinds.get("pets")


# --- size ----------------------------------------------------------------------------------------


def test_queries_do_not_grow_with_rows() -> None:
    make_partner(external_id="7")

    def queries(first: int, rows: int) -> int:
        """Reads, and statements that add. SQLite takes so few parameters that changed rows go in several statements."""
        content = HEADER + "".join(f"A{first + n},7,2026-01-05,1,1\n" for n in range(rows))
        with CaptureQueriesContext(connection) as captured:
            take("sales", content, SALES)
            take("sales", content, SALES)
            take("sales", content.replace(",1,1", ",2,1"), SALES)
        return sum("ON CONFLICT" not in one["sql"] and "journal_entry" not in one["sql"] for one in captured)

    assert queries(0, 2) == queries(1000, 400)


def test_progress_tells_rows_read_and_about_how_many_there_are() -> None:
    make_partner(external_id="7")
    told: list[tuple[int, int | None]] = []
    rows = "".join(f"A{n},7,2026-01-05,1,1\n" for n in range(BATCH + 1))
    take("sales", HEADER + rows, SALES, progress=lambda read, total: told.append((read, total)))
    assert told == [(BATCH, BATCH + 1), (BATCH + 1, BATCH + 1)]


# --- uploads -------------------------------------------------------------------------------------


def upload(content: str, kind: str = "sales", mapping: Any = SALES) -> Import:
    file = SimpleUploadedFile("été.csv", content.encode())
    return services.upload(kind=kind, file=file, mapping=mapping, actor=make_staff())


def test_an_upload_is_worked_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    make_partner(external_id="7")
    with django_capture_on_commit_callbacks(execute=True):
        one = upload(HEADER + "A1,7,2026-01-05,100,1\n")
        assert one.state == Import.State.WAITING
    one.refresh_from_db()
    assert (one.state, one.rows_read, one.rows_total, one.added, one.problems) == (Import.State.DONE, 1, 1, 1, [])
    assert one.finished_at is not None
    assert one.finished_at <= datetime.now(UTC)
    assert services.progress(one) == (1, 1)
    assert Entry.objects.get(verb="imports.file.taken").actor == one.created_by
    Sale.objects.all().delete()
    services.run(one.pk)  # a task that comes twice
    assert not Sale.objects.exists()


def test_an_upload_with_bad_rows_tells_them(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        one = upload(HEADER + "A1,7,2026-01-05,100,1\n")
    one.refresh_from_db()
    assert one.state == Import.State.REFUSED
    assert [problem["reason"] for problem in one.problems] == [
        "1 row or value is bad; nothing was written.",
        "there is no partner with this external id",
    ]


def test_an_upload_of_no_table_tells_why(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        one = upload("\x00\x01\x02\x03")
    one.refresh_from_db()
    assert one.state == Import.State.REFUSED
    assert one.problems[0]["reason"].startswith("This is a binary file.")


def test_an_upload_that_cannot_work_keeps_nothing(settings: Any) -> None:
    with pytest.raises(MappingError):
        upload(HEADER, mapping={"fields": {}})
    settings.IMPORT_MAX_BYTES = 10
    with pytest.raises(FileError, match="an import may have"):
        upload(HEADER)
    assert not Import.objects.exists()


def test_progress_is_read_from_the_cache_while_an_import_runs(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=False):
        one = upload(HEADER)
    one.state = Import.State.RUNNING
    cache.set(f"imports.progress.{one.pk}", (2000, 5000))
    assert services.progress(one) == (2000, 5000)


def test_an_import_that_a_dead_worker_left_is_taken_up_again() -> None:
    make_partner(external_id="7")
    one = upload(HEADER + "A1,7,2026-01-05,100,1\n")  # its task is lost
    Import.objects.filter(pk=one.pk).update(state=Import.State.RUNNING)
    jobs.resume_imports()
    assert not Sale.objects.exists()  # it is young: a worker may be about to take it
    Import.objects.filter(pk=one.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    cache.set(f"imports.progress.{one.pk}", (2000, 5000))
    jobs.resume_imports()
    assert not Sale.objects.exists()  # someone is at work
    cache.delete(f"imports.progress.{one.pk}")
    jobs.resume_imports()
    one.refresh_from_db()
    assert (one.state, Sale.objects.count()) == (Import.State.DONE, 1)


def test_a_fault_is_told_to_the_person_and_raised_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    one = upload(HEADER + "A1,7,2026-01-05,1,1\n")

    def broken(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(kinds.get("sales"), "check", broken)
    with pytest.raises(ZeroDivisionError):
        services.run(one.pk)
    one.refresh_from_db()
    assert one.state == Import.State.REFUSED
    assert one.problems[0]["reason"] == (
        "The import failed for a reason that lies with this system. Nothing was written."
    )


def test_the_documented_example_is_taken_as_it_stands() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/imports.md").read_text(encoding="utf-8")
    content, mapping = (page.split(f"```{kind}\n")[1].split("```")[0] for kind in ("csv", "json"))
    make_partner(external_id="7")
    Product.objects.create(external_id="BK-R93R", name={"en": "Bike"})
    assert counts(take("sales", content.encode("cp1252"), json.loads(mapping))) == (3, 0, 0)
    assert list(
        Sale.objects.order_by("external_id").values_list("external_id", "sold_on", "quantity", "amount", "kind")
    ) == [
        ("F2026-118-1", date(2026, 1, 5), 3, Decimal("1234.50"), "new"),
        ("F2026-118-2", date(2026, 1, 5), 1, Decimal("80.00"), "new"),
        ("F2026-131-1", date(2026, 1, 19), -1, Decimal("-411.50"), "refund"),
    ]
    for importer in kinds.everything():
        row = next(line for line in page.splitlines() if line.startswith(f"| {importer.kind} |"))
        for field in importer.fields:
            assert (f"**{field.name}**" if field.required else f" {field.name}") in row
