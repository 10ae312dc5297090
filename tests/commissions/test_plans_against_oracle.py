"""Generated plans over generated histories, changed again and again: after each night the ledger is what the oracle says.

`PLAN_ORACLE_EXAMPLES=2000` compares so many of each mix of features; `PLAN_ORACLE_FEATURES=sale,bands,limits` mixes those named.
"""

import os
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from commissions import sealing
from tests.commissions.plan_world import PlanWorld

EXAMPLES = int(os.environ.get("PLAN_ORACLE_EXAMPLES", "8"))
FEATURES = frozenset(os.environ.get("PLAN_ORACLE_FEATURES", "").split(",")) - {""}
PHASES = [Phase.generate] if os.environ.get("PLAN_ORACLE_NO_SHRINK") else list(Phase)
TIERS = ("level-1", "level-2", "level-3")
# Few days, so that facts, plans, tiers, targets and nights often meet on one; months and quarters begin among them.
DAYS = [date(2026, month, day) for month, day in
        [(1, 20), (1, 31), (2, 1), (2, 19), (2, 28), (3, 1), (3, 2), (3, 31), (4, 1), (4, 10)]]  # fmt: skip
NIGHTS = [date(2026, 2, 20), date(2026, 3, 2), date(2026, 4, 2), date(2026, 5, 1)]
EVENTS = (
    "sale",
    "collection",
    "first_sale",
    "deal_won",
    "lead_qualified",
    "lead_accepted",
    "certification",
    "tier_reached",
    "activity",
)
WITH_NET = ("sale", "collection", "first_sale", "deal_won", "lead_qualified", "activity")
OF_SALES = ("sale", "collection", "first_sale")

day = st.sampled_from(DAYS)
index = st.integers(0, 9)
partner = st.integers(0, 3)
enrolled = st.integers(0, 2)
currency = st.sampled_from(["USD", "EUR", "GBP", "JPY"])
sourced = st.sampled_from(["", "partner", "vendor"])
amount = st.one_of(
    st.sampled_from(["0.50", "0.70", "10", "30", "100.10", "1000", "1230", "5000"]),
    st.integers(1, 10**6).map(lambda cents: str(Decimal(cents) / 100)),
).map(Decimal)
share = st.sampled_from(["0", "0.000001", "0.05", "0.1", "0.15", "0.333333", "1"])
money = st.sampled_from(["0", "0.005", "5", "12.34", "250"])


def by_tier(one: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return one | st.dictionaries(st.sampled_from([*TIERS, "others"]), one, min_size=1)


def conditions(event: str) -> st.SearchStrategy[Any]:
    def compare(field: str, values: list[Any], how: tuple[str, ...] = ("equal", "not")) -> st.SearchStrategy[Any]:
        return st.builds(
            lambda is_, value: {"field": field, "is": is_, "value": value},
            st.sampled_from(how),
            st.sampled_from(values),
        )

    size = ("at_least", "more_than", "at_most", "less_than")
    known = [compare("country", ["FR", "BE"]), compare("trait:segment", ["smb", "large"])]
    if event in OF_SALES:
        known += [
            compare("amount", ["10", "1000"], size), compare("kind", ["new", "renewal", "refund"]), compare("quantity", [2], size),
            compare("sourced", ["partner", "vendor"]), compare("new_customer", [True, False]), compare("currency", ["EUR", "USD"]),
            compare("customer_name", ["Acme"]), compare("recurring_amount", ["5"], size),
        ]  # fmt: skip
    elif event in ("deal_won", "lead_qualified"):
        known += [compare("amount", ["100"], size), compare("sourced", ["partner"])]
    elif event == "lead_accepted":
        known += [compare("source", ["staff", "api"]), compare("lead_country", ["FR"])]
    elif event == "certification":
        known += [compare("job", ["sales", "technical"])]
    elif event == "tier_reached":
        known += [compare("tier", ["level-2", "level-3"])]
    elif event == "activity":
        known += [compare("attr:size", ["big"]), compare("amount", ["100"], size), compare("name", ["Show"])]
    leaf = st.one_of(known)
    grouped = st.builds(
        lambda group, ones: {group: ones},
        st.sampled_from(["all", "any", "none"]),
        st.lists(leaf, min_size=1, max_size=2),
    )
    return st.lists(leaf | leaf | grouped, min_size=1, max_size=2)


def bands(pays: str) -> st.SearchStrategy[Any]:
    rate = by_tier(share if pays == "share" else money)
    starts = {"share": ["0", "100", "1000", "10000"], "fixed": ["0", "1", "2", "3"], "unit": ["0", "2", "3", "9"]}[pays]

    @st.composite
    def made(draw: Any) -> Any:
        over = draw(st.sampled_from(["month", "quarter", "half_year", "year", "target"]))
        steps = ["0", "0.5", "1", "1.2"] if over == "target" else starts
        found: dict[str, Any] = {
            "over": over,
            "steps": [{"from": start, "rate": draw(rate)} for start in steps[: draw(st.integers(1, 4))]],
        }
        if over == "target":
            found["target"] = draw(st.sampled_from(["revenue", "pieces"]))
        elif draw(st.booleans()):
            found["starts_month"] = draw(st.sampled_from([2, 4]))
        if draw(st.booleans()):
            found["whole"] = True
        return found

    return made()


LIMITS = ("line", "customer", "month", "quarter", "half_year", "year")


@st.composite
def has(draw: Any, features: frozenset[str], feature: str, odds: int = 3) -> bool:
    """Whether a plan has a feature: of those that are asked for each one time in `odds`."""
    return feature in features and draw(st.integers(1, odds)) == 1


@st.composite
def rule(draw: Any, number: int, features: frozenset[str], event: str) -> dict[str, Any]:
    known = ["share", "fixed", "unit"] if event in WITH_NET else ["fixed", "unit"]
    pays = draw(st.sampled_from(known)) if draw(has(features, "pays", 2)) else known[0]
    made = {"code": f"rule-{number}", "name": {"en": "Rule", "fr": "Règle"}, "event": event, "pays": pays}
    return {**made, **draw(for_whom(features, event)), **draw(how_much(features, event, pays))}


@st.composite
def for_whom(draw: Any, features: frozenset[str], event: str) -> dict[str, Any]:
    known = {
        "when": conditions(event),
        "tiers": st.lists(st.sampled_from(TIERS), min_size=1, max_size=2, unique=True),
        "adds": st.just(value=True),
        "without_tier": st.just(value=True),
    }
    if event in OF_SALES:
        known["months"] = st.sampled_from([1, 2])
    return {key: draw(values) for key, values in known.items() if draw(has(features, key))}


@st.composite
def how_much(draw: Any, features: frozenset[str], event: str, pays: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if pays == "share" and event in ("sale", "first_sale") and draw(has(features, "bases")):
        made["base"] = draw(st.sampled_from(["margin", "recurring"]))
    if draw(has(features, "sponsors")):
        made["to"] = draw(st.sampled_from(["sponsor", "second_sponsor"]))
        if pays == "share" and draw(st.booleans()):
            made["base"] = "earned"
    if made.get("base") != "earned" and draw(has(features, "bands", 2)):
        made["bands"] = draw(bands(pays))
    else:
        made["rate"] = draw(by_tier(share if pays == "share" else money))
    if draw(has(features, "limits")):
        keys = draw(st.lists(st.sampled_from(LIMITS), min_size=1, max_size=3, unique=True))
        made["at_most"] = {key: draw(st.sampled_from(["0.5", "20", "300"])) for key in keys}
        if draw(st.booleans()):
            made["at_least"] = {keys[0]: "0.4"}
    return made


@st.composite
def plans(draw: Any, features: frozenset[str]) -> dict[str, Any]:
    events = [event for event in EVENTS if event in features] or ["sale"]
    rules = [draw(rule(number, features, draw(st.sampled_from(events)))) for number in range(draw(st.integers(1, 4)))]
    plan: dict[str, Any] = {"rules": rules}
    names_money = any(one["pays"] != "share" or "bands" in one or "at_most" in one for one in rules)
    if names_money or "currencies" in features and draw(st.booleans()):
        plan["currency"] = draw(currency) if "currencies" in features else "USD"
    if "hold" in features and draw(st.booleans()):
        plan["hold_days"] = 30
    if "run_off" in features and draw(st.booleans()):
        plan["run_off_months"] = draw(st.sampled_from([1, 2]))
    return plan


def by_name(features: frozenset[str]) -> dict[str, st.SearchStrategy[tuple[Any, ...]]]:
    """What may happen, each with its arguments; methods of PlanWorld."""
    own_currency = currency if "currencies" in features else st.just("USD")
    customer = st.sampled_from(["", "Acme", "Globex"])
    kind = st.sampled_from(["new", "renewal"])
    country = st.sampled_from(["FR", "BE"])
    signed = st.builds(lambda sign, one: sign * one, st.sampled_from([1, 1, -1]), amount)
    found: dict[str, tuple[Any, ...]] = {
        "sale": (
            partner,
            day,
            amount,
            own_currency,
            customer,
            st.integers(1, 3),
            st.none() | amount,
            st.booleans(),
            sourced,
            kind,
        ),
        "change_amount": (index, st.sampled_from(["0", "0.5", "0.99", "3"])),
        "change_day": (index, day),
        "change_partner": (index, partner),
        "change_customer": (index, customer),
        "change_kind": (index, kind),
        "void": (index,),
        "restore": (index,),
        "place": (enrolled, st.sampled_from(TIERS), day),
        "leave": (enrolled, st.none() | day),
        "move_country": (partner, country),
        "label": (partner, st.sampled_from(["", "smb", "large"])),
        "publish": (plans(features), day, st.none() | st.integers(1, 40)),
    }
    if "refunds" in features:
        part = st.sampled_from(["0", "0.3", "0.333", "0.5", "1"])
        found["refund"] = (index, st.sampled_from([-3, 0, 1, 20, 60]), part, st.booleans())
        found |= {"link": (index, index), "unlink": (index,)}
    if "splits" in features:
        found["split"] = (index, st.lists(st.integers(0, 3), min_size=4, max_size=4))
    if "sponsors" in features:
        found["sponsor"] = (partner, partner, day)
    if "currencies" in features:
        quoted, value = st.sampled_from(["USD", "GBP", "JPY"]), st.sampled_from(["1.1172", "0.8338", "175.68"])
        found |= {
            "change_currency": (index, currency),
            "pay_in": (partner, currency, day),
            "quote": (quoted, day, value),
        }
    if "collection" in features:
        found["collect"] = (index, st.sampled_from([-20, 0, 10, 40]), signed)
        found["change_collection"] = (index, day, signed)
    if "deal_won" in features:
        pieces = st.none() | st.sampled_from([Decimal(2), Decimal("2.5")])
        found |= {
            "deal": (partner, day, amount, own_currency, st.booleans(), st.booleans(), sourced),
            "change_deal": (index, day, amount),
            "accept": (partner, day, st.sampled_from(["staff", "api"]), country),
            "change_lead": (index, country),
            "award": (partner, day, st.integers(0, 1)),
            "unaward": (index,),
            "change_job": (partner, st.sampled_from(["sales", "technical"])),
            "record": (partner, day, st.none() | amount, own_currency, pieces, st.sampled_from(["", "big"])),
            "change_record": (index, day),
            "unrecord": (index,),
        }
    if "bands" in features:
        size = st.sampled_from([Decimal(2), Decimal("2.5"), Decimal("0.5")])
        days = st.sampled_from([28, 90])
        found["target"] = (
            partner,
            st.sampled_from(["revenue", "pieces"]),
            day,
            days,
            st.none() | amount,
            own_currency,
            size,
        )
    return {name: st.tuples(st.just(name), *arguments) for name, arguments in found.items()}


# How often what happens; others once.
OFTEN = {
    "sale": 4,
    "change_amount": 2,
    "change_day": 2,
    "refund": 4,
    "split": 2,
    "sponsor": 2,
    "quote": 2,
    "collect": 2,
    "place": 2,
    "target": 2,
}
NEW = (
    "sale",
    "refund",
    "split",
    "sponsor",
    "quote",
    "collect",
    "deal",
    "accept",
    "award",
    "record",
    "target",
    "place",
    "pay_in",
)


def happenings(features: frozenset[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.one_of([one for name, one in by_name(features).items() for _time in range(OFTEN.get(name, 1))])


def beginnings(features: frozenset[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    """What there is before the first night."""
    found = by_name(features)
    return st.one_of([found[name] for name in NEW if name in found for _time in range(2 * OFTEN.get(name, 1))])


ALL = frozenset([
    *EVENTS, "pays", "when", "tiers", "sponsors", "adds", "without_tier", "months", "bases", "bands", "limits", "currencies", "hold",
    "run_off", "refunds", "splits", "early",
])  # fmt: skip
MIXES = {"shares": frozenset(["sale", "hold", "when", "tiers", "refunds"]), "everything": ALL}


def rounds(features: frozenset[str]) -> st.SearchStrategy[Any]:
    """Things that happen, the night after them, and whether it is one of an earlier day that is run again."""
    early = st.none() | st.none() | st.sampled_from(NIGHTS) if "early" in features else st.none()
    one = st.tuples(st.lists(happenings(features), min_size=1, max_size=8), early, st.booleans())
    return st.lists(one, min_size=3, max_size=5)


ASKED = {"asked": ALL if "all" in FEATURES else FEATURES} if FEATURES else MIXES


def generated(features: frozenset[str], examples: int) -> Any:
    """A test of a plan, what there is at first, what happens then, and the size of chunks."""

    def decorate(test: Any) -> Any:
        told = given(
            plan=plans(features), first=st.lists(beginnings(features), min_size=6, max_size=14), then=rounds(features)
        )
        return settings(
            max_examples=examples, deadline=None, derandomize=True, database=None, phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )(told(test))  # fmt: skip

    return decorate


def live(world: PlanWorld, first: list[Any], then: list[Any]) -> None:
    """Everything that happens, night after night; each is compared with the oracle."""
    world.do(first)
    nights = iter(NIGHTS)
    latest = next(nights)
    world.night(latest)
    for events, early, goes_on in then:
        world.do(events)
        if early is not None and early < latest:
            world.earlier_night(early)
        latest = next(nights, latest) if goes_on else latest
        world.night(latest)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("mix", ASKED)
def test_the_ledger_is_what_the_oracle_says(mix: str) -> None:
    @generated(ASKED[mix], EXAMPLES)
    def compare(plan: dict[str, Any], first: list[Any], then: list[Any]) -> None:
        with transaction.atomic():
            live(PlanWorld(plan, chunk_size=1 + len(first) % 3), first, then)
            assert list(sealing.verify()) == []
            transaction.set_rollback(True)

    compare()


@pytest.mark.slow
@pytest.mark.django_db
def test_the_size_of_chunks_changes_no_line() -> None:
    @generated(ALL, max(EXAMPLES // 4, 1))
    def compare(plan: dict[str, Any], first: list[Any], then: list[Any]) -> None:
        found = []
        for chunk_size in (1, 2000):
            with transaction.atomic():
                world = PlanWorld(plan, chunk_size=chunk_size)
                live(world, first, then)
                found.append(world.lines())
                transaction.set_rollback(True)
        assert found[0] == found[1]

    compare()
