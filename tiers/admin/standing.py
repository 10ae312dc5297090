"""Who is enrolled, which tier they hold and why, and what people vouched for."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import STATES, ReadOnlyAdmin, StaffAdmin, StaffForm, ask, change_url
from common.periods import program_today
from common.templatetags import show
from journal.models import Entry
from journal.services import subject_of
from tiers import services
from tiers.models import Attestation, Enrollment, Placement


@admin.register(Enrollment)
class EnrollmentAdmin(ReadOnlyAdmin):
    """Enrolling is done on the partner's page."""

    list_display = ("partner", "program", "starts_on", "ends_on")
    list_select_related = ("partner", "program")
    list_filter = ("program",)
    search_fields = ("partner__name", "program__slug")


@admin.register(Placement)
class PlacementAdmin(ReadOnlyAdmin):
    """The night gives and takes tiers; granting one is done on the partner's page."""

    list_display = ("show_partner", "tier", "show_program", "starts_on", "ends_on", "show_reason")
    list_select_related = ("tier", "enrollment__partner", "enrollment__program")
    list_filter = ("enrollment__program", ("ends_on", admin.EmptyFieldListFilter), "reason", "tier__code")
    search_fields = ("enrollment__partner__name",)
    date_hierarchy = "starts_on"
    raw_id_fields = ("enrollment", "evaluation")

    @display(description=_("partner"), ordering="enrollment__partner__name")
    def show_partner(self, obj: Placement) -> str:
        return obj.enrollment.partner.name

    @display(description=_("program"), ordering="enrollment__program")
    def show_program(self, obj: Placement) -> str:
        return str(obj.enrollment.program)

    @display(description=_("reason"), ordering="reason", label={**STATES, "lost": "warning"})
    def show_reason(self, obj: Placement) -> tuple[str, str]:
        return obj.reason, obj.get_reason_display()


class AttestationForm(forms.ModelForm):
    class Meta:
        model = Attestation
        fields = ("enrollment", "kind", "title", "starts_on", "ends_on", "document")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on <= starts_on:
            self.add_error("ends_on", _("It ends after it starts."))
        return cleaned


class EndForm(StaffForm):
    on = forms.DateField(label=_("From"), initial=program_today, help_text=_("The first day without it."))
    reason = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


HAPPENED = {"tiers.attestation.given": _("Vouched for"), "tiers.attestation.ended": _("Ended by hand")}


@admin.register(Attestation)
class AttestationAdmin(StaffAdmin):
    """Vouch for a fact. What was vouched for stays as it was said; it can be given an earlier end, with a reason."""

    form = AttestationForm
    list_display = ("show_partner", "kind", "title", "starts_on", "ends_on", "author", "is_made_up")
    list_select_related = ("enrollment__partner", "author")
    list_filter = ("kind", "is_made_up")
    search_fields = ("enrollment__partner__name", "title")
    autocomplete_fields = ("enrollment",)
    linked_by = ("enrollment__partner__id__exact",)
    readonly_fields = ("author", "is_made_up")
    actions_detail = ("end",)
    change_form_after_template = "admin/history.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        row = self.get_object(request, object_id) if object_id else None
        told = {"happenings": _happenings(row)} if row is not None else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.change_attestation")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what has not ended is ended."""
        stands = Attestation.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=program_today()), pk=object_id)
        return super().get_actions_detail(request, object_id) if stands.exists() else []

    @action(description=_("End it"), icon="event_busy", permissions=["end"])
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        attestation = get_object_or_404(Attestation.objects.select_related("enrollment__partner"), pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.end_attestation(attestation=attestation, actor=request.user, **values)  # type: ignore[arg-type]
            words = {"title": attestation.title, "day": show.day(values["on"])}
            return gettext("“%(title)s” no longer counts from %(day)s on.") % words

        partner = attestation.enrollment.partner.name
        return ask(
            self, request, title=gettext("End “%(title)s”") % {"title": attestation.title}, do=do, submit=gettext("End it"),
            form=EndForm(request.POST or None), back=change_url(attestation), danger=True,
            facts={gettext("Partner"): partner, gettext("Since"): show.day(attestation.starts_on)},
            says=gettext(
                "Rules and points that count it no longer do from that day on; the night then decides what that means. What"
                " was vouched for before it stays."
            ),
        )  # fmt: skip

    @display(description=_("partner"), ordering="enrollment__partner__name")
    def show_partner(self, obj: Attestation) -> str:
        return obj.enrollment.partner.name

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: Attestation, form: Any, change: Any) -> None:
        given = services.attest(
            enrollment=obj.enrollment, kind=obj.kind, title=obj.title, starts_on=obj.starts_on, ends_on=obj.ends_on,
            document=obj.document, author=request.user,  # type: ignore[arg-type]  # staff are signed in
        )  # fmt: skip
        obj.pk = given.pk

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _happenings(attestation: Attestation) -> list[dict[str, Any]]:
    """From the journal, oldest first. One query."""
    entries = Entry.objects.filter(subject=subject_of(attestation), verb__in=HAPPENED).select_related("actor")
    return [
        {"at": one.at, "says": HAPPENED[one.verb], "who": str(one.actor or ""), "note": one.after.get("note", "")}
        for one in entries.order_by("id")
    ]
