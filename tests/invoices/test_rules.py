"""Which tax, and how totals round: the worked figures of docs/invoices.md."""

from datetime import date
from decimal import Decimal

import pytest

from invoices.rules import (
    Category,
    Mention,
    Missing,
    MissingForTaxError,
    Status,
    Taxed,
    Terms,
    in_eu,
    standard_rate,
    tax_on,
    tax_terms,
    totals,
)

D = Decimal
DAY = date(2026, 11, 25)
VENDOR = Taxed("FR", "FR40303265045")
MEMBERS = [
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
]


@pytest.mark.parametrize(
    ("partner", "vendor", "expected"),
    [
        (Taxed("FR", "FR19552008443"), VENDOR, ("S", "0.20", Mention.STANDARD, "")),
        (Taxed("MC", "FR19552008443"), VENDOR, ("S", "0.20", Mention.STANDARD, "")),
        (Taxed("FR", "", Status.SMALL), VENDOR, ("E", "0", Mention.SMALL_FRANCE, "VATEX-FR-FRANCHISE")),
        (Taxed("DE", "", Status.SMALL), Taxed("DE", "DE1"), ("E", "0", Mention.SMALL, "")),
        (Taxed("FR", "", Status.EXEMPT, "Art. 261 C", "VATEX-EU-135-1"), VENDOR,
         ("E", "0", Mention.EXEMPT, "VATEX-EU-135-1")),
        (Taxed("DE", "DE136695976"), VENDOR, ("AE", "0", Mention.REVERSE_CHARGE, "VATEX-EU-AE")),
        # A small enterprise's exemption ends at its border.
        (Taxed("BE", "BE0403019261", Status.SMALL), VENDOR, ("AE", "0", Mention.REVERSE_CHARGE, "VATEX-EU-AE")),
        (Taxed("US"), VENDOR, ("O", "0", Mention.REVERSE_CHARGE_IMPORTED, "VATEX-EU-O")),
        (Taxed("GB", "GB980780684"), VENDOR, ("O", "0", Mention.REVERSE_CHARGE_IMPORTED, "VATEX-EU-O")),
        (Taxed("FR", "FR19552008443"), Taxed("US"), ("O", "0", Mention.OUTSIDE, "VATEX-EU-O")),
        (Taxed("CH", "CHE107787577"), Taxed("CH", "CHE1"), ("S", "0.081", Mention.STANDARD, "")),
        (Taxed("CH"), Taxed("US"), ("O", "0", Mention.OUTSIDE, "VATEX-EU-O")),
    ],
)  # fmt: skip
def test_the_terms_of_each_pair_of_countries(
    partner: Taxed, vendor: Taxed, expected: tuple[str, str, Mention, str]
) -> None:
    terms = tax_terms(partner=partner, vendor=vendor, on=DAY)
    assert (terms.category, terms.rate, terms.mention, terms.vatex) == (
        Category(expected[0]),
        D(expected[1]),
        *expected[2:],
    )


@pytest.mark.parametrize(
    ("partner", "vendor", "missing"),
    [
        (Taxed("FR"), VENDOR, Missing.PARTNER_VAT_NUMBER),
        (Taxed("DE"), VENDOR, Missing.PARTNER_VAT_NUMBER),
        (Taxed("DE", "", Status.SMALL), VENDOR, Missing.PARTNER_VAT_NUMBER),
        (Taxed("DE", "DE136695976"), Taxed("FR"), Missing.VENDOR_VAT_NUMBER),
        (Taxed("FR", "", Status.EXEMPT), VENDOR, Missing.EXEMPTION_MENTION),
        (Taxed("US"), Taxed("US"), Missing.RATE),
    ],
)
def test_nothing_is_guessed(partner: Taxed, vendor: Taxed, missing: Missing) -> None:
    with pytest.raises(MissingForTaxError) as refused:
        tax_terms(partner=partner, vendor=vendor, on=DAY)
    assert refused.value.missing == missing


@pytest.mark.parametrize(
    ("country", "day", "rate"),
    [
        ("DE", date(2020, 6, 30), "0.19"), ("DE", date(2020, 7, 1), "0.16"), ("DE", date(2021, 1, 1), "0.19"),
        ("EE", date(2025, 6, 30), "0.22"), ("EE", date(2025, 7, 1), "0.24"), ("RO", date(2025, 8, 1), "0.21"),
        ("FI", date(2024, 9, 1), "0.255"), ("SK", date(2025, 1, 1), "0.23"), ("LU", date(2023, 5, 1), "0.16"),
        ("FR", date(2013, 12, 31), "0.196"), ("FR", date(2014, 1, 1), "0.20"),
    ],
)  # fmt: skip
def test_a_rate_is_that_of_its_day(country: str, day: date, rate: str) -> None:
    assert standard_rate(country, day) == D(rate)


def test_every_member_state_has_a_rate_of_at_least_fifteen_percent() -> None:
    """Directive 2006/112/EC, art. 97."""
    rates = {country: standard_rate(country, DAY) for country in MEMBERS}
    assert [country for country, rate in rates.items() if rate is None or rate < D("0.15")] == []
    assert [country for country in MEMBERS if not in_eu(country, DAY)] == []


@pytest.mark.parametrize(
    ("country", "day", "expected"),
    [
        ("GB", date(2020, 12, 31), True), ("GB", date(2021, 1, 1), False), ("HR", date(2013, 6, 30), False),
        ("HR", date(2013, 7, 1), True), ("MC", DAY, True), ("CH", DAY, False), ("NO", DAY, False),
    ],
)  # fmt: skip
def test_membership_has_its_days(country: str, day: date, expected: bool) -> None:
    assert in_eu(country, day) is expected


@pytest.mark.parametrize(
    ("base", "rate", "unit", "tax"),
    [
        ("100.00", "0.20", "0.01", "20.00"), ("12222.22", "0.20", "0.01", "2444.44"),
        ("0.625", "0.20", "0.01", "0.13"), ("-0.625", "0.20", "0.01", "-0.13"),  # 0.125: half to even would be 0.12
        ("333.33", "0.255", "0.01", "85.00"), ("1005", "0.1", "1", "101"),  # 100.5 yen
    ],
)  # fmt: skip
def test_tax_is_rounded_once_half_up(base: str, rate: str, unit: str, tax: str) -> None:
    assert tax_on(D(base), D(rate), D(unit)) == D(tax)


def test_tax_is_of_the_sum_of_a_category_not_of_each_line() -> None:
    standard = Terms(Category.STANDARD, D("0.20"), Mention.STANDARD)
    exempt = Terms(Category.EXEMPT, D(0), Mention.EXEMPT, "", "Art. 261")
    sums = totals([(D("0.33"), standard), (D("10.00"), exempt), (D("0.33"), standard), (D("0.33"), standard)])
    assert (sums.net, sums.tax, sums.gross) == (D("10.99"), D("0.20"), D("11.19"))  # by line it would be 3 times 0.07
    assert [(one.terms.category, one.base, one.tax) for one in sums.groups] == [
        ("E", D("10.00"), D("0.00")), ("S", D("0.99"), D("0.20")),
    ]  # fmt: skip
