"""Dry runs: start one, watch it, read who would move and what it costs, download it. And two editions side by side in words."""

import csv
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.periods import program_today
from common.sheets import BOM, Echo, text_cell
from common.templatetags.show import day as day_shown
from common.templatetags.show import money, quantity
from journal import services as journal
from tiers import comparing, dry_run, jobs, lexicon, night, progress
from tiers.models import DryRun, Edition, Outcome, Run


class DryRunForm(StaffForm):
    edition = forms.ModelChoiceField(
        Edition.objects.exclude(state=Edition.State.RETIRED).select_related("program"), label=_("Edition")
    )
    day = forms.DateField(label=_("Day"), help_text=_("Partners, facts and tiers held are those of that day."))

    def clean_day(self) -> Any:
        if (day := self.cleaned_data["day"]) > program_today():
            raise forms.ValidationError(gettext("That day is still to come."))
        return day


@admin.register(DryRun)
class DryRunAdmin(ReadOnlyAdmin):
    list_display = ("edition", "day", "show_state", "show_found", "author", "started_at")
    list_select_related = ("edition__program", "author")
    list_filter = ("program", "state")
    fields = ("program", "edition", "day", "author", "state", "started_at", "finished_at")
    actions_list = ("run_dry",)
    actions_detail = ("download", "compare")
    change_form_before_template = "admin/tiers/dry_run_before.html"
    change_form_after_template = "admin/tiers/dry_run_after.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[DryRun]:
        return super().get_queryset(request).select_related("edition__program", "program", "author")

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Run) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("what it found"))
    def show_found(self, obj: Run) -> str:
        if obj.state != Run.State.DONE:
            return ""
        said = gettext("%(up)s up, %(down)s down, of %(all)s") % {
            "up": quantity(obj.totals.get("would_rise", 0)), "down": quantity(obj.totals.get("would_fall", 0)),
            "all": quantity(obj.totals.get("evaluated", 0)),
        }  # fmt: skip
        if proposed := obj.totals.get("would_be_proposed"):
            to_confirm = ngettext("%(count)s to be confirmed", "%(count)s to be confirmed", proposed)
            said = f"{said}; {to_confirm % {'count': quantity(proposed)}}"
        return said

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", view(self.progress_view), name="tiers_dryrun_progress"),
            path("compare/<int:older>/<int:newer>/", view(self.compare_view), name="tiers_edition_compare"),
            *super().get_urls(),
        ]

    def has_run_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_dryrun")

    @action(description=_("Try an edition out"), icon="science", permissions=["run"])
    def run_dry(self, request: HttpRequest) -> HttpResponse:
        started: list[Run] = []

        def do(values: Mapping[str, Any]) -> str:
            with transaction.atomic():
                run = night.start_dry_run(edition=values["edition"], day=values["day"], actor=request.user)  # type: ignore[arg-type]  # staff are signed in
                journal.record(
                    verb="tiers.dry_run.started", subject=run, actor=request.user,
                    after={"edition": str(run.edition), "day": str(run.day)},
                )  # fmt: skip
                transaction.on_commit(partial(jobs.queue_work, run.pk))
            started.append(run)
            return gettext("“%(edition)s” is being tried out on the facts of %(day)s.") % {
                "edition": run.edition, "day": day_shown(run.day)
            }  # fmt: skip

        initial = {"edition": request.GET.get("edition"), "day": program_today()}
        return ask(
            self, request, title=gettext("Try an edition out"), form=DryRunForm(request.POST or None, initial=initial),
            do=do, submit=gettext("Try it out"), back=list_url(DryRun), go=lambda _values: change_url(_dry(started[0])),
            says=gettext(
                "Every partner is measured and judged by the edition, a draft too: who would rise, fall and stay, which"
                " requirement decides, what it would cost. Nothing is placed or paid."
            ),
        )  # fmt: skip

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far a run is, for the page that shows it."""
        if not self.has_view_permission(request):
            return JsonResponse({}, status=403)
        return JsonResponse(progress.of(get_object_or_404(DryRun, pk=pk)))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        run = self.get_object(request, object_id) if object_id else None
        if run is not None:
            extra_context = {**(extra_context or {}), **page_of(run)}
        return super().changeform_view(request, object_id, form_url, extra_context)

    @action(description=_("Download"), icon="download", permissions=["view"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        run = get_object_or_404(DryRun.objects.select_related("edition__program"), pk=object_id)
        name = f"{run.program.slug}-{run.day.isoformat()}-dry-run.csv"
        return StreamingHttpResponse(
            csv_of(run),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @action(description=_("Compare with the edition in force"), icon="difference", permissions=["view"])
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = get_object_or_404(DryRun.objects.select_related("edition__program"), pk=object_id)
        older = in_force_beside(run.edition)
        if older is None:
            self.message_user(request, gettext("The program has no other published edition to compare it with."))
            return HttpResponseRedirect(change_url(run))
        return HttpResponseRedirect(compare_url(older, run.edition))

    def compare_view(self, request: HttpRequest, older: int, newer: int) -> HttpResponse:
        editions = Edition.objects.select_related("program").prefetch_related("tiers")
        first, second = get_object_or_404(editions, pk=older), get_object_or_404(editions, pk=newer)
        context = {
            **self.admin_site.each_context(request), "opts": self.model._meta, "older": first, "newer": second,
            "title": gettext("“%(newer)s” beside “%(older)s”") % {"newer": second.name, "older": first.name},
            "parts": comparing.compare(first, second), "is_popup": False,
        }  # fmt: skip
        return TemplateResponse(request, "admin/tiers/compare.html", context)


def _dry(run: Run) -> DryRun:
    return DryRun.objects.get(pk=run.pk)


def in_force_beside(edition: Edition) -> Edition | None:
    """The published edition that `edition` follows or would follow; else the newest other one."""
    others = Edition.objects.published().filter(program=edition.program_id).exclude(pk=edition.pk)
    return (
        others.filter(starts_on__lte=edition.starts_on).order_by("-starts_on").first()
        or others.order_by("-starts_on").first()
    )


def compare_url(older: Edition, newer: Edition) -> str:
    return reverse("admin:tiers_edition_compare", args=[older.pk, newer.pk])


def page_of(run: Run) -> dict[str, Any]:
    """What the page of a dry run shows beside its fields. A fixed number of queries."""
    said: dict[str, Any] = {
        "run": run,
        "progress": progress.of(run),
        "progress_url": reverse("admin:tiers_dryrun_progress", args=[run.pk]),
    }
    if run.state != Run.State.DONE:
        return said
    words, currency = lexicon.read(run.edition), run.program.currency
    found = dry_run.moves(run)
    total = sum(one.count for one in found) or 1
    return said | {
        "changes": [
            (change, label, sum(one.count for one in found if one.change == change))
            for change, label in ((1, gettext("rise")), (0, gettext("stay")), (-1, gettext("fall")))
        ],
        "proposed": sum(one.count for one in found if one.proposed),
        "moves": [
            {
                "held": words.name_of(one.held) if one.held else gettext("none"),
                "would": words.name_of(one.would),
                "proposed": words.name_of(one.proposed) if one.proposed else "",
                "change": one.change,
                "count": one.count,
                "share": one.count / total,
            }
            for one in found
        ],
        "deciding": dry_run.deciding_measures(run),
        "benefits": [_benefit_row(one, currency) for one in dry_run.benefit_costs(run)],
        "costs": [
            (label, money(now, currency), money(then, currency), money(then - now, currency))
            for label, now, then in dry_run.other_costs(run)
        ],
        "first": Outcome.objects.filter(run=run)
        .exclude(change=0, proposed="")
        .select_related("enrollment__partner")
        .order_by("change", "enrollment__partner__name")[:20],
        "names": {tier.code: str(tier.name) for tier in words.tiers},
    }


def _benefit_row(one: dry_run.BenefitCost, currency: str) -> dict[str, Any]:
    def much(value: Any) -> str:
        if value is None:
            return ""
        return money(value, currency) if one.kind == "money" else quantity(int(value))

    return {
        "name": one.name, "now": one.now, "then": one.then, "quantity_now": much(one.quantity_now),
        "quantity_then": much(one.quantity_then),
    }  # fmt: skip


def csv_of(run: Run) -> Iterator[str]:
    """Every outcome, header first, in the reader's language, which is read now."""
    writer = csv.writer(Echo(), lineterminator="\r\n")
    header = [
        gettext("Partner’s key"), gettext("Partner"), gettext("Holds"), gettext("Would hold"), gettext("What changes"),
        gettext("Decided by"),
    ]  # fmt: skip
    rows = ([text_cell(cell) for cell in row] for row in dry_run.rows(run))
    return (writer.writerow(row) for row in chain([[BOM + header[0], *header[1:]]], rows))
