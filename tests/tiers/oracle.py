"""What docs/program-file.md says, a second time: plain Python over lists, sharing nothing with the product.

Facts are dictionaries by dataset, each with `partner` (the key of the partner they belong to), the fields of the
dataset's table, and the days from and to which they stand. Figures are exact fractions. Slow on purpose: every figure
walks every fact, so that each function reads like the paragraph it was written from.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.tiers.oracle_facts import COMPARE, ZERO, Fact, Night, compares, counted, value_of
from tests.tiers.oracle_windows import MONTHS, Partner, months_after, rolling, whole_months, window_days


@dataclass(frozen=True)
class Outcome:
    """What one partner measured and met. `verdicts` has every rule by its path, as in `level-2.earn.all[1]`."""

    figures: Mapping[str, Fraction]
    members: Mapping[str, Mapping[str, Fraction]]
    verdicts: Mapping[str, bool]
    earns: Mapping[str, bool]
    keeps: Mapping[str, bool]
    highest: str


# Figures


def figure(night: Night, partner: Partner, key: str, member: str | None = None) -> Fraction:
    """A measure's figure for a partner; for a member, what split measures say of it."""
    place = (partner.key, key, member)
    if place not in night.known:
        measure = night.measure(key)
        if "aggregate" in measure:
            night.known[place] = of_facts(night, partner, measure, member)
        else:
            form = next(one for one in FORMS if one in measure)
            night.known[place] = FORMS[form](night, partner, measure, lambda one: figure(night, partner, one, member))
    return night.known[place]


def of_facts(night: Night, partner: Partner, measure: Mapping[str, Any], member: str | None = None) -> Fraction:
    facts = counted(night, partner, measure)
    if member is not None and "by" in measure:
        facts = [one for one in facts if value_of(night, one, measure["by"]) == member]
    if "caps" not in measure:
        return aggregated(night, partner, measure, facts)
    caps, groups = measure["caps"], {value_of(night, one, measure["caps"]["field"]) for one in facts}
    total = ZERO
    for group in groups:
        brought = [one for one in facts if value_of(night, one, caps["field"]) == group]
        cap = caps["values"].get(group, caps.get("others"))
        amount = aggregated(night, partner, measure, brought)
        total += amount if cap is None else min(amount, Fraction(str(cap)))
    return total


def aggregated(night: Night, partner: Partner, measure: Mapping[str, Any], facts: Sequence[Fact]) -> Fraction:
    aggregate = measure["aggregate"]
    if aggregate == "count":
        return Fraction(len(facts))
    facts = counting(night, measure, facts)
    values = [value_of(night, one, measure["field"]) for one in facts]
    if aggregate == "distinct":
        return Fraction(len(set(values)))
    numbers = [value * weight(night, measure, one) for one, value in zip(facts, values, strict=True)]
    if aggregate == "monthly_average":
        months = whole_months(window_days(measure["window"], night.day, partner))
        return sum(numbers, ZERO) / months if months else ZERO
    return AGGREGATES[aggregate](numbers) if numbers else ZERO


def has_enough(night: Night, measure: Mapping[str, Any], fact: Fact, facts: Sequence[Fact]) -> bool:
    """Whether so many of the facts have the same value as this one; of a split measure, for the same member."""
    having, same = measure["having"], [measure["field"], *([measure["by"]] if "by" in measure else [])]
    alike = [one for one in facts if all(value_of(night, one, name) == value_of(night, fact, name) for name in same)]
    found = [value_of(night, one, having["field"]) for one in alike] if "field" in having else []
    found = [one for one in found if one is not None]
    figures = {"count": lambda: len(alike), "distinct": lambda: len(set(found)), "sum": lambda: sum(found, ZERO)}
    return bool(figures[having["aggregate"]]() >= Fraction(str(having["at_least"])))


def weight(night: Night, measure: Mapping[str, Any], fact: Fact) -> Fraction:
    if "weights" not in measure:
        return Fraction(1)
    weights = measure["weights"]
    return Fraction(str(weights["values"].get(value_of(night, fact, weights["field"]), weights.get("others", 1))))


def median(numbers: Sequence[Fraction]) -> Fraction:
    """The middle one; between two, halfway."""
    ordered, middle = sorted(numbers), len(numbers) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


AGGREGATES: dict[str, Callable[[Sequence[Fraction]], Fraction]] = {
    "sum": lambda numbers: sum(numbers, ZERO),
    "average": lambda numbers: sum(numbers, ZERO) / len(numbers),
    "median": median,
    "min": min,
    "max": max,
}

Read = Callable[[str], Fraction]


def _ratio(night: Night, partner: Partner, measure: Mapping[str, Any], read: Read) -> Fraction:
    over, under = (read(one) for one in measure["ratio"])
    return over / under if under else ZERO


def _growth(night: Night, partner: Partner, measure: Mapping[str, Any], read: Read) -> Fraction:
    now, was = (read(one) for one in measure["growth"])
    if was <= 0 or was < Fraction(str(measure.get("minimum_base", 0))):
        return ZERO
    return (now - was) / was


def _score(night: Night, partner: Partner, measure: Mapping[str, Any], read: Read) -> Fraction:
    scored = read(measure["score"])
    if "bands" in measure:
        reached = [one for one in measure["bands"] if scored >= Fraction(str(one["from"]))]
        best = max(reached, key=lambda one: Fraction(str(one["from"])), default={"gives": 0})
        return Fraction(str(best["gives"]))
    share = scored / Fraction(str(measure["full_at"]))
    return max(ZERO, min(Fraction(1), share)) * Fraction(str(measure["gives"]))


def _rank(night: Night, partner: Partner, measure: Mapping[str, Any], read: Read) -> Fraction:
    alike = measure.get("within", "program") == "program"
    others = [one for one in night.partners if alike or one.country == partner.country]
    own = figure(night, partner, measure["rank"])
    place = 1 + sum(figure(night, one, measure["rank"]) > own for one in others)
    return Fraction(place, len(others)) if measure["as"] == "share" else Fraction(place)


def held_since(night: Night, partner: Partner) -> date | None:
    """Since when the tier is held that was held before the night: on the day before it. None where none was."""
    since = partner.tier_since
    return since if since is not None and since < night.day else None


def _tenure(night: Night, partner: Partner, measure: Mapping[str, Any], read: Read) -> Fraction:
    starts = {"enrollment": partner.enrolled_on, "tier": held_since(night, partner), "joined": partner.joined_on}
    start = starts[measure["tenure"]]
    if start is None or start > night.day:
        return ZERO
    if measure["unit"] == "days":
        return Fraction((night.day - start).days)
    step, units = MONTHS[measure["unit"].removesuffix("s")], 0
    while months_after(start, step * (units + 1)) <= night.day:
        units += 1
    return Fraction(units)


FORMS: dict[str, Callable[[Night, Partner, Mapping[str, Any], Read], Fraction]] = {
    "ratio": _ratio,
    "growth": _growth,
    "difference": lambda night, partner, measure, read: read(measure["difference"][0]) - read(measure["difference"][1]),
    "total": lambda night, partner, measure, read: sum((read(one) for one in measure["total"]), ZERO),
    "largest": lambda night, partner, measure, read: max(read(one) for one in measure["largest"]),
    "smallest": lambda night, partner, measure, read: min(read(one) for one in measure["smallest"]),
    "score": _score,
    "rank": _rank,
    "tenure": _tenure,
}


def parts_of(measure: Mapping[str, Any]) -> Sequence[str]:
    forms = ("ratio", "growth", "difference", "total", "largest", "smallest")
    return [measure["score"]] if "score" in measure else next((measure[form] for form in forms if form in measure), [])


def is_split(night: Night, key: str) -> bool:
    """Split itself, or a figure of figures that are."""
    measure = night.measure(key)
    return "by" in measure or any(is_split(night, part) for part in parts_of(measure))


def members_with_facts(night: Night, partner: Partner, key: str) -> list[str]:
    measure = night.measure(key)
    if "by" not in measure:
        parts = [part for part in parts_of(measure) if is_split(night, part)]
        return sorted({one for part in parts for one in members_with_facts(night, partner, part)})
    with_facts = counting(night, measure, counted(night, partner, measure))
    return sorted({one for one in (value_of(night, fact, measure["by"]) for fact in with_facts) if one is not None})


def counting(night: Night, measure: Mapping[str, Any], facts: Sequence[Fact]) -> list[Fact]:
    """The facts that bring something in: their field is there, in a currency that counts, and has what `having` asks."""
    if "field" not in measure:
        return list(facts)
    found = [one for one in facts if value_of(night, one, measure["field"]) is not None]
    if "having" not in measure:
        return found
    return [one for one in found if has_enough(night, measure, one, found)]


# Rules


def traits_of(night: Night, partner: Partner, trait: str) -> list[Any]:
    groups = night.edition.get("country_groups", {})
    known = {
        "country": [partner.country] if partner.country else [],
        "country_group": [name for name, countries in groups.items() if partner.country in countries],
        "tier": [partner.tier] if held_since(night, partner) else [],
        "enrolled_on": [partner.enrolled_on],
        "joined_on": [partner.joined_on],
    }
    if trait in known:
        return known[trait]
    given = partner.traits.get(trait, [])
    values = given if isinstance(given, list) else [given]
    return [one for one in values if one != ""]


def _is_such(night: Night, partner: Partner, rule: Mapping[str, Any], member: str | None) -> bool:
    values, comparison = traits_of(night, partner, rule["partner"]), rule["is"]
    if comparison in ("not", "not_in"):
        return all(compares(one, comparison, rule["value"]) for one in values)
    return any(compares(one, comparison, rule["value"]) for one in values)


def _requirement(night: Night, partner: Partner, rule: Mapping[str, Any], member: str | None) -> bool:
    value = rule["value"]
    for case in rule.get("cases", []):
        if verdict(night, partner, case["when"], member):
            value = case["value"]
            break
    return COMPARE[rule["is"]](figure(night, partner, rule["measure"], member), Fraction(str(value)))


def _at_least(night: Night, partner: Partner, rule: Mapping[str, Any], member: str | None) -> bool:
    met = [verdict(night, partner, one, member) for one in rule["of"]]
    including = rule.get("including", {"at_least": 0, "of": []})
    return sum(met) >= rule["at_least"] and sum(met[place] for place in including["of"]) >= including["at_least"]


def members_of(night: Night, partner: Partner, chosen: Mapping[str, Any]) -> list[str]:
    if "members" in chosen:
        return list(chosen["members"])
    value, compare = Fraction(str(chosen["value"])), COMPARE[chosen["is"]]
    members = members_with_facts(night, partner, chosen["measure"])
    return [one for one in members if compare(figure(night, partner, chosen["measure"], one), value)]


def _for_each(night: Night, partner: Partner, rule: Mapping[str, Any], member: str | None) -> bool:
    members = members_of(night, partner, rule["for_each"])
    met = [verdict(night, partner, rule["rule"], one) for one in members]
    return sum(met) >= rule["at_least"] if "at_least" in rule else all(met)


def span_start(span: Mapping[str, Any], day: date) -> date:
    start = rolling(day, span["last"], span["unit"])
    return start - timedelta(days=1) if span.get("more") else start


def nights_of(night: Night, partner: Partner, key: str, span: Mapping[str, Any]) -> list[bool]:
    """The verdict of each day from the span's first up to the day before, none stored before it being a no."""
    stored = [one for one in night.past.get((partner.key, key), ()) if one[0] < night.day]
    day, verdicts = span_start(span, night.day), []
    while day < night.day:
        known = [met for on, met in stored if on <= day]
        verdicts.append(known[-1] if known else False)
        day += timedelta(days=1)
    return verdicts


def _unbroken(night: Night, partner: Partner, rule: Mapping[str, Any], member: str | None) -> bool:
    tonight = verdict(night, partner, rule["rule"], member)
    return tonight and all(nights_of(night, partner, rule["key"], rule["unbroken"]))


def _any_day(night: Night, partner: Partner, rule: Mapping[str, Any], member: str | None) -> bool:
    tonight = verdict(night, partner, rule["rule"], member)
    return tonight or any(nights_of(night, partner, rule["key"], rule["any_day"]))


def _meets(night: Night, partner: Partner, rule: Mapping[str, Any], member: str | None) -> bool:
    everything = (*night.edition["tiers"], *night.edition.get("distinctions", []))
    one = next(one for one in everything if one["code"] == rule["meets"])
    return "earn" in one and verdict(night, partner, one["earn"])


RULES: dict[str, Callable[[Night, Partner, Mapping[str, Any], str | None], bool]] = {
    "measure": _requirement,
    "partner": _is_such,
    "meets": _meets,
    "all": lambda night, partner, rule, member: all(verdict(night, partner, one, member) for one in rule["all"]),
    "any": lambda night, partner, rule, member: any(verdict(night, partner, one, member) for one in rule["any"]),
    "none": lambda night, partner, rule, member: not any(verdict(night, partner, one, member) for one in rule["none"]),
    "of": _at_least,
    "for_each": _for_each,
    "unbroken": _unbroken,
    "any_day": _any_day,
}


def verdict(night: Night, partner: Partner, rule: Mapping[str, Any], member: str | None = None) -> bool:
    return RULES[next(one for one in RULES if one in rule)](night, partner, rule, member)


def paths(rule: Mapping[str, Any], path: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """A rule and every rule in it that is judged for the partner, by path."""
    yield path, rule
    for group in ("all", "any", "none", "of"):
        for place, one in enumerate(rule.get(group, [])):
            yield from paths(one, f"{path}.{group}[{place}]")
    if "rule" in rule and "for_each" not in rule:
        yield from paths(rule["rule"], f"{path}.rule")


def judged(night: Night, partner: Partner) -> Outcome:
    """One partner's night."""
    tiers, distinctions = night.edition["tiers"], night.edition.get("distinctions", [])
    figures = {one["key"]: figure(night, partner, one["key"]) for one in night.edition["measures"]}
    members = {
        key: {member: figure(night, partner, key, member) for member in members_with_facts(night, partner, key)}
        for key in figures
        if is_split(night, key)
    }
    verdicts: dict[str, bool] = {}
    earns, keeps = {tiers[0]["code"]: True}, {tiers[0]["code"]: True}
    for one in (*tiers[1:], *distinctions):
        for name in ("earn", "keep"):
            for path, rule in paths(one[name], f"{one['code']}.{name}") if name in one else ():
                verdicts[path] = verdict(night, partner, rule)
        earns[one["code"]] = verdicts.get(f"{one['code']}.earn", False)
        # Who earns it tonight holds it, whatever its keep rule says.
        keeps[one["code"]] = earns[one["code"]] or verdicts.get(f"{one['code']}.keep", False)
    highest = next(one["code"] for one in reversed(tiers) if earns[one["code"]])
    return Outcome(figures, members, verdicts, earns, keeps, highest)


def judge(night: Night) -> dict[str, Outcome]:
    return {one.key: judged(night, one) for one in night.partners}
