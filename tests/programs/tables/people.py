"""Programs that count people, customers and awards: Odoo, AWS, Atlassian, Salesforce, Google, Cisco, Brevo."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.programs.facts import Scene, eve, months_before
from tests.programs.harness import Amounts, Edge, Figures, Step, Table

CENT = Decimal("0.01")


def one_less_one_more(measure: str, amount: str, at: int, to: str = "") -> Edge:
    return Edge(measure, {amount: at - 1}, {amount: at + 1}, to)


# --- Odoo -----------------------------------------------------------------------------------------


def odoo(version: str, kept: str = "customer") -> Any:
    def write(scene: Scene, n: Amounts, night: date) -> None:
        first_day = months_before(night, 12)
        scene.record("users-sold", first_day, quantity=n["users"] + 5, attributes={"movement": "new"})
        scene.record("users-sold", eve(night), quantity=-3, attributes={"movement": "downsell"})
        scene.record("users-sold", eve(night), quantity=-2, attributes={"movement": "churn"})
        # None of these count: a renewal, a day too early, and the night's own day.
        scene.record("users-sold", first_day, quantity=1000, attributes={"movement": "renewal"})
        scene.record("users-sold", eve(first_day), quantity=1000, attributes={"movement": "new"})
        scene.record("users-sold", night, quantity=1000, attributes={"movement": "upsell"})
        scene.people(n["certified"], f"odoo-{version}")
        scene.people(3, "odoo-8")
        scene.people(1, f"odoo-{version}", until=night)
        scene.people(1, f"odoo-{version}", left_on=night)
        if kept == "customer":
            won = months_before(night, 36)
            scene.records("customer", won, n.get("kept", 0))
            for number in range(n.get("won", 0) - n.get("kept", 0)):
                scene.record("customer", won, name=f"Lost {number}", ends_on=night)
            scene.record("customer", eve(won), name="Long ago", ends_on=night)
        else:
            scene.record("contract", date(2015, 1, 1), times=n.get("kept", 0))
            gone = n.get("won", 0) - n.get("kept", 0)
            scene.record("contract", date(2015, 1, 1), times=gone, ends_on=months_before(night, 12))
            scene.record("contract", date(2015, 1, 1), times=7, ends_on=eve(months_before(night, 12)))

    return write


def odoo_figures(n: Amounts) -> Figures:
    won = n.get("won", 0)
    return {
        "net-users": n["users"],
        "certified-people": n["certified"],
        "retention": Fraction(n.get("kept", 0), won) if won else 0,
    }


def odoo_steps(rows: list[tuple[str, int, int, int]]) -> tuple[Step, ...]:
    below = "learning"
    steps = []
    for code, users, certified, kept in rows:
        at = {"users": users, "certified": certified, "won": 100, "kept": kept or 100}
        edges = [
            one_less_one_more("net-users", "users", users),
            one_less_one_more("certified-people", "certified", certified),
        ]
        asked: dict[str, Any] = {"net-users": users, "certified-people": certified}
        if kept:
            edges.append(one_less_one_more("retention", "kept", kept))
            asked["retention"] = Fraction(kept, 100)
        steps.append(Step(code, at, asked, tuple(edges), below))
        below = code
    return tuple(steps)


# --- AWS ------------------------------------------------------------------------------------------

AWS_NIGHTS = (date(2023, 6, 30), date(2023, 7, 1), date(2023, 7, 2), date(2024, 1, 2))
NAMED = {"msp": "managed-service-provider", "devops": "devops-competency", "cloudops": "cloud-operations-competency"}


def aws(scene: Scene, n: Amounts, night: date) -> None:
    scene.people(n["both"], "technical-accreditation", "business-accreditation")
    scene.people(n["technical"] - n["both"], "technical-accreditation")
    scene.people(n["business"] - n["both"], "business-accreditation")
    scene.people(n["foundational"], "foundational-certification")
    scene.people(n["certified"] - n["professional"], "associate-certification")
    scene.people(n["professional"], "associate-certification", "specialty-certification")
    launched = months_before(night, 12)
    scene.record("launched-opportunity", launched, times=n["opportunities"] - 1, amount=1)
    scene.record("launched-opportunity", eve(AWS_NIGHTS[0]), amount=n["revenue"] - n["opportunities"] + 1)
    scene.record("launched-opportunity", eve(launched), times=60, amount=100_000)
    scene.records("public-reference", launched, n["references"])
    scene.records("public-reference", launched, n["references"])  # again: customers count, not references
    scene.record("satisfaction-answer", launched, times=n["answers"])
    scene.attest("business-plan", n["plan"], since=n.get("since", launched))
    scene.attest("executive-review", n.get("review", 0))
    for name, code in NAMED.items():
        for _each in range(n.get(name, 0)):
            scene.award(code, scope="validation")
    for number in range(n.get("validations", 0)):
        scene.award(f"competency-{number}", scope="validation")


def aws_figures(n: Amounts) -> Figures:
    named = {name: n.get(name, 0) for name in NAMED}
    plain = {
        "accredited-people": n["technical"] + n["business"] - n["both"],
        "technical-accredited": n["technical"],
        "business-accredited": n["business"],
        "foundational-certified": n["foundational"],
        "technical-certified": n["certified"],
        "professional-certified": n["professional"],
        "launched-opportunities": n["opportunities"],
        "launched-revenue": n["revenue"],
        "public-references": n["references"],
        "satisfaction-answers": n["answers"],
        "business-plan": n["plan"],
        "validations": n.get("validations", 0) + sum(map(bool, named.values())),
        "msp-validation": named["msp"],
        "devops-competency": named["devops"],
        "cloudops-competency": named["cloudops"],
        "executive-review": n.get("review", 0),
    }
    if "since" in n:
        meets = all(
            Fraction(plain[key]) >= threshold for key, threshold in PREMIER.items() if key != "executive-review"
        ) and any(named.values())  # fmt: skip
        plain["unbroken"] = (n["since"].isoformat() if meets else None, meets and n["since"] < date(2023, 7, 2))
    return plain


def aws_asked(people: int, each: int, found: int, certified: int, pro: int, opps: int, revenue: int, refs: int, answers: int,
              plan: int) -> dict[str, int]:  # fmt: skip
    asked = {
        "accredited-people": people, "technical-accredited": each, "business-accredited": each,
        "foundational-certified": found, "technical-certified": certified, "professional-certified": pro,
        "launched-opportunities": opps, "launched-revenue": revenue, "public-references": refs,
        "satisfaction-answers": answers, "business-plan": plan,
    }  # fmt: skip
    return {key: threshold for key, threshold in asked.items() if threshold}


SELECT = aws_asked(4, 2, 2, 2, 0, 3, 1500, 1, 5, 0)
ADVANCED = aws_asked(8, 4, 4, 6, 3, 20, 10_000, 2, 20, 1)
PREMIER = aws_asked(20, 10, 10, 25, 10, 50, 50_000, 6, 30, 1) | {"validations": 3, "executive-review": 1}
PREMIER_ASKED = PREMIER | {"msp-validation": 1, "devops-competency": 1, "cloudops-competency": 1, "unbroken": True}


def aws_step(tier: str, below: str, asked: dict[str, int], more: Amounts, edges: tuple[Edge, ...] = ()) -> Step:
    at = {
        "both": 0, "technical": asked["technical-accredited"], "business": asked["business-accredited"],
        "foundational": asked["foundational-certified"], "certified": asked["technical-certified"],
        "professional": asked.get("professional-certified", 0), "opportunities": asked["launched-opportunities"],
        "revenue": asked["launched-revenue"], "references": asked["public-references"],
        "answers": asked["satisfaction-answers"], "plan": asked.get("business-plan", 0), **more,
    }  # fmt: skip
    each = at["technical"]
    own = [
        Edge("accredited-people", {"both": 1}, {"technical": each + 1, "business": each + 1, "both": 1}),
        Edge("technical-accredited", {"technical": each - 1, "business": each + 1}, {"technical": each + 1}),
        Edge("business-accredited", {"business": each - 1, "technical": each + 1}, {"business": each + 1}),
        one_less_one_more("foundational-certified", "foundational", at["foundational"]),
        one_less_one_more("technical-certified", "certified", at["certified"]),
        one_less_one_more("launched-opportunities", "opportunities", at["opportunities"]),
        Edge("launched-revenue", {"revenue": at["revenue"] - CENT}, {"revenue": at["revenue"] + CENT}),
        one_less_one_more("public-references", "references", at["references"]),
        one_less_one_more("satisfaction-answers", "answers", at["answers"]),
    ]
    if at["professional"]:
        own.append(one_less_one_more("professional-certified", "professional", at["professional"]))
    if at["plan"]:
        own.append(Edge("business-plan", {"plan": 0}, {"plan": 2}, "select"))
    return Step(tier, at, PREMIER_ASKED if tier == "premier" else asked, (*own, *edges), below)


AWS = Table(
    "aws-services-path", AWS_NIGHTS, aws, aws_figures,
    (
        aws_step("select", "registered", SELECT, {}),
        aws_step("advanced", "select", ADVANCED, {}),
        aws_step(
            "premier", "advanced", PREMIER, {"since": date(2023, 7, 1), "validations": 2, "devops": 1, "review": 1},
            (
                Edge("validations", {"validations": 1}, {"validations": 3}),
                Edge("any of the named", {"devops": 0, "validations": 3}, {"devops": 0, "msp": 1}),
                Edge("any of the named, the third", {"devops": 0}, {"devops": 0, "cloudops": 1}),
                Edge("executive-review", {"review": 0}, {"review": 2}),
                # More than six months: since 2 July is exactly six on 2 January.
                Edge("unbroken", {"since": date(2023, 7, 2)}, {"since": date(2023, 6, 30)}),
            ),
        ),
    ),
    enrolled_on=date(2023, 1, 1),
)  # fmt: skip


# --- Atlassian ------------------------------------------------------------------------------------


def atlassian(scene: Scene, n: Amounts, night: date) -> None:
    scene.people(n["two"], "jira-administrator", "confluence-administrator")
    scene.people(5, "jira-administrator")
    scene.people(2, "jira-administrator", "confluence-administrator", left_on=night)


def atlassian_before(scene: Scene, n: Amounts, night: date) -> None:
    scene.sale(months_before(night, 12), Decimal(n["revenue"]) + 500)
    scene.sale(eve(night), -500, kind="refund")
    scene.sale(eve(months_before(night, 12)), 1_000_000)
    scene.sale(night, 1_000_000)


def ladder(
    measure: str, amount: str, rows: list[tuple[str, int]], entry: str, step: Decimal | int = 1, **more: Any
) -> tuple[Step, ...]:
    """Tiers that ask for one figure each."""
    steps, below = [], entry
    for code, threshold in rows:
        edge = Edge(measure, {amount: threshold - step}, {amount: threshold + step})
        steps.append(Step(code, {amount: threshold, **more}, {measure: threshold}, (edge,), below))
        below = code
    return tuple(steps)


# --- Salesforce -----------------------------------------------------------------------------------


def salesforce(scene: Scene, n: Amounts, night: date) -> None:
    scene.people(n["two"], "administrator", "platform-app-builder")
    scene.people(n["one"], "administrator")
    if n.get("score") is not None:
        scene.score("trailblazer-score", n["score"], eve(night), "emea")
        scene.score("trailblazer-score", n["score"] / 2, eve(night), "amer")
        scene.score("trailblazer-score", 1000, months_before(night, 3), "emea")  # an older one of the region


def salesforce_figures(n: Amounts) -> Figures:
    return {
        "people-with-two": n["two"],
        "people-with-one": n["one"] + n["two"],
        "trailblazer-score": n.get("score") or 0,
    }


BASE = {"people-with-two": 1, "people-with-one": 2}

# --- Google ---------------------------------------------------------------------------------------


def google(scene: Scene, n: Amounts, night: date) -> None:
    first_day = night - timedelta(days=90)
    scene.score("optimization-score", n["score"], night)
    scene.score("optimization-score", 100, eve(night))  # the newest one counts
    for area, spent in n["spend"].items():
        scene.record("ad-spend", first_day, amount=spent, attributes={"area": area})
        scene.record("ad-spend", eve(first_day), amount=5000, attributes={"area": area})
    scene.record("ad-spend", eve(first_day), amount=5000, attributes={"area": "apps"})
    scene.records("account-strategist", first_day, n["declared"])
    scene.record("account-strategist", first_day, ends_on=night)
    for area, certified in n["certified"].items():
        scene.people(certified, area)


def google_figures(n: Amounts) -> Figures:
    certified = sum(n["certified"].values())
    return {
        "optimization-score": n["score"],
        "ad-spend": sum(n["spend"].values()),
        "certified-share": Fraction(certified, n["declared"]),
        "certified-strategists": certified,
        **{f"{area}:area-certified": n["certified"].get(area, 0) for area, spent in n["spend"].items() if spent >= 500},
    }


GOOGLE_ASKED = {
    "optimization-score": 70, "ad-spend": 10_000, "certified-share": Fraction(1, 2), "certified-strategists": 100,
    "area-certified": 1,
}  # fmt: skip
SPEND = {"search": Decimal(9500), "video": Decimal(500)}
PARTNER = {"score": Decimal(70), "spend": SPEND, "declared": 10, "certified": {"search": 4, "video": 1}}
MANY = {**PARTNER, "declared": 1000, "certified": {"search": 99, "video": 1}}
GOOGLE = Table(
    "google-partners", (date(2022, 7, 1),), google, google_figures,
    (
        Step("partner", PARTNER, GOOGLE_ASKED, (
            Edge("optimization-score", {"score": Decimal("69.99")}, {"score": Decimal("70.01")}),
            Edge("ad-spend", {"spend": {**SPEND, "search": 9500 - CENT}}, {"spend": {**SPEND, "search": 9500 + CENT}}),
            Edge("certified-share", {"declared": 11}, {"declared": 9}),
            Edge("area-certified", {"certified": {"search": 5}}, {"certified": {"search": 4, "video": 2}}),
            Edge("area-spend", {"spend": {**SPEND, "display": 500}}, {"spend": {**SPEND, "display": 500 - CENT}}),
        ), "member"),
        # The share is never asked of more than 100 people.
        Step("partner", MANY, GOOGLE_ASKED, (
            Edge("certified-strategists", {"certified": {"search": 98, "video": 1}}, {"certified": {"search": 100, "video": 1}}),
        ), "member", note=" with 100 certified"),
    ),
    enrolled_on=date(2022, 2, 1),
)  # fmt: skip

# --- Cisco ----------------------------------------------------------------------------------------

NETWORK, COLLABORATION, DATACENTER = "network-architecture", "collaboration-architecture", "datacenter-architecture"
THREE = (NETWORK, COLLABORATION, DATACENTER)


def cisco(scene: Scene, n: Amounts, night: date) -> None:
    for code, scope in n["held"]:
        scene.award(code, scope=scope, until=months_before(night, -12))
    scene.award(NETWORK, scope="iberia", until=night)  # over on the night


def cisco_figures(n: Amounts) -> Figures:
    figures: dict[str, Any] = {}
    for place in sorted({scope for _code, scope in n["held"]}):
        held = [code for code, scope in n["held"] if scope == place]
        figures |= {
            f"{place}:{code}": held.count(code) for code in (*THREE, "express-foundation", "express-collaboration")
        }
        figures[f"{place}:advanced-architectures"] = sum(code in THREE for code in held)
    return figures


def all_one(*measures: str) -> dict[str, int]:
    return dict.fromkeys(measures, 1)


SILVER_AND_GOLD = (
    Step("silver", {"held": [(NETWORK, "benelux")]}, all_one(*THREE), (
        Edge("one of three", {"held": []}, {"held": [(NETWORK, "benelux"), (DATACENTER, "benelux")]}),
        Edge("one of three, not another", {"held": [("security", "benelux")]}, {"held": [(DATACENTER, "benelux")]}),
    ), "registered"),
    Step("gold", {"held": [(code, "benelux") for code in THREE]}, all_one(*THREE), (
        Edge("three of three", {"held": [(NETWORK, "benelux"), (COLLABORATION, "benelux")]},
             {"held": [(code, "benelux") for code in (*THREE, "security")]}),
        Edge("in one grouping", {"held": [(NETWORK, "benelux"), (COLLABORATION, "benelux"), (DATACENTER, "nordics")]},
             {"held": [*((code, "benelux") for code in THREE), (NETWORK, "nordics")]}),
    ), "silver"),
)  # fmt: skip
PREMIER_2015 = (
    Step("premier", {"held": [("express-foundation", "benelux")]},
        all_one("express-foundation", "express-collaboration", "advanced-architectures"), (
            Edge("any", {"held": []}, {"held": [("express-foundation", "benelux"), ("express-collaboration", "benelux")]}),
            Edge("any, not another", {"held": [("security", "benelux")]}, {"held": [("express-collaboration", "benelux")]}),
    ), "registered"),
)  # fmt: skip

# --- Brevo ----------------------------------------------------------------------------------------


def brevo(scene: Scene, n: Amounts, night: date) -> None:
    scene.attest("approved-application", n["approved"], since=night)
    scene.attest("approved-application", until=night)


TABLES = [
    Table("odoo", (date(2018, 7, 1),), odoo("11"), odoo_figures,
        odoo_steps([("ready", 0, 1, 0), ("silver", 50, 2, 0), ("gold", 100, 4, 0)])),
    Table("odoo", (date(2021, 7, 1),), odoo("14", "contract"), odoo_figures,
        odoo_steps([("ready", 10, 1, 0), ("silver", 50, 2, 70), ("gold", 150, 3, 80)])),
    Table("odoo", (date(2023, 7, 1),), odoo("16"), odoo_figures,
        odoo_steps([("ready", 10, 1, 0), ("silver", 75, 3, 70), ("gold", 300, 6, 80)])),
    AWS,
    Table("atlassian-solution-2017", (date(2016, 7, 1),), atlassian_before, lambda n: {"revenue": n["revenue"]},
        ladder("revenue", "revenue", [("silver", 50_000), ("gold", 100_000), ("platinum", 250_000)], "registered", CENT)),
    Table("atlassian-solution-2017", (date(2017, 7, 1),), atlassian, lambda n: {"accredited-professionals": n["two"]},
        ladder("accredited-professionals", "two", [("silver", 1), ("gold", 4), ("platinum", 8)], "registered"),
        enrolled_on=date(2017, 2, 1)),
    Table("salesforce-consulting-fy22", (date(2021, 9, 1),), salesforce, salesforce_figures, (
        Step("base", {"two": 1, "one": 0}, BASE, (Edge("people-with-two", {"two": 0, "one": 1}, {"two": 2}),), "registered"),
        Step("base", {"two": 0, "one": 2}, BASE, (Edge("people-with-one", {"one": 1}, {"one": 3}),), "registered",
            note=" by two people"),
        *ladder("trailblazer-score", "score", [("ridge", 250), ("crest", 500), ("summit", 750)], "base", CENT, two=1, one=0),
    ), enrolled_on=date(2021, 3, 1)),
    GOOGLE,
    Table("cisco-channel", (date(2011, 7, 1),), cisco, cisco_figures, SILVER_AND_GOLD, enrolled_on=date(2011, 3, 15)),
    Table("cisco-channel", (date(2015, 7, 1),), cisco, cisco_figures, (*PREMIER_2015, *SILVER_AND_GOLD),
        enrolled_on=date(2015, 4, 15)),
    Table("brevo-agency", (date(2025, 7, 1),), brevo, lambda n: {"approved-application": n["approved"]}, (
        Step("expert", {"approved": 1}, {"approved-application": 1}, (
            Edge("approved-application", {"approved": 0}, {"approved": 2}),
        ), "applicant"),
    )),
]  # fmt: skip
