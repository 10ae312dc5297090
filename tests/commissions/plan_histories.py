"""Plans and histories by a seed: what `tests/commissions/test_plans_against_oracle.py` compares.

Few days, amounts and customers, so that facts, plans, tiers, targets and nights often meet on one. A history is a list of methods of
PlanWorld with their arguments.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

TIERS = ("level-1", "level-2", "level-3")
DAYS = [date(2026, month, day) for month, day in
        [(1, 20), (1, 31), (2, 1), (2, 19), (2, 28), (3, 1), (3, 2), (3, 31), (4, 1), (4, 10)]]  # fmt: skip
NIGHTS = [date(2026, 2, 20), date(2026, 3, 2), date(2026, 4, 2), date(2026, 5, 1)]
EVENTS = {
    "sale": 8, "collection": 3, "first_sale": 2, "deal_won": 1, "lead_qualified": 1, "lead_accepted": 1, "certification": 1,
    "tier_reached": 1, "activity": 2,
}  # fmt: skip  # how often a rule is for which
WITH_NET = ("sale", "collection", "first_sale", "deal_won", "lead_qualified", "activity")
OF_SALES = ("sale", "collection", "first_sale")
CURRENCIES = ("USD", "EUR", "GBP", "JPY")
SHARES = ("0", "0.000001", "0.05", "0.1", "0.1", "0.15", "0.15", "0.333333", "1")
MONEY = ("0", "0.005", "5", "5", "12.34", "250")
PERIODS = ("month", "quarter", "half_year", "year")
ALL = frozenset([
    *EVENTS, "pays", "when", "tiers", "sponsors", "adds", "without_tier", "months", "bases", "bands", "limits", "currencies",
    "hold", "run_off", "refunds", "splits", "early",
])  # fmt: skip
PLAIN = frozenset(["sale", "hold", "when", "tiers", "refunds"])
Happening = tuple[Any, ...]
SIZES = ("at_least", "more_than", "at_most", "less_than")


class Chance:
    """Draws from a seed, of the features that are asked for."""

    def __init__(self, seed: int, features: frozenset[str]) -> None:
        self.random, self.features = Random(seed), features  # noqa: S311  # a test

    def one(self, values: Sequence[Any]) -> Any:
        return self.random.choice(values)

    def some(self, values: Sequence[Any], most: int) -> list[Any]:
        return self.random.sample(values, self.random.randint(1, most))

    def happens(self, feature: str, odds: int = 4) -> bool:
        """One time in `odds`, where the feature is asked for."""
        return feature in self.features and self.random.randrange(odds) == 0

    def often(self, odds: dict[str, int]) -> str:
        return self.random.choices(list(odds), list(odds.values()))[0]

    # --- Values

    def day(self) -> date:
        return self.one(DAYS)

    def index(self) -> int:
        return self.random.randrange(20)

    def partner(self) -> int:
        return self.one((0, 0, 0, 1, 1, 2, 3))

    def enrolled(self) -> int:
        return self.one((0, 0, 1, 2))

    def amount(self) -> Decimal:
        odd = Decimal(self.random.randint(1, 10**6)) / 100
        return Decimal(self.one(["0.50", "0.70", "10", "30", "100.10", "1000", "1230", "5000", odd, odd, odd]))

    def signed(self) -> Decimal:
        return self.amount() * self.one((1, 1, 1, -1))

    def currency(self) -> str:
        return self.one(CURRENCIES) if "currencies" in self.features else "USD"

    def by_tier(self, values: Sequence[str]) -> Any:
        if self.random.random() < 0.5:
            return self.one(values)
        return {code: self.one(values) for code in self.some([*TIERS, "others"], 4)}


# --- Plans ----------------------------------------------------------------------------------------


def plan(chance: Chance) -> dict[str, Any]:
    events = {event: odds for event, odds in EVENTS.items() if event in chance.features}
    rules = [rule(chance, number, chance.often(events)) for number in range(chance.one((1, 2, 3, 3, 4)))]
    made: dict[str, Any] = {"rules": rules}
    names_money = any(one["pays"] != "share" or "bands" in one or "at_most" in one for one in rules)
    if names_money or chance.happens("currencies", 2):
        made["currency"] = chance.currency()
    if chance.happens("hold"):
        made["hold_days"] = 30
    if chance.happens("run_off", 2):
        made["run_off_months"] = chance.one((1, 2))
    return made


def rule(chance: Chance, number: int, event: str) -> dict[str, Any]:
    pays = "share" if event in WITH_NET else "fixed"
    if chance.happens("pays", 3):
        pays = chance.one(("fixed", "unit"))
    made = {"code": f"rule-{number}", "name": {"en": "Rule", "fr": "Règle"}, "event": event, "pays": pays}
    return {**made, **for_whom(chance, event), **how_much(chance, event, pays)}


def for_whom(chance: Chance, event: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if chance.happens("when"):
        made["when"] = [condition(chance, event) for _number in range(chance.one((1, 1, 2)))]
    if chance.happens("tiers", 6):
        made["tiers"] = chance.some(TIERS, 2)
    if chance.happens("adds"):
        made["adds"] = True
    if chance.happens("without_tier"):
        made["without_tier"] = True
    if event in OF_SALES and chance.happens("months"):
        made["months"] = chance.one((1, 2))
    return made


def how_much(chance: Chance, event: str, pays: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if pays == "share" and event in ("sale", "first_sale") and chance.happens("bases"):
        made["base"] = chance.one(("margin", "recurring"))
    if chance.happens("sponsors"):
        made["to"] = chance.one(("sponsor", "sponsor", "second_sponsor"))
        if pays == "share" and chance.happens("sponsors", 2):
            made["base"] = "earned"
    if made.get("base") != "earned" and chance.happens("bands", 3):
        made["bands"] = bands(chance, pays)
    else:
        made["rate"] = chance.by_tier(SHARES if pays == "share" else MONEY)
    if chance.happens("limits"):
        keys = chance.some(("line", "customer", *PERIODS), 3)
        made["at_most"] = {key: chance.one(("0.5", "20", "300")) for key in keys}
        if chance.happens("limits", 2):
            made["at_least"] = {keys[0]: "0.4"}
    return made


def bands(chance: Chance, pays: str) -> dict[str, Any]:
    over = chance.one((*PERIODS, "target", "target"))
    starts = {"share": ("0", "100", "1000", "10000"), "fixed": ("0", "1", "2", "3"), "unit": ("0", "2", "3", "9")}[pays]
    if over == "target":
        starts = ("0", "0.5", "1", "1.2")
    values = SHARES if pays == "share" else MONEY
    steps = [{"from": start, "rate": chance.by_tier(values)} for start in starts[: chance.one((1, 2, 3, 4, 4))]]
    found: dict[str, Any] = {"over": over, "steps": steps}
    if over == "target":
        found["target"] = chance.one(("revenue", "revenue", "pieces"))
    elif chance.happens("bands", 3):
        found["starts_month"] = chance.one((2, 4))
    if chance.happens("bands", 2):
        found["whole"] = True
    return found


ASKED: dict[str, list[tuple[str, list[Any], tuple[str, ...]]]] = {
    "sale": [
        ("amount", ["10", "1000"], SIZES), ("kind", ["new", "renewal", "refund"], ("equal", "not")), ("quantity", [2], SIZES),
        ("sourced", ["partner", "vendor"], ("equal", "not")), ("new_customer", [True, False], ("equal",)),
        ("currency", ["EUR", "USD"], ("equal", "not")), ("customer_name", ["Acme"], ("equal", "not")),
        ("recurring_amount", ["5"], SIZES),
    ],
    "deal_won": [("amount", ["100"], SIZES), ("sourced", ["partner"], ("equal", "not"))],
    "lead_accepted": [("source", ["staff", "api"], ("equal", "not")), ("lead_country", ["FR"], ("equal", "not"))],
    "certification": [("job", ["sales", "technical"], ("equal", "not"))],
    "tier_reached": [("tier", ["level-2", "level-3"], ("equal", "not"))],
    "activity": [("attr:size", ["big"], ("equal", "not")), ("amount", ["100"], SIZES), ("name", ["Show"], ("equal", "not"))],
}  # fmt: skip
OF_PARTNERS = [("country", ["FR", "BE"], ("equal", "not")), ("trait:segment", ["smb", "large"], ("equal", "not"))]
LIKE = {"collection": "sale", "first_sale": "sale", "lead_qualified": "deal_won"}


def condition(chance: Chance, event: str) -> dict[str, Any]:
    if chance.happens("when", 4):
        return {chance.one(("all", "any", "none")): [leaf(chance, event) for _number in range(chance.one((1, 2)))]}
    return leaf(chance, event)


def leaf(chance: Chance, event: str) -> dict[str, Any]:
    field, values, how = chance.one(ASKED[LIKE.get(event, event)] * 2 + OF_PARTNERS)
    return {"field": field, "is": chance.one(how), "value": chance.one(values)}


# --- Histories ------------------------------------------------------------------------------------

# How often what happens, by the feature it belongs to: before the first night, and after it.
HAPPENINGS: dict[str, tuple[str, int, int]] = {
    "sale": ("", 24, 5), "change_amount": ("", 0, 4), "change_day": ("", 0, 4), "change_partner": ("", 0, 2),
    "change_customer": ("", 0, 1), "change_kind": ("", 0, 1), "void": ("", 1, 2), "restore": ("", 0, 2), "place": ("", 4, 4),
    "leave": ("", 0, 1), "move_country": ("", 0, 1), "label": ("", 0, 1), "publish": ("", 0, 2),
    "refund": ("refunds", 8, 5), "link": ("refunds", 1, 1), "unlink": ("refunds", 0, 1), "split": ("splits", 3, 2),
    "sponsor": ("sponsors", 6, 2), "change_currency": ("currencies", 0, 2), "pay_in": ("currencies", 1, 1),
    "quote": ("currencies", 8, 4), "collect": ("collection", 6, 3), "change_collection": ("collection", 0, 2),
    "deal": ("deal_won", 4, 2), "change_deal": ("deal_won", 0, 1), "accept": ("lead_accepted", 3, 1),
    "change_lead": ("lead_accepted", 0, 1), "award": ("certification", 3, 1), "unaward": ("certification", 0, 1),
    "change_job": ("certification", 0, 1), "record": ("activity", 4, 2), "change_record": ("activity", 0, 1),
    "unrecord": ("activity", 0, 1), "target": ("bands", 5, 3),
}  # fmt: skip


def happening(chance: Chance, *, at_first: bool) -> Happening:
    odds = {
        name: first if at_first else later
        for name, (feature, first, later) in HAPPENINGS.items()
        if not feature or feature in chance.features
    }
    name = chance.often(odds)
    return (name, *_arguments(chance, name))


def _arguments(chance: Chance, name: str) -> tuple[Any, ...]:
    one, day, index, partner = chance.one, chance.day, chance.index, chance.partner
    customers, kinds, countries, sourced = (
        ("", "Acme", "Acme", "Globex"),
        ("new", "new", "renewal"),
        ("FR", "BE"),
        ("", "partner", "vendor"),
    )
    known = {
        "sale": lambda: (partner(), day(), chance.amount(), chance.currency(), one(customers), one((1, 2, 3)),
                         one((None, chance.amount())), one((True, False)), one(sourced), one(kinds)),
        "change_amount": lambda: (index(), one(("0", "0.5", "0.99", "3"))),
        "change_day": lambda: (index(), day()),
        "change_partner": lambda: (index(), partner()),
        "change_customer": lambda: (index(), one(customers)),
        "change_kind": lambda: (index(), one(kinds)),
        "place": lambda: (chance.enrolled(), one(TIERS), day()),
        "leave": lambda: (chance.enrolled(), one((None, day()))),
        "move_country": lambda: (partner(), one(countries)),
        "label": lambda: (partner(), one(("", "smb", "large"))),
        "publish": lambda: (plan(chance), day(), one((None, None, chance.random.randint(1, 40)))),
        "refund": lambda: (index(), one((-3, 0, 1, 20, 60)), one(("0", "0.3", "0.333", "0.333", "0.5", "1")), one((True, True, False))),
        "link": lambda: (index(), index()),
        "split": lambda: (index(), [one((0, 1, 1, 2, 3)) for _partner in range(4)]),
        "sponsor": lambda: (partner(), partner(), one((DAYS[0], day()))),
        "change_currency": lambda: (index(), chance.currency()),
        "pay_in": lambda: (partner(), chance.currency(), day()),
        "quote": lambda: (one(("USD", "GBP", "JPY")), day(), one(("1.1172", "0.8338", "175.68"))),
        "collect": lambda: (index(), one((-20, 0, 10, 40)), chance.signed()),
        "change_collection": lambda: (index(), day(), chance.signed()),
        "deal": lambda: (partner(), day(), chance.amount(), chance.currency(), one((True, True, False)), one((True, False)), one(sourced)),
        "change_deal": lambda: (index(), day(), chance.amount()),
        "accept": lambda: (partner(), day(), one(("staff", "api")), one(countries)),
        "change_lead": lambda: (index(), one(countries)),
        "award": lambda: (partner(), day(), one((0, 1))),
        "change_job": lambda: (partner(), one(("sales", "technical"))),
        "record": lambda: (partner(), day(), one((None, chance.amount())), chance.currency(),
                           one((None, Decimal(2), Decimal("2.5"))), one(("", "big"))),
        "change_record": lambda: (index(), day()),
        "target": lambda: (partner(), one(("revenue", "revenue", "pieces")), day(), one((28, 90)), one((None, chance.amount())),
                           chance.currency(), one((Decimal(2), Decimal("2.5"), Decimal("0.5")))),
    }  # fmt: skip
    return known[name]() if name in known else (index(),)


def beginning(chance: Chance) -> list[Happening]:
    return [happening(chance, at_first=True) for _number in range(chance.random.randint(8, 30))]


def rounds(chance: Chance) -> list[tuple[list[Happening], date | None, bool]]:
    """What happens then, which earlier night is run again before the next one, and whether that is of a later day."""
    return [
        (
            [happening(chance, at_first=False) for _number in range(chance.random.randint(1, 8))],
            chance.one(NIGHTS) if chance.happens("early", 3) else None,
            chance.one((True, True, False)),
        )
        for _round in range(chance.one((2, 3, 4)))
    ]
