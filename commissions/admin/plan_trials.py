"""Dry runs of plans: start one, watch it, read who would earn more or less, download it."""

import csv
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from commissions import jobs, plan_trials
from commissions.export import DIALECTS, ENGLISH, Dialect
from commissions.models import Plan, PlanTrial
from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.money import round_to_minor_unit
from common.periods import program_today
from common.sheets import BOM, Echo, text_cell
from common.templatetags.show import quantity


class TrialForm(StaffForm):
    plan = forms.ModelChoiceField(Plan.objects.select_related("program").order_by("-pk"), label=_("Plan"))
    starts_on = forms.DateField(label=_("Facts from"))
    day = forms.DateField(label=_("Facts before"))


@admin.register(PlanTrial)
class PlanTrialAdmin(ReadOnlyAdmin):
    list_display = ("plan", "starts_on", "day", "show_state", "author", "started_at")
    list_select_related = ("plan__program", "author")
    list_filter = ("plan__program", "state")
    fields = ("plan", "starts_on", "day", "author", "state", "started_at", "finished_at")
    readonly_fields = fields
    actions_list = ("try_plan",)
    actions_detail = ("download",)
    change_form_before_template = "admin/commissions/plan_trial.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanTrial]:
        return super().get_queryset(request).select_related("plan__program", "author")

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: PlanTrial) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    def get_urls(self) -> list[Any]:
        progress = self.admin_site.admin_view(self.progress_view)
        return [path("<int:pk>/progress/", progress, name="commissions_plantrial_progress"), *super().get_urls()]

    def has_try_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("commissions.add_plan")

    @action(description=_("Try a plan out"), icon="science", permissions=["try"], url_path="try")
    def try_plan(self, request: HttpRequest) -> HttpResponse:
        today = program_today()
        chosen = request.GET.get("plan", "")
        plan = Plan.objects.filter(pk=chosen).first() if chosen.isdigit() else None
        initial = {"plan": plan, "starts_on": plan_trials.first_day(plan, today) if plan else None, "day": today}
        made: list[PlanTrial] = []

        def do(values: Mapping[str, Any]) -> str:
            made.append(plan_trials.start(
                plan=values["plan"], starts_on=values["starts_on"], day=values["day"],
                actor=request.user,  # type: ignore[arg-type]  # staff are signed in
                queue=jobs.queue_trial,
            ))  # fmt: skip
            return gettext("“%(plan)s” is being tried out over the real history.") % {"plan": values["plan"]}

        return ask(
            self, request, title=gettext("Try a plan out"), form=TrialForm(request.POST or None, initial=initial), do=do,
            submit=gettext("Try it out"), back=change_url(plan) if plan else list_url(PlanTrial),
            go=lambda _values: change_url(made[0]),
            says=gettext(
                "Every fact of these days is paid by the plan, whenever it really starts, beside what stands in the ledger for"
                " it. Nothing is posted."
            ),
        )  # fmt: skip

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_view_permission(request):
            return JsonResponse({}, status=403)
        return JsonResponse(progress_of(get_object_or_404(PlanTrial, pk=pk)))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        trial = self.get_object(request, object_id) if object_id else None
        said: dict[str, Any] = {}
        if trial is not None:
            said = {
                "trial": trial, "progress": progress_of(trial),
                "progress_url": reverse("admin:commissions_plantrial_progress", args=[trial.pk]),
                "found": plan_trials.found(trial) if trial.state == PlanTrial.State.DONE else None,
            }  # fmt: skip
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **said})

    @action(description=_("Download"), icon="download", permissions=["view"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        trial = get_object_or_404(PlanTrial.objects.select_related("plan__program"), pk=object_id)
        name = f"{trial.plan.program.slug}-plan-{trial.plan.version}-{trial.day.isoformat()}.csv"
        return StreamingHttpResponse(
            csv_of(trial), content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )  # fmt: skip


def progress_of(trial: PlanTrial) -> dict[str, Any]:
    """As pages that follow a run show it. Two queries."""
    total, done = trial.chunks.count(), trial.chunks.exclude(done_at=None).count()
    return {
        "running": trial.state == PlanTrial.State.RUNNING,
        "state": trial.get_state_display(),
        "steps": [
            {
                "key": "facts", "label": gettext("Pay the facts by the plan"), "done": done, "total": total,
                "says": f"{quantity(done)} / {quantity(total)}",
            }
        ],
    }  # fmt: skip


def csv_of(trial: PlanTrial) -> Iterator[str]:
    """Streamed. What depends on the language is read now."""
    header = [_("Partner’s key"), _("Partner"), _("Currency"), _("Would earn"), _("Stands"), _("Difference")]
    language = (get_language() or "en").split("-")[0]
    return _rows(trial, [str(one) for one in header], DIALECTS.get(language, ENGLISH))


def _rows(trial: PlanTrial, header: list[str], dialect: Dialect) -> Iterator[str]:
    writer = csv.writer(Echo(), delimiter=dialect.delimiter, lineterminator="\r\n")
    yield BOM + writer.writerow(header)
    for key, name, currency, would, stands in plan_trials.rows(trial):
        rounded = [round_to_minor_unit(one, currency) for one in (would, stands, would - stands)]
        amounts = [f"{one:f}".replace(".", dialect.decimal_mark) for one in rounded]
        yield writer.writerow([text_cell(key), text_cell(name), currency, *amounts])
