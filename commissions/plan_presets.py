"""Plans to begin with: how most programs pay, in a program's own tiers and currency. Figures are examples to be changed."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

Document = dict[str, Any]
Tiers = Mapping[str, str]  # lowest first


def _name(english: str, french: str) -> dict[str, str]:
    return {"en": english, "fr": french}


def _by_tier(tiers: Tiers, first: int, step: int) -> Any:
    """So many hundredths for the lowest tier, and `step` more for each above."""
    rates = {code: f"{(first + step * place) / 100:.2f}" for place, code in enumerate(tiers)}
    return rates or f"{first / 100:.2f}"


def empty(tiers: Tiers, currency: str) -> Document:
    return {"rules": []}


def resellers(tiers: Tiers, currency: str) -> Document:
    rule = {
        "code": "share", "name": _name("Share of sales", "Part des ventes"), "event": "sale", "pays": "share",
        "rate": _by_tier(tiers, 10, 5),
    }  # fmt: skip
    return {"rules": [rule]}


def referrers(tiers: Tiers, currency: str) -> Document:
    rule = {
        "code": "referral", "name": _name("Referral bonus", "Prime d’apport"), "event": "sale",
        "when": [{"field": "new_customer", "value": True}, {"field": "sourced", "value": "partner"}], "pays": "fixed",
        "rate": "500",
    }  # fmt: skip
    return {"currency": currency, "rules": [rule]}


def recurring(tiers: Tiers, currency: str) -> Document:
    rule = {
        "code": "recurring", "name": _name("Share of subscriptions", "Part des abonnements"), "event": "collection",
        "months": 12, "pays": "share", "rate": "0.20",
    }  # fmt: skip
    return {"hold_days": 30, "run_off_months": 6, "rules": [rule]}


def banded(tiers: Tiers, currency: str) -> Document:
    steps = [{"from": start, "rate": rate} for start, rate in (("0", "0.10"), ("50000", "0.12"), ("200000", "0.15"))]
    rule = {
        "code": "bands", "name": _name("Share by volume", "Part selon le volume"), "event": "sale", "pays": "share",
        "bands": {"over": "year", "steps": steps},
    }  # fmt: skip
    return {"currency": currency, "rules": [rule]}


def accelerated(tiers: Tiers, currency: str) -> Document:
    steps = [{"from": start, "rate": rate} for start, rate in (("0", "0.10"), ("0.8", "0.12"), ("1", "0.15"))]
    rule = {
        "code": "target", "name": _name("Share by target reached", "Part selon l’objectif atteint"), "event": "sale",
        "pays": "share", "bands": {"over": "target", "target": "revenue", "steps": steps},
    }  # fmt: skip
    return {"currency": currency, "rules": [rule]}


PRESETS: dict[str, tuple[Any, Callable[[Tiers, str], Document]]] = {
    "empty": (_("Without rules"), empty),
    "resellers": (_("Resellers: a share of each sale, by tier"), resellers),
    "referrers": (_("Referrers: a bonus for each new customer"), referrers),
    "recurring": (_("Subscriptions: a share of what is collected in a customer’s first months"), recurring),
    "banded": (_("Volume: a share that rises with the year’s sales, band by band"), banded),
    "accelerated": (_("Target: a share that rises with the plan target reached"), accelerated),
}
