"""Staff's pages of certifications and of who holds them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin import StaffAdmin
from common.periods import program_today
from journal import services as journal
from training import services
from training.models import Certificate, Certification


class ValidityFilter(admin.SimpleListFilter):
    title = _("validity")
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Valid today")), ("no", _("Expired or to come"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Certificate]) -> QuerySet[Certificate]:
        today = program_today()
        valid = Q(awarded_on__lte=today) & (Q(expires_on__isnull=True) | Q(expires_on__gt=today))
        if self.value() == "yes":
            return queryset.filter(valid)
        return queryset.exclude(valid) if self.value() == "no" else queryset


@admin.register(Certification)
class CertificationAdmin(StaffAdmin):
    list_display = ("name", "code", "valid_months")
    search_fields = ("code",)

    def save_model(self, request: HttpRequest, obj: Certification, form: Any, change: Any) -> None:
        journal.save(row=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in


@admin.register(Certificate)
class CertificateAdmin(StaffAdmin):
    list_display = ("member", "show_partner", "certification", "awarded_on", "expires_on", "is_made_up")
    list_select_related = ("member__partner", "certification")
    list_filter = (ValidityFilter, "certification", "is_made_up")
    search_fields = ("member__name", "member__partner__name", "external_id")
    autocomplete_fields = ("member",)
    readonly_fields = ("is_made_up",)
    date_hierarchy = "awarded_on"
    linked_by = ("member__partner__id__exact",)

    @display(description=_("partner"), ordering="member__partner__name")
    def show_partner(self, obj: Certificate) -> str:
        return obj.member.partner.name

    def save_model(self, request: HttpRequest, obj: Certificate, form: Any, change: Any) -> None:
        services.save_certificate(certificate=obj, actor=request.user)  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A certificate that no longer holds gets its end."""
        return False
