"""A night's facts: which of them a measure looks at, and what their fields are worth; the oracle's middle part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

from tests.tiers.oracle_windows import Partner, in_force, stock_day, window_days

Fact = Mapping[str, Any]
ZERO = Fraction(0)
AMOUNTS = ("amount", "recurring_amount", "margin")
DATED = {
    "sales": "sold_on",
    "collections": "collected_on",
    "deals": "registered_on",
    "leads": "arrived_on",
    "records": "occurred_on",
    "score_history": "scored_on",
    "plan_targets": "starts_on",
    "customers": "first_bought_on",
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "at_least": lambda figure, value: figure >= value,
    "more_than": lambda figure, value: figure > value,
    "at_most": lambda figure, value: figure <= value,
    "less_than": lambda figure, value: figure < value,
    "equal": lambda figure, value: figure == value,
}


@dataclass(frozen=True)
class Night:
    """An edition's document judged on a day. `past` holds the stored verdicts of a partner's spans, oldest first."""

    edition: Mapping[str, Any]
    currency: str
    partners: Sequence[Partner]
    facts: Mapping[str, Sequence[Fact]]
    day: date
    past: Mapping[tuple[str, str], Sequence[tuple[date, bool]]] = field(default_factory=dict)

    def measure(self, key: str) -> Mapping[str, Any]:
        return next(one for one in self.edition["measures"] if one["key"] == key)

    def of(self, partner: Partner, dataset: str) -> Sequence[Fact]:
        return self._by_partner.get((partner.key, dataset), ())

    @cached_property
    def _by_partner(self) -> dict[tuple[str, str], list[Fact]]:
        """A voided sale is no fact, nor is what came in for it."""
        found: dict[tuple[str, str], list[Fact]] = {}
        for dataset, facts in self.facts.items():
            for one in facts:
                if one.get("voided"):
                    continue
                found.setdefault((one["partner"], dataset), []).append(one)
        return found

    @cached_property
    def known(self) -> dict[tuple[str, str, str | None], Fraction]:
        """Figures that were read before, by partner, measure and member."""
        return {}


def members_on(night: Night, partner: Partner, day: date) -> list[Fact]:
    there = [one for one in night.of(partner, "members") if in_force(one, "joined_on", "left_on", day)]
    valid = {one["member"] for one in night.of(partner, "certificates") if _valid(one, day)}
    return [{**one, "certified": one["member"] in valid} for one in there]


def _valid(certificate: Fact, day: date) -> bool:
    return in_force(certificate, "awarded_on", "expires_on", day)


def certificates_on(night: Night, partner: Partner, day: date) -> list[Fact]:
    jobs = {one["member"]: one["job"] for one in members_on(night, partner, day)}
    valid = (one for one in night.of(partner, "certificates") if _valid(one, day) and one["member"] in jobs)
    return [{**one, "job": jobs[one["member"]]} for one in valid]


def record_stands(fact: Fact, day: date) -> bool:
    """From its start, where that is empty from the day it occurred."""
    return in_force({**fact, "from": fact["starts_on"] or fact["occurred_on"]}, "from", "ends_on", day)


def scores_on(night: Night, partner: Partner, day: date) -> list[Fact]:
    latest: dict[tuple[str, str], Fact] = {}
    for one in sorted(night.of(partner, "score_history"), key=lambda score: score["scored_on"]):
        if one["scored_on"] <= day:
            latest[one["kind"], one["scope"]] = one
    return list(latest.values())


def _standing(dataset: str) -> Callable[[Night, Partner, date], list[Fact]]:
    def on(night: Night, partner: Partner, day: date) -> list[Fact]:
        return [one for one in night.of(partner, dataset) if in_force(one, "starts_on", "ends_on", day)]

    return on


STOCKS: dict[str, Callable[[Night, Partner, date], list[Fact]]] = {
    "members": members_on,
    "certificates": certificates_on,
    "attestations": _standing("attestations"),
    "awards": _standing("awards"),
    "live_records": lambda night, partner, day: [
        one for one in night.of(partner, "records") if record_stands(one, day)
    ],
    "scores": scores_on,
}


def value_of(night: Night, fact: Fact, name: str) -> Any:
    """A field's value, None where it is empty. Amounts in the program's currency, None in one that has no rate."""
    if name.startswith("attr:"):
        return fact["attributes"].get(name.removeprefix("attr:")) or None
    if name == "is_live":
        return record_stands(fact, night.day)
    value = margin(fact) if name == "margin" else fact.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool | date | str):
        return value
    if name not in AMOUNTS:
        return Fraction(value)
    worth = rate(night, fact)
    return Fraction(value) * worth if worth else None


def margin(fact: Fact) -> Any:
    """Of the whole sale; empty where nobody said what it cost."""
    return None if fact["cost"] is None else fact["amount"] - fact["cost"]


def rate(night: Night, fact: Fact) -> Fraction:
    """What one unit of the fact's currency counts; 0 for a currency that is not there."""
    if fact["currency"] == night.currency:
        return Fraction(1)
    given = night.edition.get("exchange", {}).get(fact["currency"])
    return Fraction(given["is"]) / Fraction(given["amount"]) if given else ZERO


def like(value: Any, given: Any) -> Any:
    """What a document gives, as the kind of thing that a field's value is."""
    if isinstance(value, bool) or isinstance(given, bool):
        return given
    if isinstance(value, Fraction):
        return Fraction(str(given))
    return date.fromisoformat(given) if isinstance(value, date) else str(given)


def holds(night: Night, partner: Partner, test: Mapping[str, Any], fact: Fact) -> bool:
    """Whether a filter lets a fact through."""
    for group, of in (("all", all), ("any", any)):
        if group in test:
            return of(holds(night, partner, one, fact) for one in test[group])
    if "none" in test:
        return not any(holds(night, partner, one, fact) for one in test["none"])
    comparison, value = test.get("is", "equal"), value_of(night, fact, test["field"])
    if value is None:
        return comparison in ("empty", "not", "not_in")
    if comparison in ("empty", "not_empty"):
        return comparison == "not_empty"
    if comparison == "within":
        return window_days(test["window"], night.day, partner).hold(value)
    return compares(value, comparison, test["value"])


def compares(value: Any, comparison: str, given: Any) -> bool:
    if comparison in ("in", "not_in"):
        return (value in [like(value, one) for one in given]) == (comparison == "in")
    if comparison == "not":
        return bool(value != like(value, given))
    return COMPARE[comparison](value, like(value, given))


def counted(night: Night, partner: Partner, measure: Mapping[str, Any]) -> list[Fact]:
    """The partner's facts that a measure of facts looks at: in the window, through the filters."""
    dataset, window = measure["dataset"], measure.get("window", {"kind": "today"})
    if dataset in DATED:
        dated_by = measure.get("dated_by", DATED[dataset])
        days = window_days(window, night.day, partner)
        facts = [one for one in night.of(partner, dataset) if days.hold(one.get(dated_by))]
    else:
        facts = STOCKS[dataset](night, partner, stock_day(window, night.day))
    return [one for one in facts if holds(night, partner, {"all": measure.get("filters", [])}, one)]
