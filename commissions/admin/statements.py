"""Statements in the admin: issued, approved, stopped and cancelled with their consequences said; a month closed as one."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from commissions import closing, lifecycle, services
from commissions.models import Dispute, Earning, Statement, StatementSettings
from commissions.models.settings import minimums_are_amounts
from commissions.services.statements import OpenMonth, open_month
from common.admin import (
    STATES,
    ReadOnlyAdmin,
    StaffAdmin,
    StaffForm,
    ask,
    by_currency,
    by_month,
    change_url,
    list_url,
    with_totals,
)
from common.errors import ProgramError
from common.forms import AmountInput
from common.pairs import PairsField, PairsWidget
from common.periods import add_months, month_of, program_today
from common.templatetags.show import money, percent, quantity
from common.templatetags.show import month as month_shown
from journal import services as journal
from tiers import selectors as tiers

SAID = "commissions.statements-to-issue"
TO_APPROVE = "commissions.statements-to-approve"
TO_CLOSE = "commissions.month-to-close"
State = Statement.State


class ReasonForm(StaffForm):
    reason = forms.CharField(
        label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("The partner reads it.")
    )


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    list_display = ("show_month", "partner", "show_total", "show_state", "review_ends_on", "paid_on")
    list_select_related = ("partner",)
    list_filter = ("state", by_month("starts_on"), by_currency(tiers.currencies))
    search_fields = ("partner__name", "=payment_reference")
    list_before_template = "admin/list_totals.html"
    fields = ("partner", "starts_on", "ends_on", "currency", "state", "reason", "show_opening", "show_amount",
              "show_released", "show_held", "show_tax", "show_total", "show_lines", "show_disputes", "carried_to",
              "review_ends_on", "approved_by", "approved_at", "paid_on", "payment_reference", "drafted_by")  # fmt: skip
    readonly_fields = fields
    actions = ("issue_selected", "approve_selected")
    actions_list = ("close",)
    actions_detail = ("issue", "approve", "block", "release", "requeue", "carry", "cancel")

    @display(description=_("month"), ordering="starts_on")
    def show_month(self, obj: Statement) -> str:
        return month_shown(obj.starts_on)

    @display(description=_("opening balance"))
    def show_opening(self, obj: Statement) -> str:
        return money(obj.opening, obj.currency)

    @display(description=_("lines, sum"))
    def show_amount(self, obj: Statement) -> str:
        return money(obj.amount, obj.currency)

    @display(description=_("released from earlier statements"))
    def show_released(self, obj: Statement) -> str:
        return money(obj.released, obj.currency)

    @display(description=_("held, questioned"))
    def show_held(self, obj: Statement) -> str:
        return money(-obj.held, obj.currency)

    @display(description=_("tax"))
    def show_tax(self, obj: Statement) -> str:
        return f"{money(obj.tax, obj.currency)} ({percent(obj.tax_rate)} {obj.tax_mention})".replace(" )", ")")

    @display(description=_("total"), ordering="total")
    def show_total(self, obj: Statement) -> str:
        return money(obj.total, obj.currency)

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

    @display(description=_("disputes"))
    def show_disputes(self, obj: Statement) -> str:
        number = Dispute.objects.filter(earning__statement_line__statement=obj).count()
        if not number:
            return "–"
        address = list_url(Dispute, earning__statement_line__statement__exact=obj.pk)
        said = ngettext("%(count)s dispute", "%(count)s disputes", number) % {"count": number}
        return format_html('<a class="pp-link" href="{}">{}</a>', address, said)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return with_totals(super().changelist_view(request, extra_context), "total", of_everything=True)

    def has_issue_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("commissions.change_statement")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("issue-many/", view(self.issue_many_view), name="commissions_statement_issue_many"),
            path("approve-many/", view(self.approve_many_view), name="commissions_statement_approve_many"),
            path("close-month/", view(self.close_view), name="commissions_statement_close_month"),
            *super().get_urls(),
        ]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """What may be done with it where it is."""
        one = Statement.objects.filter(pk=object_id).first()
        may = AT_HAND.get(State(one.state), ()) if one else ()
        offered = super().get_actions_detail(request, object_id)
        return [found for found in offered if found.action_name.rpartition("_statement_")[2] in may]

    # --- Issue

    @action(description=_("Issue"), icon="send", permissions=["issue"])
    def issue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_to_issue(request, Statement.objects.filter(pk=object_id), change_of(object_id))

    @admin.action(description=_("Issue the selected statements"), permissions=["issue"])
    def issue_selected(self, request: HttpRequest, queryset: QuerySet[Statement]) -> HttpResponse:
        return self._ask_to_issue(request, queryset, list_url(Statement))

    def issue_many_view(self, request: HttpRequest) -> HttpResponse:
        return self._of_what_was_said(request, SAID, self._ask_to_issue)

    def _ask_to_issue(self, request: HttpRequest, chosen: QuerySet[Statement], back: str) -> HttpResponse:
        """Says how many and how much; what was said is what is issued, or nothing is."""
        over = chosen.filter(state=State.DRAFT, ends_on__lte=program_today()).order_by("pk")
        seen, amounts = _seen(over)

        def do(_values: Mapping[str, Any]) -> str:
            number = services.issue_statements(seen=_said(request, SAID), actor=request.user)  # type: ignore[arg-type]
            return ngettext("%(count)s statement is issued.", "%(count)s statements are issued.", number) % {
                "count": number
            }

        says = ngettext(
            "This issues %(count)s statement, %(amounts)s.", "This issues %(count)s statements, %(amounts)s.", len(seen)
        ) % {"count": quantity(len(seen)), "amounts": amounts}  # fmt: skip
        if skipped := chosen.count() - len(seen):
            says += "\n" + ngettext(
                "%(count)s is left out: it is issued already, or its month is not over.",
                "%(count)s are left out: they are issued already, or their month is not over.",
                skipped,
            ) % {"count": skipped}  # fmt: skip
        after = gettext("An issued statement never changes; what comes later stands on a later one.")
        return ask(
            self, request, title=gettext("Issue statements"), back=back, submit=gettext("Issue"), do=do,
            says=f"{says}\n{after}", hidden={"seen": [signing.dumps(seen, salt=SAID, compress=True)]},
            send_to=reverse("admin:commissions_statement_issue_many"),
        )  # fmt: skip

    # --- Approve

    @action(description=_("Approve"), icon="check_circle", permissions=["issue"])
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask_to_approve(request, Statement.objects.filter(pk=object_id), change_of(object_id))

    @admin.action(description=_("Approve the selected statements"), permissions=["issue"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Statement]) -> HttpResponse:
        return self._ask_to_approve(request, queryset, list_url(Statement))

    def approve_many_view(self, request: HttpRequest) -> HttpResponse:
        return self._of_what_was_said(request, TO_APPROVE, self._ask_to_approve)

    def _ask_to_approve(self, request: HttpRequest, chosen: QuerySet[Statement], back: str) -> HttpResponse:
        waiting = chosen.filter(state=State.IN_REVIEW).order_by("pk")
        seen, amounts = _seen(waiting)
        questioned = Dispute.objects.open().filter(earning__statement_line__statement__in=waiting).count()
        early = waiting.filter(review_ends_on__gt=program_today()).count()

        def do(_values: Mapping[str, Any]) -> str:
            number = services.approve_statements(seen=_said(request, TO_APPROVE), actor=request.user)  # type: ignore[arg-type]
            return ngettext("%(count)s statement is approved.", "%(count)s statements are approved.", number) % {
                "count": number
            }

        says = [
            ngettext(
                "This approves %(count)s statement, %(amounts)s before tax.",
                "This approves %(count)s statements, %(amounts)s before tax.",
                len(seen),
            )
            % {"count": quantity(len(seen)), "amounts": amounts}
        ]
        if questioned:
            says.append(
                ngettext(
                    "%(count)s questioned line is held: it is paid once the dispute is answered.",
                    "%(count)s questioned lines are held: they are paid once the disputes are answered.",
                    questioned,
                )
                % {"count": questioned}
            )
        if early:
            says.append(
                ngettext(
                    "%(count)s could still be questioned by its partner: the review is not over.",
                    "%(count)s could still be questioned by their partners: the review is not over.",
                    early,
                )
                % {"count": early}
            )
        says.append(gettext("What is below the smallest payment is carried over to the partner’s next statement."))
        return ask(
            self, request, title=gettext("Approve statements"), back=back, submit=gettext("Approve"), do=do,
            says="\n".join(says), hidden={"seen": [signing.dumps(seen, salt=TO_APPROVE, compress=True)]},
            send_to=reverse("admin:commissions_statement_approve_many"),
        )  # fmt: skip

    def _of_what_was_said(
        self, request: HttpRequest, salt: str, asks: Callable[[HttpRequest, QuerySet[Statement], str], HttpResponse]
    ) -> HttpResponse:
        """Where a page that asks about many statements is sent back: what it said travels in one signed field."""
        if not self.has_issue_permission(request):
            raise PermissionDenied
        try:
            chosen = Statement.objects.filter(pk__in=_said(request, salt))
        except signing.BadSignature:
            messages.error(request, gettext("That page is too old: choose the statements again."))
            return HttpResponseRedirect(list_url(Statement))
        return asks(request, chosen, list_url(Statement))

    # --- Stop, and go on

    @action(description=_("Block"), icon="front_hand", permissions=["issue"])
    def block(self, request: HttpRequest, object_id: str) -> HttpResponse:
        says = gettext("It is neither approved nor paid until it is released.")
        return self._move(request, object_id, lifecycle.block, gettext("Block the statement"), says)

    @action(description=_("Release"), icon="lock_open", permissions=["issue"])
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        says = gettext("It goes on from where it was blocked.")
        return self._move(request, object_id, lifecycle.release, gettext("Release the statement"), says, reason=False)

    @action(description=_("Pay again"), icon="replay", permissions=["issue"])
    def requeue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        says = gettext("It waits for the next payment. Have the partner’s payment details been corrected?")
        return self._move(request, object_id, lifecycle.requeue, gettext("Pay the statement again"), says, reason=False)

    @action(description=_("Carry over"), icon="redo", permissions=["issue"])
    def carry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        says = gettext("It is not paid; what it comes to, without tax, opens the partner’s next statement.")
        return self._move(request, object_id, lifecycle.carry, gettext("Carry the statement over"), says)

    @action(description=_("Cancel"), icon="cancel", permissions=["issue"])
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        says = gettext(
            "It is never paid. Its lines stay on it, and what it comes to, without tax, opens the partner’s next statement."
        )
        return self._move(request, object_id, lifecycle.cancel, gettext("Cancel the statement"), says)

    def _move(
        self, request: HttpRequest, object_id: str, move: Callable[..., list[int]], title: str, says: str, *,
        reason: bool = True,
    ) -> HttpResponse:  # fmt: skip
        one = Statement.objects.select_related("partner").get(pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            move([one.pk], actor=request.user, **values)
            return gettext("“%(statement)s” is %(state)s now.") % {
                "statement": one, "state": State(Statement.objects.get(pk=one.pk).state).label.lower(),
            }  # fmt: skip

        return ask(
            self, request, title=title, says=says, do=do, submit=title, back=change_url(one), danger=reason,
            form=ReasonForm(request.POST or None) if reason else None,
            facts={gettext("Partner"): one.partner.name, gettext("Total"): money(one.total, one.currency)},
        )  # fmt: skip

    # --- Close a month

    @action(description=_("Close a month"), icon="event_available", permissions=["issue"], url_path="close")
    def close(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:commissions_statement_close_month"))

    def close_view(self, request: HttpRequest) -> HttpResponse:
        """The checklist of a month, what would be issued, and the button that issues it."""
        if not self.has_issue_permission(request):
            raise PermissionDenied
        month = _month(request.GET.get("month", ""))
        error = ""
        if request.method == "POST":
            try:
                number = services.close_month(seen=_said_month(request), actor=request.user)  # type: ignore[arg-type]
            except signing.BadSignature:
                error = gettext("That page is too old: look at the month again.")
            except ProgramError as refusal:
                error = str(refusal)
            else:
                messages.success(
                    request,
                    ngettext("%(count)s statement is issued.", "%(count)s statements are issued.", number)
                    % {"count": quantity(number)},
                )
                return HttpResponseRedirect(f"{request.path}?month={month:%Y-%m}")
        found = open_month(month)
        last = add_months(program_today().replace(day=1), -1)
        context = {
            **self.admin_site.each_context(request), "opts": Statement._meta, "title": gettext("Close a month"),
            "month": month, "is_over": month <= last, "error": error,
            "months": [add_months(last, -back) for back in range(6)], "open": found,
            "amounts": [(currency, money(total, currency)) for currency, total in found.totals],
            "checks": closing.checklist(month_of(month)), "list_url": list_url(Statement, state__exact="draft"),
            "seen": signing.dumps(
                {"month": month.isoformat(), "drafts": found.drafts, "totals": [(c, str(t)) for c, t in found.totals]},
                salt=TO_CLOSE,
            ),
            "review_lasts_to": services.review_ends_on(program_today()) - timedelta(days=1),
        }  # fmt: skip
        return TemplateResponse(request, "admin/commissions/close_month.html", context)


AT_HAND: Mapping[State, tuple[str, ...]] = {
    State.DRAFT: ("issue",),
    State.IN_REVIEW: ("approve", "block"),
    State.APPROVED: ("block", "cancel"),
    State.BLOCKED: ("release", "cancel"),
    State.FAILED: ("requeue", "carry", "cancel"),
}


def _seen(chosen: QuerySet[Statement]) -> tuple[dict[int, str], str]:
    """The statements with their totals as a page says them, and their sums in words."""
    seen = {pk: str(total) for pk, total in chosen.values_list("pk", "total")}
    sums = chosen.order_by().values_list("currency").annotate(Sum("total"), Count("pk")).order_by("currency")
    return seen, ", ".join(money(total, currency) for currency, total, _number in sums) or "0"


def _said(request: HttpRequest, salt: str) -> dict[int, Decimal]:
    """The statements that a page named, with the totals it said. Raises BadSignature for anything else, or after a day."""
    said = signing.loads(request.POST.get("seen", ""), salt=salt, max_age=24 * 3600)
    return {int(pk): Decimal(total) for pk, total in said.items()}


def _said_month(request: HttpRequest) -> OpenMonth:
    said = signing.loads(request.POST.get("seen", ""), salt=TO_CLOSE, max_age=24 * 3600)
    totals = tuple((currency, Decimal(total)) for currency, total in said["totals"])
    return OpenMonth(date.fromisoformat(said["month"]), said["drafts"], totals)


def _month(asked: str) -> date:
    """The month asked for ("2026-03"), else the last that is over."""
    try:
        return date.fromisoformat(f"{asked}-01")
    except ValueError:
        return add_months(program_today().replace(day=1), -1)


def change_of(statement_id: str) -> str:
    return change_url(Statement(pk=int(statement_id)))


class MinimumsField(PairsField):
    """Amounts by currency, as the reader's language writes them."""

    def to_python(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for typed, text in value or []:
            currency, amount = typed.upper(), AmountInput().to_python(text)
            if currency in found:
                raise self._error("twice", name=currency)
            if amount is not None:
                found[currency] = f"{amount:f}"
        minimums_are_amounts(found)
        return found


@admin.register(StatementSettings)
class StatementSettingsAdmin(StaffAdmin):
    """One row; until there is one, the defaults hold."""

    fields = ("review_days", "approval", "minimums", "answer_days", "close_days", "reminder_days")

    list_display = ("__str__", "review_days", "approval", "answer_days", "close_days", "reminder_days")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "minimums":
            return MinimumsField(
                label=capfirst(db_field.verbose_name), widget=PairsWidget(UnfoldAdminTextInputWidget),
                help_text=_("Currency and amount, as EUR and 50. What is below is carried over to the next statement."),
            )  # fmt: skip
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not StatementSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: StatementSettings, form: Any, change: Any) -> None:
        journal.save(row=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in
