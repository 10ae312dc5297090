"""Plans in the admin."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from commissions import plan_documents, plan_words, services
from commissions.models import Plan
from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, list_url
from common.texts import TextsFormField, TextsWidget
from tiers.models import Program, Tier


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """What was published never changes. Another plan from the same day takes its place, and the night posts the differences."""

    list_display = ("name", "program", "version", "starts_on", "ends_on", "show_state", "show_rates")
    list_select_related = ("program",)
    list_filter = ("program", "state")
    actions_list = ("publish",)

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Plan) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("rates"))
    def show_rates(self, obj: Plan) -> str:
        return " · ".join(rule.sentence for rule in plan_words.rules(obj))

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("commissions.add_plan")

    @action(description=_("Publish a plan"), icon="publish", permissions=["publish"])
    def publish(self, request: HttpRequest) -> HttpResponse:
        """Asks for the program first where there are several, then for a rate for each of its tiers."""
        programs = Program.objects.order_by("pk")
        program = programs.filter(slug=request.GET.get("program", "")).first()
        if program is None and programs.count() == 1:
            program = programs.get()
        if program is None:
            return ask(
                self, request, title=gettext("Publish a commission plan"), says=gettext("For which program?"),
                form=ProgramChoice(request.POST or None), submit=gettext("Go on"), back=list_url(Plan), do=lambda v: "",
                go=lambda values: f"?program={values['program'].slug}",
            )  # fmt: skip
        asked = PublishForm(request.POST or None, program=program)

        def do(values: Mapping[str, Any]) -> str:
            plan = services.publish_plan(
                program=program, name=values["name"], starts_on=values["starts_on"], ends_on=values["ends_on"],
                definition=plan_documents.by_tier(asked.rates()), actor=request.user,  # type: ignore[arg-type]  # staff are signed in
            )  # fmt: skip
            return gettext("“%(plan)s” is published.") % {"plan": plan}

        return ask(
            self, request, title=gettext("Publish a commission plan"), form=asked, do=do, submit=gettext("Publish"),
            back=list_url(Plan),
            says=gettext(
                "A published plan never changes. Another one from the same day takes its place, and the next night posts"
                " what differs, for every sale since that day."
            ),
        )  # fmt: skip


class ProgramChoice(StaffForm):
    program = forms.ModelChoiceField(Program.objects.all(), label=_("Program"))


class PublishForm(StaffForm):
    """A plan of one program: a rate, in percent, for each of its tiers. A tier without a rate is not paid."""

    name = TextsFormField(label=_("Name"), widget=TextsWidget(UnfoldAdminTextInputWidget))
    starts_on = forms.DateField(label=_("Starts on"), help_text=_("The first day of the sales that it pays."))
    ends_on = forms.DateField(label=_("Ends on"), required=False, help_text=_("The first day that it no longer pays."))

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = {tier.code: tier for tier in Tier.objects.filter(edition__program=program).order_by("edition_id")}
        for tier in sorted(tiers.values(), key=lambda one: one.rank):
            self.fields[f"rate_{tier.code}"] = forms.DecimalField(
                label=gettext("%(tier)s, in percent") % {"tier": tier}, required=False, min_value=0, max_value=100,
                decimal_places=4, widget=UnfoldAdminDecimalFieldWidget,
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on <= starts_on:
            self.add_error("ends_on", gettext("A plan ends after it starts."))
        if not self.errors and not self.rates():
            raise forms.ValidationError(gettext("Give a rate to one tier at least."))
        return cleaned

    def rates(self) -> dict[str, Decimal]:
        """By tier code, as fractions."""
        return {
            name.removeprefix("rate_"): percent / 100
            for name, percent in self.cleaned_data.items()
            if name.startswith("rate_") and percent is not None
        }
