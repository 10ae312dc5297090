"""The worked examples of docs/commission-examples.md: plans and figures are read from the page, what happens is built here."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine

from commissions.models import Earning, PayoutCurrency, Statement, Unpaid
from commissions.services import publish_plan
from leads.models import Deal, Lead, Sale, Split
from partners.models import Partner, Sponsorship
from rates import ecb
from rates.models import Rate, RateSource
from records.models import PlanTarget
from tests.commissions.disputes_facts import approve_all, issue_all, pay_all
from tests.commissions.facts import move, run_night, sell, tier
from tests.factories import make_edition, make_enrollment, make_partner, make_placement, make_program
from tiers.models import Edition, Placement, Program, Tier

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).parents[2] / "docs" / "commission-examples.md"
RATES = Path(__file__).parents[2] / "samples" / "rates" / "eurofxref-hist.zip"
START = date(2025, 1, 1)


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(section: str, first: str) -> list[list[str]]:
    """The cells of the table whose first column is called so; nothing where the section has none."""
    found = re.search(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n?)*)", section, flags=re.M)
    rows = found.group(1).splitlines() if found else []
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


class Example:
    """A program of three partners, Nordwind in silver."""

    def __init__(self, title: str) -> None:
        self.section = sections()[title]
        self.program: Program = make_program(currency="EUR")
        edition = make_edition(self.program, starts_on=START)
        for rank, code in ((1, "silver"), (2, "gold"), (3, "platinum")):
            Tier.objects.filter(edition=edition, rank=rank).update(code=code)
        Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PUBLISHED)
        self.nordwind, self.ostwind, self.suedwind = (
            self.partner(name) for name in ("Nordwind", "Ostwind", "Suedwind")
        )
        document = json.loads(re.search(r"```json\n(.+?)```", self.section, flags=re.S)[1])  # type: ignore[index]
        for rule in document["rules"]:
            rule["name"] = {"en": rule["code"], "fr": rule["code"]}
        publish_plan(program=self.program, name={"en": "Plan", "fr": "Plan"}, starts_on=START, definition=document)
        self.lines: list[list[str]] = []

    def partner(self, name: str) -> Partner:
        partner = make_partner(name=name)
        make_placement(make_enrollment(partner, self.program, starts_on=START), tier(self.program, "silver"),
                       reason=Placement.Reason.GRANTED)  # fmt: skip
        return partner

    def sells(self, on: str, amount: str, currency: str = "EUR", **more: Any) -> Sale:
        return sell(self.nordwind, amount, date.fromisoformat(on), currency=currency, **more)

    def night(self, on: str) -> None:
        """The lines that it posts, as the page writes them."""
        known = set(Earning.objects.values_list("pk", flat=True))
        run_night(self.program, date.fromisoformat(on))
        posted = Earning.objects.exclude(pk__in=known).select_related("partner")
        for one in posted.order_by("partner__name", "earned_on", "kind"):
            amount = f"{one.amount:,.2f} {one.currency}"
            self.lines.append([on, one.partner.name, one.earned_on.isoformat(), one.kind, amount])

    def stands(self) -> None:
        """Every line and every statement of the page, and no other."""
        assert self.lines == [row[:5] for row in table(self.section, "night")]
        statements = table(self.section, "statement")
        if statements:
            found = Statement.objects.filter(partner=self.nordwind).order_by("starts_on")
            assert [
                [f"{one.starts_on:%Y-%m}", f"{one.opening:.2f}", f"{one.amount:.2f}", f"{one.total:.2f}", one.state]
                for one in found
            ] == statements
            for one in found:
                assert sum((line.earning.amount for line in one.lines.all()), Decimal(0)) == one.amount


def close(on: str, *, pay: bool = True) -> None:
    """Drafts are issued, approved and paid."""
    with time_machine.travel(datetime.combine(date.fromisoformat(on), datetime.min.time(), UTC), tick=False):
        issue_all()
        approve_all()
        if pay:
            pay_all(date.fromisoformat(on))


def by_tier(of: Example) -> None:
    move(of.nordwind, of.program, "gold", date(2026, 3, 15))
    of.sells("2026-03-10", "10000")
    of.sells("2026-03-20", "4000")
    of.night("2026-04-02")


def referrer(of: Example) -> None:
    Placement.objects.filter(enrollment__partner=of.nordwind).delete()
    lead = Lead.objects.create(partner=of.nordwind, source="staff", status="converted", contact_name="A",
                               contact_email="a@example.com", need="x")  # fmt: skip
    deal = Deal.objects.create(partner=of.nordwind, lead=lead, title="Deal", customer_name="Acme", amount=Decimal(12000),
                               currency="EUR", expected_on=date(2026, 4, 1), status="approved",
                               decided_at=datetime(2026, 2, 10, 12, tzinfo=UTC))  # fmt: skip
    of.night("2026-03-02")
    Deal.objects.filter(pk=deal.pk).update(status="won", closed_on=date(2026, 4, 20))
    of.night("2026-05-02")


def rising_bands(of: Example) -> None:
    of.sells("2026-01-15", "8000")
    of.sells("2026-02-10", "6000")
    of.sells("2026-03-05", "15000")
    of.night("2026-04-02")


def whole_bands(of: Example) -> None:
    of.sells("2026-01-12", "9000")
    of.night("2026-02-02")
    of.sells("2026-02-20", "12000")
    of.night("2026-03-02")
    of.sells("2026-03-10", "-2000")
    of.night("2026-04-02")


def refunds(of: Example) -> None:
    sale = of.sells("2026-01-20", "999.99")
    of.night("2026-02-02")
    close("2026-02-05")
    of.sells("2026-02-10", "-333.33", refund_of=sale)
    of.sells("2026-02-20", "-333.33", refund_of=sale)
    of.night("2026-03-02")
    of.sells("2026-03-05", "-333.33", refund_of=sale)
    of.night("2026-04-02")


def tier_corrected(of: Example) -> None:
    of.sells("2026-01-05", "3000")
    of.sells("2026-01-20", "10000")
    of.night("2026-02-02")
    close("2026-02-05")
    move(of.nordwind, of.program, "gold", date(2026, 1, 10))
    of.night("2026-04-02")


def shared(of: Example) -> None:
    sale = of.sells("2026-03-10", "100")
    for partner in (of.nordwind, of.ostwind, of.suedwind):
        Split.objects.create(sale=sale, partner=partner, parts=1)
    of.night("2026-04-02")


def currencies(of: Example) -> None:
    RateSource.objects.get_or_create(code="ecb", defaults={"name": {"en": "ECB", "fr": "BCE"}, "base": "EUR"})
    with RATES.open("rb") as file, ecb.open_file(file) as opened:
        for _line, (day, base, quote, value), _problem in opened.rows:
            if day.startswith("2026-03-0") and quote in ("USD", "GBP"):
                Rate.objects.create(
                    source_id="ecb", base=base, quote=quote, on=date.fromisoformat(day), value=Decimal(value)
                )
    PayoutCurrency.objects.create(partner=of.nordwind, currency="GBP", starts_on=START)
    of.sells("2026-03-06", "10000", "USD")
    of.sells("2026-03-08", "500", "USD")
    of.night("2026-04-02")


def override(of: Example) -> None:
    Sponsorship.objects.create(partner=of.nordwind, sponsor=of.ostwind, starts_on=START)
    Sponsorship.objects.create(partner=of.ostwind, sponsor=of.suedwind, starts_on=START)
    of.sells("2026-03-10", "5000")
    of.night("2026-04-02")


def accelerator(of: Example) -> None:
    PlanTarget.objects.create(partner=of.nordwind, key="revenue", starts_on=date(2026, 1, 1), ends_on=date(2026, 7, 1),
                              amount=Decimal(50000), currency="EUR")  # fmt: skip
    of.sells("2026-02-10", "40000")
    of.sells("2026-03-10", "15000")
    of.sells("2026-04-10", "10000")
    of.night("2026-05-02")


def recurring(of: Example) -> None:
    of.sells("2025-02-10", "1200", customer_name="Acme", recurring_amount=Decimal(1000))
    of.sells("2026-02-09", "1000", customer_name="Acme", recurring_amount=Decimal(1000))
    late = of.sells("2026-02-10", "1000", customer_name="Acme", recurring_amount=Decimal(1000))
    of.night("2026-04-02")
    assert list(Unpaid.objects.values_list("fact", "terms__reason")) == [(late.pk, "over")]


def on_hold(of: Example) -> None:
    of.sells("2026-03-10", "1000")
    of.night("2026-04-02")
    assert not Statement.objects.exists()
    of.night("2026-05-02")


def carried(of: Example) -> None:
    sale = of.sells("2026-03-10", "1000")
    of.night("2026-04-02")
    close("2026-04-05")
    of.sells("2026-04-10", "-600", refund_of=sale)
    of.night("2026-05-02")
    close("2026-05-05")
    of.sells("2026-05-10", "500")
    of.night("2026-06-02")
    close("2026-06-05")
    of.sells("2026-06-10", "2000")
    of.night("2026-07-02")
    close("2026-07-05")


EXAMPLES: dict[str, Callable[[Example], None]] = {
    "A reseller's percentage by tier": by_tier,
    "A referrer: a bonus for the lead, a commission on the business it brought": referrer,
    "Rising bands, each part at its own rate": rising_bands,
    "A band for everything, backwards too": whole_bands,
    "Refunds after payment": refunds,
    "A tier corrected two months back": tier_corrected,
    "A sale shared by three": shared,
    "Sold in dollars, planned in euros, paid in pounds": currencies,
    "Sponsors: an override on two levels": override,
    "An accelerator on the plan target": accelerator,
    "A share of what recurs, for a customer's first twelve months": recurring,
    "Thirty days on hold": on_hold,
    "A statement below zero is carried over": carried,
}


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_page_says_what_the_ledger_says(title: str) -> None:
    example = Example(title)
    EXAMPLES[title](example)
    example.stands()


def test_every_example_of_the_page_is_built() -> None:
    assert list(sections()) == list(EXAMPLES)
