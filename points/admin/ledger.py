"""The ledger of points to read and adjust, and claims to decide."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from common import documents
from common.admin import STATES, ReadOnlyAdmin, StaffAdmin, StaffForm, ask, by_month, change_url
from common.periods import program_today
from common.templatetags.show import day as day_shown
from common.templatetags.show import exact
from points import selectors, services
from points.models import Claim, PointEntry
from tiers.models import CODE


class AdjustmentForm(forms.ModelForm):
    class Meta:
        model = PointEntry
        fields = ("enrollment", "points", "category", "reason", "granted_on", "expires_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "granted_on" in self.fields:
            self.fields["granted_on"].initial = program_today
            self.fields["category"].validators.append(CODE)
            self.fields["reason"].required = True
            self.fields["points"].help_text = gettext("Negative takes points back.")


@admin.register(PointEntry)
class PointEntryAdmin(StaffAdmin):
    """The ledger. Nobody changes or deletes a line; adding one adjusts by hand, with a reason."""

    form = AdjustmentForm
    list_display = ("granted_on", "show_partner", "show_what", "category", "show_kind", "show_points", "expires_on")
    list_select_related = ("enrollment__partner", "rule")
    list_filter = ("kind", by_month("granted_on"), "enrollment__program")
    ordering = ("-id",)
    search_fields = ("enrollment__partner__name", "=source", "=category")
    search_help_text = _("A part of the partner’s name, a row’s code or a category.")
    autocomplete_fields = ("enrollment",)
    linked_by = ("enrollment__partner__id__exact",)
    adjustment: ClassVar[Any] = ("enrollment", "points", "category", "reason", "granted_on", "expires_on")
    told: ClassVar[Any] = ("enrollment", "show_what", "show_kind", "category", "show_points", "granted_on", "expires_on",
                           "show_why", "dataset", "fact", "number", "author", "run", "created_at")  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.told if obj else self.adjustment

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.told if obj else ()

    @display(description=_("partner"), ordering="enrollment__partner__name")
    def show_partner(self, obj: PointEntry) -> str:
        return obj.enrollment.partner.name

    @display(description=_("what for"))
    def show_what(self, obj: PointEntry) -> str:
        return str(obj.rule) if obj.rule else obj.reason[:80]

    @display(description=_("kind"), ordering="kind", label={"grant": "success", "difference": "warning"})
    def show_kind(self, obj: PointEntry) -> tuple[str, str]:
        return obj.kind, obj.get_kind_display()

    @display(description=_("points"), ordering="points")
    def show_points(self, obj: PointEntry) -> str:
        return exact(obj.points)

    @display(description=_("why so many"))
    def show_why(self, obj: PointEntry) -> str:
        return " ".join(selectors.reasons(obj))

    def save_model(self, request: HttpRequest, obj: PointEntry, form: Any, change: Any) -> None:
        posted = services.adjust_points(
            enrollment=obj.enrollment, points=obj.points, category=obj.category, reason=obj.reason,
            granted_on=obj.granted_on, expires_on=obj.expires_on, author=request.user,  # type: ignore[arg-type]  # staff are signed in
        )  # fmt: skip
        obj.pk = posted.pk

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GrantForm(StaffForm):
    points = forms.DecimalField(
        label=_("Points"), min_value=0, decimal_places=4, widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("All that was asked for, or fewer and why."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The partner reads it. Needed where fewer points are granted than asked for."),
    )  # fmt: skip


class RefuseForm(StaffForm):
    reason = forms.CharField(
        label=_("Why"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3}), help_text=_("The partner reads it.")
    )


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    """Partners write claims in the portal; staff decide them. Drafts are the partner's own until they are sent."""

    list_display = ("title", "show_partner", "category", "show_asked", "show_state", "submitted_at", "show_document")
    list_select_related = ("enrollment__partner",)
    list_filter = ("state", "enrollment__program")
    search_fields = ("title", "enrollment__partner__name")
    ordering = ("-id",)
    actions_detail = ("grant", "refuse")
    fields = ("enrollment", "title", "text", "rule", "category", "show_asked", "show_document", "show_state", "author",
              "submitted_at", "decided_by", "decided_at", "reason", "entry")  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(state=Claim.State.DRAFT)

    @display(description=_("partner"), ordering="enrollment__partner__name")
    def show_partner(self, obj: Claim) -> str:
        return obj.enrollment.partner.name

    @display(description=_("points asked for"), ordering="asked")
    def show_asked(self, obj: Claim) -> str:
        return exact(obj.asked)

    @display(description=_("state"), ordering="state", label={**STATES, "partly": "success"})
    def show_state(self, obj: Claim) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=_("document"))
    def show_document(self, obj: Claim) -> str:
        if not obj.document:
            return "–"
        address = reverse("admin:points_claim_document", args=[obj.pk])
        return format_html('<a class="pp-link" href="{}">{}</a>', address, obj.document_name)

    def get_urls(self) -> list[Any]:
        document = self.admin_site.admin_view(self.document_view)
        return [path("<int:pk>/document/", document, name="points_claim_document"), *super().get_urls()]

    def document_view(self, request: HttpRequest, pk: int) -> Any:
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        claim = get_object_or_404(self.get_queryset(request).exclude(document=""), pk=pk)
        return documents.to_download(claim.document, claim.document_name)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        waits = Claim.objects.filter(pk=object_id, state=Claim.State.SUBMITTED).exists()
        return super().get_actions_detail(request, object_id) if waits else []

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("points.change_claim")

    @action(description=_("Grant"), icon="check_circle", permissions=["decide"])
    def grant(self, request: HttpRequest, object_id: str) -> HttpResponse:
        claim = get_object_or_404(self.get_queryset(request), pk=object_id)
        form = GrantForm(request.POST or None, initial={"points": claim.asked.normalize()})

        def do(values: Mapping[str, Any]) -> str:
            services.decide_claim(claim=claim, actor=request.user, **values)  # type: ignore[arg-type]  # staff are signed in
            return ngettext("%(points)s point is granted.", "%(points)s points are granted.", int(values["points"])) % {
                "points": exact(values["points"])
            }

        rule = claim.rule
        counts = gettext("They count from tomorrow on, without end.")
        if rule is not None and (ends := rule.read().expires_on(program_today())) is not None:
            counts = gettext("They count from tomorrow to %(last)s.") % {"last": day_shown(ends - timedelta(days=1))}  # fmt: skip
        return ask(
            self, request, title=gettext("Grant points for “%(claim)s”") % {"claim": claim}, form=form, do=do,
            submit=gettext("Grant"), back=change_url(claim), says=counts,
            facts={gettext("Asked for"): exact(claim.asked), gettext("Partner"): claim.enrollment.partner.name},
        )  # fmt: skip

    @action(description=_("Refuse"), icon="cancel", permissions=["decide"])
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        claim = get_object_or_404(self.get_queryset(request), pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.decide_claim(claim=claim, points=selectors.NOTHING, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("The claim is refused.")

        return ask(
            self, request, title=gettext("Refuse “%(claim)s”") % {"claim": claim}, form=RefuseForm(request.POST or None),
            do=do, submit=gettext("Refuse"), back=change_url(claim), danger=True,
        )  # fmt: skip
