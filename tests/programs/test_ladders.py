"""What a table of thresholds cannot show: rankings, the sum of a points table, and when tiers of a program come and go."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.commissions.facts import run_night
from tests.programs.facts import Scene, months_before, save
from tests.programs.harness import explained, held, imported
from tests.programs.tables.people import PARTNER, google
from tests.tiers.life import told
from tiers import explaining
from tiers.life_words import life_in_words
from tiers.models import Award, Evaluation, Program

pytestmark = pytest.mark.django_db


def over(program: Program, scene: Scene, nights: Sequence[date]) -> list[str]:
    """The tier held after each night."""
    save([scene])
    tiers = []
    for night in nights:
        run_night(program, night)
        tiers.append(held(scene))
    return tiers


# --- Google: the top 3% of a country --------------------------------------------------------------


def test_premier_is_the_top_three_percent_of_the_partners_of_a_country() -> None:
    program, night = imported("google-partners"), date(2022, 7, 1)
    placed: dict[tuple[str, int], Scene] = {}
    for country, crowd in (("FR", 100), ("DE", 33)):
        for place in range(1, crowd + 1):
            scene = placed[country, place] = Scene(program, date(2022, 2, 1), country=country)
            scene.score("premier-score", 1000 - place, date(2021, 12, 31))
            scene.score("premier-score", 5000, date(2022, 6, 1))  # of the year that runs: counts in 2023
            if place in (1, 2, 3, 4):
                google(scene, PARTNER, night)
    asked = placed["FR", 5]  # first by next year's score, without being a partner
    asked.score("premier-score", 9000, date(2022, 6, 2))
    save(list(placed.values()))
    run_night(program, night)

    def share(country: str, place: int) -> Any:
        return explained(placed[country, place], "premier", night)["country-rank"]

    assert [held(placed["FR", place]) for place in (1, 2, 3, 4, 5)] == ["premier"] * 3 + ["partner", "member"]
    assert share("FR", 2) == ("at_most", "0.02", "0.03", "0", True)
    assert share("FR", 3) == ("at_most", "0.03", "0.03", "0", True)
    assert share("FR", 4) == ("at_most", "0.04", "0.03", "0.01", False)
    # Of 33 companies even the first is not among the top 3%.
    assert held(placed["DE", 1]) == "partner"
    assert share("DE", 1) == ("at_most", "1/33", "0.03", "1/3300", False)


def test_who_ranks_and_does_not_meet_partner_is_not_premier() -> None:
    program, night = imported("google-partners"), date(2022, 7, 1)
    scenes = [Scene(program, date(2022, 2, 1)) for _each in range(100)]
    scenes[0].score("premier-score", 1, date(2021, 3, 1))
    save(scenes)
    run_night(program, night)
    assert held(scenes[0]) == "member"
    assert explained(scenes[0], "premier", night) == {
        "meets partner": False, "country-rank": ("at_most", "0.01", "0.03", "0", True)
    }  # fmt: skip


# --- PrestaShop: the score ------------------------------------------------------------------------


def test_prestashop_adds_up_every_source_and_ranks_the_directory() -> None:
    program, night = imported("prestashop-experts"), date(2025, 7, 1)
    scene, other = Scene(program, date(2024, 6, 1)), Scene(program, date(2025, 7, 1))
    euros: dict[str, Any] = {"currency": "EUR"}
    june, autumn = date(2025, 6, 2), date(2024, 10, 2)
    scene.records("declared-shop", june, 3)  # 60
    scene.record("shop-turnover", june, amount=4500, attributes={"sync": "active"}, **euros)  # 2
    scene.record("shop-turnover", june, amount=90_000, attributes={"sync": "off"}, **euros)
    scene.record("marketplace", june, amount=10, **euros)  # 3
    scene.record("checkout", june, amount=1000, **euros)  # 4
    scene.record("hosting", june, amount=30, **euros)  # 10
    scene.record("social", june, amount=7, **euros)  # 7
    scene.record("social", autumn, amount=9, **euros)  # 3, by the earlier value
    scene.record("shipping", june, amount=9, **euros)  # 4
    scene.record("shipping", autumn, amount=9, **euros)  # 3, by the earlier value
    scene.record("built-for", june, amount=9, **euros)  # 3
    scene.record("stripe", june, amount=Decimal("899.99"), attributes={"activation": "new"}, **euros)  # 2
    scene.record("stripe", june, amount=90_000, attributes={"activation": "old"}, **euros)
    scene.record("visibility-pack", june)  # 1,000
    scene.record("extra-certification", june, times=2)  # 500
    scene.record("extra-certification", autumn, ends_on=june)
    scene.record("sponsoring", june, amount=250, **euros)  # 250
    scene.record("shipping-merchant", june)  # 100
    scene.record("subscription-year", date(2024, 12, 1))  # 350, by the earlier value
    scene.record("enterprise-project-month", autumn, times=2)  # 2,000
    # 181 days with a subscription, from 1 January 2025.
    points = 60 + 2 + 3 + 4 + 10 + 7 + 3 + 4 + 3 + 3 + 2 + 1000 + 500 + 250 + 100 + 350 + 2000 + 181
    save([scene, other])
    run_night(program, night)
    assert (figure(scene, "score"), figure(scene, "directory-rank")) == (str(points), "1")
    assert (figure(other, "score"), figure(other, "directory-rank")) == ("0", "2")


def figure(scene: Scene, measure: str) -> str:
    evaluation = Evaluation.objects.filter(enrollment=scene.enrollment).latest("evaluated_on")
    return str(explaining.explanation(evaluation)["measures"][measure]["figure"])


# --- Deriv: the quarter at Platinum ---------------------------------------------------------------


def test_the_quarterly_bonus_asks_for_platinum_without_a_break_and_commission_in_every_month() -> None:
    program = imported("deriv")
    commissions = {
        "steady": [6000, 6000, 6000, 6000, 6000, 6000],
        "a month without": [6000, 6000, 6000, 9000, 9000, 0],
        "a break": [6000, 6000, 6000, 1, 8000, 8000],
        "a quarter later": [100, 100, 100, 15_000, 6000, 6000],
    }
    scenes = {}
    for name, months in commissions.items():
        scene = scenes[name] = Scene(program, date(2025, 1, 1))
        for number, amount in enumerate(months, start=1):
            scene.record("commission", date(2025, number, 15), amount=amount)
    save(list(scenes.values()))
    for month in (4, 5, 6, 7):
        run_night(program, date(2025, month, 1))
    awards = Award.objects.filter(code="quarterly-bonus").values_list("partner__pk", "starts_on", "ends_on")
    assert list(awards) == [(scenes["steady"].partner.pk, date(2025, 7, 1), None)]
    assert {name: held(scene) for name, scene in scenes.items()} == {
        "steady": "platinum", "a month without": "platinum", "a break": "platinum", "a quarter later": "platinum"
    }  # fmt: skip


# --- When tiers come and go -----------------------------------------------------------------------


def test_atlassian_gave_the_year_2017_to_comply() -> None:
    program = imported("atlassian-solution-2017")
    scene = Scene(program, date(2016, 1, 1))
    scene.sale(date(2016, 5, 1), 100_000)
    nights = [date(2016, 7, 1), date(2017, 1, 1), date(2017, 12, 31), date(2018, 1, 1)]
    assert over(program, scene, nights) == ["gold", "gold", "gold", "registered"]


def test_sap_raises_levels_monthly_and_lowers_them_in_january_and_july() -> None:
    program = imported("sap-partneredge-2010")
    scene = Scene(program, date(2010, 2, 1))
    scene.record("revenue-points", date(2010, 3, 10), quantity=350)  # until 10 March 2011
    nights = [
        date(2010, 3, 1),
        date(2010, 3, 20),
        date(2010, 4, 1),
        date(2011, 1, 1),
        date(2011, 4, 1),
        date(2011, 7, 1),
    ]
    assert over(program, scene, nights) == ["entry", "entry", "silver", "silver", "silver", "entry"]


def test_salesforce_raises_tiers_by_the_quarter_and_lowers_them_on_the_first_of_march() -> None:
    program = imported("salesforce-consulting-fy22")
    scene = Scene(program, date(2021, 3, 1))
    scene.score("trailblazer-score", 500, date(2021, 8, 1), "emea")
    scene.score("trailblazer-score", 300, date(2021, 10, 1), "emea")
    nights = [
        date(2021, 6, 1),
        date(2021, 8, 15),
        date(2021, 9, 1),
        date(2021, 12, 1),
        date(2022, 2, 28),
        date(2022, 3, 1),
    ]
    assert over(program, scene, nights) == ["registered", "registered", "crest", "crest", "crest", "ridge"]


def test_cisco_judges_partners_on_their_anniversary_and_those_there_before_from_august_2015() -> None:
    program = imported("cisco-channel")
    scene = Scene(program, date(2012, 5, 10))
    for code in ("network-architecture", "collaboration-architecture"):
        scene.award(code, scope="benelux", until=date(2017, 1, 1))
    scene.award("datacenter-architecture", scope="benelux", until=date(2015, 5, 1))
    nights = [date(2014, 5, 10), date(2015, 5, 10), date(2015, 8, 1), date(2016, 5, 9), date(2016, 5, 10)]
    assert over(program, scene, nights) == ["gold", "gold", "gold", "gold", "silver"]


def test_odoo_raises_levels_any_night_and_lowers_them_by_the_quarter() -> None:
    program = imported("odoo")
    scene = Scene(program, date(2023, 6, 1))
    scene.people(1, "odoo-16")
    scene.record("users-sold", date(2023, 7, 4), quantity=10, attributes={"movement": "new"})
    scene.record("users-sold", date(2023, 8, 20), quantity=-1, attributes={"movement": "churn"})
    nights = [date(2023, 7, 4), date(2023, 7, 5), date(2023, 8, 21), date(2023, 10, 1)]
    assert over(program, scene, nights) == ["learning", "ready", "ready", "learning"]


def test_dell_looks_at_a_whole_fiscal_year_on_the_first_of_february() -> None:
    program = imported("dell-france-2019")
    scene = Scene(program, months_before(date(2020, 2, 1), 12))
    scene.sale(date(2019, 2, 1), 4_000_000)
    nights = [
        date(2019, 2, 1),
        date(2019, 6, 1),
        date(2020, 1, 31),
        date(2020, 2, 1),
        date(2020, 6, 1),
        date(2021, 2, 1),
    ]
    assert over(program, scene, nights) == [
        "registered",
        "registered",
        "registered",
        "platinum",
        "platinum",
        "registered",
    ]


def test_brevo_gives_master_and_elite_by_invitation_only() -> None:
    program = imported("brevo-agency")
    scene = Scene(program, date(2024, 6, 1))
    scene.attest("approved-application")
    scene.record("anything", date(2024, 6, 2), times=50, amount=1_000_000)
    assert over(program, scene, [date(2024, 7, 1)]) == ["expert"]
    tiers = program.editions.get().tiers
    assert list(tiers.filter(granted_only=True).values_list("code", flat=True)) == ["master", "elite"]


def test_cisco_reminds_90_60_and_30_days_before_the_anniversary() -> None:
    program = imported("cisco-channel")
    scene = Scene(program, date(2015, 5, 10))
    for code in ("network-architecture", "collaboration-architecture"):
        scene.award(code, scope="benelux", until=date(2020, 1, 1))
    scene.award("datacenter-architecture", scope="benelux", until=date(2016, 3, 1))
    nights = [
        date(2015, 5, 11),
        date(2016, 2, 10),
        date(2016, 3, 11),
        date(2016, 4, 9),
        date(2016, 4, 10),
        date(2016, 5, 10),
    ]
    assert over(program, scene, nights) == ["gold"] * 5 + ["silver"]
    reminders = told(scene.enrollment, "tiers.review.reminded")
    assert [(one["tier"], one["on"], one["days"]) for one in reminders] == [
        ("gold", "2016-05-10", 60), ("gold", "2016-05-10", 30),
    ]  # fmt: skip
    assert "datacenter-architecture" in {gap["measure"] for gap in reminders[0]["gaps"]}


def test_google_decides_premier_once_a_year_and_partner_every_night() -> None:
    program = imported("google-partners")
    scenes = [Scene(program, date(2022, 2, 1)) for _each in range(40)]
    first = scenes[0]
    for year, score in ((2021, 1), (2022, 900), (2023, 1)):
        first.score("premier-score", score, date(year, 6, 1))
        for other in scenes[1:]:
            other.score("premier-score", 5, date(year, 6, 1))
    google(first, PARTNER, date(2022, 7, 1))  # spends up to June
    for area, spent in PARTNER["spend"].items():
        first.record("ad-spend", date(2022, 12, 31), amount=spent, attributes={"area": area})
    save(scenes)
    tiers = {}
    for night in (
        date(2022, 7, 1), date(2022, 12, 31), date(2023, 1, 1), date(2023, 1, 2), date(2023, 12, 31), date(2024, 1, 1),
    ):  # fmt: skip
        run_night(program, night)
        tiers[night.isoformat()] = held(first)
    assert tiers == {
        "2022-07-01": "partner", "2022-12-31": "member", "2023-01-01": "premier", "2023-01-02": "premier",
        "2023-12-31": "premier", "2024-01-01": "member",
    }  # fmt: skip


def test_hubspot_asks_to_reach_gold_in_two_years_and_to_keep_it_from_then_on() -> None:
    edition = imported("hubspot-solutions-2018").editions.get(name="2023")
    assert life_in_words(edition.life, {"gold": "Gold"})[2:] == [
        "Within 24 months of enrolling the tier “Gold” is reached, or the enrollment ends.",
        "Within 24 months of enrolling the tier “Gold” is reached, and kept from then on, or staff and partner are told.",
    ]
