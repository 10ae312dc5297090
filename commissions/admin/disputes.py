"""What partners question, in the admin: the queue with its clock, the thread, the answer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from commissions import services
from commissions.models import Dispute, DisputeMessage
from common import documents
from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, by_month, change_url
from common.forms import AmountInput
from common.periods import program_today
from common.templatetags.show import day as day_shown
from common.templatetags.show import money, money_signed


class AnswerForm(StaffForm):
    answer = forms.CharField(
        label=_("Answer"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The partner reads it."),
    )


class AcceptForm(StaffForm):
    amount = AmountInput(
        label=_("Granted"), help_text=_("The difference that is posted as an adjustment; negative to take back.")
    )
    answer = forms.CharField(
        label=_("Answer"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The partner reads it. Needed where less is granted than asked for."),
    )  # fmt: skip


class MessageForm(StaffForm):
    text = forms.CharField(label=_("Message"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))
    document = forms.FileField(
        label=_("Document"), required=False, widget=forms.ClearableFileInput(attrs={"accept": documents.ACCEPT})
    )


def clock(dispute: Dispute) -> tuple[str, str]:
    """How much time staff have left, and its tone."""
    if not dispute.is_open:
        return "", ""
    left = (dispute.due_on - program_today()).days
    if left < 0:
        return ngettext("%(days)s day late", "%(days)s days late", -left) % {"days": -left}, "late"
    if left == 0:
        return gettext("due today"), "soon"
    return ngettext("%(days)s day left", "%(days)s days left", left) % {"days": left}, "soon" if left <= 1 else "fine"


class Late(admin.SimpleListFilter):
    title = _("clock")
    parameter_name = "clock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("late", _("overdue")), ("soon", _("due by tomorrow"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        today = program_today()
        if self.value() == "late":
            return queryset.open().filter(due_on__lt=today)
        if self.value() == "soon":
            return queryset.open().filter(due_on__range=(today, today + timedelta(days=1)))
        return queryset


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """Partners open them in the portal; staff answer. First the open ones, by their clock."""

    list_display = ("show_clock", "partner", "category", "show_line", "show_asked", "show_state", "opened_at")
    list_select_related = ("partner", "earning")
    list_filter = ("state", Late, "category", by_month("opened_at"))
    search_fields = ("partner__name",)
    ordering = ("due_on", "id")
    linked_by = ("earning__statement_line__statement__exact",)
    actions_detail = ("accept", "refuse", "write")
    fields = ("partner", "category", "show_line", "show_statement", "show_asked", "state", "show_left", "opened_by",
              "opened_at", "show_messages", "show_granted", "answer", "answered_by", "answered_at")  # fmt: skip
    readonly_fields: ClassVar[Any] = fields

    @display(description=_("clock"), ordering="due_on", label={"late": "danger", "soon": "warning", "fine": "info"})
    def show_clock(self, obj: Dispute) -> tuple[str, str]:
        said, tone = clock(obj)
        return tone, said or "–"

    @display(description=_("clock"))
    def show_left(self, obj: Dispute) -> str:
        said, _tone = clock(obj)
        return f"{day_shown(obj.due_on)} · {said}" if said else "–"

    @display(description=_("line"))
    def show_line(self, obj: Dispute) -> str:
        earning = obj.earning
        return format_html(
            '<a class="pp-link" href="{}">{}</a> {}', change_url(earning), money(earning.amount, earning.currency),
            day_shown(earning.earned_on),
        )  # fmt: skip

    @display(description=_("statement"))
    def show_statement(self, obj: Dispute) -> str:
        line = getattr(obj.earning, "statement_line", None)
        if line is None:
            return "–"
        return format_html('<a class="pp-link" href="{}">{}</a>', change_url(line.statement), line.statement)

    @display(description=_("asked for"))
    def show_asked(self, obj: Dispute) -> str:
        return "–" if obj.asked is None else money_signed(obj.asked, obj.earning.currency)

    @display(description=_("granted"))
    def show_granted(self, obj: Dispute) -> str:
        return "–" if obj.amount is None else money_signed(obj.amount, obj.earning.currency)

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Dispute) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("messages"))
    def show_messages(self, obj: Dispute) -> str:
        """The thread, oldest first."""
        rows = obj.messages.select_related("author")
        return format_html_join(
            "", '<div class="pp-message"><p class="pp-muted">{} · {}</p><p>{}</p>{}</div>',
            ((one.author.name, day_shown(one.at), one.text, self._document(one)) for one in rows),
        )  # fmt: skip

    def _document(self, message: DisputeMessage) -> str:
        if not message.document:
            return ""
        address = reverse("admin:commissions_dispute_document", args=[message.pk])
        return format_html('<p><a class="pp-link" href="{}">{}</a></p>', address, message.document_name)

    def get_urls(self) -> list[Any]:
        document = self.admin_site.admin_view(self.document_view)
        return [path("documents/<int:pk>/", document, name="commissions_dispute_document"), *super().get_urls()]

    def document_view(self, request: HttpRequest, pk: int) -> Any:
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        message = get_object_or_404(DisputeMessage.objects.exclude(document=""), pk=pk)
        return documents.to_download(message.document, message.document_name)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        waits = Dispute.objects.open().filter(pk=object_id).exists()
        return super().get_actions_detail(request, object_id) if waits else []

    def has_answer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("commissions.change_dispute")

    @action(description=_("Accept"), icon="check_circle", permissions=["answer"])
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        dispute = self._dispute(object_id)
        form = AcceptForm(request.POST or None, initial={"amount": dispute.asked})

        def do(values: Mapping[str, Any]) -> str:
            services.accept_dispute(dispute=dispute, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("The dispute is accepted, and an adjustment posted.")

        says = gettext(
            "An adjustment is posted to the ledger and stands on the partner’s next statement; the line itself stays."
        )
        return self._answer(request, dispute, gettext("Accept the dispute"), says, form, do, gettext("Accept"))

    @action(description=_("Refuse"), icon="cancel", permissions=["answer"])
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        dispute = self._dispute(object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.refuse_dispute(dispute=dispute, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("The dispute is refused.")

        says = gettext("The line stands as it is. Where it was held, it is paid with the partner’s next statement.")
        form = AnswerForm(request.POST or None)
        return self._answer(
            request, dispute, gettext("Refuse the dispute"), says, form, do, gettext("Refuse"), danger=True
        )

    @action(description=_("Write to the partner"), icon="chat", permissions=["answer"])
    def write(self, request: HttpRequest, object_id: str) -> HttpResponse:
        dispute = self._dispute(object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.write_message(dispute=dispute, actor=request.user, by_staff=True, **values)  # type: ignore[arg-type]
            return gettext("The message is sent.")

        form = MessageForm(request.POST or None, request.FILES or None)
        title = gettext("Write about the dispute")
        return self._answer(request, dispute, title, gettext("The dispute stays open."), form, do, gettext("Send"))

    def _dispute(self, object_id: str) -> Dispute:
        return get_object_or_404(Dispute.objects.select_related("partner", "earning"), pk=object_id)

    def _answer(
        self, request: HttpRequest, dispute: Dispute, title: str, says: str, form: forms.Form, do: Any, submit: str, *,
        danger: bool = False,
    ) -> HttpResponse:  # fmt: skip
        earning = dispute.earning
        facts = {gettext("Partner"): dispute.partner.name, gettext("Line"): money(earning.amount, earning.currency)}
        if dispute.asked is not None:
            facts[gettext("Difference asked for")] = money_signed(dispute.asked, earning.currency)
        first = dispute.messages.first()
        said = f"“{first.text}”\n{says}" if first else says
        return ask(self, request, title=title, says=said, form=form, do=do, submit=submit, back=change_url(dispute),
                   facts=facts, danger=danger)  # fmt: skip
