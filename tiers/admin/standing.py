"""Who is enrolled, which tier they hold and why, and what people vouched for."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin import STATES, ReadOnlyAdmin, StaffAdmin
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


@admin.register(Attestation)
class AttestationAdmin(StaffAdmin):
    """Vouch for a fact. What was vouched for stays as it was said."""

    form = AttestationForm
    list_display = ("show_partner", "kind", "title", "starts_on", "ends_on", "author", "is_made_up")
    list_select_related = ("enrollment__partner", "author")
    list_filter = ("kind", "is_made_up")
    search_fields = ("enrollment__partner__name", "title")
    autocomplete_fields = ("enrollment",)
    linked_by = ("enrollment__partner__id__exact",)
    readonly_fields = ("author", "is_made_up")

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
