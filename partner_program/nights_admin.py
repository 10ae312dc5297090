"""The nights: watch one run, read what it did, start one by hand."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from commissions.models import Earning
from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.periods import program_today
from common.templatetags.show import day as day_shown
from common.templatetags.show import quantity
from journal import services as journal
from tiers import jobs, night, progress
from tiers.models import Placement, Program, Run

TOTALS = {
    "points_posted": _("lines of points posted"),
    "measured": _("figures measured"),
    "evaluated": _("partners evaluated"),
    "moved_up": _("moved up"),
    "moved_down": _("moved down"),
    "proposed": _("proposed for a tier"),
    "in_grace": _("put in grace"),
    "reminded": _("reminded of a review"),
    "awarded": _("distinctions earned"),
    "posted": _("ledger lines posted"),
    "statements": _("statements drafted or added to"),
    "statement_lines": _("lines put on statements"),
    "invoices_made": _("invoices written"),
    "approved": _("statements approved at the end of their review"),
    "disputes_overdue": _("disputes whose time to answer ran out"),
    "payees_reminded": _("partners reminded of their payment details"),
}
LISTED = ("moved_up", "moved_down", "proposed", "in_grace", "reminded", "awarded", "points_posted", "posted")
MOVED_SHOWN = 20


class NightForm(StaffForm):
    program = forms.ModelChoiceField(Program.objects.all(), label=_("Program"))
    day = forms.DateField(label=_("Day"), help_text=_("Facts up to this day count, the day itself excluded."))

    def clean_day(self) -> Any:
        if (day := self.cleaned_data["day"]) > program_today():
            raise forms.ValidationError(gettext("That night is still to come."))
        return day


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("day", "program", "show_state", "show_totals", "started_at", "finished_at")
    list_select_related = ("program",)
    list_filter = ("state", "program")
    date_hierarchy = "day"
    fields = ("program", "day", "edition", "show_previous", "state", "started_at", "finished_at")
    actions_list = ("run_now",)
    actions_detail = ("run_again",)
    change_form_before_template = "admin/tiers/run_before.html"
    change_form_after_template = "admin/tiers/run_after.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return super().get_queryset(request).nights()

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Run) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("night before"))
    def show_previous(self, obj: Run) -> str:
        return day_shown(obj.previous_on) if obj.previous_on else gettext("none")

    @display(description=_("what it did"))
    def show_totals(self, obj: Run) -> str:
        return " · ".join(f"{quantity(obj.totals[key])} {TOTALS[key]}" for key in LISTED if obj.totals.get(key))

    def get_urls(self) -> list[Any]:
        progress = self.admin_site.admin_view(self.progress_view)
        return [path("<int:pk>/progress/", progress, name="tiers_run_progress"), *super().get_urls()]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far a run is, for the page that shows it."""
        if not self.has_view_permission(request):
            return JsonResponse({}, status=403)
        return JsonResponse(progress.of(get_object_or_404(Run, pk=pk)))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        run = self.get_object(request, object_id) if object_id else None
        if run is not None:
            extra_context = {**(extra_context or {}), **page_of(run)}
        return super().changeform_view(request, object_id, form_url, extra_context)

    def has_run_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_run")

    @action(description=_("Run the night now"), icon="play_arrow", permissions=["run"])
    def run_now(self, request: HttpRequest) -> HttpResponse:
        first = Program.objects.order_by("pk").first()
        form = NightForm(request.POST or None, initial={"program": first, "day": program_today()})
        return self._ask(request, form, back=list_url(Run))

    @action(description=_("Run again"), icon="replay", permissions=["run"])
    def run_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = get_object_or_404(Run.objects.select_related("program"), pk=object_id)
        data = {"program": run.program_id, "day": run.day, "_ask": "1"} if request.method == "POST" else None
        form = NightForm(data, initial={"program": run.program_id, "day": run.day})
        for field in form.fields.values():
            field.widget = forms.HiddenInput()
        return self._ask(request, form, back=change_url(run), of=run)

    def _ask(self, request: HttpRequest, form: NightForm, *, back: str, of: Run | None = None) -> HttpResponse:
        started: list[Run] = []

        def do(values: Mapping[str, Any]) -> str:
            with transaction.atomic():
                run = night.start(program=values["program"], day=values["day"])
                journal.record(verb="tiers.run.started", subject=run, actor=request.user, after={"day": str(run.day)})
                transaction.on_commit(partial(jobs.queue_work, run.pk))
            started.append(run)
            return gettext("The night of %(day)s is under way.") % {"day": day_shown(run.day)}

        says = gettext(
            "Every partner of the program is measured, placed and paid for that day. A day that was run before is worked"
            " again: where no fact changed, nothing changes."
        )  # fmt: skip
        title = gettext("Run the night of %(day)s again") % {"day": day_shown(of.day)} if of else gettext("Run a night")
        return ask(
            self, request, title=title, says=says, form=form, do=do, submit=gettext("Run it"), back=back,
            go=lambda _values: change_url(started[0]),
        )  # fmt: skip


def page_of(run: Run) -> dict[str, Any]:
    """What a run's page shows beside its fields. A fixed number of queries."""
    moved = Placement.objects.filter(
        enrollment__program=run.program_id, starts_on=run.day, reason__in=(Placement.Reason.EARNED, Placement.Reason.LOST)
    )  # fmt: skip
    posted = Earning.objects.filter(posting__run=run).count()
    return {
        "run": run,
        "progress": progress.of(run),
        "progress_url": reverse("admin:tiers_run_progress", args=[run.pk]),
        "totals": [(label, quantity(run.totals[key])) for key, label in TOTALS.items() if key in run.totals],
        "moved": list(moved.select_related("tier", "enrollment__partner").order_by("-tier__rank", "id")[:MOVED_SHOWN]),
        "moved_url": list_url(Placement, starts_on__exact=run.day, enrollment__program__id__exact=run.program_id),
        "posted_url": list_url(Earning, posting__run__exact=run.pk) if posted else "",
        "posted": ngettext("%(count)s line of the ledger", "%(count)s lines of the ledger", posted)
        % {"count": quantity(posted)},
    }
