"""What holds together in a fact, and what does not. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

Problem = Literal["ends_first", "no_currency", "no_amount", "amount_or_quantity"]


def record_problems(values: Mapping[str, Any]) -> dict[str, Problem]:
    """By field, what is wrong with a record's values. A record that is open at the start stands from its day."""
    starts_on = values.get("starts_on") or values.get("occurred_on")
    return {**_money(values), **_ends(starts_on, values.get("ends_on"))}


def target_problems(values: Mapping[str, Any]) -> dict[str, Problem]:
    """A target is an amount or a quantity, one of them."""
    both_or_none = (values.get("amount") is None) == (values.get("quantity") is None)
    found: dict[str, Problem] = {"amount": "amount_or_quantity"} if both_or_none else _money(values)
    return {**found, **_ends(values.get("starts_on"), values.get("ends_on"))}


def award_problems(values: Mapping[str, Any]) -> dict[str, Problem]:
    return _ends(values.get("starts_on"), values.get("ends_on"))


def score_problems(values: Mapping[str, Any]) -> dict[str, Problem]:
    """A score is one value: nothing in it can contradict."""
    return {}


def _money(values: Mapping[str, Any]) -> dict[str, Problem]:
    if values.get("amount") is not None and not values.get("currency"):
        return {"currency": "no_currency"}
    if values.get("amount") is None and values.get("currency"):
        return {"amount": "no_amount"}
    return {}


def _ends(starts_on: date | None, ends_on: date | None) -> dict[str, Problem]:
    if starts_on is not None and ends_on is not None and ends_on <= starts_on:
        return {"ends_on": "ends_first"}
    return {}
