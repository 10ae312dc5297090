"""The same facts, edition and day give the same bytes of explanation: in any chunk size, any order of insertion, on any
database. The digest was recorded once; both databases have to come to it."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.commissions.facts import run_night
from tests.tiers.generated_facts import nights
from tests.tiers.oracle_facts import Night
from tests.tiers.oracle_windows import Partner
from tests.tiers.stored import store
from tiers import explaining
from tiers.models import Evaluation

pytestmark = pytest.mark.django_db
DAY = date(2024, 2, 29)
HEALTH = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def explained(night: Night, *, chunk_size: int, shuffle: int) -> dict[str, str]:
    """The explanation of every partner as text; what was stored for it is taken back."""
    with transaction.atomic():
        run_night(store(night, shuffle), night.day, chunk_size=chunk_size)
        evaluations = Evaluation.objects.filter(evaluated_on=night.day, enrollment__program__slug="generated")
        found = {
            one.enrollment.partner.external_id: explaining.as_text(explaining.explanation(one))
            for one in evaluations.select_related("enrollment__partner", "edition__program")
        }
        transaction.set_rollback(True)
    return found


@settings(max_examples=20, deadline=None, suppress_health_check=HEALTH, report_multiple_bugs=False)
@given(night=nights(), chunk_size=st.integers(1, 7), shuffle=st.integers(1, 1000))
def test_chunks_and_the_order_of_insertion_change_no_byte(night: Night, chunk_size: int, shuffle: int) -> None:
    assert explained(night, chunk_size=1000, shuffle=0) == explained(night, chunk_size=chunk_size, shuffle=shuffle)


def fixed() -> Night:
    """One case by hand: fractions that no decimal holds, dirty text, several currencies, a split measure, ranks, a span."""
    year = {"last": 12, "unit": "months"}
    measures = [
        _measure("revenue", aggregate="sum", dataset="sales", field="amount", window=year),
        _measure("typical", aggregate="average", dataset="sales", field="amount", window={"kind": "lifetime"}),
        _measure("middle", aggregate="median", dataset="sales", field="amount", window={"kind": "lifetime"}),
        _measure("by-customer", aggregate="sum", dataset="sales", field="amount", window=year, by="customer_name"),
        _measure("seats", aggregate="count", dataset="live_records", window={"kind": "today"}, by="attr:region"),
        _measure("per-sale", ratio=["revenue", "typical"]),
        _measure("place", rank="revenue", within="country", **{"as": "share"}),
        _measure("months", tenure="enrollment", unit="months"),
    ]
    earn = {"all": [
        {"measure": "revenue", "is": "at_least", "value": "40.99",
         "cases": [{"when": {"partner": "country_group", "is": "in", "value": ["growth"]}, "value": 20}]},
        {"for_each": {"measure": "by-customer", "is": "more_than", "value": 0}, "at_least": 2,
         "rule": {"measure": "by-customer", "is": "at_least", "value": 5}},
        {"unbroken": {"last": 30, "unit": "days"}, "key": "steady", "rule": {"measure": "months", "is": "at_least", "value": 1}},
    ]}  # fmt: skip
    edition: dict[str, Any] = {
        "name": "One", "starts_on": "2000-01-01", "state": "published", "country_groups": {"growth": ["BR"]},
        "exchange": {"USD": {"amount": "3", "is": "2"}}, "measures": measures,
        "tiers": [
            {"code": "level-1", "name": {"en": "Level 1"}, "color": "#3d6a91"},
            {"code": "level-2", "name": {"en": "Level 2"}, "color": "#3d6a91", "earn": earn,
             "keep": {"any": [{"measure": "place", "is": "at_most", "value": "0.5"}, {"measure": "seats-north", "is": "at_least", "value": 1}]}},
        ],
        "distinctions": [{"code": "badge", "name": {"en": "Badge"}, "color": "#3d6a91", "earn": {"none": [{"meets": "level-2"}]}}],
    }  # fmt: skip
    measures.append(
        _measure(
            "seats-north", aggregate="count", dataset="live_records", window={"kind": "today"},
            filters=[{"field": "attr:region", "is": "in", "value": ["north", "é"]}],
        )
    )  # fmt: skip
    people = [
        Partner(f"P{number}", date(2023, 1, 31), date(2022, 2, 28), country, "level-1", date(2023, 1, 31), {})
        for number, country in enumerate(["FR", "BR", "BR", ""])
    ]
    texts, currencies = ["Zoë", "zoë", "e\u0301", "a'b\"c", "100%_\\", ""], ["EUR", "USD", "GBP"]
    sales = [
        {
            "partner": f"P{number % 4}", "sold_on": date(2024, 2, 28 - number), "kind": "new",
            "amount": Decimal(10 * number + 1) / 3 // Decimal("0.0001") * Decimal("0.0001"),
            "currency": currencies[number % 3], "quantity": 1, "product": None, "category": None,
            "order_number": "", "customer_name": texts[number % 6],
        }
        for number in range(24)
    ]  # fmt: skip
    records = [
        {
            "partner": f"P{number % 4}", "kind": "seat", "name": texts[number % 6], "occurred_on": date(2024, 2, 1 + number),
            "starts_on": None, "ends_on": DAY if number % 5 == 0 else None, "amount": None, "currency": "", "quantity": None,
            "attributes": {"region": ["north", "é", "𝒳"][number % 3]},
        }
        for number in range(12)
    ]  # fmt: skip
    past = {(f"P{number}", "steady"): [(date(2024, 1, 30), True)] for number in (0, 1)}
    return Night(edition, "EUR", people, {"sales": sales, "records": records}, DAY, past)


def _measure(key: str, **rest: Any) -> dict[str, Any]:
    return {"key": key, "name": {"en": key}, **rest}


DIGEST = "ef5e018e07c6b3b06dde028e79f62dda7693c168a6d9c873e82073178daa72e0"


@pytest.mark.parametrize(("chunk_size", "shuffle"), [(1000, 0), (1, 1), (3, 2)])
def test_the_recorded_digest_stands_on_every_database(chunk_size: int, shuffle: int) -> None:
    found = explained(fixed(), chunk_size=chunk_size, shuffle=shuffle)
    text = "\n".join(found[key] for key in sorted(found))
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST
