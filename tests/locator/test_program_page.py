import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from commissions.plan_documents import by_tier
from commissions.services import publish_plan
from tests.factories import make_edition, make_location, make_partner, make_program, make_sales_edition
from tiers import program_file
from tiers.models import Benefit, Program, TierBenefit
from tiers.services import enroll, publish_edition

pytestmark = pytest.mark.django_db
SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "programs" / "resellers.json"


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with travel("2026-11-24T10:00:00+01:00", tick=False):
        yield


@pytest.fixture
def program() -> Program:
    return program_file.import_program(SAMPLE)


def page(language: str = "en", address: str = "/") -> str:
    answer = Client().get(address, headers={"accept-language": language})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.usefixtures("program")
def test_it_says_what_each_tier_asks_gives_and_pays() -> None:
    shown = page()
    for text in (
        "Sell with us. Rise with us.",
        "Net sales: at least $50,000 over 12 months",
        "Active sales people with a valid certification: at least 80%",
        "At least 2 of these 3",
        "Orders: at least 4 over 12 months",
        "Shared leads",
        "$3,000 a year",
        "$50.00",
        "$100.00",
        "$150.00",
        "15%",
        "Net sales: at least $40,000 over 12 months",
        "every quarter",
    ):
        assert text in shown, text


@pytest.mark.usefixtures("program")
def test_a_french_reader_gets_french() -> None:
    shown = " ".join(page("fr").split())
    for text in ("Vendez avec nous. Montez avec nous.", "Palier 2", "Partage de prospects", "50 000 $US"):
        assert text in shown, text
    assert '<html lang="fr"' in shown


@pytest.mark.parametrize(
    ("language", "cells"),
    [
        ("en", ["—", "1 a year", "2 a year", "$3,000 a year", "2 while the tier is held invitations"]),
        ("fr", ["—", "1 par an", "2 par an", "3 000 $US par an", "2 tant que le palier est détenu invitations"]),
    ],
)
def test_the_comparison_says_how_much_of_a_benefit_each_tier_gives(
    program: Program, language: str, cells: list[str]
) -> None:
    table = page(language).split("table--benefits", 1)[1].split("</table>", 1)[0]
    rows = [[_text(cell) for cell in row.split("<td")[1:]] for row in table.split("<tr>")[2:]]
    by_code = dict(zip(program.benefits.values_list("code", flat=True), rows, strict=True))
    none, one, two, money, invitations = cells
    assert by_code["joint-campaign"] == [none, one, two]
    assert by_code["press-release"] == [none, none, two]
    assert by_code["event-money"] == [none, none, money]
    assert by_code["top-partner-seminar"] == [none, none, invitations]
    assert by_code["lead-sharing"][1] == "✓"


def _text(cell: str) -> str:
    """What is read: without tags, and without what is for screen readers alone."""
    seen = re.sub(r'<span class="visually-hidden">.*?</span>', "", cell.split(">", 1)[1])
    plain = re.sub(r"<[^>]+>", " ", seen).replace("\u202f", " ").replace("\xa0", " ")
    return " ".join(plain.split())


def test_the_page_costs_the_same_for_little_and_for_much() -> None:
    counts = []
    for number in (1, 9):
        program = make_program()
        edition = make_sales_edition(program)
        for place in range(number):
            benefit = Benefit.objects.create(program=program, code=f"kit-{place}", name={"en": "Kit"})
            for tier in edition.tiers.all():
                TierBenefit.objects.create(tier=tier, benefit=benefit, quantity=tier.rank, per="month")
        publish_edition(edition=edition)
        with CaptureQueriesContext(connection) as captured:
            assert page(address=f"/programs/{program.slug}/").count("3 a month") == 2 * number
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_it_counts_the_listed_partners_of_the_program(program: Program) -> None:
    for number, country in enumerate(("FR", "FR", "DE")):
        partner = make_partner(is_listed=number != 1)
        make_location(partner, country=country)
        enroll(partner=partner, program=program, on=date(2026, 1, 1))
    make_partner()
    shown = page()
    assert "<dd>2</dd><dt>partners</dt>" in shown
    assert "<dd>2</dd><dt>countries</dt>" in shown


def test_without_a_published_edition_it_says_so() -> None:
    assert "The program is being prepared" in page()
    make_edition(make_program())
    assert "The program is being prepared" in page()


def test_each_public_program_has_its_page(program: Program) -> None:
    other = make_program(is_public=False)
    assert "Sell with us" in page(address=f"/programs/{program.slug}/")
    assert Client().get(f"/programs/{other.slug}/").status_code == 404
    assert Client().get("/programs/nothing/").status_code == 404


def test_the_worked_example_follows_the_plan(program: Program) -> None:
    rates = {"level-1": Decimal("0.0333"), "level-2": Decimal("0.1"), "level-3": Decimal("0.15")}
    publish_plan(program=program, name={"en": "P"}, starts_on=date(2026, 11, 1), definition=by_tier(rates))
    assert "$33.30" in page()


@pytest.mark.usefixtures("program")
def test_robots_and_the_sitemap() -> None:
    listed, hidden = make_partner(), make_partner(is_listed=False)
    assert "Disallow: /portal/" in Client().get("/robots.txt").content.decode()
    found = Client().get("/sitemap.xml").content.decode()
    assert f"/partners/{listed.slug}/" in found
    assert f"/partners/{hidden.slug}/" not in found
    assert "/programs/resellers/" in found
