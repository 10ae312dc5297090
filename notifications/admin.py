"""What was told to whom, how each notice reads, and the webhooks."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext, override
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common.admin import STATES, ReadOnlyAdmin, StaffAdmin, ask, change_url
from journal.notices import NOTICES, PUBLISHED, Members, Named, Staff
from notifications import mailing, services, wording
from notifications.models import WAYS, Attempt, Call, Delivery, Endpoint, Message, Preference, published_choices
from partners.models import Member, Partner

STATE_LABELS = {**STATES, "sent": "success", "dead": "danger", "dropped": "default"}


class NoticeFilter(admin.SimpleListFilter):
    """By what is told, without reading the table for the notices there are."""

    title = _("notice")
    parameter_name = "notice"
    lookup = "notice"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, notice.label) for key, notice in NOTICES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.lookup: self.value()}) if self.value() else queryset


class NoticeOfDelivery(NoticeFilter):
    lookup = "message__notice"


class UntoldFilter(admin.SimpleListFilter):
    title = _("told")
    parameter_name = "told"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Could not be made"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(error="") if self.value() else queryset


def partner_name() -> Subquery:
    return Subquery(Partner.objects.filter(pk=OuterRef("partner_id")).values("name")[:1])


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """What entries of the journal said, and the page that shows how each notice reads."""

    list_display = ("created_at", "show_notice", "show_partner", "show_people", "error")
    list_filter = (NoticeFilter, UntoldFilter)
    search_fields = ("=entry__subject",)
    search_help_text = _("A subject as it is written in the journal (leads.lead:12).")
    fields = ("created_at", "show_notice", "show_partner", "show_people", "entry", "facts", "error")
    readonly_fields = ("show_notice", "show_partner", "show_people")
    actions = ("tell_again",)
    actions_list = ("look_at_notices",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        people = Delivery.objects.filter(message=OuterRef("pk")).order_by().values("message")
        counted = Subquery(people.annotate(number=Count("user", distinct=True)).values("number"))
        return super().get_queryset(request).select_related("entry").annotate(partner=partner_name(), people=counted)

    @display(description=_("notice"))
    def show_notice(self, obj: Message) -> str:
        return str(obj)

    @display(description=_("partner"))
    def show_partner(self, obj: Any) -> str:
        return obj.partner or "–"

    @display(description=_("people"))
    def show_people(self, obj: Any) -> int:
        return obj.people or 0

    def has_again_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("notifications.change_message")

    @admin.action(description=_("Make the selected ones that could not be made anew"), permissions=["again"])
    def tell_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        number = services.tell_again(messages=list(queryset), actor=request.user)  # type: ignore[arg-type]
        said = ngettext("%(count)s entry was told.", "%(count)s entries were told.", number) % {"count": number}
        messages.success(request, said)

    @action(description=_("How notices read"), icon="visibility")
    def look_at_notices(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:notifications_notices"))

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("notices/", wrap(self.notices_view), name="notifications_notices"),
            path("notices/<str:key>/<str:language>/", wrap(self.notice_view), name="notifications_notice"),
            *super().get_urls(),
        ]

    def notices_view(self, request: HttpRequest) -> HttpResponse:
        """Every notice there is: to whom it goes, how, and its title in each language."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        languages = settings.LANGUAGES
        rows = []
        for notice in NOTICES.values():
            titles = []
            for code, name in languages:
                with override(code):
                    titles.append((code, name, wording.worded(notice, notice.sample).title))
            rows.append({"notice": notice, "to": _audience(notice.to), "how": dict(WAYS)[notice.how], "titles": titles})
        context = {
            **self.admin_site.each_context(request), "opts": Message._meta, "title": gettext("How notices read"),
            "rows": rows,
        }  # fmt: skip
        return TemplateResponse(request, "admin/notifications/notices.html", context)

    def notice_view(self, request: HttpRequest, key: str, language: str) -> HttpResponse:
        """A notice's mail with its sample, as a mail program shows it: HTML, or plain with ?plain."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        notice = NOTICES.get(key)
        if notice is None or language not in dict(settings.LANGUAGES):
            raise Http404
        with override(language):
            said = wording.worded(notice, notice.sample)
            text, html = mailing.sample_of(notice, said, name="Camille Martin")
        if "plain" in request.GET:
            return HttpResponse(f"{said.title}\n\n{text}", content_type="text/plain; charset=utf-8")
        return HttpResponse(html)


def _audience(to: Members | Staff | Named) -> str:
    if isinstance(to, Members):
        return ", ".join(str(role.label) for role in Member.Role if role in to.roles)
    if isinstance(to, Staff):
        return gettext("Staff who may: %(permission)s") % {"permission": to.permission}
    return gettext("The person concerned")


class Sent(ReadOnlyAdmin):
    """Rows that are tried until they are sent: what was given up can be sent again."""

    actions = ("again_selected",)
    actions_detail = ("again",)

    @display(description=_("state"), ordering="state", label=STATE_LABELS)
    def show_state(self, obj: Attempt) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("next try"), ordering="due_at")
    def show_due(self, obj: Attempt) -> Any:
        return obj.due_at if obj.state == Attempt.State.WAITING else "–"

    def has_again_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(f"notifications.change_{self.model._meta.model_name}")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        is_open = self.model.objects.exclude(state=Attempt.State.SENT).filter(pk=object_id).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    @action(description=_("Send again"), icon="send", permissions=["again"])
    def again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return ask(
            self, request, title=gettext("Send this again?"), says=str(row), submit=gettext("Send again"),
            back=change_url(row), do=lambda _values: self._again(request, [row]),
        )  # fmt: skip

    @admin.action(description=_("Send the selected ones again"), permissions=["again"])
    def again_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        messages.success(request, self._again(request, queryset))

    def _again(self, request: HttpRequest, rows: Iterable[Attempt]) -> str:
        number = services.send_again(rows=list(rows), actor=request.user)  # type: ignore[arg-type]
        said = ngettext("%(count)s is sent again.", "%(count)s are sent again.", number) % {"count": number}
        return f"{said} {gettext('What was sent already is left as it is.')}"


@admin.register(Delivery)
class DeliveryAdmin(Sent):
    """Each message to each person by each channel."""

    list_display = ("show_at", "show_message", "user", "channel", "show_state", "attempts", "show_due", "error")
    list_select_related = ("message", "user")
    list_filter = ("state", "channel", NoticeOfDelivery)
    search_fields = ("=user__email",)
    search_help_text = _("The whole e-mail address of a person.")
    fields = (
        "show_message", "user", "channel", "show_state", "attempts", "show_due", "done_at", "read_at", "error",
    )  # fmt: skip
    readonly_fields = ("show_message", "show_state", "show_due")

    @display(description=_("at"), ordering="-pk")
    def show_at(self, obj: Delivery) -> Any:
        return obj.message.created_at

    @display(description=_("notice"))
    def show_message(self, obj: Delivery) -> str:
        return str(obj.message)


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    """What people chose. Deleting one gives the notice's own way back."""

    list_display = ("user", "show_kind", "how")
    list_select_related = ("user",)
    list_filter = ("how",)
    search_fields = ("=user__email",)
    fields = ("user", "show_kind", "how")
    readonly_fields = ("show_kind",)

    @display(description=_("kind"), ordering="kind")
    def show_kind(self, obj: Preference) -> str:
        known = {notice.kind.key: notice.kind.label for notice in NOTICES.values()}
        return str(known.get(obj.kind, obj.kind))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.delete_preference")

    def delete_model(self, request: HttpRequest, obj: Preference) -> None:
        self.delete_queryset(request, Preference.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Preference]) -> None:
        services.forget_choices(preferences=queryset, actor=request.user)  # type: ignore[arg-type]


class EndpointForm(forms.ModelForm):
    verbs = forms.MultipleChoiceField(label=_("Told of"), widget=UnfoldAdminCheckboxSelectMultipleWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "verbs" in self.fields:
            self.fields["verbs"].choices = published_choices()  # type: ignore[attr-defined]


@admin.register(Endpoint)
class EndpointAdmin(StaffAdmin):
    """Systems that are told what happens. The secret of each is shown once, when it is made."""

    list_display = ("name", "url", "show_verbs", "is_active", "show_health")
    list_filter = ("is_active",)
    form = EndpointForm
    readonly_fields = ("show_health",)
    fields = ("name", "url", "is_active", "verbs", "show_health")
    actions_detail = ("renew",)

    @display(description=_("told of"))
    def show_verbs(self, obj: Endpoint) -> str:
        return ", ".join(str(PUBLISHED[verb].label) if verb in PUBLISHED else verb for verb in obj.verbs)

    @display(description=_("health"), label={"good": "success", "failing": "warning", "off": "danger"})
    def show_health(self, obj: Endpoint) -> tuple[str, str]:
        if not obj.is_active:
            return "off", gettext("Off")
        if obj.failures:
            said = ngettext("%(count)s failure in a row", "%(count)s failures in a row", obj.failures)
            return "failing", said % {"count": obj.failures}
        return "good", gettext("Good")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its calls stay to be looked at; it is turned off

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:  # noqa: FBT001
        secret = services.save_endpoint(endpoint=obj, actor=request.user)  # type: ignore[arg-type]
        if secret:
            self._show(request, secret)

    def _show(self, request: HttpRequest, secret: str) -> None:
        said = gettext("Copy the secret now, it is not shown again: %(secret)s") % {"secret": secret}
        messages.warning(request, said)

    def has_renew_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("notifications.change_endpoint")

    @action(description=_("New secret"), icon="key", permissions=["renew"])
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self.get_object(request, object_id)
        if endpoint is None:
            raise Http404

        def do(_values: Any) -> str:
            self._show(request, services.renew_secret(endpoint=endpoint, actor=request.user))  # type: ignore[arg-type]
            return ""

        return ask(
            self, request, title=gettext("A new secret for %(name)s") % {"name": endpoint}, do=do,
            says=gettext("What is sent from then on is signed with it: the receiver has to know it at once."),
            submit=gettext("Make a new secret"), back=change_url(endpoint), danger=True,
        )  # fmt: skip


@admin.register(Call)
class CallAdmin(Sent):
    """Each entry for each webhook, with what the endpoint answered."""

    list_display = ("entry", "endpoint", "show_state", "status_code", "attempts", "show_due", "error")
    list_select_related = ("entry", "endpoint")
    list_filter = ("state", "endpoint")
    search_fields = ("=entry__subject",)
    search_help_text = _("A subject as it is written in the journal (leads.lead:12).")
    fields = ("endpoint", "entry", "show_state", "status_code", "attempts", "show_due", "done_at", "error")
    readonly_fields = ("show_state", "show_due")
