"""Staff's pages of partners' people and places. The partner's own page mixes apps: partner_program.partner_admin."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.fields import UnfoldAdminAutocompleteModelChoiceField
from unfold.views import BaseAutocompleteView
from unfold.widgets import UnfoldAdminTextInputWidget

from common.admin import STATES, EditInline, ReadOnlyAdmin, StaffAdmin, StaffForm, ask, change_url
from common.pairs import PairsField, PairsWidget
from common.periods import program_today
from partners import services
from partners.models import BUILT_IN, Location, Member, Partner, Sponsorship


class LocationInline(EditInline):
    model = Location
    tab = True
    fields = ("is_main", "street", "postal_code", "city", "region", "country", "latitude", "longitude", "accuracy")
    readonly_fields = ("accuracy",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SponsorsView(BaseAutocompleteView):
    """What the field that names a sponsor suggests."""

    def get_queryset(self) -> QuerySet[Partner]:
        return Partner.objects.filter(name__icontains=self.request.GET.get("term", "")).order_by("name", "id")


class SponsorForm(StaffForm):
    sponsor = UnfoldAdminAutocompleteModelChoiceField(
        "admin:partners_partner_sponsors", queryset=Partner.objects.all(), label=_("Sponsor"), required=False,
        help_text=_("Who brought the partner in, or supplies it. Left empty, it has none any more."),
    )  # fmt: skip
    on = forms.DateField(label=_("From"), initial=program_today)

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = Sponsorship.objects.filter(partner=partner).on(program_today()).first()
        self.initial["sponsor"] = held and held.sponsor_id
        chosen_id = str(self.data.get("sponsor", "") if self.is_bound else self.initial["sponsor"])
        chosen = Partner.objects.filter(pk=chosen_id) if chosen_id.isdigit() else []
        self.fields["sponsor"].widget.choices = [(one.pk, str(one)) for one in chosen]


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

    def get_urls(self) -> list[Any]:
        sponsors = self.admin_site.admin_view(self.sponsors_view)
        return [path("sponsors/", sponsors, name="partners_partner_sponsors"), *super().get_urls()]

    def sponsors_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_sponsor_permission(request):
            return JsonResponse({}, status=403)
        return SponsorsView.as_view()(request)

    def has_sponsor_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("partners.add_sponsorship")

    @action(description=_("Set the sponsor"), icon="diversity_3", permissions=["sponsor"])
    def set_sponsor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        partner = get_object_or_404(Partner, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.set_sponsor(partner=partner, actor=request.user, **values)  # type: ignore[arg-type]
            if values["sponsor"] is None:
                return gettext("%(partner)s has no sponsor any more.") % {"partner": partner}
            return gettext("%(sponsor)s is the sponsor of %(partner)s.") % {
                "sponsor": values["sponsor"], "partner": partner,
            }  # fmt: skip

        return ask(
            self, request, title=gettext("Set the sponsor of %(partner)s") % {"partner": partner}, do=do,
            form=SponsorForm(request.POST or None, partner=partner), submit=gettext("Set it"), back=change_url(partner),
            says=gettext("A plan may pay a sponsor for what its partner sells. Who it was before that day stays."),
        )  # fmt: skip


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


@admin.register(Sponsorship)
class SponsorshipAdmin(ReadOnlyAdmin):
    """Who sponsors whom. It is set on the page of the partner."""

    list_display = ("partner", "sponsor", "starts_on", "ends_on")
    list_select_related = ("partner", "sponsor")
    list_filter = (("ends_on", admin.EmptyFieldListFilter),)
    search_fields = ("partner__name", "sponsor__name")


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
