"""Plans as documents: their shape (JSON Schema), their sense, and how they are read. docs/plan-file.md describes them."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from commissions import events
from commissions.models import Plan
from commissions.reckoning import PERIODS, SCALE, Banded, Book, Rule, Step
from commissions.rules import Limits
from tiers import program_file
from tiers.errors import MeasureError
from tiers.filtering import Reader

Document = dict[str, Any]
OTHERS = "others"
LEVELS = {"partner": 0, "sponsor": 1, "second_sponsor": 2}
CURRENCY = {"type": "string", "pattern": "^[A-Z]{3}$"}
SHARE = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$"
MONEY = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$"}
NUMBER = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6})?$"}
BY_TIER = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"$ref": "#/$defs/code"},
    "additionalProperties": NUMBER,
}
RATE = {"anyOf": [NUMBER, BY_TIER]}
LIMITS = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": dict.fromkeys(("line", "customer", *PERIODS), MONEY),
}
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["code", "name", "event", "pays"],
    "properties": {
        "code": {"$ref": "#/$defs/code"},
        "name": {"$ref": "#/$defs/texts"},
        "event": {"enum": sorted(events.EVENTS)},
        "when": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/filter"}},
        "tiers": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"$ref": "#/$defs/code"}},
        "to": {"enum": ["sponsor", "second_sponsor"]},
        "adds": {"const": True},
        "without_tier": {"const": True},
        "months": {"type": "integer", "minimum": 1, "maximum": 600},
        "pays": {"enum": ["share", "fixed", "unit"]},
        "base": {"enum": ["margin", "recurring", "earned"]},
        "rate": RATE,
        "bands": {
            "type": "object",
            "additionalProperties": False,
            "required": ["over", "steps"],
            "properties": {
                "over": {"enum": [*PERIODS, "target"]},
                "target": {"$ref": "#/$defs/code"},
                "starts_month": {"type": "integer", "minimum": 2, "maximum": 12},
                "whole": {"const": True},
                "steps": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["from", "rate"],
                        "properties": {"from": NUMBER, "rate": RATE},
                    },
                },
            },
        },
        "at_least": LIMITS,
        "at_most": LIMITS,
    },
    "oneOf": [{"required": ["rate"]}, {"required": ["bands"]}],
}
RULES = {
    "currency": CURRENCY,
    "hold_days": {"type": "integer", "minimum": 1, "maximum": 730},
    "run_off_months": {"type": "integer", "minimum": 1, "maximum": 120},
    "rules": {"type": "array", "minItems": 1, "maxItems": 60, "items": RULE},
}
PLAN = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "starts_on", "rules"],
    "properties": {
        "name": {"$ref": "#/$defs/texts"},
        "starts_on": {"$ref": "#/$defs/day"},
        "ends_on": {"$ref": "#/$defs/day"},
        **RULES,
    },
}
# The order of keys in a file: PostgreSQL keeps those of JSON in one of its own. Tier codes follow the program's ladder.
ORDER = (
    "currency", "hold_days", "run_off_months", "rules", "code", "name", "event", "when", "all", "any", "none", "field", "is", "value",
    "window", "tiers", "to", "adds", "without_tier", "months", "pays", "base", "rate", "bands", "over", "target", "starts_month",
    "whole", "steps", "from", "at_least", "at_most", "line", "customer", *PERIODS,
)  # fmt: skip
_PLACES = {key: place for place, key in enumerate(ORDER)}


def in_order(value: Any) -> Any:
    """With the keys of every object in the order of a file; of rates by tier and names in the alphabet's."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value, key=lambda key: (_PLACES.get(key, len(ORDER)), key))}
    return [in_order(one) for one in value] if isinstance(value, list) else value


def by_tier(rates: Mapping[str, Any]) -> Document:
    """The plan that pays a share of each sale by the tier held on its day."""
    name = {"en": "Share of sales", "fr": "Part des ventes"}
    rate = {code: str(rate) for code, rate in rates.items()}
    return {"rules": [{"code": "share", "name": name, "event": "sale", "pays": "share", "rate": rate}]}


# --- Checking -------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    schema = {**PLAN, "properties": RULES, "required": ["rules"], "$defs": program_file.SCHEMA["$defs"]}
    return Draft202012Validator(schema, format_checker=FormatChecker(formats=["date"]))


def shape_errors(definition: Document) -> Iterator[ValidationError]:
    """What of a plan's shape is wrong, as the schema says it."""
    yield from _validator().iter_errors(definition)


def problems(definition: Document, *, tiers: Collection[str], currency: str, where: str = "") -> Iterator[str]:
    """What is wrong with a plan, each with its place; nothing where it can be published. `currency` is the program's."""
    shape = [program_file.schema_problem(error) for error in shape_errors(definition)]
    yield from (f"{where}{problem}" for problem in shape)
    if not shape:
        yield from sense(definition, tiers=tiers, currency=currency, where=where)


def sense(definition: Document, *, tiers: Collection[str], currency: str, where: str = "") -> Iterator[str]:
    """As `problems`, for a plan whose shape is right."""
    codes: set[str] = set()
    for number, rule in enumerate(definition["rules"]):
        at = f"{where}rules[{number}]"
        if rule["code"] in codes:
            yield _("%(where)s: “%(value)s” stands there twice.") % {"where": f"{at}.code", "value": rule["code"]}
        codes.add(rule["code"])
        yield from _rule_problems(rule, definition, tiers, currency, at)


def _rule_problems(
    rule: Document, definition: Document, tiers: Collection[str], currency: str, at: str
) -> Iterator[str]:
    event = events.of(rule["event"])
    reader = Reader(event.dataset, date(2000, 1, 1), {currency: Fraction(1)})
    for number, one in enumerate(rule.get("when", [])):
        try:
            reader.condition(one, f"{at}.when[{number}]")
        except MeasureError as error:
            yield str(error)
    yield from _tier_problems(rule, tiers, at)
    yield from _money_problems(rule, definition, at)
    if rule["pays"] == "share":
        if rule.get("base") != "earned" and rule.get("base", "net") not in event.bases:
            yield _("%(where)s: a share needs an amount, and “%(event)s” has no %(base)s amount.") % {
                "where": f"{at}.base", "event": rule["event"], "base": rule.get("base", "net")
            }  # fmt: skip
        yield from (
            _("%(where)s: %(rate)s is no share; a share lies between 0 and 1: 0.15 is 15%%.")
            % {"where": f"{at}.{place}", "rate": rate}
            for place, rate in _rates(rule)
            if Fraction(rate) > 1
        )
    elif "base" in rule:
        yield _("%(where)s: a rule that pays so much for each has no base.") % {"where": f"{at}.base"}
    if rule.get("base") == "earned" and "to" not in rule:
        yield _("%(where)s: only what a sponsor gets can be a share of what the partner earned.") % {
            "where": f"{at}.base"
        }  # fmt: skip
    if "months" in rule and event.customer_since is events.NO_DAY:
        yield _("%(where)s: “%(event)s” has no customer whose months could be counted.") % {
            "where": f"{at}.months", "event": rule["event"]
        }  # fmt: skip


def _tier_problems(rule: Document, tiers: Collection[str], at: str) -> Iterator[str]:
    named = [(f"{at}.tiers", code) for code in rule.get("tiers", [])]
    for place, rates in _tables(rule):
        named += [(f"{at}.{place}", code) for code in rates if code != OTHERS]
    for place, code in named:
        if code not in tiers:
            yield _("%(where)s: the program has no tier “%(code)s”; it has: %(known)s.") % {
                "where": place, "code": code, "known": ", ".join(sorted(tiers))
            }  # fmt: skip


def _money_problems(rule: Document, definition: Document, at: str) -> Iterator[str]:
    names_money = rule["pays"] != "share" or "bands" in rule or "at_least" in rule or "at_most" in rule
    if names_money and "currency" not in definition:
        yield _("%(where)s: the rule names amounts of money; the plan has to say in which currency.") % {"where": at}
    for key, least in rule.get("at_least", {}).items():
        most = rule.get("at_most", {}).get(key)
        if most is not None and Fraction(least) > Fraction(most):
            yield _("%(where)s: at least %(least)s is more than at most %(most)s.") % {
                "where": f"{at}.at_least.{key}", "least": least, "most": most
            }  # fmt: skip
    bands = rule.get("bands")
    if bands is None:
        return
    starts = [Fraction(step["from"]) for step in bands["steps"]]
    if starts[0] != 0 or starts != sorted(set(starts)):
        yield _("%(where)s: bands begin at 0 and rise.") % {"where": f"{at}.bands.steps"}
    if (bands["over"] == "target") != ("target" in bands):
        yield _("%(where)s: bands over a target name its key, others none.") % {"where": f"{at}.bands.target"}


def _rates(rule: Document) -> Iterator[tuple[str, str]]:
    """Each rate with its place."""
    for place, rate in _places_of_rates(rule):
        if isinstance(rate, str):
            yield place, rate
        else:
            yield from ((f"{place}.{code}", one) for code, one in rate.items())


def _tables(rule: Document) -> Iterator[tuple[str, Document]]:
    yield from ((place, rate) for place, rate in _places_of_rates(rule) if isinstance(rate, dict))


def _places_of_rates(rule: Document) -> Iterator[tuple[str, Any]]:
    if "rate" in rule:
        yield "rate", rule["rate"]
    for number, step in enumerate(rule.get("bands", {}).get("steps", [])):
        yield f"bands.steps[{number}].rate", step["rate"]


# --- Reading --------------------------------------------------------------------------------------


def read(plan: Plan) -> Book:
    """A plan whose document is right, as `reckoning` takes it. Equal conditions on one event share a bit."""
    conditions: list[tuple[str, Document]] = []
    rules = []
    for document in plan.definition["rules"]:
        bits = []
        for one in document.get("when", []):
            condition = (document["event"], one)
            if condition not in conditions:
                conditions.append(condition)
            bits.append(conditions.index(condition))
        rules.append(_rule(document, tuple(bits)))
    definition = plan.definition
    return Book(
        plan_id=plan.pk, starts_on=plan.starts_on, ends_on=plan.ends_on, currency=definition.get("currency", ""),
        hold_days=definition.get("hold_days", 0), run_off_months=definition.get("run_off_months", 0),
        rules=tuple(rules), conditions=tuple(conditions),
    )  # fmt: skip


def _rule(document: Document, conditions: tuple[int, ...]) -> Rule:
    pays = document["pays"]
    limits = {
        key: Limits(_money(document.get("at_least", {}).get(key)), _money(document.get("at_most", {}).get(key)))
        for key in (*document.get("at_least", {}), *document.get("at_most", {}))
    }
    return Rule(
        code=document["code"], event=document["event"], conditions=conditions, pays=pays,
        base=document.get("base", "net"), rates=_rate_table(document.get("rate", {}), pays),
        tiers=frozenset(document["tiers"]) if "tiers" in document else None,
        banded=_banded(document["bands"], pays) if "bands" in document else None,
        adds=document.get("adds", False), months=document.get("months"), level=LEVELS[document.get("to", "partner")],
        line=limits.get("line"), customer=limits.get("customer"),
        periods=tuple((key, limits[key]) for key in PERIODS if key in limits),
        without_tier=document.get("without_tier", False),
    )  # fmt: skip


def _banded(document: Document, pays: str) -> Banded:
    # Starts are money where the rule pays a share, pieces or facts otherwise, and shares of a target.
    scale = SCALE if pays == "share" and document["over"] != "target" else 1
    steps = tuple(Step(Fraction(step["from"]) * scale, _rate_table(step["rate"], pays)) for step in document["steps"])
    return Banded(
        document["over"], steps, document.get("whole", False), document.get("starts_month", 1),
        document.get("target", ""),
    )  # fmt: skip


def _rate_table(rate: Any, pays: str) -> dict[str, Fraction]:
    scale = 1 if pays == "share" else SCALE
    table = {"": rate} if isinstance(rate, str) else rate
    return {"" if code == OTHERS else code: Fraction(value) * scale for code, value in table.items()}


def _money(value: str | None) -> Fraction | None:
    return None if value is None else Fraction(value) * SCALE
