"""Staff's pages of partners' people and places. The partner's own page mixes apps: partner_program.partner_admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from common.admin import STATES, EditInline, StaffAdmin
from common.pairs import PairsField, PairsWidget
from partners import services
from partners.models import BUILT_IN, Location, Member, Partner


class LocationInline(EditInline):
    model = Location
    tab = True
    fields = ("is_main", "street", "postal_code", "city", "region", "country", "latitude", "longitude", "accuracy")
    readonly_fields = ("accuracy",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PartnerAdmin(StaffAdmin):
    """What a partner is. What it holds, sells and earns is added above."""

    list_display: ClassVar[Any] = ("name", "kind", "show_status", "is_listed", "joined_on", "external_id")
    list_filter: ClassVar[Any] = ("status", "is_listed", "kind")
    search_fields = ("name", "external_id", "email")
    ordering = ("name", "id")
    inlines: ClassVar[Any] = (LocationInline,)
    readonly_fields = ("status", "created_at")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", "external_id", "slug", "kind", "status", "is_listed", "joined_on")}),
        (
            _("What it is"),
            {"classes": ["tab"], "fields": ("description", "specialties", "employees", "opened_in", "traits")},
        ),
        (_("How to reach it"), {"classes": ["tab"], "fields": ("email", "phone", "website")}),
    )
    add_fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", "external_id", "kind", "is_listed", "joined_on", "email", "phone", "website")}),
    )

    @display(description=_("status"), ordering="status", label=STATES)
    def show_status(self, obj: Partner) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "traits":
            return PairsField(
                several=True, taken=BUILT_IN, label=capfirst(db_field.verbose_name),
                widget=PairsWidget(UnfoldAdminTextInputWidget),
                help_text=_(
                    "What conditions of rules ask about: segment, track, product_lines. Several values with | between them."
                ),
            )  # fmt: skip
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Partner, form: Any, change: Any) -> None:
        services.save_partner(partner=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        for row in formset.save(commit=False):
            if isinstance(row, Location):
                services.save_location(location=row, actor=request.user)  # type: ignore[arg-type]
        formset.save_m2m()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A partner leaves; its history stays."""
        return False


@admin.register(Member)
class MemberAdmin(StaffAdmin):
    list_display = ("name", "partner", "job", "job_title", "role", "show_login", "joined_on", "left_on")
    list_select_related = ("partner", "user")
    list_filter = ("job", "role", ("left_on", admin.EmptyFieldListFilter), "is_made_up")
    search_fields = ("name", "email", "external_id", "partner__name")
    autocomplete_fields = ("partner", "user")
    readonly_fields = ("is_made_up",)
    fields = ("partner", "name", "email", "external_id", "job", "job_title", "role", "user", "joined_on", "left_on", "is_made_up")  # fmt: skip

    @display(description=_("login"), boolean=True)
    def show_login(self, obj: Member) -> bool:
        return obj.user_id is not None

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: Any) -> None:
        services.save_member(member=obj, actor=request.user)  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A person leaves: set the day. Deleting would change what past requirements counted."""
        return False


@admin.register(Location)
class LocationAdmin(StaffAdmin):
    list_display = ("partner", "city", "postal_code", "country", "accuracy", "is_main")
    list_select_related = ("partner",)
    list_filter = ("accuracy", "country", "is_main")
    search_fields = ("partner__name", "city", "postal_code")
    autocomplete_fields = ("partner",)
    readonly_fields = ("accuracy",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Location]:
        return super().get_queryset(request).order_by("partner__name", "id")

    def save_model(self, request: HttpRequest, obj: Location, form: Any, change: Any) -> None:
        services.save_location(location=obj, actor=request.user)  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
