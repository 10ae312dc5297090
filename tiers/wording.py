"""Rules in words, in the reader's language: the same sentences on the program page, in the portal and in the admin."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.days import Period
from common.money import from_units
from common.templatetags import show
from tiers import definitions as defined
from tiers import lexicon as lexicons
from tiers import parsing, rules
from tiers.lexicon import Lexicon
from tiers.models import Distinction, Edition, Tier


@dataclass(frozen=True, slots=True)
class Sentence:
    """A requirement (no children), or the heading of a group with what it holds."""

    says: str
    children: tuple["Sentence", ...] = ()
    is_all: bool = False


Row = TypeVar("Row", Tier, Distinction)


@dataclass(frozen=True, slots=True)
class AskedInWords(Generic[Row]):
    """What a tier or distinction asks, in words: to reach it, and to keep it where that differs."""

    row: Row
    earn: Sentence | None
    keep: Sentence | None


def rules_in_words(edition: Edition) -> list[AskedInWords[Tier]]:
    """Every tier of an edition, lowest first. A fixed number of queries. Raises RuleError for rules that cannot be read."""
    lexicon = lexicons.read(edition)
    book = lexicon.rulebook()
    return [
        AskedInWords(tier, sentence(level.earn, lexicon), sentence(level.keep, lexicon))
        for tier, level in zip(lexicon.tiers, book.levels, strict=True)
    ]


def distinctions_in_words(edition: Edition) -> list[AskedInWords[Distinction]]:
    """Every distinction of an edition, as `rules_in_words`."""
    lexicon = lexicons.read(edition)
    return [
        AskedInWords(one, sentence(badge.earn, lexicon), sentence(badge.keep, lexicon))
        for one, badge in zip(lexicon.distinctions, lexicon.rulebook().badges, strict=True)
    ]


def rule_sentence(document: dict[str, Any], lexicon: Lexicon, where: str = "") -> Sentence | None:
    """A rule as the document of a draft has it, in words. Raises RuleError, with the place, where it cannot be read."""
    return sentence(parsing.rule(document, lexicon.known(), where), lexicon)


# --- Rules ----------------------------------------------------------------------------------------


def sentence(node: rules.Node | None, lexicon: Lexicon) -> Sentence | None:
    if node is None:
        return None
    if isinstance(node, rules.Group):
        children = (sentence(child, lexicon) for child in node.children)
        below = tuple(child for child in children if child is not None)
    elif isinstance(node, rules.ForEach | rules.Span):
        inner = sentence(node.rule, lexicon)
        below = (inner.children if inner.is_all else (inner,)) if inner else ()
    else:
        below = ()
    return Sentence(says(node, lexicon), below, is_all=isinstance(node, rules.Group) and node.kind == "all")


def says(node: rules.Node, lexicon: Lexicon) -> str:
    """A node's own words: a requirement's sentence, the heading of what holds others."""
    if isinstance(node, rules.Requirement):
        return requirement(node, lexicon)
    if isinstance(node, rules.Condition):
        return condition(node, lexicon)
    if isinstance(node, rules.Meets):
        return _("Everything that “%(tier)s” asks") % {"tier": lexicon.name_of(node.code)}
    if isinstance(node, rules.ForEach):
        return for_each(node, lexicon)
    if isinstance(node, rules.Span):
        return over_time(node)
    return heading(node)


def requirement(node: rules.Requirement, lexicon: Lexicon, threshold: rules.Figure | None = None) -> str:
    """A requirement as a sentence: “Net sales: at least $50,000 over 12 months”. With `threshold`, the one that applies;
    without, its own and those of its cases."""
    texts = {
        "at_least": _("%(measure)s: at least %(threshold)s"),
        "more_than": _("%(measure)s: more than %(threshold)s"),
        "at_most": _("%(measure)s: at most %(threshold)s"),
        "less_than": _("%(measure)s: less than %(threshold)s"),
        "equal": _("%(measure)s: exactly %(threshold)s"),
    }
    applies = node.threshold if threshold is None else threshold
    parts = {"measure": lexicon.measures[node.measure].name, "threshold": figure(node.measure, applies, lexicon)}
    said = " ".join(part for part in (texts[node.comparison] % parts, span(node.measure, lexicon)) if part)
    if threshold is not None or not node.cases:
        return said
    cases = "; ".join(
        _("%(threshold)s for: %(when)s")
        % {"threshold": figure(node.measure, case.threshold, lexicon), "when": in_one_line(case.when, lexicon)}
        for case in node.cases
    )
    return _("%(sentence)s (%(cases)s)") % {"sentence": said, "cases": cases}


def condition(node: rules.Condition, lexicon: Lexicon) -> str:
    """What the partner is: “Country: France or Belgium”, “Enrolled before 1 June 2026”."""
    if node.trait in parsing.DAYS:
        day = show.day(date.fromisoformat(node.values[0]))
        enrolled = {
            "at_least": _("Enrolled on %(day)s or later"), "more_than": _("Enrolled after %(day)s"),
            "at_most": _("Enrolled on %(day)s or before"), "less_than": _("Enrolled before %(day)s"),
        }  # fmt: skip
        joined = {
            "at_least": _("Joined on %(day)s or later"), "more_than": _("Joined after %(day)s"),
            "at_most": _("Joined on %(day)s or before"), "less_than": _("Joined before %(day)s"),
        }  # fmt: skip
        return (enrolled if node.trait == "enrolled_on" else joined)[node.comparison] % {"day": day}
    values = [trait_value(node.trait, value, lexicon) for value in node.values]
    texts = _("%(trait)s: %(values)s") if node.comparison in ("equal", "in") else _("%(trait)s: not %(values)s")
    return texts % {"trait": trait(node.trait), "values": _(" or ").join(values)}


def trait(name: str) -> str:
    known = {"country": _("Country"), "country_group": _("Group of countries"), "tier": _("Tier held")}
    return known.get(name) or name.replace("_", " ").capitalize()


def trait_value(name: str, value: str, lexicon: Lexicon) -> str:
    if name == "country":
        return str(show.locale().territories.get(value, value))
    return lexicon.name_of(value) if name == "tier" else value


def in_one_line(node: rules.Node, lexicon: Lexicon) -> str:
    """A condition with all below it, for the middle of a sentence."""
    if not isinstance(node, rules.Group):
        return says(node, lexicon)
    joined = (_(" and ") if node.kind == "all" else _(" or ")).join(
        in_one_line(child, lexicon) for child in node.children
    )
    return _("not %(condition)s") % {"condition": joined} if node.kind == "none" else joined


def for_each(node: rules.ForEach, lexicon: Lexicon) -> str:
    if node.of is not None:
        of = requirement(node.of, lexicon)
        if node.at_least is None:
            return _("For each one with %(requirement)s") % {"requirement": of}
        return ngettext(
            "For at least %(count)s with %(requirement)s", "For at least %(count)s with %(requirement)s", node.at_least
        ) % {"count": node.at_least, "requirement": of}
    members = ", ".join(node.members)
    if node.at_least is None:
        return _("For each of %(members)s") % {"members": members}
    return _("For at least %(count)s of %(members)s") % {"count": node.at_least, "members": members}


def over_time(node: rules.Span) -> str:
    if node.unit == "days":
        length = ngettext("%(count)s day", "%(count)s days", node.last) % {"count": node.last}
    else:
        length = ngettext("%(count)s month", "%(count)s months", node.last) % {"count": node.last}
    if node.kind == "any_day":
        return _("On any day of the last %(length)s") % {"length": length}
    if node.more:
        return _("Without a break for more than %(length)s") % {"length": length}
    return _("Without a break for %(length)s") % {"length": length}


def heading(node: rules.Group) -> str:
    """The heading of a group: “All of these”, “One of these”, “At least 2 of these 3”."""
    if node.kind == "all":
        return _("All of these")
    if node.kind == "any":
        return _("One of these")
    if node.kind == "none":
        return _("None of these")
    said = _("At least %(needed)s of these %(count)s") % {"needed": node.needed, "count": len(node.children)}
    if node.including is None:
        return said
    needed, places = node.including
    numbers = ", ".join(_("no. %(number)s") % {"number": place + 1} for place in places)
    return _("%(sentence)s, among them %(needed)s of %(numbers)s") % {
        "sentence": said, "needed": needed, "numbers": numbers
    }  # fmt: skip


# --- Windows --------------------------------------------------------------------------------------


def span(key: str, lexicon: Lexicon) -> str:
    """Which days a measure counts, where it counts days: “over 12 months”, “since the start of the quarter”."""
    first = next(iter(defined.reads(key, lexicon.definitions)), None)
    window_ = lexicon.definitions[first].get("window", {}) if first else {}
    said = days_of(window_)
    if not said:
        return ""
    if embargo := window_.get("embargo_days"):
        left_out = ngettext("without the last day", "without the last %(days)s days", embargo) % {"days": embargo}
        said = f"{said}, {left_out}"
    if ago := window_.get("ago"):
        count = ago.get("months") or ago["days"]
        earlier = (
            ngettext("%(count)s month earlier", "%(count)s months earlier", count)
            if "months" in ago
            else ngettext("%(count)s day earlier", "%(count)s days earlier", count)
        ) % {"count": count}
        said = f"{said}, {earlier}"
    return said


def days_of(window: dict[str, Any]) -> str:
    last, unit, kind = window.get("last"), str(window.get("unit")), window.get("kind")
    if isinstance(last, int):
        if unit == "days":
            return ngettext("over %(days)s day", "over %(days)s days", last) % {"days": last}
        return ngettext("over %(months)s month", "over %(months)s months", last) % {"months": last}
    if kind == "to_date":
        return _to_date(unit, window.get("starts_month", 1))
    if kind == "last_full":
        return _last_full(unit, window.get("count", 1))
    if kind == "partner_year":
        return _("in the last full partner year") if window.get("full") else _("since the last anniversary")
    if kind == "between":
        to = date.fromordinal(date.fromisoformat(window["to"]).toordinal() - 1)
        return _("from %(first)s to %(last)s") % {
            "first": show.day_short(date.fromisoformat(window["from"])), "last": show.day_short(to)
        }  # fmt: skip
    if kind == "on":
        return _("on %(day)s") % {"day": show.day_short(date.fromisoformat(window["day"]))}
    return _("since enrolling") if kind == "since_enrollment" else ""


def _to_date(unit: str, starts_month: int) -> str:
    if unit == "year" and starts_month != 1:
        return _("since the start of the fiscal year")
    return {
        "year": _("since the start of the year"),
        "half_year": _("since the start of the half-year"),
        "quarter": _("since the start of the quarter"),
        "month": _("since the start of the month"),
    }[unit]


def _last_full(unit: str, count: int) -> str:
    texts = {
        "year": ngettext("in the last full year", "over the last %(count)s full years", count),
        "half_year": ngettext("in the last full half-year", "over the last %(count)s full half-years", count),
        "quarter": ngettext("in the last full quarter", "over the last %(count)s full quarters", count),
        "month": ngettext("in the last full month", "over the last %(count)s full months", count),
    }
    return texts[unit] % {"count": count}


def window(period: Period | None) -> str:
    """The days that count, both ends included: “1 Jun 2019 – 31 May 2020”."""
    if period is None:
        return ""
    last = show.day_short(date.fromordinal(period.ends_on.toordinal() - 1))
    if period.starts_on is None:
        return _("up to %(day)s") % {"day": last}
    return f"{show.day_short(period.starts_on)} – {last}"


# --- Figures --------------------------------------------------------------------------------------


def figure(key: str, value: rules.Figure, lexicon: Lexicon) -> str:
    """A figure of a measure, from the unit that rules compare: “$50,000”, “80%”, “3”."""
    return figure_in(lexicon.units[key], value, lexicon.currency)


def figure_in(unit: str, value: rules.Figure, currency: str) -> str:
    if unit in ("ratio", "share"):
        return show.percent(Fraction(value))
    if unit == "amount":
        amount = from_units(int(value))
        return (
            show.money_short(amount, currency) if amount == amount.to_integral_value() else show.money(amount, currency)
        )
    exact = Fraction(value) / parsing.SCALES.get(unit, 1)
    return show.quantity(int(exact)) if exact.denominator == 1 else show.quantity(round(float(exact), 2))


def gap(checked: rules.Checked, lexicon: Lexicon, parts: tuple[rules.Figure, ...] = ()) -> str:
    """What is missing: “$30,000 to go”, “2 to go”. For a share, how many more of the same whole it takes."""
    node = checked.node
    if checked.met or not isinstance(node, rules.Requirement) or checked.threshold is None:
        return _("met")
    definition, value = lexicon.definitions[node.measure], checked.figure or 0
    if "ratio" in definition and node.comparison in ("at_least", "more_than"):
        return _ratio_gap(node, checked.threshold, parts, lexicon)
    missing = rules.gap(node.comparison, value, checked.threshold)
    if node.comparison in ("at_most", "less_than"):
        return _("%(figure)s too many") % {"figure": figure(node.measure, missing, lexicon)}
    if missing == 0:  # a strict comparison, just reached
        return _("a little more to go")
    return _("%(figure)s to go") % {"figure": figure(node.measure, missing, lexicon)}


def _ratio_gap(
    node: rules.Requirement, threshold: rules.Figure, parts: tuple[rules.Figure, ...], lexicon: Lexicon
) -> str:
    above, below = (Fraction(part) for part in parts)
    if below == 0:
        return _("nothing counted yet")
    needed = Fraction(threshold) * below
    whole = int(needed) if needed.denominator == 1 and node.comparison == "at_least" else int(needed) + 1
    numerator, denominator = lexicon.definitions[node.measure]["ratio"]
    of_the_whole = lexicon.units[numerator] == lexicon.units[denominator] == "count"
    if whole > below and of_the_whole:
        return _("out of reach as things are")
    return _("%(figure)s to go") % {"figure": figure(numerator, max(whole - above, Fraction(0)), lexicon)}


def parts(key: str, counted: tuple[rules.Figure, ...], lexicon: Lexicon) -> str:
    """The two sides of a ratio: “3 of 4”. Nothing for other measures."""
    definition = lexicon.definitions[key]
    if "ratio" not in definition:
        return ""
    some, whole = (figure(part, value, lexicon) for part, value in zip(definition["ratio"], counted, strict=True))
    return _("%(some)s of %(all)s") % {"some": some, "all": whole}


def since(day: date) -> str:
    return _("without a break since %(day)s") % {"day": show.day(day)}
