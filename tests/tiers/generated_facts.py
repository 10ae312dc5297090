"""Partners and facts at random, and whole nights of them. Fact number n of a seed is the same however many there are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.tiers import oracle
from tests.tiers.generated import (
    AMOUNTS,
    COUNTRIES,
    DAYS,
    DIRTY,
    TEXTS,
    TRAITS,
    Document,
    Draw,
    Rules,
    measures_of_facts,
    measures_of_measures,
)
from tests.tiers.oracle_facts import Fact, Night
from tests.tiers.oracle_windows import Partner, months_after, window_days

ONE = timedelta(days=1)
EXCHANGE = {"USD": {"amount": "100", "is": "88"}, "JPY": {"amount": "3", "is": "0.02"}}
GROUPS = {"growth": ["BR", "IN"], "home": ["FR"]}


def partners(random: Random, day: date, count: int) -> list[Partner]:
    """Enrolled on the day at the latest, some of them on anniversaries and months' ends."""
    starts = [day, day - ONE, months_after(day, -12), months_after(day, -12) - ONE, months_after(day, -1), date(2024, 2, 29),
              date(2023, 8, 31), months_after(day, -24) + ONE, day.replace(day=1)]  # fmt: skip
    found = []
    for number in range(count):
        enrolled_on = min(random.choice(starts), day)
        traits = {
            name: random.choice([*values, values[:2], values[1:]])
            for name, values in TRAITS.items()
            if random.random() < 0.7
        }
        found.append(
            Partner(
                f"P{number}", enrolled_on, min(day, enrolled_on - ONE * random.choice([0, 0, 1, 400])),
                random.choice(COUNTRIES), random.choice(["level-1", "level-1", "level-2"]),
                max(enrolled_on, min(day - ONE, random.choice(starts))), traits,
            )
        )  # fmt: skip
    return found


def bounds(measures: Sequence[Mapping[str, Any]], day: date, partner: Partner) -> list[date]:
    """The days on and beside the bounds of every window, also of those in filters."""
    found = [day, day - ONE, day + ONE]
    for window in _windows(list(measures)):
        if window.get("kind") in ("today", "on"):
            continue
        days = window_days(window, day, partner)
        found += [one + ONE * beside for one in days if one and one.year > 1 for beside in (-1, 0)]
    return found


def _windows(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from _windows(one)
    elif isinstance(value, dict):
        if "window" in value:
            yield value["window"]
        for name, one in value.items():
            if name != "window":
                yield from _windows(one)


class Facts:
    """Makes facts of one partner, each from the generator it is given."""

    def __init__(self, partner: Partner, edges: Sequence[date], day: date) -> None:
        self.partner, self.edges, self.day = partner, edges, day

    def on(self, random: Random) -> date:
        if random.random() < 0.7:
            return random.choice(self.edges)
        return self.day - ONE * random.randrange(-2, 1200)

    def span(self, random: Random) -> dict[str, date | None]:
        starts_on = self.on(random)
        return {"starts_on": starts_on, "ends_on": self.after(random, starts_on)}

    def after(self, random: Random, start: date) -> date | None:
        later = [one for one in self.edges if one > start]
        return random.choice([None, start + ONE, *(random.choice(later) for _ in later[:2])])

    def amount(self, random: Random) -> Decimal:
        return Decimal(random.choice(AMOUNTS)) if random.random() < 0.8 else Decimal(random.randrange(10**9)) / 10000

    def sales(self, random: Random) -> dict[str, Any]:
        kind, amount = random.choice(TEXTS["kind"]), self.amount(random)
        product = random.choice([None, "p1", "p2", "P1", "p3"])
        categories = {"p1": "storage", "p2": "Storage", "P1": "cloud ", "p3": ""}
        signed = -amount if kind == "refund" else amount
        return {
            "sold_on": self.on(random), "kind": kind, "amount": signed, "voided": random.random() < 0.1,
            "recurring_amount": random.choice([None, Decimal(0), signed]),
            "cost": random.choice([None, Decimal(0), signed, -self.amount(random)]), "sourced": random.choice(TEXTS["sourced"]),
            "currency": random.choice(TEXTS["currency"]), "quantity": random.choice([1, 1, 2, 3, 0, -1]),
            "product": product, "category": categories.get(product or ""), **choose(random, "order_number", "customer_name"),
        }  # fmt: skip

    def collections(self, random: Random) -> dict[str, Any]:
        return {
            "collected_on": self.on(random),
            "amount": (self.amount(random) or Decimal(1)) * random.choice([1, 1, -1]),
        }

    def deals(self, random: Random) -> dict[str, Any]:
        amount = self.amount(random) or Decimal(1)
        return {"registered_on": self.on(random), "amount": amount, **choose(random, "currency", "status"),
                "customer_name": random.choice(DIRTY)}  # fmt: skip

    def leads(self, random: Random) -> dict[str, Any]:
        return {
            "arrived_on": self.on(random),
            "status": random.choice(TEXTS["lead_status"]),
            **choose(random, "source"),
        }

    def attestations(self, random: Random) -> dict[str, Any]:
        return {"kind": random.choice(TEXTS["thing"]), "title": random.choice(DIRTY), **self.span(random)}

    def awards(self, random: Random) -> dict[str, Any]:
        return {**choose(random, "code", "grade", "scope", "issuer"), **self.span(random)}

    def records(self, random: Random) -> dict[str, Any]:
        occurred_on, starts_on = self.on(random), random.choice([None, self.on(random)])
        amount = random.choice([None, self.amount(random), -self.amount(random)])
        attributes = {"region": random.choice(TEXTS["attr:region"]), "other": "x"}
        return {
            "kind": random.choice(TEXTS["thing"]), "name": random.choice(TEXTS["name"]), "occurred_on": occurred_on,
            "starts_on": starts_on, "ends_on": self.after(random, starts_on or occurred_on), "amount": amount,
            "currency": "" if amount is None else random.choice(TEXTS["currency"]),
            "quantity": random.choice([None, Decimal("0.5"), Decimal(1), Decimal(3)]),
            "attributes": random.choice([{}, {"other": "north"}, attributes, attributes]),
        }  # fmt: skip

    def score_history(self, random: Random) -> dict[str, Any]:
        value = Decimal(random.choice(["0", "7.5", "9.9999", "10", "100"]))
        return {
            "kind": random.choice(TEXTS["thing"]),
            **choose(random, "scope"),
            "value": value,
            "scored_on": self.on(random),
        }

    def plan_targets(self, random: Random) -> dict[str, Any]:
        starts_on, amount = self.on(random), random.choice([None, self.amount(random)])
        return {
            "key": random.choice(TEXTS["target"]), "starts_on": starts_on, "amount": amount,
            "ends_on": self.after(random, starts_on) or starts_on + ONE,
            "currency": "" if amount is None else random.choice(TEXTS["currency"]),
            "quantity": None if amount is not None else Decimal(random.choice([1, 2, 3])),
        }  # fmt: skip

    def members(self, random: Random) -> dict[str, Any]:
        joined_on = self.on(random)
        return {**choose(random, "job", "role"), "joined_on": joined_on, "left_on": self.after(random, joined_on)}

    def certificates(self, random: Random) -> dict[str, Any]:
        awarded_on = self.on(random)
        return {
            **choose(random, "certification"),
            "awarded_on": awarded_on,
            "expires_on": self.after(random, awarded_on),
        }


def choose(random: Random, *names: str) -> dict[str, str]:
    return {name: random.choice(TEXTS[name]) for name in names}


UNIQUE: dict[str, tuple[str, ...]] = {
    "score_history": ("partner", "kind", "scope", "scored_on"),
    "plan_targets": ("partner", "key", "starts_on"),
}
# What a fact belongs to, and what it has of that.
OWNERS = {
    "certificates": ("members", ("member",)),
    "collections": ("sales", ("sale", "voided", "currency", "kind", "product", "category", "customer_name")),
}
MADE: dict[str, Callable[[Facts, Random], dict[str, Any]]] = {
    "sales": Facts.sales, "collections": Facts.collections, "deals": Facts.deals, "leads": Facts.leads, "attestations": Facts.attestations,
    "awards": Facts.awards, "records": Facts.records, "score_history": Facts.score_history,
    "plan_targets": Facts.plan_targets, "members": Facts.members, "certificates": Facts.certificates,
}  # fmt: skip


def facts_of(seed: int, night: Night, counts: Mapping[str, int], shrink: Mapping[str, str]) -> dict[str, list[Fact]]:
    """So many facts of each dataset, spread over the partners."""
    edges = {one.key: bounds(night.edition["measures"], night.day, one) for one in night.partners}
    found: dict[str, list[Fact]] = {}
    for dataset, make in MADE.items():
        facts: list[Fact] = []
        for number in range(counts[dataset] if dataset in shrink else 0):
            random = Random(f"{seed} {dataset} {number}")  # noqa: S311  # facts, not secrets
            partner = random.choice(night.partners)
            fact = {"partner": partner.key, **make(Facts(partner, edges[partner.key], night.day), random)}
            if dataset == "members":
                fact["member"] = f"M{number}"
            if dataset == "sales":
                fact["sale"] = f"S{number}"
            if dataset in OWNERS:
                of, shared = OWNERS[dataset]
                own = [one for one in found[of] if one["partner"] == partner.key]
                if not own:
                    continue
                owner = random.choice(own)
                fact |= {name: owner[name] for name in shared}
            facts.append(fact)
        if names := UNIQUE.get(dataset):
            facts = list({tuple(one[name] for name in names): one for one in facts}.values())
        found[dataset] = facts
    return found


NEEDS = {"live_records": ["records"], "collections": ["sales", "collections"], "scores": ["score_history"], "certificates": ["members", "certificates"],
         "members": ["members", "certificates"]}  # fmt: skip


@st.composite
def nights(draw: Draw, *, measures: int = 8, tiers: int = 5, partners_at_most: int = 6, facts: int = 60) -> Night:
    """A night of an edition, with everything that it judges."""
    day = draw(st.sampled_from(DAYS))
    of_facts = [draw(measures_of_facts(f"f-{number}", day)) for number in range(draw(st.integers(1, measures)))]
    every: list[Document] = list(of_facts)
    for number in range(draw(st.integers(0, measures // 2))):
        every.append(draw(measures_of_measures(f"g-{number}", every)))
    seed, count = draw(st.integers(0, 2**32)), draw(st.integers(1, partners_at_most))
    edition: Document = {
        "name": "One", "starts_on": "2000-01-01", "state": "published", "country_groups": GROUPS, "exchange": EXCHANGE,
        "measures": every, "tiers": [{"code": "level-1", "name": {"en": "Level 1"}, "color": "#3d6a91"}],
    }  # fmt: skip
    people = partners(Random(f"{seed} partners"), day, count)  # noqa: S311  # facts, not secrets
    night = Night(edition, "EUR", people, {}, day)
    used = {name: name for one in of_facts for name in NEEDS.get(one["dataset"], [one["dataset"]])}
    made = draw(st.sampled_from([1, 10, facts, facts * 2]))
    night = replace(night, facts=facts_of(seed, night, dict.fromkeys(MADE, made), used))
    rules = Rules(draw, night, figures_seen(night))
    # The second tier exists for conditions to name; who holds it holds it from before the night.
    tier_documents = [rules.tier(f"level-{number}") for number in range(2, 3 + draw(st.integers(0, tiers - 1)))]
    badges = [rules.tier(f"badge-{number}") for number in range(draw(st.integers(0, 2)))]
    edition = {**edition, "tiers": [*edition["tiers"], *tier_documents], "distinctions": badges}
    return replace(night, edition=edition, past=past(Random(f"{seed} past"), night, rules.spans))  # noqa: S311


def figures_seen(night: Night) -> dict[str, list[Fraction]]:
    """What each measure comes to for anybody, for any member."""
    found: dict[str, list[Fraction]] = {}
    for outcome in oracle.judge(night).values():
        for key, figure in outcome.figures.items():
            found.setdefault(key, []).append(figure)
        for key, members in outcome.members.items():
            found[key] += members.values()
    return found


def past(
    random: Random, night: Night, spans: Sequence[tuple[str, Document]]
) -> dict[tuple[str, str], list[tuple[date, bool]]]:
    """Verdicts stored on nights on and beside the starts of the spans; all keys of a partner on the same nights."""
    edges = [oracle.span_start(span, night.day) + ONE * beside for _, span in spans for beside in (-1, 0, 1)]
    found: dict[tuple[str, str], list[tuple[date, bool]]] = {}
    for partner in night.partners if spans else ():
        days = sorted({random.choice([*edges, night.day - ONE]) for _ in range(random.randrange(4))})
        for key, _ in spans:
            if stored := [(one, random.random() < 0.7) for one in days]:
                found[partner.key, key] = stored
    return found
