"""Reads of points that span models: balances, categories with their caps, what expires next, lines explained."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.templatetags.show import day as day_shown
from common.templatetags.show import exact as number
from common.templatetags.show import quantity
from partners.models import Partner
from points import documents, tenure, wording
from points.models import Claim, PointEntry, PointRule
from tiers import datasets
from tiers import selectors as tiers
from tiers.models import Enrollment, Program
from tiers.wording import Sentence

NOTHING = Decimal(0)
EXPIRIES = 4
WITHOUT_A_FACT = (tenure.KEY, "claims", "")


def brings_points(partner: Partner, on: date) -> bool:
    """Whether a program that the partner is in has a points table. One query."""
    in_force = Q(program__enrollments__ends_on__isnull=True) | Q(program__enrollments__ends_on__gt=on)
    rules = PointRule.objects.filter(
        in_force, program__enrollments__partner=partner, program__enrollments__starts_on__lte=on
    )
    return rules.exists()


@dataclass(frozen=True, slots=True)
class Category:
    """What is live of one category on a day. `cap` is the most that measures of the edition count of it."""

    code: str
    points: Decimal
    cap: Decimal | None

    @property
    def name(self) -> str:
        return category_name(self.code)

    @property
    def counts(self) -> Decimal:
        return self.points if self.cap is None else min(self.points, self.cap)

    @property
    def share(self) -> float:
        """Of the cap, for a bar."""
        return float(self.counts / self.cap) if self.cap else 0


@dataclass(frozen=True, slots=True)
class Expiry:
    """Points that count for the last time on `last_on`."""

    last_on: date
    points: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    points: Decimal
    categories: list[Category]
    expires: list[Expiry] = field(default_factory=list)

    @property
    def counts(self) -> Decimal:
        """Within the caps."""
        return sum((one.counts for one in self.categories), NOTHING)

    @property
    def is_capped(self) -> bool:
        return self.counts != self.points


def category_name(code: str) -> str:
    return code.replace("-", " ").capitalize()


def balance(enrollment: Enrollment, on: date) -> Balance:
    """What is live on a day, and what of it expires next. Three queries."""
    live = PointEntry.objects.filter(enrollment=enrollment).live_on(on).order_by()
    sums = dict(live.values_list("category").annotate(Sum("points")))
    caps, others = caps_of(enrollment.program, on)
    categories = [Category(code, points, caps.get(code, others)) for code, points in sorted(sums.items()) if points]
    ends = (
        live.filter(expires_on__isnull=False).values_list("expires_on").annotate(points=Sum("points"))
        .exclude(points=0).order_by("expires_on")[:EXPIRIES]
    )  # fmt: skip
    expires = [Expiry(day - timedelta(days=1), points) for day, points in ends]
    return Balance(sum(sums.values(), NOTHING), categories, expires)


def caps_of(program: Program, on: date) -> tuple[dict[str, Decimal], Decimal | None]:
    """The most that the edition's measures count of each category, and of any other. The strictest where several cap one."""
    edition = tiers.edition_in_force(program, on)
    caps: dict[str, Decimal] = {}
    others: list[Decimal] = []
    for measure in edition.measures.all() if edition else ():
        definition = measure.definition
        capped = definition.get("caps", {})
        if definition.get("dataset") != "points" or capped.get("field") != "category":
            continue
        for code, most in capped["values"].items():
            caps[code] = min(Decimal(str(most)), caps.get(code, Decimal(str(most))))
        if "others" in capped:
            others.append(Decimal(str(capped["others"])))
    return caps, min(others, default=None)


# --- Lines explained ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger as a person reads it: what for, and why so many, in sentences."""

    entry: PointEntry
    what: str
    about: str
    why: list[str]
    is_live: bool
    last_on: date | None


def explained(entries: Iterable[PointEntry], on: date) -> list[Line]:
    """Lines of one partner with what brought them. One query for each dataset among them."""
    entries = list(entries)
    about = _facts(entries, on)
    return [
        Line(
            entry=entry, what=_what(entry), about=about.get((entry.dataset, entry.fact), ""), why=reasons(entry),
            is_live=entry.granted_on < on and (entry.expires_on is None or entry.expires_on > on),
            last_on=entry.expires_on - timedelta(days=1) if entry.expires_on else None,
        )
        for entry in entries
    ]  # fmt: skip


def _what(entry: PointEntry) -> str:
    if entry.kind == PointEntry.Kind.CLAIM and hasattr(entry, "claim"):
        return entry.claim.title
    return str(entry.rule) if entry.rule else category_name(entry.category)


def _facts(entries: list[PointEntry], on: date) -> dict[tuple[str, str], str]:
    """How each fact calls itself, where it still is the partner's; a distinct value is its own name."""
    wanted: dict[str, set[str]] = {}
    names: dict[tuple[str, str], str] = {}
    for entry in entries:
        if entry.rule is None or entry.dataset in WITHOUT_A_FACT:
            continue
        if entry.rule.read().form == "distinct":
            names[entry.dataset, entry.fact] = entry.fact
        else:
            wanted.setdefault(entry.dataset, set()).add(entry.fact)
    partners = {entry.enrollment.partner_id for entry in entries}
    for key, facts in wanted.items():
        dataset = datasets.get(key)
        for fact in dataset.rows(on).filter(Q(**{f"{dataset.partner}__in": partners}), pk__in=facts):
            names[key, str(fact.pk)] = str(fact)
    return names


def reasons(entry: PointEntry) -> list[str]:
    """Why so many, in sentences, from what the line was computed with."""
    if entry.kind == PointEntry.Kind.ADJUSTMENT:
        return [_("Adjusted by hand: %(reason)s") % {"reason": entry.reason}]
    told = entry.explanation
    if entry.kind == PointEntry.Kind.CLAIM:
        said = [_("%(asked)s asked for, %(due)s granted.") % {key: number(told[key]) for key in ("asked", "due")}]
        return [*said, entry.reason] if entry.reason else said
    said = []
    if "each" in told:
        said.append(_calculation(entry, told))
        if told["brings"] != told["due"]:
            said.append(_("The row’s limit leaves %(due)s of them.") % {"due": number(told["due"])})
    else:
        said.append(_("What brought them is gone, or no longer counts."))
    if entry.kind == PointEntry.Kind.DIFFERENCE:
        said.append(
            _("%(stood)s had been granted before; now it is %(due)s.")
            % {"stood": number(told["stood"]), "due": number(told["due"])}
        )
    return said


def _calculation(entry: PointEntry, told: dict[str, Any]) -> str:
    each, brings = number(told["each"]), number(told["brings"])
    times = Decimal(told["times"])
    one = Decimal(told["each"]) * times
    count = Decimal(told["brings"]) / one if one else Decimal(1)
    if entry.dataset == tenure.KEY:
        return ngettext(
            "%(count)s day enrolled, %(each)s each, brings %(brings)s.",
            "%(count)s days enrolled, %(each)s each, bring %(brings)s.", int(count),
        ) % {"count": quantity(count), "each": each, "brings": brings}  # fmt: skip
    values = {"each": each, "times": quantity(times), "count": quantity(count), "brings": brings}
    if count != 1 and times != 1:
        return _("%(count)s times %(each)s, times %(times)s: %(brings)s.") % values
    if count != 1:
        return _("%(count)s times %(each)s: %(brings)s.") % values
    if times != 1:
        return _("%(each)s, times %(times)s: %(brings)s.") % values
    return _("It brings %(brings)s.") % values


def ledger(enrollment: Enrollment) -> "Any":
    """An enrollment's lines, newest first, with what `explained` reads."""
    lines = PointEntry.objects.filter(enrollment=enrollment).select_related("rule", "claim", "enrollment")
    return lines.order_by("-granted_on", "-id")


def open_rows(program: Program, on: date) -> list[PointRule]:
    """The rows of the table that hold a day, in its order."""
    rows = PointRule.objects.filter(program=program, starts_on__lte=on)
    return list(rows.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=on)).order_by("position", "id"))


def claims(enrollment: Enrollment) -> Any:
    return Claim.objects.filter(enrollment=enrollment).select_related("rule", "entry").order_by("-id")


def expiry_in_words(rule: PointRule) -> str:
    """How long a row's points count."""
    terms = rule.read()
    if terms.with_fact:
        return _("while it stands")
    if terms.months:
        return ngettext("%(count)s month", "%(count)s months", terms.months) % {"count": terms.months}
    if terms.days:
        return ngettext("%(count)s day", "%(count)s days", terms.days) % {"count": terms.days}
    return _("without end")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the table as the portal shows it, in sentences."""

    rule: PointRule
    sentence: Sentence


def table(program: Program, on: date) -> list[TableRow]:
    return [TableRow(rule, wording.sentence(documents.row(rule), program.currency)) for rule in open_rows(program, on)]


def brings_in_words(rule: PointRule) -> str:
    """What a row brings, in a few words."""
    terms = rule.read()
    points = number(Decimal(terms.points).scaleb(-4))
    if terms.form == "amount_of":
        per = number(Decimal(terms.per).scaleb(-4))
        return _("%(points)s for each %(per)s") % {"points": points, "per": per}
    if terms.form == "tenure":
        return _("%(points)s a day") % {"points": points}
    values = sorted({terms.points, *(one for _when, _times, one in terms.multiplied)})
    if len(values) > 1:
        first, last = (number(Decimal(one).scaleb(-4)) for one in (values[0], values[-1]))
        return _("%(first)s to %(last)s") % {"first": first, "last": last}
    return points


def days_in_words(rule: PointRule) -> str:
    """From when to when a row holds."""
    if rule.ends_on is None:
        return _("from %(first)s") % {"first": day_shown(rule.starts_on)}
    last = rule.ends_on - timedelta(days=1)
    return _("%(first)s to %(last)s") % {"first": day_shown(rule.starts_on), "last": day_shown(last)}
