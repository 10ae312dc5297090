"""Editions, partners and facts at random, for the product and the oracle to agree on.

The document is drawn by hypothesis; facts come of a drawn seed, each from its own number, so that leaving out the last
ones leaves the others as they were. Days lie on and beside the bounds of the windows drawn, months' ends and the 29th
of February; thresholds on and beside the figures that the facts come to.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from tests.tiers.oracle import is_split
from tests.tiers.oracle_facts import DATED, Night

Draw = Callable[[st.SearchStrategy[Any]], Any]
Document = dict[str, Any]

DAYS = [date.fromisoformat(day) for day in (
    "2026-05-15", "2024-02-29", "2025-02-28", "2025-03-01", "2026-03-31", "2026-01-01", "2025-12-31", "2028-02-29",
    "2026-07-01", "2026-03-30", "2026-10-26",
)]  # fmt: skip
DIRTY = ["a", "A", " a", "a ", "é", "e\u0301", "a'b\"c", "100%_\\", "ß", "𝒳", "null", "0"]
TEXTS: dict[str, list[str]] = {
    "kind": ["new", "renewal", "refund"],
    "category": ["storage", "Storage", "cloud ", "réseau"],
    "product": ["p1", "p2", "P1"],
    "sourced": ["", "partner", "vendor", "influenced"],
    "order_number": ["", "o1", "o2", "O1"],
    "currency": ["EUR", "USD", "GBP", "JPY"],
    "customer_name": ["", *DIRTY],
    "status": ["submitted", "approved", "refused", "won", "lost"],
    "lead_status": ["new", "offered", "accepted", "converted", "lost"],
    "source": ["profile", "staff", "api"],
    "job": ["sales", "technical", "marketing", "finance", "management", "other"],
    "role": ["owner", "sales", "technical", "marketing", "finance"],
    "certification": ["basics", "expert", "sales-1"],
    "thing": ["seat", "install", "review"],
    "name": ["", *DIRTY],
    "attr:region": ["", "north", "North", "south ", "a'b"],
    "code": ["spec-a", "spec-b"],
    "grade": ["", "gold", "Gold"],
    "scope": ["", "FR", "BR"],
    "issuer": ["", "Acme", "acme "],
    "target": ["revenue", "seats"],
}
TRAITS = {"segment": ["", "smb", "public", "a'b"], "product_lines": ["print", "scan", "3d"]}
COUNTRIES = ["FR", "BR", "IN", "US", ""]
AMOUNTS = ["0", "0.01", "0.0001", "10", "99.99", "100", "33.3333", "1000", "12345.6789", "250000"]


def fields(numbers: Sequence[str] = (), days: Sequence[str] = (), **texts: str) -> dict[str, Any]:
    return {"numbers": list(numbers), "days": list(days), "texts": texts}


def same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


RECORDS = fields(
    ["amount", "quantity"],
    ["occurred_on", "starts_on", "ends_on"],
    **same("name", "currency", "attr:region"),
    kind="thing",
)
SCORES = fields(["value"], ["scored_on"], **same("scope"), kind="thing")
DATASETS: dict[str, dict[str, Any]] = {
    "sales": fields(
        ["amount", "recurring_amount", "margin", "quantity"],
        **same("currency", "kind", "sourced", "product", "category", "order_number", "customer_name"),
    ),
    "collections": fields(["amount"], **same("currency", "kind", "product", "category", "customer_name")),
    "deals": fields(["amount"], **same("currency", "status", "customer_name")),
    "leads": fields(**same("source"), status="lead_status"),
    "members": fields([], ["joined_on"], **same("job", "role")),
    "certificates": fields([], ["awarded_on", "expires_on"], **same("certification", "job")),
    "attestations": fields([], [], kind="thing", title="name"),
    "awards": fields([], ["starts_on", "ends_on"], **same("code", "grade", "scope", "issuer")),
    "records": RECORDS,
    "live_records": RECORDS,
    "scores": SCORES,
    "score_history": SCORES,
    "plan_targets": fields(["amount", "quantity"], ["starts_on", "ends_on"], **same("currency"), key="target"),
}
OTHER_DAYS = {"records": ["starts_on", "ends_on"], "plan_targets": ["ends_on"]}
# The unit of a figure decides what it can be added to and compared with.
UNITS = {"amount": "amount", "recurring_amount": "amount", "margin": "amount", "value": "decimal"}


OF_ENROLLMENT = ["since_enrollment", "partner_year"]


# Windows and filters


@st.composite
def windows(draw: Draw, *, full: bool = False, alike: bool = False) -> Document:
    """A window of flows; `full`, one of whole months alone; `alike`, one that is the same for every enrollment."""
    kinds = ["last", "to_date", "last_full", "lifetime", "between"]
    kind = "last_full" if full else draw(st.sampled_from([*kinds, *([] if alike else OF_ENROLLMENT)]))
    window: Document = {} if kind == "last" else {"kind": kind}
    if kind == "last":
        window |= draw(st.sampled_from([
            {"last": 12, "unit": "months"}, {"last": 1, "unit": "months"}, {"last": 90, "unit": "days"}, {"last": 1, "unit": "days"},
        ]))  # fmt: skip
    if kind in ("to_date", "last_full"):
        window["unit"] = draw(st.sampled_from(["year", "half_year", "quarter", "month"]))
        if kind == "last_full" and draw(st.booleans()):
            window["count"] = draw(st.integers(2, 4))
        if window["unit"] != "month" and draw(st.booleans()):
            window["starts_month"] = draw(st.sampled_from([2, 4, 12]))
    if kind == "partner_year" and draw(st.booleans()):
        window["full"] = True
    if kind == "between":
        window |= draw(st.sampled_from([
            {"from": "2026-01-01", "to": "2026-07-01"}, {"from": "2024-02-29", "to": "2025-02-28"},
            {"from": "2025-03-31", "to": "2027-01-01"},
        ]))  # fmt: skip
    moved = draw(st.sampled_from(["", "", "", "embargo", "ago"]))
    if moved == "embargo":
        window["embargo_days"] = draw(st.sampled_from([1, 30]))
    if moved == "ago":
        window["ago"] = draw(st.sampled_from([{"months": 12}, {"months": 1}, {"days": 365}]))
    if not alike and kind not in OF_ENROLLMENT and draw(st.integers(0, 3)) == 0:
        window["newcomers"] = True
    return window


@st.composite
def filters(draw: Draw, dataset: str, depth: int = 2) -> Document:
    if depth and draw(st.integers(0, 3)) == 0:
        group = draw(st.sampled_from(["all", "any", "none"]))
        return {group: draw(st.lists(filters(dataset, depth - 1), min_size=1, max_size=3))}
    known = DATASETS[dataset]
    choices = [(kind, name) for kind in ("texts", "numbers", "days") for name in known[kind]]
    if dataset == "members":
        choices.append(("flag", "certified"))
    if dataset == "records":
        choices.append(("flag", "is_live"))
    kind, name = draw(st.sampled_from(choices))
    if kind == "flag":
        return {"field": name, "value": draw(st.booleans())}
    comparison = draw(st.sampled_from(COMPARISONS[kind]))
    test = {"field": name, "is": comparison}
    if comparison in ("empty", "not_empty"):
        return test
    if comparison == "within":
        return {**test, "window": draw(windows(alike=True))}
    values = values_of(kind, name, known)
    if comparison in ("in", "not_in"):
        return {**test, "value": draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))}
    return {**test, "value": draw(st.sampled_from(values))}


LOWER, UPPER = ["at_least", "more_than"], ["at_most", "less_than"]
RANGES = ["at_least", "more_than", "at_most", "less_than"]
COMPARISONS = {
    "texts": ["equal", "not", "in", "not_in", "empty", "not_empty"],
    "numbers": ["equal", "not", "in", *RANGES],
    "days": ["within", *RANGES, "empty", "not_empty", "equal"],
}


def values_of(kind: str, name: str, known: Mapping[str, Any]) -> list[Any]:
    if kind == "texts":
        return [one for one in TEXTS[known["texts"][name]] if one]
    if kind == "days":
        return ["2026-01-01", "2025-12-31", "2024-02-29", "2026-05-15"]
    return [1, 2, 3] if name == "quantity" else ["10", "100", "33.3333", "0.01", 1000]


# Measures


def named(key: str, **rest: Any) -> Document:
    return {"key": key, "name": {"en": f"Measure {key}"}, **rest}


@st.composite
def measures_of_facts(draw: Draw, key: str, day: date) -> Document:
    dataset = draw(st.sampled_from([*DATASETS, "sales", "sales", "records"]))
    known = DATASETS[dataset]
    of_numbers = ["sum", "average", "median", "min", "max"] if known["numbers"] else []
    if dataset in DATED and known["numbers"]:
        of_numbers.append("monthly_average")
    aggregate = draw(st.sampled_from(["count", "distinct", *of_numbers, *of_numbers]))
    measure = named(key, aggregate=aggregate, dataset=dataset)
    if aggregate == "distinct":
        measure["field"] = draw(st.sampled_from([*known["texts"], *(["member"] if dataset == "certificates" else [])]))
    elif aggregate != "count":
        measure["field"] = draw(st.sampled_from(known["numbers"]))
    if found := draw(st.lists(filters(dataset), max_size=2)):
        measure["filters"] = found
    if dataset in OTHER_DAYS and draw(st.booleans()):
        measure["dated_by"] = draw(st.sampled_from(OTHER_DAYS[dataset]))
    if dataset in DATED:
        measure["window"] = draw(windows(full=aggregate == "monthly_average"))
    else:
        at = draw(st.sampled_from([None, day, day - timedelta(days=1), date(2024, 2, 29)]))
        measure["window"] = {"kind": "on", "day": str(at)} if at else {"kind": "today"}
    whole = dataset == "sales" and measure.get("field") == "quantity"
    return measure | draw(extras(aggregate, known, whole=whole))


@st.composite
def extras(draw: Draw, aggregate: str, known: Mapping[str, Any], *, whole: bool) -> Document:
    """`by`, `weights`, `caps` and `having`, in the order of the page."""
    found: Document = {}
    texts = st.sampled_from(list(known["texts"]))
    if draw(st.integers(0, 3)) == 0:
        found["by"] = draw(texts)
    if aggregate == "sum" and draw(st.integers(0, 2)) == 0:
        found["weights"] = draw(by_value(known, draw(texts), ["1.5", "0", "0.3333", 2]))
        found["weights"].setdefault("others", "1")
    if aggregate in ("sum", "count", "distinct") and "by" not in found and draw(st.integers(0, 2)) == 0:
        most = [100, "99.99", 0] if aggregate == "sum" and not whole else [1, 2, 100, 0]
        found["caps"] = draw(by_value(known, draw(texts), most))
    if aggregate == "distinct" and "caps" not in found and draw(st.booleans()):
        having: Document = {
            "aggregate": draw(st.sampled_from(["count", "distinct", *(["sum"] if known["numbers"] else [])]))
        }
        if having["aggregate"] != "count":
            having["field"] = draw(texts if having["aggregate"] == "distinct" else st.sampled_from(known["numbers"]))
        found["having"] = {
            **having,
            "at_least": 2 if having["aggregate"] != "sum" else draw(st.sampled_from([10, 100])),
        }
    return found


@st.composite
def by_value(draw: Draw, known: Mapping[str, Any], name: str, numbers: Sequence[Any]) -> Document:
    values = [one for one in TEXTS[known["texts"][name]] if one]
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))
    found: Document = {"field": name, "values": {one: draw(st.sampled_from(numbers)) for one in chosen}}
    if draw(st.booleans()):
        found["others"] = draw(st.sampled_from(numbers))
    return found


def unit_of(measure: Mapping[str, Any], measures: Sequence[Mapping[str, Any]]) -> str:
    """count, number, amount, decimal or share: what a figure can be compared with and added to."""
    if "aggregate" in measure:
        if measure["aggregate"] in ("count", "distinct"):
            return "count"
        if measure["field"] == "quantity" and measure["dataset"] == "sales":
            broken = measure["aggregate"] in ("average", "median", "monthly_average") or "weights" in measure
            return "number" if broken else "count"
        return UNITS.get(measure["field"], "decimal")
    if "ratio" in measure or "growth" in measure:
        return "share"
    if "rank" in measure:
        return "share" if measure["as"] == "share" else "count"
    if "score" in measure:
        return "number"
    if "tenure" in measure:
        return "count"
    form = next(one for one in ("difference", "total", "largest", "smallest") if one in measure)
    units = {unit_of(next(one for one in measures if one["key"] == part), measures) for part in measure[form]}
    return units.pop() if len(units) == 1 else "number"


ALIKE = {"count": "number"}


def kind_of(measure: Mapping[str, Any], measures: Sequence[Mapping[str, Any]]) -> str:
    unit = unit_of(measure, measures)
    return ALIKE.get(unit, unit)


@st.composite
def measures_of_measures(draw: Draw, key: str, before: Sequence[Document]) -> Document:
    """A figure of some of the measures before it, of one unit where they are added."""
    if not before or draw(st.integers(0, 4)) == 0:
        tenure, unit = (
            draw(st.sampled_from(["enrollment", "tier", "joined"])),
            draw(st.sampled_from(["days", "months", "years"])),
        )
        return named(key, tenure=tenure, unit=unit)
    first = draw(st.sampled_from(before))
    alike = [one["key"] for one in before if kind_of(one, before) == kind_of(first, before)]
    pair = [first["key"], draw(st.sampled_from(alike))]
    many = [first["key"], *draw(st.lists(st.sampled_from(alike), min_size=1, max_size=2))]
    forms: list[Document] = [{"difference": pair}, {"total": many}, {"largest": many}, {"smallest": many}]
    if unit_of(first, before) != "share":
        forms += [
            {"ratio": pair},
            {"growth": pair},
            {"growth": pair, "minimum_base": draw(st.sampled_from([1, 2, 100]))},
            {"score": first["key"], "bands": [{"from": 1, "gives": 5}, {"from": 2, "gives": "8.5"}, {"from": 100, "gives": 20}]},
            {"score": first["key"], "full_at": draw(st.sampled_from([3, 7, 1000])), "gives": 100},
        ]  # fmt: skip
    if "aggregate" in first and "by" not in first:
        within, shown = draw(st.sampled_from(["program", "country"])), draw(st.sampled_from(["position", "share"]))
        forms += [{"rank": first["key"], "within": within, "as": shown}] * 2
    return named(key, **draw(st.sampled_from(forms)))


# Rules


@st.composite
def conditions(draw: Draw, depth: int = 1) -> Document:
    if depth and draw(st.integers(0, 2)) == 0:
        group = draw(st.sampled_from(["all", "any", "none"]))
        return {group: draw(st.lists(conditions(depth - 1), min_size=1, max_size=2))}
    trait, values = draw(st.sampled_from([
        ("country", COUNTRIES[:-1]), ("country_group", ["growth", "home"]), ("tier", ["level-1", "level-2"]),
        ("segment", TRAITS["segment"][1:]), ("product_lines", TRAITS["product_lines"]), ("missing", ["x"]),
        ("enrolled_on", ["2024-02-29", "2025-05-15", "2026-01-01"]), ("joined_on", ["2024-02-29", "2025-01-01"]),
    ]))  # fmt: skip
    if trait.endswith("_on"):
        return {"partner": trait, "is": draw(st.sampled_from(RANGES)), "value": draw(st.sampled_from(values))}
    comparison = draw(st.sampled_from(["equal", "not", "in", "not_in"]))
    if comparison in ("equal", "not"):
        return {"partner": trait, "is": comparison, "value": draw(st.sampled_from(values))}
    return {
        "partner": trait,
        "is": comparison,
        "value": draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)),
    }


class Rules:
    """Draws the rules of one edition: thresholds at its figures, each span under a key of its own."""

    def __init__(self, draw: Draw, night: Night, seen: Mapping[str, Sequence[Fraction]]) -> None:
        self.draw, self.night, self.seen = draw, night, seen
        self.codes: list[str] = []
        self.asked: dict[str, list[str]] = {}
        self.spans: list[tuple[str, Document]] = []
        keys = [one["key"] for one in night.edition["measures"]]
        self.split = [key for key in keys if is_split(night, key)]
        self.whole = [key for key in keys if key not in self.split]

    def threshold(self, key: str) -> int | str:
        """On, just above or just below a figure that somebody has."""
        draw, unit = self.draw, unit_of(self.night.measure(key), self.night.edition["measures"])
        figure = draw(st.sampled_from([*self.seen[key], Fraction(1)]))
        if unit == "count":
            return max(1, int(figure) + draw(st.integers(-1, 1)))
        if unit == "share":
            units = int((figure if 0 < figure < 10 else Fraction(1, 2)) * 10000) + draw(st.integers(-1, 1))
            return decimal_text(max(1, units))
        return decimal_text(int(figure * 10000) + draw(st.integers(-1, 1)))

    def requirement(self, key: str) -> Document:
        draw, measure = self.draw, self.night.measure(key)
        # One measure is asked in one direction in one tree, and never beyond the most it can be: such rules are refused.
        comparisons = self.asked.get(key, [LOWER, UPPER, ["equal"]][draw(st.integers(0, 2))])
        self.asked[key] = comparisons
        comparison = draw(st.sampled_from(comparisons))
        if "score" in measure or measure.get("as") == "share":
            value = draw(st.sampled_from(self.seen[key]))
            return {
                "measure": key,
                "is": {"more_than": "at_least", "less_than": "at_most"}.get(comparison, comparison),
                "value": decimal_text(max(0, int(value * 10000))),
            }
        rule: Document = {"measure": key, "is": comparison, "value": self.threshold(key)}
        if draw(st.integers(0, 3)) == 0:
            rule["cases"] = [
                {"when": draw(conditions()), "value": self.threshold(key)} for _ in range(draw(st.integers(1, 2)))
            ]
        return rule

    def rule(self, depth: int, *, in_each: bool = False, in_span: bool = False) -> Document:
        draw = self.draw
        kinds = ["leaf"] if not depth else ["leaf", "all", "any", "none", "of"]
        if depth and self.split and not in_each:
            kinds.append("for_each")
        if depth and not in_each and not in_span:
            kinds.append("span")
        kind = draw(st.sampled_from(kinds))
        if kind == "leaf":
            return self._leaf(in_each=in_each)
        if kind == "for_each":
            return self._for_each(depth, in_span=in_span)
        if kind == "span":
            return self._span(depth)
        rules = [self.rule(depth - 1, in_each=in_each, in_span=in_span) for _ in range(draw(st.integers(1, 3)))]
        return {kind: rules} if kind != "of" else self._at_least(rules)

    def _leaf(self, *, in_each: bool) -> Document:
        keys = [key for key in self.whole + (self.split * 2 if in_each else []) if self.asked.get(key) != ["equal"]]
        kind = self.draw(st.sampled_from(["measure", "measure", "measure", "partner", "meets"]))
        if kind == "meets" and self.codes and not in_each:
            return {"meets": self.draw(st.sampled_from(self.codes))}
        if kind == "partner" or not keys:
            return self.draw(conditions(0))
        return self.requirement(self.draw(st.sampled_from(keys)))

    def _at_least(self, rules: list[Document]) -> Document:
        rule: Document = {"at_least": self.draw(st.integers(1, len(rules))), "of": rules}
        if self.draw(st.booleans()):
            places = self.draw(st.lists(st.integers(0, len(rules) - 1), min_size=1, max_size=len(rules), unique=True))
            rule["including"] = {"at_least": self.draw(st.integers(1, len(places))), "of": places}
        return rule

    def _for_each(self, depth: int, *, in_span: bool) -> Document:
        draw = self.draw
        if draw(st.booleans()):
            key = draw(st.sampled_from(self.split))
            chosen: Document = {"measure": key, "is": draw(st.sampled_from(RANGES)), "value": self.threshold(key)}
        else:
            chosen = {"members": draw(st.lists(st.sampled_from(["storage", "new", "FR", "seat", "sales", "a"]), min_size=1, max_size=2, unique=True))}  # fmt: skip
        rule: Document = {"for_each": chosen}
        if draw(st.booleans()):
            rule["at_least"] = draw(st.integers(1, 2))
        return {**rule, "rule": self.rule(depth - 1, in_each=True, in_span=in_span)}

    def _span(self, depth: int) -> Document:
        draw = self.draw
        span = draw(
            st.sampled_from(
                [{"last": 6, "unit": "months"}, {"last": 30, "unit": "days"}, {"last": 1, "unit": "months"}]
            )
        )
        kind = draw(st.sampled_from(["unbroken", "any_day"]))
        if kind == "unbroken" and draw(st.booleans()):
            span = {**span, "more": True}
        key = f"span-{len(self.spans) + 1}"
        self.spans.append((key, span))
        return {kind: span, "key": key, "rule": self.rule(depth - 1, in_span=True)}

    def tier(self, code: str) -> Document:
        self.asked = {}
        found = {"code": code, "name": {"en": code}, "color": "#3d6a91", "earn": self.rule(3)}
        self.asked = {}
        if self.draw(st.booleans()):
            found["keep"] = self.rule(2)
        self.codes.append(code)
        return found


def decimal_text(units: int) -> str:
    """Ten-thousandths as a document writes them."""
    whole, part = divmod(abs(units), 10000)
    text = f"{whole}.{part:04}".rstrip("0").rstrip(".")
    return f"-{text}" if units < 0 else text
