"""The partner's view of its tier: where it stands, what lifts it, what keeps it, and the facts that counted."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from common.periods import program_today
from partners.portal import Membership, portal_page
from tiers import checklist, fact_table, selectors
from tiers import standing as standings
from tiers.models import Enrollment, Measure, Placement

FACTS_A_PAGE = 50
HISTORY = 12


def enrollment_of(request: HttpRequest, membership: Membership) -> Enrollment | None:
    """The enrollment that the page is about: that of `?program=`, else the partner's oldest one in force."""
    enrollments = (
        Enrollment.objects.filter(partner=membership.partner)
        .in_force_on(program_today())
        .select_related("program", "partner")
        .order_by("starts_on", "id")
    )
    slug = request.GET.get("program")
    return enrollments.filter(program__slug=slug).first() if slug else enrollments.first()


@portal_page
def tier(request: HttpRequest, membership: Membership) -> HttpResponse:
    today = program_today()
    enrollment = enrollment_of(request, membership)
    standing = standings.standing(enrollment=enrollment, on=today) if enrollment else None
    context: dict[str, Any] = {"enrollment": enrollment, "standing": standing, "today": today}
    if enrollment is not None and standing is not None:
        context |= {
            "reach": checklist.rows(standing.reach, standing.case),
            "keep": checklist.rows(standing.keep, standing.case),
            "others": selectors.other_programs(enrollment, today),
            "held": selectors.benefits_of(standing.tier),
            "history": Placement.objects.filter(enrollment=enrollment)
            .select_related("tier")
            .order_by("-starts_on")[:HISTORY],
        }
    return render(request, "portal/tier.html", context)


@portal_page
def facts(request: HttpRequest, membership: Membership, measure_id: int) -> HttpResponse:
    """The facts behind one figure: those of this partner that the last evaluation's day counted."""
    measure = Measure.objects.select_related("edition__program").filter(pk=measure_id).first()
    enrollment = (
        Enrollment.objects.filter(partner=membership.partner, program=measure.edition.program)
        .in_force_on(program_today())
        .first()
        if measure and "dataset" in measure.definition
        else None
    )
    if measure is None or enrollment is None:
        raise Http404
    evaluation = enrollment.evaluations.order_by("-evaluated_on").first()
    day = evaluation.evaluated_on if evaluation else program_today()
    table = fact_table.counted(measure, enrollment, day)
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
            "figure": table.figure(evaluation),
        },
    )
