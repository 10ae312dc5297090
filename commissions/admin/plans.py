"""Plans in the admin: a draft is written, tried and published; what is published is read, tried and copied to a new draft."""

from collections.abc import Mapping
from datetime import timedelta
from difflib import SequenceMatcher
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from commissions import plan_drafting, plan_words, services, trying
from commissions.admin.calculator import CalculatorPages
from commissions.admin.plan_editor import PlanEditorPages, editor_url
from commissions.models import Plan
from commissions.plan_presets import PRESETS
from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.errors import ProgramError
from common.periods import program_today
from common.templatetags.show import day as day_shown
from common.templatetags.show import quantity
from common.texts import TextsFormField, TextsWidget
from tiers.comparing import Line
from tiers.models import Enrollment, Program


@admin.register(Plan)
class PlanAdmin(PlanEditorPages, CalculatorPages, ReadOnlyAdmin):
    """What was published never changes. Another plan from the same day takes its place, and the night posts the differences."""

    list_display = ("name", "program", "version", "starts_on", "ends_on", "show_state", "show_rules")
    list_select_related = ("program",)
    list_filter = ("program", "state")
    fields = ("name", "program", "version", "starts_on", "ends_on", "state", "author", "published_at")
    readonly_fields = fields
    actions_list = ("new_plan",)
    actions_detail = ("edit_rules", "try_a_sale", "try_out", "publish", "copy", "delete_draft")
    change_form_before_template = "admin/commissions/plan_notice.html"
    change_form_after_template = "admin/commissions/plan_rules.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).select_related("program", "author")

    def get_urls(self) -> list[URLPattern]:
        return [*self.editor_urls(), *self.calculator_urls(), *super().get_urls()]

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Plan) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("rules"))
    def show_rules(self, obj: Plan) -> str:
        number = len(obj.definition.get("rules", []))
        return ngettext("%(count)s rule", "%(count)s rules", number) % {"count": number}

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        plan = self.get_object(request, object_id) if object_id else None
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), **(page_of(plan) if plan else {})}
        )

    # --- Buttons ----------------------------------------------------------------------------------

    def has_add_plan_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("commissions.add_plan")

    def has_draft_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Asked for every button of a page: the database once."""
        if getattr(request, "_draft", None) is None:
            is_draft = Plan.objects.filter(pk=object_id, state=Plan.State.DRAFT).exists()
            request._draft = is_draft and request.user.has_perm("commissions.change_plan")  # type: ignore[attr-defined]
        return bool(request._draft)  # type: ignore[attr-defined]

    @action(description=_("New plan"), icon="add", permissions=["add_plan"])
    def new_plan(self, request: HttpRequest) -> HttpResponse:
        return self._ask_for_draft(request, None)

    @action(description=_("Edit the rules"), icon="edit", permissions=["draft"])
    def edit_rules(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(editor_url(get_object_or_404(Plan, pk=object_id)))

    @action(description=_("Try a sale"), icon="calculate", permissions=["view"])
    def try_a_sale(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:commissions_plan_calculator", args=[object_id]))

    @action(description=_("Try it out"), icon="science", permissions=["add_plan"])
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:commissions_plantrial_try_plan')}?plan={object_id}")

    @action(description=_("Copy to a new draft"), icon="content_copy", permissions=["add_plan"])
    def copy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_for_draft(request, get_object_or_404(Plan, pk=object_id))

    def _ask_for_draft(self, request: HttpRequest, copied: Plan | None) -> HttpResponse:
        made: list[Plan] = []
        form = NewPlanForm(request.POST or None, copied=copied)

        def do(values: Mapping[str, Any]) -> str:
            plan = services.draft_plan(
                program=values["program"], name=values["name"], starts_on=values["starts_on"],
                definition=form.definition(), actor=request.user,  # type: ignore[arg-type]  # staff are signed in
            )  # fmt: skip
            made.append(plan)
            return gettext("“%(plan)s” is a draft: change it, try it, publish it.") % {"plan": plan}

        title = gettext("Copy “%(plan)s” to a new draft") % {"plan": copied} if copied else gettext("New plan")
        return ask(
            self, request, title=title, form=form, do=do, submit=gettext("Make the draft"),
            back=change_url(copied) if copied else list_url(Plan), go=lambda _values: editor_url(made[0]),
            says=gettext("A draft pays nobody until it is published."),
        )  # fmt: skip

    @action(description=_("Publish"), icon="publish", permissions=["draft"])
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Says what it replaces, from when and for how many; what keeps it from being published stands there at once."""
        plan = get_object_or_404(Plan.objects.select_related("program"), pk=object_id)
        try:
            services.check(plan)
        except ProgramError as problem:
            messages.error(request, gettext("Mend this in the editor first:") + "\n" + str(problem))
            return HttpResponseRedirect(change_url(plan))

        def do(_values: Mapping[str, Any]) -> str:
            services.publish_draft(plan=plan, actor=request.user)  # type: ignore[arg-type]
            return gettext("“%(plan)s” is published.") % {"plan": plan}

        says = "\n".join([_what_it_replaces(plan), gettext("A published plan never changes.")])
        return ask(
            self, request, title=gettext("Publish “%(plan)s”") % {"plan": plan}, do=do, submit=gettext("Publish"),
            back=change_url(plan), says=says, facts=_consequences(plan),
        )  # fmt: skip

    @action(description=_("Delete the draft"), icon="delete", permissions=["draft"])
    def delete_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        plan = get_object_or_404(Plan, pk=object_id)

        def do(_values: Mapping[str, Any]) -> str:
            services.delete_draft(plan=plan, actor=request.user)  # type: ignore[arg-type]
            return gettext("“%(plan)s” is deleted.") % {"plan": plan}

        return ask(
            self, request, title=gettext("Delete “%(plan)s”") % {"plan": plan}, do=do, submit=gettext("Delete"),
            back=change_url(plan), danger=True, go=lambda _values: list_url(Plan),
            says=gettext("The draft and its dry runs go. Nobody was paid by it."),
        )  # fmt: skip


class NewPlanForm(StaffForm):
    """A draft to begin with: a preset, or the rules of a plan there is."""

    program = forms.ModelChoiceField(Program.objects.order_by("pk"), label=_("Program"))
    begin = forms.ChoiceField(label=_("Begin with"))
    name = TextsFormField(label=_("Name"), widget=TextsWidget(UnfoldAdminTextInputWidget))
    starts_on = forms.DateField(label=_("Starts on"), help_text=_("The first day of the facts that it pays."))

    def __init__(self, data: Any, *, copied: Plan | None) -> None:
        plans = {str(plan.pk): plan for plan in Plan.objects.select_related("program").order_by("-pk")[:50]}
        if copied is not None:
            plans[str(copied.pk)] = copied
        initial = {
            "program": copied.program_id if copied else Program.objects.order_by("pk").values_list("pk", flat=True).first(),
            "begin": str(copied.pk) if copied else "resellers", "name": dict(copied.name) if copied else {},
            "starts_on": program_today().replace(day=1),
        }  # fmt: skip
        super().__init__(data, initial=initial)
        self.plans = plans
        choices = [
            (gettext("A preset"), [(key, label) for key, (label, _make) in PRESETS.items()]),
            (gettext("A copy of"), [(key, str(plan)) for key, plan in plans.items()]),
        ]
        field = self.fields["begin"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # declared above
        field.choices = choices

    def definition(self) -> dict[str, Any]:
        begin, program = self.cleaned_data["begin"], self.cleaned_data["program"]
        if begin in self.plans:
            return dict(self.plans[begin].definition)
        _label, make = PRESETS[begin]
        return make(plan_drafting.tiers_of(Plan(program=program)), program.currency)


# --- What its page says ---------------------------------------------------------------------------


def page_of(plan: Plan) -> dict[str, Any]:
    """A fixed number of queries."""
    document = plan_drafting.read(plan)
    names = plan_drafting.tiers_of(plan)
    said: dict[str, Any] = {"plan": plan, "words": sentences(plan, names), "head": head_in_words(plan)}
    if plan.state == Plan.State.DRAFT:
        said["problems"] = plan_drafting.problems(plan, document, tiers=names)
        said["editor_url"] = editor_url(plan)
    beside = in_force_beside(plan)
    if beside is not None:
        said |= {"beside": beside, "difference": difference(beside, plan, names)}
    return said


def sentences(plan: Plan, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each rule's name and sentence in the reader's language; its code where it cannot be read yet. `names` are those of tiers."""
    currency = str(plan.definition.get("currency", ""))
    said = []
    for rule in plan.definition.get("rules", []):
        try:
            words = plan_words.rule(rule, currency, names)
        except (ProgramError, KeyError, ValueError, TypeError, AttributeError):
            said.append((str(rule.get("code", "")), gettext("It cannot be read yet.")))
        else:
            said.append((words.name or rule["code"], f"{words.sentence[:1].upper()}{words.sentence[1:]}."))
    return said


def head_in_words(plan: Plan) -> list[str]:
    """What holds for all rules."""
    definition, said = plan.definition, []
    if currency := definition.get("currency"):
        said.append(gettext("It names money, and pays, in %(currency)s.") % {"currency": currency})
    else:
        said.append(gettext("It pays in the currency of each fact."))
    if days := definition.get("hold_days"):
        said.append(ngettext("A line is on hold for %(count)s day.", "A line is on hold for %(count)s days.", days) % {"count": days})  # fmt: skip
    if months := definition.get("run_off_months"):
        said.append(
            ngettext(
                "Who left the program is paid on for %(count)s month, for customers won before.",
                "Who left the program is paid on for %(count)s months, for customers won before.", months,
            ) % {"count": months}
        )  # fmt: skip
    return said


def in_force_beside(plan: Plan) -> Plan | None:
    """The plan that counts on this one's first day, or would without it."""
    others = Plan.objects.in_force_on(plan.starts_on).filter(program=plan.program_id).exclude(pk=plan.pk)
    if plan.state == Plan.State.PUBLISHED:
        others = others.exclude(starts_on=plan.starts_on, version__gt=plan.version)
    return others.first()


def difference(older: Plan, newer: Plan, names: Mapping[str, str]) -> list[Line]:
    """What partners would read otherwise, line by line."""
    before, after = _lines(older, names), _lines(newer, names)
    found = []
    for what, b_from, b_to, a_from, a_to in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            found += [Line("", says) for says in after[a_from:a_to]]
            continue
        found += [Line("-", says) for says in before[b_from:b_to]]
        found += [Line("+", says) for says in after[a_from:a_to]]
    return found


def _lines(plan: Plan, names: Mapping[str, str]) -> list[str]:
    return [*head_in_words(plan), *(f"{name}: {says}" for name, says in sentences(plan, names))]


def _what_it_replaces(plan: Plan) -> str:
    same_day = Plan.objects.published().filter(program=plan.program_id, starts_on=plan.starts_on).order_by("-version")
    day = day_shown(plan.starts_on)
    if (replaced := same_day.first()) is not None:
        return gettext("It takes the place of “%(plan)s”, which starts on the same day: the next night posts the difference for every fact since %(day)s.") % {"plan": replaced, "day": day}  # fmt: skip
    before = trying.plan_in_force(plan.program, plan.starts_on)
    if before is not None:
        last = day_shown(plan.starts_on - timedelta(days=1))
        return gettext("“%(plan)s” pays the facts up to %(last)s, this plan those from %(day)s on.") % {"plan": before, "last": last, "day": day}  # fmt: skip
    return gettext("No plan is in force on %(day)s: it pays the facts from that day on.") % {"day": day}


def _consequences(plan: Plan) -> dict[str, str]:
    partners = Enrollment.objects.filter(program=plan.program_id).in_force_on(program_today())
    facts = {
        gettext("Starts on"): day_shown(plan.starts_on),
        gettext("Partners in the program"): quantity(partners.count()),
    }
    until = plan.ends_on or (
        Plan.objects.published()
        .filter(program=plan.program_id, starts_on__gt=plan.starts_on)
        .order_by("starts_on")
        .values_list("starts_on", flat=True)
        .first()
    )
    if until is not None:
        facts[gettext("Until")] = day_shown(until - timedelta(days=1))
    return facts
