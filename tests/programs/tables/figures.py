"""Programs that add up money and points: HubSpot, QuickBooks, Wix, SAP, Dell, PrestaShop, Deriv."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from points.services import adjust_points
from tests.factories import make_staff
from tests.programs.facts import Scene, eve, months_before
from tests.programs.harness import Amounts, Edge, Figures, Step, Table
from tests.programs.tables.people import CENT

# --- HubSpot --------------------------------------------------------------------------------------


def hubspot(scene: Scene, n: Amounts, night: date) -> None:
    """Sold and managed portals, apps in use 0, `low`, `high` and 99: their median lies between low and high."""
    first_day, sold = months_before(night, 12), {"sold": "yes"}
    over = {"ends_on": night}
    scene.record("portal", first_day, amount=n["sold"] - 100, quantity=n["low"], attributes=sold, **over)
    # The vendor's table: 88 euros are 100 dollars.
    scene.record("portal", first_day, amount=88, currency="EUR", quantity=0, attributes=sold, **over)
    scene.record("portal", date(2012, 1, 1), amount=n["managed"], quantity=n["high"])
    scene.record("portal", date(2012, 1, 1), amount=0, quantity=99)
    # Neither sold in the twelve months nor managed any more.
    scene.record("portal", eve(first_day), amount=1_000_000, quantity=99, attributes=sold, **over)
    if n["certified"]:
        scene.award("partner-certification")
    scene.award("partner-certification", until=night)


def hubspot_figures(n: Amounts) -> Figures:
    return {
        "sold-revenue": n["sold"], "managed-revenue": n["managed"], "partner-certification": n["certified"],
        "app-usage": Fraction(n["low"] + n["high"], 2),
    }  # fmt: skip


def hubspot_steps(rows: list[tuple[str, int, int]], apps: int, *, half: bool = False) -> list[Step]:
    """In growth markets both thresholds of revenue are half."""
    below, steps = "untiered", []
    for code, sold, managed in rows:
        share = Fraction(1, 2) if half else Fraction(1)
        asked = {
            "sold-revenue": sold * share,
            "managed-revenue": managed * share,
            "partner-certification": 1,
            "app-usage": apps,
        }
        at = {
            "sold": as_money(sold * share),
            "managed": as_money(managed * share),
            "certified": 1,
            "low": apps,
            "high": apps,
        }
        edges = (
            Edge("sold-revenue", {"sold": at["sold"] - CENT}, {"sold": at["sold"] + CENT}),
            Edge("managed-revenue", {"managed": at["managed"] - CENT}, {"managed": at["managed"] + CENT}),
            Edge("partner-certification", {"certified": 0}, None, "untiered"),
            Edge("app-usage", {"low": apps - 1}, {"high": apps + 1}, "untiered"),
        )
        partner, note = ({"country": "IN"}, " in a growth market") if half else ({}, "")
        steps.append(Step(code, at, asked, edges, below, partner, note))
        below = code
    return steps


def as_money(amount: Fraction) -> Decimal:
    return Decimal(amount.numerator) / amount.denominator


OF_2018 = [("silver", 1125, 1125), ("gold", 2100, 6000), ("platinum", 3750, 20_000), ("diamond", 10_000, 50_000)]
OF_2021 = [*OF_2018, ("elite", 65_000, 170_000)]
OF_2016 = [("silver", 625, 3500), ("gold", 1125, 6500), ("platinum", 3750, 20_000), ("diamond", 10_000, 50_000)]

# --- Points ---------------------------------------------------------------------------------------

Brings = dict[str, int]


def balance(measure: str, brings: Callable[[Amounts], int]) -> Callable[[Amounts], Figures]:
    return lambda n: {measure: brings(n) + n.get("adjusted", 0)}


def adjusted(scene: Scene, n: Amounts, night: date, category: str = "adjustments") -> None:
    """To the single point: by hand."""
    if n.get("adjusted"):
        adjust_points(
            enrollment=scene.enrollment, category=category, points=Decimal(n["adjusted"]), granted_on=eve(night),
            reason="A campaign", author=make_staff(),
        )  # fmt: skip


def one_point(measure: str) -> tuple[Edge, ...]:
    return (Edge(measure, {"adjusted": -1}, {"adjusted": 1}),)


QUICKBOOKS = {
    "quickbooks-online": 50, "self-employed": 25, "online-payroll": 50,
    "certified": 100, "advanced": 200, "desktop": 100,
}  # fmt: skip
QUICKBOOKS_CODES = {
    "certified": "quickbooks-online", "advanced": "quickbooks-online-advanced", "desktop": "quickbooks-desktop"
}  # fmt: skip


def quickbooks(scene: Scene, n: Amounts, night: date) -> None:
    for kind in ("quickbooks-online", "self-employed", "online-payroll"):
        scene.record(kind, months_before(night, 6), times=n.get(kind, 0))
        scene.record(kind, months_before(night, 6), times=3, ends_on=eve(night))  # cancelled
    for name, code in QUICKBOOKS_CODES.items():
        scene.people(n.get(name, 0), code)
        scene.people(2, code, until=eve(night))
    for kind in ("proadvisor-deluxe", "proadvisor-premium")[: n.get("memberships", 0)]:
        scene.record(kind, months_before(night, 6))
    adjusted(scene, n, night)


def quickbooks_points(n: Amounts) -> int:
    # A membership counts once, whatever the firm buys.
    return sum(each * n.get(name, 0) for name, each in QUICKBOOKS.items()) + 100 * min(n.get("memberships", 0), 1)


WIX = {"owned": 300, "shared": 100, "classic": 100, "learn": 100, "studio": 300}


def wix(scene: Scene, n: Amounts, night: date) -> None:
    since = months_before(night, 6)
    for times, more in ((n.get("owned", 0), {}), (2, {"ends_on": eve(night)})):
        scene.record("studio-site", since, times=times, attributes={"role": "first-owner"}, **more)
    scene.record("studio-site", since, times=n.get("shared", 0), attributes={"role": "collaborator"})
    scene.record("classic-site", since, times=n.get("classic", 0))
    scene.people(n.get("learn", 0), "wix-learn")
    scene.people(n.get("studio", 0), "wix-studio")
    adjusted(scene, n, night)


def wix_points(n: Amounts) -> int:
    return sum(each * n.get(name, 0) for name, each in WIX.items())


# --- SAP ------------------------------------------------------------------------------------------

SAP_CAPS = {"revenue": 500, "competencies": 200, "marketing": 100}


def sap(scene: Scene, n: Amounts, night: date) -> None:
    for category in SAP_CAPS:
        scene.record(f"{category}-points", eve(night), quantity=n.get(category, 0))
        scene.record(f"{category}-points", months_before(night, 12), quantity=50)  # twelve months old: expired


def sap_figures(n: Amounts) -> Figures:
    capped = {category: min(n.get(category, 0), most) for category, most in SAP_CAPS.items()}
    return {
        "value-points": sum(capped.values()),
        "business-objects-points": capped["revenue"] + capped["competencies"],
    }


SILVER_ASKED = {"value-points": 350, "business-objects-points": 300}
GOLD_ASKED = {"value-points": 500, "business-objects-points": 500}
OBJECTS = {"traits": {"product_lines": ["business-objects", "business-one"]}}


def sap_step(tier: str, below: str, at: Amounts, asked: Any, measure: str, **more: Any) -> Step:
    revenue = at["revenue"]
    edge = Edge(measure, {"revenue": revenue - 1}, {"revenue": revenue + 1})
    return Step(tier, at, asked, (edge,), below, **more)


# --- Dell -----------------------------------------------------------------------------------------


def dell(scene: Scene, n: Amounts, night: date) -> None:
    first_day = months_before(night, 12)
    scene.sale(first_day, n["servers"], category="servers")
    scene.sale(eve(night), n["storage"], category="storage")
    scene.sale(eve(first_day), 50_000_000, category="servers")
    scene.sale(eve(night), 50_000_000, currency="EUR", category="servers")  # no exchange table: does not count
    scene.people(n["certified"], "dell-sales", "dell-technical")
    scene.people(3)


def dell_figures(n: Amounts) -> Figures:
    total = n["servers"] + n["storage"]
    return {"revenue": total, "weighted-revenue": total, "certified-people": n["certified"]}


# --- PrestaShop -----------------------------------------------------------------------------------


def prestashop_2013(scene: Scene, n: Amounts, night: date) -> None:
    scene.record("training-day", eve(night), quantity=n["days"])
    scene.record("other-score", eve(night), quantity=n["other"])
    scene.record("training-day", date(2013, 9, 30), quantity=100)  # before the table


def prestashop_2025(scene: Scene, n: Amounts, night: date) -> None:
    scene.records("declared-shop", months_before(night, 3), n["shops"])
    scene.record("declared-shop", months_before(night, 3), ends_on=night)
    scene.attest("terms", n["terms"])


def prestashop_steps() -> tuple[Step, ...]:
    below, steps = "registered", []
    for code, threshold in (("bronze", 2000), ("silver", 7000), ("gold", 12_000), ("platinum", 20_000)):
        at = {"days": 3, "other": threshold - 1500}
        edge = Edge("score", {"other": at["other"] - 1}, {"other": at["other"] + 1})
        steps.append(Step(code, at, {"score": threshold}, (edge,), below))
        below = code
    return tuple(steps)


# --- Deriv ----------------------------------------------------------------------------------------


def deriv(scene: Scene, n: Amounts, night: date) -> None:
    """Commission month by month, the last one first; a part of the last one is an override."""
    for ago, amount in enumerate(n["months"], start=1):
        scene.record("commission", months_before(night, ago), amount=Decimal(amount) - 10)
        scene.record("override", eve(months_before(night, ago - 1)), amount=10)
    scene.record("commission", night, amount=1_000_000)
    scene.record("bonus", eve(night), amount=1_000_000)
    if len(n["months"]) == 3:
        scene.record("commission", eve(months_before(night, 3)), amount=1_000_000)


def deriv_figures(n: Amounts) -> Figures:
    return {"average-commission": Fraction(sum(map(Fraction, n["months"]))) / len(n["months"])}


def deriv_steps() -> tuple[Step, ...]:
    below, steps = "bronze", []
    for code, threshold in (("silver", 500), ("gold", 1000), ("platinum", 5000)):
        low, high = Decimal(threshold - 100), Decimal(threshold + 100)
        for note, enrolled_on, months in (
            ("", date(2025, 1, 10), [low, high, Decimal(threshold)]),
            (" in its second month", date(2025, 5, 20), [low, high]),
            (" in its first month", date(2025, 6, 30), [Decimal(threshold)]),
        ):
            cents = CENT * len(months)
            edge = Edge(
                "average-commission",
                {"months": [months[0] - cents, *months[1:]]},
                {"months": [months[0] + cents, *months[1:]]},
            )
            partner = {"enrolled_on": enrolled_on}
            steps.append(
                Step(code, {"months": months}, {"average-commission": threshold}, (edge,), below, partner, note)
            )
        below = code
    return tuple(steps)


JULY = {year: (date(year, 7, 1),) for year in range(2010, 2026)}
TABLES = [
    Table("hubspot-solutions-2018", JULY[2017], hubspot, hubspot_figures, tuple(hubspot_steps(OF_2016, 5))),
    Table("hubspot-solutions-2018", JULY[2018], hubspot, hubspot_figures, tuple(hubspot_steps(OF_2018, 3))),
    Table("hubspot-solutions-2018", JULY[2021], hubspot, hubspot_figures,
        (*hubspot_steps(OF_2021, 3), *hubspot_steps(OF_2021, 3, half=True))),
    Table("quickbooks-proadvisor", JULY[2021], quickbooks, balance("points-balance", quickbooks_points), (
        Step("gold", {"quickbooks-online": 1, "self-employed": 2, "memberships": 2}, {"points-balance": 200},
            one_point("points-balance"), "silver"),
        Step("platinum", {"quickbooks-online": 4, "online-payroll": 2, "certified": 2, "advanced": 1, "memberships": 1},
            {"points-balance": 800}, one_point("points-balance"), "gold"),
        Step("elite", {"quickbooks-online": 6, "online-payroll": 4, "certified": 5, "advanced": 1, "desktop": 3, "memberships": 2},
            {"points-balance": 1600}, one_point("points-balance"), "platinum"),
    )),
    Table("wix-partners", JULY[2025], wix, balance("points-balance", wix_points), (
        Step("creator", {"owned": 3, "shared": 1}, {"points-balance": 1000}, one_point("points-balance"), "pioneer"),
        Step("icon", {"owned": 5, "classic": 4, "learn": 1}, {"points-balance": 2000}, one_point("points-balance"), "creator"),
        Step("legend", {"owned": 15, "shared": 2, "studio": 1}, {"points-balance": 5000}, one_point("points-balance"), "icon"),
    )),
    Table("sap-partneredge-2010", JULY[2011], sap, sap_figures, (
        sap_step("silver", "entry", {"revenue": 100, "competencies": 250, "marketing": 50}, SILVER_ASKED, "value-points"),
        sap_step("silver", "entry", {"revenue": 100, "competencies": 300, "marketing": 100}, SILVER_ASKED,
            "business-objects-points", partner=OBJECTS, note=" for BusinessObjects"),
        sap_step("gold", "silver", {"revenue": 200, "competencies": 200, "marketing": 150}, GOLD_ASKED, "value-points"),
        sap_step("gold", "silver", {"revenue": 300, "competencies": 200, "marketing": 100}, GOLD_ASKED,
            "business-objects-points", partner=OBJECTS, note=" for BusinessObjects"),
        # Revenue alone: 500 is also its cap.
        Step("gold", {"revenue": 500}, GOLD_ASKED,
            (Edge("value-points", {"revenue": 499}, {"revenue": 800}),), "silver", note=" by revenue alone"),
    ), enrolled_on=date(2010, 2, 1)),
    Table("dell-france-2019", (date(2020, 2, 1),), dell, dell_figures, (
        Step("gold", {"servers": 300_000, "storage": 200_000, "certified": 2}, {"revenue": 500_000, "certified-people": 2}, (
            Edge("revenue", {"storage": 200_000 - CENT}, {"storage": 200_000 + CENT}),
            Edge("certified-people", {"certified": 1}, {"certified": 3}),
        ), "registered"),
        *(
            Step(code, {"servers": threshold - 200_000, "storage": 200_000, "certified": 2}, {"weighted-revenue": threshold}, (
                Edge("weighted-revenue", {"storage": 200_000 - CENT}, {"storage": 200_000 + CENT}),
            ), below)
            for code, threshold, below in (("platinum", 4_000_000, "gold"), ("titanium", 15_000_000, "platinum"))
        ),
    )),
    Table("prestashop-experts", (date(2014, 1, 1),), prestashop_2013, lambda n: {"score": 500 * n["days"] + n["other"]},
        prestashop_steps(), enrolled_on=date(2013, 10, 1)),
    Table("prestashop-experts", JULY[2025], prestashop_2025, lambda n: {"declared-shops": n["shops"], "terms": n["terms"]}, (
        Step("expert", {"shops": 1, "terms": 1}, {"declared-shops": 1, "terms": 1}, (
            Edge("declared-shops", {"shops": 0}, {"shops": 2}),
            Edge("terms", {"terms": 0}, {"terms": 2}),
        ), "registered"),
    )),
    Table("deriv", JULY[2025], deriv, deriv_figures, deriv_steps(), enrolled_on=date(2025, 1, 10)),
]  # fmt: skip
