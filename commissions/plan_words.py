"""Plans in words of the reader's language: the same for the public page, the portal, staff who build them and explained lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commissions import events
from commissions.models import Plan
from commissions.plan_documents import OTHERS
from common.templatetags import show
from common.texts import Texts
from tiers import measure_words
from tiers.models import Tier

Document = dict[str, Any]
BASES = {
    "net": gettext_lazy("of the net amount"),
    "margin": gettext_lazy("of the margin"),
    "recurring": gettext_lazy("of the recurring amount"),
    "earned": gettext_lazy("of what the partner earns by it"),
}
EACH = {
    "sale": gettext_lazy("for each sale"),
    "collection": gettext_lazy("for each payment collected"),
    "first_sale": gettext_lazy("for the first sale"),
    "deal_won": gettext_lazy("for each deal won"),
    "lead_accepted": gettext_lazy("for each lead accepted"),
    "lead_qualified": gettext_lazy("for each lead that becomes an approved deal"),
    "certification": gettext_lazy("for each certificate awarded"),
    "tier_reached": gettext_lazy("for each higher tier reached"),
    "activity": gettext_lazy("for each record"),
}
OVER = {
    "month": gettext_lazy("a month"),
    "quarter": gettext_lazy("a quarter"),
    "half_year": gettext_lazy("a half-year"),
    "year": gettext_lazy("a year"),
    "line": gettext_lazy("a line"),
    "customer": gettext_lazy("a customer"),
}
OF_LIMITS = ("line", "customer", "month", "quarter", "half_year", "year")
TO = {
    "sponsor": gettext_lazy("goes to the partner’s sponsor"),
    "second_sponsor": gettext_lazy("goes to the sponsor’s sponsor"),
}


@dataclass(frozen=True, slots=True)
class RuleInWords:
    code: str
    name: str
    sentence: str
    by_tier: Mapping[str, str]  # what it pays by tier code; "" for any other; empty where bands say


def rules(plan: Plan) -> list[RuleInWords]:
    """The rules of a plan, in order. One query."""
    names = tier_names(plan.program_id)
    return [rule(one, plan.definition.get("currency", ""), names) for one in plan.definition["rules"]]


def rule(document: Document, currency: str, codes: Mapping[str, str] | None = None) -> RuleInWords:
    """`codes` are names of tiers by code."""
    names = codes or {}
    rate = document.get("rate")
    table = {"": rate} if isinstance(rate, str) else _in_order(rate or {}, names)
    by_tier = {code: pay(one, document, currency) for code, one in table.items()}
    parts = [_how_much(document, by_tier, currency, names)]
    parts += _limits(document, currency)
    if conditions := document.get("when"):
        parts.append(
            _("only where %(conditions)s")
            % {"conditions": _(" and ").join(condition(one, document) for one in conditions)}
        )
    if months := document.get("months"):
        parts.append(
            ngettext("in the customer’s first month", "in the customer’s first %(months)s months", months)
            % {"months": months}
        )
    if tiers := document.get("tiers"):
        parts.append(_("for the tiers %(tiers)s") % {"tiers": ", ".join(names.get(code, code) for code in tiers)})
    if to := document.get("to"):
        parts.append(str(TO[to]))
    if document.get("adds"):
        parts.append(_("beside what other rules pay"))
    return RuleInWords(document["code"], str(Texts(document["name"])), ", ".join(parts), by_tier)


def condition(one: Document, document: Document) -> str:
    return measure_words.filter_in_words(one, events.of(document["event"]).dataset)


def pay(rate: str, document: Document, currency: str) -> str:
    """A rate as people read it: a percentage, or money."""
    return share(Fraction(rate)) if document["pays"] == "share" else money(rate, currency)


def share(rate: Fraction) -> str:
    return show.percent(rate, 4)


def money(amount: str, currency: str) -> str:
    return show.money(Decimal(amount), currency)


def _how_much(document: Document, by_tier: Mapping[str, str], currency: str, names: Mapping[str, str]) -> str:
    each = _each(document)
    if "bands" in document:
        return _bands(document, currency, names, each)
    if set(by_tier) == {""}:
        return f"{by_tier['']} {each}"
    listed = ", ".join(f"{names.get(code, code) if code else _('others')} {value}" for code, value in by_tier.items())
    return f"{listed} {each}"


def _each(document: Document) -> str:
    each = str(EACH[document["event"]])
    if document["pays"] == "share":
        base = str(BASES[document.get("base", "net")])
        return base if document["event"] == "sale" else f"{base} {each}"
    return _("for each piece sold") if document["pays"] == "unit" else each


def _bands(document: Document, currency: str, names: Mapping[str, str], each: str) -> str:
    bands = document["bands"]
    over_target = bands["over"] == "target"
    steps = []
    for step in bands["steps"]:
        rate = step["rate"]
        if isinstance(rate, dict):
            paid = ", ".join(
                f"{names.get(code, code) if code else _('others')} {pay(one, document, currency)}"
                for code, one in _in_order(rate, names).items()
            )
        else:
            paid = pay(rate, document, currency)
        start = (
            show.percent(Fraction(step["from"]))
            if over_target
            else (money(step["from"], currency) if document["pays"] == "share" else step["from"])
        )
        steps.append(_("from %(start)s: %(rate)s") % {"start": start, "rate": paid})
    total = (
        _("by how much of the plan target “%(key)s” is reached") % {"key": bands["target"]}
        if over_target
        else _("by the total of %(period)s") % {"period": OVER[bands["over"]]}
    )
    how = _("the band reached counts for everything") if bands.get("whole") else _("each part at its own band’s rate")
    return _("%(each)s %(total)s (%(how)s): %(steps)s") % {
        "each": each,
        "total": total,
        "how": how,
        "steps": "; ".join(steps),
    }


def _in_order(rates: Document, names: Mapping[str, str]) -> Document:
    """By tier as `names` has them, lowest first, and "" for others last: PostgreSQL keeps keys in an order of its own."""
    ladder = {code: place for place, code in enumerate(names)}
    known = sorted((key for key in rates if key != OTHERS), key=lambda code: (ladder.get(code, len(ladder)), code))
    return {**{code: rates[code] for code in known}, **({"": rates[OTHERS]} if OTHERS in rates else {})}


def _limits(document: Document, currency: str) -> list[str]:
    said = []
    for key, text in (
        ("at_least", _("at least %(amount)s %(period)s")),
        ("at_most", _("at most %(amount)s %(period)s")),
    ):
        held = document.get(key, {})
        for period, amount in ((period, held[period]) for period in OF_LIMITS if period in held):
            said.append(text % {"amount": money(amount, currency), "period": OVER[period]})
    return said


def tier_names(program_id: int) -> dict[str, str]:
    """By code; where editions name a tier differently, as the newest does."""
    rows = Tier.objects.filter(edition__program=program_id).order_by("edition__starts_on")
    return {tier.code: str(tier.name) for tier in rows.only("code", "name")}
