"""The oracle against the examples of docs/program-file.md, worked by hand."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.tiers import oracle
from tests.tiers.oracle_facts import Night
from tests.tiers.oracle_windows import Partner, months_after, whole_months, window_days

MAY = date(2026, 5, 15)
MONTHS_12 = {"last": 12, "unit": "months"}
ACME = Partner(
    "acme",
    enrolled_on=date(2024, 2, 29),
    joined_on=date(2023, 11, 30),
    country="BR",
    tier="level-1",
    tier_since=date(2026, 5, 14),
)


def days(window: dict[str, Any], day: date = MAY, enrolled_on: date = ACME.enrolled_on) -> tuple[str, str]:
    """The first day that counts and the first that no longer does."""
    found = window_days(window, day, Partner("x", enrolled_on, enrolled_on))
    return str(found.start), str(found.end)


@pytest.mark.parametrize(
    ("window", "start"),
    [
        ({"last": 12, "unit": "months"}, "2025-05-15"),
        ({"last": 90, "unit": "days"}, "2026-02-14"),
        ({"kind": "to_date", "unit": "year"}, "2026-01-01"),
        ({"kind": "to_date", "unit": "year", "starts_month": 4}, "2026-04-01"),
        ({"kind": "to_date", "unit": "half_year", "starts_month": 4}, "2026-04-01"),
        ({"kind": "to_date", "unit": "half_year", "starts_month": 6}, "2025-12-01"),
        ({"kind": "to_date", "unit": "quarter", "starts_month": 2}, "2026-05-01"),
        ({"kind": "lifetime"}, "None"),
        ({"kind": "since_enrollment"}, "2024-02-29"),
        ({"kind": "partner_year"}, "2026-02-28"),
        ({"kind": "between", "from": "2026-01-01", "to": "2026-07-01"}, "2026-01-01"),
    ],
)
def test_windows_of_the_table_that_reach_the_day_before(window: dict[str, Any], start: str) -> None:
    assert days(window) == (start, "2026-05-15")


@pytest.mark.parametrize(
    ("window", "day", "bounds"),
    [
        ({"last": 1, "unit": "months"}, date(2026, 3, 31), ("2026-02-28", "2026-03-31")),
        ({"last": 12, "unit": "months"}, date(2028, 2, 29), ("2027-02-28", "2028-02-29")),
        ({"kind": "to_date", "unit": "year"}, date(2026, 1, 1), ("2025-01-01", "2026-01-01")),
        ({"kind": "to_date", "unit": "month"}, date(2026, 3, 1), ("2026-02-01", "2026-03-01")),
        ({"kind": "last_full", "unit": "quarter"}, MAY, ("2026-01-01", "2026-04-01")),
        ({"kind": "last_full", "unit": "quarter", "count": 4}, MAY, ("2025-04-01", "2026-04-01")),
        ({"kind": "last_full", "unit": "month"}, date(2026, 3, 1), ("2026-02-01", "2026-03-01")),
        ({"kind": "between", "from": "2025-01-01", "to": "2025-07-01"}, MAY, ("2025-01-01", "2025-07-01")),
        ({"kind": "partner_year"}, date(2028, 2, 29), ("2027-02-28", "2028-02-29")),
        ({"kind": "partner_year"}, date(2024, 3, 1), ("2024-02-29", "2024-03-01")),
        ({"kind": "partner_year", "full": True}, MAY, ("2025-02-28", "2026-02-28")),
        ({"kind": "partner_year", "full": True}, date(2025, 2, 28), ("2024-02-29", "2025-02-28")),
        ({"kind": "partner_year", "full": True}, date(2025, 2, 27), ("2024-02-29", "2025-02-27")),
        ({"last": 90, "unit": "days", "embargo_days": 30}, MAY, ("2026-01-15", "2026-04-15")),
        ({"kind": "to_date", "unit": "year", "ago": {"months": 12}}, MAY, ("2025-01-01", "2025-05-15")),
        ({"kind": "to_date", "unit": "year", "ago": {"months": 12}}, date(2028, 2, 29), ("2027-01-01", "2027-02-28")),
    ],
)
def test_windows_at_their_edges(window: dict[str, Any], day: date, bounds: tuple[str, str]) -> None:
    assert days(window, day) == bounds


def test_newcomers_count_from_the_month_or_the_day_of_their_start() -> None:
    full = {"kind": "last_full", "unit": "month", "count": 3, "newcomers": True}
    assert days(full, MAY, date(2026, 3, 20)) == ("2026-03-01", "2026-05-01")
    assert days({**MONTHS_12, "newcomers": True}, MAY, date(2026, 3, 20)) == ("2026-03-20", "2026-05-15")
    assert [
        whole_months(window_days(full, MAY, Partner("x", start, start)))
        for start in (date(2025, 1, 1), date(2026, 3, 20), date(2026, 4, 30), date(2026, 5, 1))
    ] == [3, 2, 1, 0]


def test_a_month_without_the_day_ends_on_its_last_one() -> None:
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2025, 12, 31), -10) == date(2025, 2, 28)


def sale(amount: str, on: date = date(2026, 5, 14), **over: Any) -> dict[str, Any]:
    return {"partner": "acme", "sold_on": on, "amount": Decimal(amount), "currency": "EUR", "kind": "new", **over}


SALES = [
    sale("1000", date(2025, 5, 14)),
    sale("1", date(2025, 5, 15), category="storage", customer_name="Zoë"),
    sale("10", category="storage", customer_name="Zoë"),
    sale("100", currency="USD", category="cloud", customer_name=""),
    sale("5", currency="GBP", customer_name="zoë"),
    sale("-7", kind="refund", category=None),
    sale("1000", MAY),
    sale("1000", partner="other"),
]


def measure(**over: Any) -> dict[str, Any]:
    return {"key": "m", "aggregate": "sum", "dataset": "sales", "field": "amount", "window": MONTHS_12, **over}


def night(*measures: dict[str, Any], partners: tuple[Partner, ...] = (ACME,), **over: Any) -> Night:
    edition = {
        "measures": list(measures),
        "exchange": {"USD": {"amount": "100", "is": "88"}},
        "country_groups": {"growth": ["BR", "IN"]},
        "tiers": [{"code": "level-1"}],
        **over.pop("edition", {}),
    }
    return Night(edition, "EUR", partners, {"sales": SALES, **over.pop("facts", {})}, MAY, **over)


@pytest.mark.parametrize(
    ("asked", "figure"),
    [
        ({}, 92),
        ({"aggregate": "average"}, 23),
        ({"aggregate": "median"}, Fraction(11, 2)),
        ({"aggregate": "min"}, -7),
        ({"aggregate": "max"}, 88),
        ({"aggregate": "count", "field": None}, 5),
        ({"aggregate": "distinct", "field": "customer_name"}, 2),
        ({"filters": [{"field": "category", "value": "storage"}]}, 11),
        ({"filters": [{"field": "category", "is": "not", "value": "storage"}]}, 81),
        ({"filters": [{"field": "category", "is": "empty"}]}, -7),
        ({"filters": [{"none": [{"field": "category", "value": "storage"}]}]}, 81),
        ({"filters": [{"field": "amount", "is": "more_than", "value": "10"}]}, 88),
        ({"weights": {"field": "category", "values": {"storage": "1.5"}, "others": "1"}}, Fraction("97.5")),
        ({"caps": {"field": "category", "values": {"storage": 10}, "others": "80.5"}}, Fraction("83.5")),
        ({"caps": {"field": "category", "values": {"storage": 10}}}, 91),
        (
            {
                "aggregate": "distinct",
                "field": "customer_name",
                "having": {"aggregate": "sum", "field": "amount", "at_least": 11},
            },
            1,
        ),
        (
            {"aggregate": "monthly_average", "window": {"kind": "last_full", "unit": "month", "count": 12}},
            Fraction(1001, 12),
        ),
    ],
)
def test_figures_of_facts(asked: dict[str, Any], figure: Any) -> None:
    assert oracle.figure(night(measure(**asked)), ACME, "m") == figure


@pytest.mark.parametrize(
    ("form", "figure"),
    [
        ({"ratio": ["a", "b"]}, Fraction(3, 4)),
        ({"ratio": ["a", "nothing"]}, 0),
        ({"growth": ["a", "b"], "minimum_base": "4"}, Fraction(-1, 4)),
        ({"growth": ["a", "b"], "minimum_base": "4.1"}, 0),
        ({"difference": ["a", "b"]}, -1),
        ({"total": ["a", "b", "a"]}, 10),
        ({"largest": ["a", "b"]}, 4),
        ({"smallest": ["a", "b"]}, 3),
        ({"score": "a", "bands": [{"from": 3, "gives": 5}, {"from": 4, "gives": 8}]}, 5),
        ({"score": "a", "bands": [{"from": 4, "gives": 8}]}, 0),
        ({"score": "a", "full_at": 20, "gives": 100}, 15),
        ({"score": "b", "full_at": 3, "gives": 100}, 100),
        ({"rank": "a", "within": "program", "as": "position"}, 2),
        ({"rank": "a", "within": "program", "as": "share"}, Fraction(2, 4)),
        ({"rank": "a", "within": "country", "as": "position"}, 1),
        ({"tenure": "enrollment", "unit": "years"}, 2),
        ({"tenure": "enrollment", "unit": "months"}, 26),
        ({"tenure": "joined", "unit": "days"}, 897),
        ({"tenure": "tier", "unit": "days"}, 1),
    ],
)
def test_figures_of_figures(form: dict[str, Any], figure: Any) -> None:
    others = tuple(Partner(key, MAY, MAY, country="FR") for key in ("one", "two", "three"))
    facts = {
        "leads": [{"partner": key, "arrived_on": date(2026, 5, 1)} for key in ["acme"] * 3 + ["one"] * 4 + ["two"] * 3]
    }
    leads = {"aggregate": "count", "dataset": "leads", "field": None}
    asked = night(
        measure(key="a", **leads),
        measure(key="b", aggregate="count", filters=[{"field": "kind", "value": "new"}]),
        measure(key="nothing", filters=[{"field": "kind", "value": "renewal"}]),
        {"key": "m", **form},
        partners=(ACME, *others),
        facts=facts,
    )
    assert oracle.figure(asked, ACME, "m") == figure


YES, NO = {"partner": "country", "is": "equal", "value": "BR"}, {"partner": "country", "is": "equal", "value": "FR"}
SPLIT = {"measure": "m", "is": "at_least", "value": 50}
HALF = {"last": 6, "unit": "months"}


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ({"measure": "m", "is": "at_least", "value": 92}, True),
        ({"measure": "m", "is": "more_than", "value": 92}, False),
        ({"measure": "m", "is": "less_than", "value": "92.01"}, True),
        ({"measure": "m", "is": "at_least", "value": 1, "cases": [{"when": NO, "value": 1}, {"when": YES, "value": 93}]}, False),
        ({"partner": "country_group", "is": "in", "value": ["growth"]}, True),
        ({"partner": "product_lines", "is": "equal", "value": "print"}, True),
        ({"partner": "product_lines", "is": "not", "value": "print"}, False),
        ({"partner": "segment", "is": "equal", "value": "x"}, False),
        ({"partner": "segment", "is": "not_in", "value": ["x"]}, True),
        ({"partner": "enrolled_on", "is": "at_most", "value": "2024-02-29"}, True),
        ({"all": [YES, NO]}, False),
        ({"any": [YES, NO]}, True),
        ({"none": [NO, NO]}, True),
        ({"at_least": 2, "of": [YES, NO, YES]}, True),
        ({"at_least": 2, "of": [YES, NO, YES], "including": {"at_least": 1, "of": [1]}}, False),
        ({"for_each": {"measure": "m", "is": "more_than", "value": 0}, "rule": SPLIT}, False),
        ({"for_each": {"measure": "m", "is": "more_than", "value": 0}, "at_least": 1, "rule": SPLIT}, True),
        ({"for_each": {"measure": "m", "is": "more_than", "value": 100}, "rule": SPLIT}, True),
        ({"for_each": {"members": ["cloud", "absent"]}, "rule": SPLIT}, False),
        ({"unbroken": HALF, "key": "old", "rule": YES}, True),
        ({"unbroken": {**HALF, "more": True}, "key": "old", "rule": YES}, False),
        ({"unbroken": HALF, "key": "broken", "rule": YES}, False),
        ({"unbroken": HALF, "key": "unknown", "rule": YES}, False),
        ({"unbroken": HALF, "key": "old", "rule": NO}, False),
        ({"any_day": HALF, "key": "lost", "rule": NO}, False),
        ({"any_day": {"last": 182, "unit": "days"}, "key": "lost", "rule": NO}, True),
        ({"any_day": HALF, "key": "unknown", "rule": YES}, True),
    ],
)  # fmt: skip
def test_rules(rule: dict[str, Any], met: bool) -> None:
    partner = Partner("acme", ACME.enrolled_on, ACME.joined_on, "BR", traits={"product_lines": ["print", "scan"]})
    past = {
        ("acme", "old"): [(date(2025, 11, 15), True)],
        ("acme", "broken"): [(date(2025, 1, 1), True), (date(2026, 5, 13), False), (date(2026, 5, 14), True)],
        ("acme", "lost"): [(date(2025, 1, 1), True), (date(2025, 11, 15), False)],
    }
    assert oracle.verdict(night(measure(by="category"), past=past), partner, rule) is met


def test_a_night_judges_every_tier_and_finds_the_highest() -> None:
    reach = {"measure": "m", "is": "at_least", "value": 92}
    tiers = [
        {"code": "level-1"},
        {"code": "level-2", "earn": {"all": [reach, YES]}, "keep": NO},
        {"code": "level-3", "earn": NO, "keep": YES},
        {"code": "level-4", "earn": {"meets": "level-2"}},
        {"code": "invited", "granted_only": True},
    ]
    found = oracle.judge(night(measure(), edition={"tiers": tiers}))["acme"]
    assert found.highest == "level-4"
    assert found.earns == {"level-1": True, "level-2": True, "level-3": False, "level-4": True, "invited": False}
    assert found.keeps == {"level-1": True, "level-2": True, "level-3": True, "level-4": True, "invited": False}
    assert found.verdicts["level-2.earn.all[1]"] is True
    assert found.figures == {"m": 92}


def test_stocks_stand_on_their_day() -> None:
    day = date(2026, 5, 15)
    facts = {
        "members": [
            {"partner": "acme", "member": "a", "job": "sales", "joined_on": day, "left_on": None},
            {"partner": "acme", "member": "b", "job": "sales", "joined_on": date(2020, 1, 1), "left_on": day},
            {"partner": "acme", "member": "c", "job": "sales", "joined_on": date(2020, 1, 1), "left_on": None},
        ],
        "certificates": [
            {"partner": "acme", "member": "a", "awarded_on": date(2020, 1, 1), "expires_on": day},
            {"partner": "acme", "member": "b", "awarded_on": date(2020, 1, 1), "expires_on": None},
            {"partner": "acme", "member": "c", "awarded_on": day, "expires_on": None},
        ],
        "score_history": [
            {"partner": "acme", "kind": "nps", "scope": "", "value": 5, "scored_on": day},
            {"partner": "acme", "kind": "nps", "scope": "", "value": 9, "scored_on": date(2026, 5, 16)},
            {"partner": "acme", "kind": "nps", "scope": "", "value": 7, "scored_on": date(2026, 5, 1)},
        ],
    }
    today, stock = {"kind": "today"}, {"aggregate": "count", "field": None}
    asked = night(
        measure(key="people", dataset="members", window=today, **stock),
        measure(
            key="certified", dataset="members", window=today, filters=[{"field": "certified", "value": True}], **stock
        ),
        measure(key="certificates", dataset="certificates", window=today, **stock),
        measure(key="then", dataset="members", window={"kind": "on", "day": "2026-05-14"}, **stock),
        measure(key="score", dataset="scores", field="value", window=today),
        facts=facts,
    )
    assert oracle.judged(asked, ACME).figures == {"people": 2, "certified": 1, "certificates": 1, "then": 2, "score": 5}
