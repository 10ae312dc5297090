"""The partner's view of its tier: where it stands, what lifts it, what keeps it, what if, and the facts that counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from common import charts
from common.periods import program_today
from common.templatetags import show
from partners.portal import Membership, portal_page
from tiers import checklist, entitlements, fact_table, parsing, rules, selectors, trend, what_if, wording
from tiers import standing as standings
from tiers.explaining import Case
from tiers.models import Award, Enrollment, Measure, Tier
from tiers.standing import Standing
from tiers.what_if import Lever

FACTS_A_PAGE = 50
HISTORY = 12
CHARTS = 3
MOST = Decimal(10) ** 12  # further than any slider goes


def enrollments_of(membership: Membership) -> list[Enrollment]:
    """The partner's enrollments in force, the oldest first. One query."""
    in_force = Enrollment.objects.filter(partner=membership.partner).in_force_on(program_today())
    found = list(in_force.select_related("program").order_by("starts_on", "id"))
    for one in found:
        one.partner = membership.partner
    return found


def enrollment_of(request: HttpRequest, membership: Membership) -> Enrollment | None:
    """The enrollment that the page is about: that of `?program=`, else the partner's oldest one in force. One query."""
    return _asked_about(request, enrollments_of(membership))


def _asked_about(request: HttpRequest, enrollments: Sequence[Enrollment]) -> Enrollment | None:
    slug = request.GET.get("program")
    return next((one for one in enrollments if not slug or one.program.slug == slug), None)


@portal_page
def tier(request: HttpRequest, membership: Membership) -> HttpResponse:
    today, enrollments = program_today(), enrollments_of(membership)
    enrollment = _asked_about(request, enrollments)
    standing = standings.standing(enrollment=enrollment, on=today, months=trend.MONTHS) if enrollment else None
    context: dict[str, Any] = {"enrollment": enrollment, "standing": standing, "today": today}
    if enrollment is not None and standing is not None:
        above, placement = standing.next_tier, standing.placement
        given = selectors.benefits_by_tier(
            [one for one in (placement and placement.tier_id, above and above.pk) if one]
        )
        held = entitlements.entitlements(enrollment=enrollment, on=today, placements=standing.placements, given=given)
        context |= {
            "reach": checklist.rows(standing.reach, standing.case),
            "keep": checklist.rows(standing.keep, standing.case),
            "others": [one for one in enrollments if one != enrollment],
            "held": held,
            "opens": _others(given[above.pk], held) if above else [],
            "awards": Award.objects.in_force_on(today).filter(partner=enrollment.partner_id).order_by("starts_on"),
            "grace": enrollment.graces.filter(closed_on=None).first(),
            "charts": _charts(standing, today),
            "sliders": [_slider(lever, Decimal(0), standing.case) for lever in what_if.levers(standing.case)],
            "history": standing.placements[:HISTORY],
        }
    return render(request, "portal/tier.html", context)


# --- How figures moved ----------------------------------------------------------------------------


def _charts(standing: Standing, today: date) -> list[charts.Chart]:
    """The first requirements of the next tier, else of the own one, month by month, where two months differ."""
    case = standing.case
    keys = list(dict.fromkeys(_keys(standing.reach) or _keys(standing.keep)))[:CHARTS]
    series = trend.by_month(case, standing.evaluations, keys, today)
    moved = {
        key: points
        for key, points in series.items()
        if sum(one.figure is not None for one in points) > 1 and len({one.figure for one in points}) > 1
    }
    months = {one.month: _Month.of(one.month) for points in moved.values() for one in points}
    return [_chart(key, points, months, case) for key, points in moved.items()]


def _keys(checked: rules.Checked | None) -> list[str]:
    node = checked.node if checked else None
    if isinstance(node, rules.Requirement):
        return [node.measure]
    return [key for child in checked.children for key in _keys(child)] if checked else []


@dataclass(frozen=True, slots=True)
class _Month:
    """A month's initial and name, written once for all charts."""

    letter: str
    name: str

    @classmethod
    def of(cls, month: date) -> "_Month":
        return cls(show.month_letter(month), show.month(month))


def _chart(key: str, points: list[trend.Point], months: Mapping[date, _Month], case: Case) -> charts.Chart:
    lexicon = case.lexicon
    scale = parsing.SCALES.get(lexicon.units[key], 1)
    figures = {one.figure for one in points}
    says = {one: "–" if one is None else wording.figure(key, one, lexicon) for one in figures}

    def written(value: Decimal) -> str:
        return wording.figure(key, Fraction(value) * scale, lexicon)

    data = [
        charts.Datum(
            label=months[one.month].letter,
            short_label=months[one.month].letter,
            value=_decimal(Fraction(one.figure or 0) / scale),
            says=f"{months[one.month].name}: {says[one.figure]}",
            below=str(one.month.year) if one.month.month == 1 else "",
        )
        for one in points
    ]
    name = str(lexicon.measures[key].name)
    title = _("%(measure)s, as it stood each month") % {"measure": name}
    return charts.columns(title, data, written)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


# --- What if --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slider:
    """A lever as the page shows it: places on the slider in the measure's own unit, and what it is moved by in words."""

    key: str
    name: str
    now: str
    least: str
    most: str
    step: str
    change: str
    says: str


@portal_page
def what_if_result(request: HttpRequest, membership: Membership) -> HttpResponse:
    """What would be with the figures moved as the sliders say: a part of the tier page, and a page of its own without script."""
    today = program_today()
    enrollment = enrollment_of(request, membership)
    standing = standings.standing(enrollment=enrollment, on=today) if enrollment else None
    if enrollment is None or standing is None:
        raise Http404
    levers = what_if.levers(standing.case)
    changes = {lever.key: change for lever in levers if (change := _asked(request, lever))}
    moved = what_if.moved(standing.case, changes)
    held = moved.book.level(standing.tier.code) if standing.tier else None
    would = what_if.would_hold(moved, held)
    tiers = {one.code: one for one in standing.tiers}
    following = next((level for level in moved.book.levels if level.rank > would.rank and level.earn), None)
    pay = what_if.yearly_pay(enrollment, [level.code for level in moved.book.levels], today)
    held_code = held.code if held else ""
    return render(
        request,
        "portal/what_if.html",
        {
            "enrollment": enrollment,
            "sliders": [_slider(lever, changes.get(lever.key, Decimal(0)), standing.case) for lever in levers],
            "is_moved": bool(changes),
            "would": tiers[would.code],
            "change": (would.rank > (held.rank if held else 0)) - (would.rank < (held.rank if held else 0)),
            "asked": tiers[following.code] if following else None,
            "rows": checklist.rows(rules.check(following.earn, moved.facts), moved)
            if following and following.earn
            else (),
            "gives": _gives(tiers[would.code], standing.tier),
            "pay": pay.get(would.code),
            "pay_now": pay.get(held_code),
            "more": pay[would.code] - pay[held_code] if would.code in pay and held_code in pay else None,
            "currency": enrollment.program.currency,
            "is_part": request.headers.get("X-Part") == "yes",
        },
    )


def _asked(request: HttpRequest, lever: Lever) -> Decimal:
    """By how much the lever is asked to move; 0 for what is no number, and no further than the slider goes."""
    try:
        change = Decimal(request.GET.get(lever.key, "0"))
    except InvalidOperation:
        return Decimal(0)
    if not change.is_finite():
        return Decimal(0)
    return min(max(change, _decimal(lever.least)), MOST).quantize(Decimal("0.0001"))


def _slider(lever: Lever, change: Decimal, case: Case) -> Slider:
    scale = parsing.SCALES.get(lever.unit, 1)
    moved = wording.figure(lever.key, (lever.now + Fraction(change)) * scale, case.lexicon)
    return Slider(
        key=lever.key,
        name=str(lever.measure.name),
        now=wording.figure(lever.key, lever.now * scale, case.lexicon),
        least=_plain(lever.least),
        most=_plain(lever.most),
        step=_plain(lever.step),
        change=_plain(Fraction(change)),
        says=moved,
    )


def _plain(value: Fraction) -> str:
    return format(_decimal(value).normalize(), "f")


def _gives(would: Tier, held: Tier | None) -> list[Any]:
    """The benefits that the tier gives and the held one does not."""
    return _others(selectors.benefits_of(would), selectors.benefits_of(held))


def _others(given: list[Any], held: list[Any]) -> list[Any]:
    known = {one.benefit.pk for one in held}
    return [one for one in given if one.benefit.pk not in known]


# --- Facts ----------------------------------------------------------------------------------------


@portal_page
def facts(request: HttpRequest, membership: Membership, measure_id: int) -> HttpResponse:
    """The facts behind one figure: those of this partner that the last night counted, or with `?out` those it left out."""
    measure = Measure.objects.select_related("edition__program").filter(pk=measure_id).first()
    enrollment = (
        Enrollment.objects.filter(partner=membership.partner, program=measure.edition.program)
        .in_force_on(program_today())
        .select_related("program")
        .first()
        if measure and "dataset" in measure.definition
        else None
    )
    if measure is None or enrollment is None:
        raise Http404
    evaluation = enrollment.evaluations.order_by("-evaluated_on").first()
    day = standings.measured_on(enrollment, evaluation, program_today())
    is_out, member = "out" in request.GET, request.GET.get("member", "")
    table = (
        fact_table.left_out(measure, enrollment, day)
        if is_out
        else fact_table.counted(measure, enrollment, day, member=member)
    )
    page = Paginator(table.rows, FACTS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/tier_facts.html",
        {
            "measure": measure,
            "table": table,
            "page": page,
            "lines": [table.cells(row) for row in page],
            "day": day,
            "figure": fact_table.counted(measure, enrollment, day, member=member).figure(evaluation),
            "is_out": is_out,
            "member": member,
        },
    )
