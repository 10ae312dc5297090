"""Facts from elsewhere from files, by a mapping: what is taken, what is refused, and that repeating changes nothing."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from imports import kinds
from imports.engine import bring_in
from imports.errors import ImportRefusedError, MappingError
from imports.report import Report
from journal.models import Entry
from partners.models import Partner
from records.models import PlanTarget, Record, Score
from tests.factories import make_partner
from tests.records.facts import make_award, make_record
from tiers.models import Award

pytestmark = pytest.mark.django_db

RECORDS = {
    "fields": {
        "external_id": {"column": "No"},
        "partner": {"column": "Partner"},
        "kind": {"column": "What"},
        "occurred_on": {"column": "Day", "format": "%d/%m/%Y"},
        "ends_on": {"column": "End", "format": "%d/%m/%Y"},
        "amount": {"column": "Net", "decimal": ","},
        "currency": {"constant": "EUR"},
        "attr:product": {"column": "Product"},
        "attr:line": {"column": "Line", "values": {"A": "alpha", "B": "beta"}},
    }
}
HEADER = "No,Partner,What,Day,End,Net,Product,Line\n"


def same(*names: str) -> dict[str, Any]:
    return {"fields": {name: {"column": name} for name in names}}


def take(kind: str, content: str, mapping: Any) -> Report:
    return bring_in(importer=kinds.get(kind), file=io.BytesIO(content.encode()), file_name="f.csv", mapping=mapping)


def counts(report: Report) -> tuple[int, int, int]:
    return report.added, report.changed, report.unchanged


def refused(kind: str, content: str, mapping: Any) -> list[tuple[int, str, str]]:
    """Line, column and reason of each problem; nothing was written."""
    models: tuple[Any, ...] = (Record, Score, Award, PlanTarget, Entry)
    before = [model.objects.count() for model in models]
    with pytest.raises(ImportRefusedError) as caught:
        take(kind, content, mapping)
    assert [model.objects.count() for model in models] == before
    return [(one.line, one.column, one.reason) for one in caught.value.report.problems]


@pytest.fixture(autouse=True)
def partner() -> Partner:
    make_partner(external_id="8")
    return make_partner(external_id="7")


def test_records_with_attributes_and_again(partner: Partner) -> None:
    file = HEADER + '1,7,Site Audit,05/01/2026,,"1234,5",crm,A\n2,8,site-audit,06/01/2026,07/01/2026,,,B\n'
    assert counts(take("records", file, RECORDS)) == (2, 0, 0)
    one, two = Record.objects.order_by("external_id")
    assert (one.partner, one.kind, one.occurred_on, one.ends_on) == (partner, "site-audit", date(2026, 1, 5), None)
    assert (one.amount, one.currency, one.attributes) == (Decimal("1234.5"), "EUR", {"line": "alpha", "product": "crm"})
    assert (two.amount, two.currency, two.ends_on, two.attributes) == (None, "", date(2026, 1, 7), {"line": "beta"})
    entries = Entry.objects.count()
    assert counts(take("records", file, RECORDS)) == (0, 0, 2)
    assert Entry.objects.count() == entries


def test_attributes_that_the_mapping_leaves_out_stay_and_an_empty_cell_takes_one_away() -> None:
    take("records", HEADER + "1,7,audit,05/01/2026,,,crm,A\n", RECORDS)
    mapping = same("external_id", "partner", "kind", "occurred_on", "attr:product", "attr:role")
    file = "external_id,partner,kind,occurred_on,attr:product,attr:role\n1,7,audit,2026-01-05,,lead\n"
    assert counts(take("records", file, mapping)) == (0, 1, 0)
    assert Record.objects.get().attributes == {"line": "alpha", "role": "lead"}
    entry = Entry.objects.get(verb="records.record.changed")
    assert entry.before == {"attributes": {"line": "alpha", "product": "crm"}}


def test_every_bad_row_of_records_is_named() -> None:
    file = HEADER + (
        "1,7,audit,05/01/2026,05/01/2026,1,,\n"
        "2,9,audit,05/01/2026,,1,,\n"
        "3,7,!,05/01/2026,,1,,\n"
        "4,7,audit,2026-01-05,,1,,C\n"
        "4,7,audit,05/01/2026,,x,,\n"
        "5,7,audit,05/01/2026,,1,,\n"
        "5,7,audit,05/01/2026,,1,,\n"
    )
    assert refused("records", file, RECORDS) == [
        (4, "What", "is not a code: small letters, digits and hyphens"),
        (5, "Day", "is not a date written as %d/%m/%Y"),
        (5, "Line", "is not one of the mapping's values: A, B"),
        (6, "Net", "is not an amount"),
        (8, "No", "stands on line 7 already"),
        (3, "Partner", "there is no partner with this external id"),
        (2, "End", "It ends after it starts."),
    ]


def test_a_row_that_fills_a_part_of_a_record_is_checked_with_the_rest_of_it(partner: Partner) -> None:
    make_record(partner, external_id="1", starts_on=date(2026, 3, 1))
    mapping = same("external_id", "partner", "kind", "occurred_on", "ends_on", "amount")
    file = "external_id,partner,kind,occurred_on,ends_on,amount\n1,7,audit,2026-01-01,2026-02-01,5\n"
    assert refused("records", file, mapping) == [
        (2, "currency", "An amount comes with its currency."), (2, "ends_on", "It ends after it starts."),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["attr:Big", "attr:", "attr:a__b", "trait:x", "colour"])
def test_a_field_that_cannot_be_is_refused_before_the_file_is_read(name: str) -> None:
    mapping = {"fields": {**RECORDS["fields"], name: {"column": "Line"}}}
    with pytest.raises(MappingError) as caught:
        take("records", HEADER, mapping)
    assert f"There is no field “{name}” here." in str(caught.value)
    assert str(caught.value).endswith("quantity, attr:….")


def test_scores_are_known_by_partner_kind_scope_and_day() -> None:
    mapping = same("partner", "kind", "value", "scored_on", "scope")
    header = "partner,kind,value,scored_on,scope\n"
    file = header + "7,CSAT,4.5,2026-01-01,\n7,csat,4,2026-01-01,FR\n8,csat,-1.25,2026-01-01,\n"
    assert counts(take("scores", file, mapping)) == (3, 0, 0)
    assert counts(take("scores", file, mapping)) == (0, 0, 3)
    assert counts(take("scores", header + "7,csat,5,2026-01-01,\n", mapping)) == (0, 1, 0)
    assert sorted(Score.objects.values_list("partner__external_id", "scope", "value")) == [
        ("7", "", Decimal(5)), ("7", "FR", Decimal(4)), ("8", "", Decimal("-1.25")),
    ]  # fmt: skip
    twice = header + "7,csat,5,2026-02-01,\n7,csat,6,2026-02-02,\n7,csat,7,2026-02-01,\n"
    assert refused("scores", twice, mapping) == [(4, "", "stands on line 2 already")]


def test_scores_without_a_scope_column() -> None:
    mapping = same("partner", "kind", "value", "scored_on")
    file = "partner,kind,value,scored_on\n7,csat,4.5,2026-01-01\n"
    assert [counts(take("scores", file, mapping)) for _twice in range(2)] == [(1, 0, 0), (0, 0, 1)]


def test_awards_are_held_elsewhere_and_others_are_not_touched(partner: Partner) -> None:
    granted = make_award(partner, code="cloud")
    mapping = same("external_id", "partner", "code", "starts_on", "ends_on", "grade", "issuer")
    header = "external_id,partner,code,starts_on,ends_on,grade,issuer\n"
    file = header + "E1,7,Cloud Expert,2026-01-01,,gold,Vendor\n"
    assert [counts(take("awards", file, mapping)) for _twice in range(2)] == [(1, 0, 0), (0, 0, 1)]
    one = Award.objects.get(external_id="E1")
    assert (one.origin, one.code, one.grade, one.issuer, one.author) == (
        "imported",
        "cloud-expert",
        "gold",
        "Vendor",
        None,
    )
    assert refused("awards", header + "E1,7,cloud-expert,2026-01-01,2025-12-31,,\n", mapping) == [
        (2, "ends_on", "It ends after it starts.")
    ]
    granted.refresh_from_db()
    assert granted.origin == "granted"


def test_plan_targets_are_amounts_or_quantities() -> None:
    mapping = same("partner", "key", "starts_on", "ends_on", "amount", "quantity")
    mapping["fields"]["currency"] = {"constant": "USD"}
    header = "partner,key,starts_on,ends_on,amount,quantity\n"
    file = header + "7,revenue,2026-01-01,2027-01-01,50000,\n7,people,2026-01-01,2027-01-01,,3\n"
    assert [counts(take("plan_targets", file, mapping)) for _twice in range(2)] == [(2, 0, 0), (0, 0, 2)]
    held = PlanTarget.objects.order_by("key").values_list("key", "amount", "currency", "quantity", "author")
    assert list(held) == [("people", None, "", Decimal(3), None), ("revenue", Decimal(50000), "USD", None, None)]
    bad = header + "7,a,2026-01-01,2026-01-01,1,\n7,b,2026-01-01,2026-02-01,,\n"
    assert refused("plan_targets", bad, mapping) == [
        (2, "ends_on", "It ends after it starts."),
        (3, "amount", "Give an amount with its currency, or a quantity: one of them."),
    ]


def test_traits_are_texts_or_lists_and_those_left_out_stay(partner: Partner) -> None:
    Partner.objects.filter(pk=partner.pk).update(traits={"track": "build", "old": "x"})
    mapping = same("external_id", "trait:segment", "trait:product_lines", "trait:old")
    header = "external_id,trait:segment,trait:product_lines,trait:old\n"
    file = header + "7,enterprise,search | video|search,\n8,,,\n"
    assert counts(take("traits", file, mapping)) == (0, 1, 1)
    assert counts(take("traits", file, mapping)) == (0, 0, 2)
    partner.refresh_from_db()
    assert partner.traits == {"track": "build", "segment": "enterprise", "product_lines": ["search", "video"]}
    entry = Entry.objects.get(verb="partners.partner.changed")
    assert (entry.partner_id, entry.before) == (partner.pk, {"traits": {"track": "build", "old": "x"}})
    assert refused("traits", header + "9,a,,\n7,a,,\n7,b,,\n", mapping) == [
        (4, "external_id", "stands on line 3 already"),
        (2, "external_id", "there is no partner with this external id"),
    ]


@pytest.mark.parametrize("name", ["trait:tier", "trait:country", "trait:Segment"])
def test_a_trait_that_rules_know_already_is_refused(name: str) -> None:
    with pytest.raises(MappingError):
        take("traits", f"external_id,{name}\n", same("external_id", name))
