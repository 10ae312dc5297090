"""Staff's pages of money: the ledger and statements to read, statements to issue, plans to publish."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from commissions import services
from commissions.models import Earning, Plan, Rule, Statement
from commissions.selectors import explanation
from common.admin import (
    STATES,
    ReadOnlyAdmin,
    ReadOnlyInline,
    StaffForm,
    ask,
    by_currency,
    by_month,
    change_url,
    list_url,
    with_totals,
)
from common.periods import program_today
from common.templatetags.show import money, money_signed, percent, quantity
from common.templatetags.show import month as month_shown
from common.texts import TextsFormField, TextsWidget
from tiers import selectors as tiers
from tiers.models import Program, Tier

SAID = "commissions.statements-to-issue"


@admin.register(Earning)
class EarningAdmin(ReadOnlyAdmin):
    """The ledger. Nobody adds, changes or deletes a line: the night posts differences."""

    list_display = ("earned_on", "partner", "kind", "tier", "show_rate", "show_base", "show_amount", "show_sale", "posted_at")  # fmt: skip
    list_select_related = ("partner", "tier", "sale")
    list_filter = (by_month("earned_on"), "kind", by_currency(tiers.currencies), "program")
    ordering = ("-id",)
    search_fields = ("partner__name", "=sale__external_id", "=sale__order_number")
    search_help_text = _("A part of the partner’s name, a sale’s external id, or an order number.")
    linked_by = ("statement_line__statement__exact",)
    list_before_template = "admin/list_totals.html"
    change_form_before_template = "admin/commissions/explanation.html"
    fields = ("partner", "program", "sale", "number", "kind", "earned_on", "posted_at", "run", "plan", "tier",
              "show_base", "show_rate", "show_before", "show_amount")  # fmt: skip
    readonly_fields = fields

    @display(description=_("base"), ordering="base")
    def show_base(self, obj: Earning) -> str:
        return money(obj.base, obj.currency)

    @display(description=_("rate"), ordering="rate")
    def show_rate(self, obj: Earning) -> str:
        return percent(obj.rate)

    @display(description=_("posted before"))
    def show_before(self, obj: Earning) -> str:
        return money(obj.before, obj.currency)

    @display(description=_("amount"), ordering="amount")
    def show_amount(self, obj: Earning) -> str:
        return money_signed(obj.amount, obj.currency)

    @display(description=_("sale"))
    def show_sale(self, obj: Earning) -> str:
        return obj.sale.external_id

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return with_totals(super().changelist_view(request, extra_context), "amount")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        line = self.get_object(request, object_id) if object_id else None
        explained = {"explained": explanation(line)} if line else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **explained})


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    list_display = ("show_month", "partner", "show_amount", "show_state")
    list_select_related = ("partner",)
    list_filter = ("state", by_month("starts_on"), by_currency(tiers.currencies))
    search_fields = ("partner__name",)
    list_before_template = "admin/list_totals.html"
    fields = ("partner", "starts_on", "ends_on", "currency", "show_amount", "state", "drafted_by", "show_lines")
    readonly_fields = fields
    actions = ("issue_selected",)
    actions_detail = ("issue",)

    @display(description=_("month"), ordering="starts_on")
    def show_month(self, obj: Statement) -> str:
        return month_shown(obj.starts_on)

    @display(description=_("amount"), ordering="amount")
    def show_amount(self, obj: Statement) -> str:
        return money(obj.amount, obj.currency)

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Statement) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("lines"))
    def show_lines(self, obj: Statement) -> str:
        lines = Earning.objects.filter(statement_line__statement=obj)
        return format_html(
            '<a class="pp-link" href="{}">{}</a>',
            list_url(Earning, statement_line__statement__exact=obj.pk),
            ngettext("%(count)s line of the ledger", "%(count)s lines of the ledger", lines.count())
            % {"count": lines.count()},
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return with_totals(super().changelist_view(request, extra_context), "amount", of_everything=True)

    @action(description=_("Issue"), icon="send", permissions=["issue"])
    def issue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_to_issue(request, Statement.objects.filter(pk=object_id), change_of(object_id))

    @admin.action(description=_("Issue the selected statements"), permissions=["issue"])
    def issue_selected(self, request: HttpRequest, queryset: QuerySet[Statement]) -> HttpResponse:
        return self._ask_to_issue(request, queryset, list_url(Statement))

    def has_issue_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("commissions.change_statement")

    def get_urls(self) -> list[Any]:
        many = self.admin_site.admin_view(self.issue_many_view)
        return [path("issue-many/", many, name="commissions_statement_issue_many"), *super().get_urls()]

    def issue_many_view(self, request: HttpRequest) -> HttpResponse:
        """Where the page that asks about many statements is sent back: what it said travels in one signed field."""
        if not self.has_issue_permission(request):
            raise PermissionDenied
        try:
            chosen = Statement.objects.filter(pk__in=_said(request))
        except signing.BadSignature:
            messages.error(request, gettext("That page is too old: choose the statements again."))
            return HttpResponseRedirect(list_url(Statement))
        return self._ask_to_issue(request, chosen, list_url(Statement))

    def _ask_to_issue(self, request: HttpRequest, chosen: QuerySet[Statement], back: str) -> HttpResponse:
        """Says how many and how much; what was said is what is issued, or nothing is."""
        over = chosen.filter(state=Statement.State.DRAFT, ends_on__lte=program_today()).order_by("pk")
        seen = {pk: str(amount) for pk, amount in over.values_list("pk", "amount")}
        sums = list(over.order_by().values_list("currency").annotate(Sum("amount"), Count("pk")).order_by("currency"))
        amounts = ", ".join(money(amount, currency) for currency, amount, _number in sums)

        def do(_values: Mapping[str, Any]) -> str:
            number = services.issue_statements(seen=_said(request), actor=request.user)  # type: ignore[arg-type]
            return ngettext("%(count)s statement is issued.", "%(count)s statements are issued.", number) % {
                "count": number
            }

        says = ngettext(
            "This issues %(count)s statement, %(amounts)s.", "This issues %(count)s statements, %(amounts)s.", len(seen)
        ) % {"count": quantity(len(seen)), "amounts": amounts or "0"}  # fmt: skip
        if skipped := chosen.count() - len(seen):
            says += "\n" + ngettext(
                "%(count)s is left out: it is issued already, or its month is not over.",
                "%(count)s are left out: they are issued already, or their month is not over.",
                skipped,
            ) % {"count": skipped}  # fmt: skip
        return ask(
            self, request, title=gettext("Issue statements"), back=back, submit=gettext("Issue"), do=do,
            says=f"{says}\n{gettext('An issued statement never changes; what comes later stands on a later one.')}",
            hidden={"seen": [signing.dumps(seen, salt=SAID, compress=True)]},
            send_to=reverse("admin:commissions_statement_issue_many"),
        )  # fmt: skip


def _said(request: HttpRequest) -> dict[int, Decimal]:
    """The statements that a page named, with the amounts it said. Raises BadSignature for anything else, or after a day."""
    said = signing.loads(request.POST.get("seen", ""), salt=SAID, max_age=24 * 3600)
    return {int(pk): Decimal(amount) for pk, amount in said.items()}


def change_of(statement_id: str) -> str:
    return change_url(Statement(pk=int(statement_id)))


class RuleInline(ReadOnlyInline):
    model = Rule
    fields = ("tier_code", "rate")


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """What was published never changes. Another plan from the same day takes its place, and the night posts the differences."""

    list_display = ("name", "program", "version", "starts_on", "ends_on", "show_state", "show_rates")
    list_select_related = ("program",)
    list_filter = ("program", "state")
    actions_list = ("publish",)
    inlines: ClassVar[Any] = (RuleInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).prefetch_related("rules")

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Plan) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("rates"))
    def show_rates(self, obj: Plan) -> str:
        return " · ".join(f"{rule.tier_code} {percent(rule.rate)}" for rule in obj.rules.all())

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
                rates=asked.rates(), actor=request.user,  # type: ignore[arg-type]  # staff are signed in
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
