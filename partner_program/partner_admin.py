"""The partner's page, with everything about one partner and what staff decide about it."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import StaffForm, ask, change_url
from common.periods import program_today
from common.templatetags.show import day as day_shown
from partner_program import partner_page
from partners import services
from partners.admin import PartnerAdmin
from partners.models import Partner
from tiers import services as tiers
from tiers.admin.benefits import UseForm
from tiers.admin.deciding import TimeForm
from tiers.models import Edition, Enrollment, Placement, Program, Tier
from tiers.situations import GRANTS


class TierFilter(admin.SimpleListFilter):
    title = _("tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = {tier.code: str(tier.name) for tier in Tier.objects.order_by("edition_id", "rank")}
        return sorted(names.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Partner]) -> QuerySet[Partner]:
        if not self.value():
            return queryset
        held = Placement.objects.in_force_on(program_today()).filter(tier__code=self.value())
        return queryset.filter(pk__in=held.values("enrollment__partner"))


class EnrollForm(StaffForm):
    program = forms.ModelChoiceField(Program.objects.none(), label=_("Program"))
    on = forms.DateField(label=_("From"), initial=program_today)

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        enrolled = Enrollment.objects.filter(partner=partner, ends_on=None).values("program")
        field = cast(forms.ModelChoiceField, self.fields["program"])
        field.queryset = Program.objects.exclude(pk__in=enrolled)
        field.widget.choices = field.choices


class GrantForm(StaffForm):
    """A tier of the edition in force of a program that the partner is in."""

    tier = forms.ModelChoiceField(Tier.objects.none(), label=_("Tier"))
    on = forms.DateField(label=_("From"), initial=program_today)
    ends_on = forms.DateField(
        label=_("Until"),
        required=False,
        help_text=_("From this day on results decide again. Left empty, it stands until you end it."),
    )
    is_match = forms.BooleanField(
        label=_("Status match"), required=False, help_text=_("The partner holds the like in another program.")
    )
    note = forms.CharField(
        label=_("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stands in the partner’s history."),
    )

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = program_today()
        self.enrollments = {
            one.program_id: one for one in Enrollment.objects.filter(partner=partner).in_force_on(today)
        }
        editions = [Edition.objects.filter(program=pk).in_force_on(today).first() for pk in self.enrollments]
        field = cast(forms.ModelChoiceField, self.fields["tier"])
        field.queryset = Tier.objects.filter(edition__in=[one for one in editions if one is not None])
        field.widget.choices = field.choices

    def enrollment(self) -> Enrollment:
        tier: Tier = self.cleaned_data["tier"]
        return self.enrollments[tier.edition.program_id]


class EnrollmentForm(StaffForm):
    """One of the enrollments that the partner is in."""

    enrollment = forms.ModelChoiceField(Enrollment.objects.none(), label=_("Program"))

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["enrollment"])
        field.queryset = (
            Enrollment.objects.filter(partner=partner).in_force_on(program_today()).select_related("program")
        )
        field.label_from_instance = lambda obj: str(obj.program)  # type: ignore[method-assign]
        field.widget.choices = field.choices
        field.initial = field.queryset.first()


class ExcuseForm(EnrollmentForm, TimeForm):
    field_order = ("enrollment", "starts_on", "ends_on", "reason")


class StatusForm(StaffForm):
    status = forms.ChoiceField(choices=Partner.Status.choices, label=_("Status"))
    reason = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class PartnerPageAdmin(PartnerAdmin):
    list_display: ClassVar[Any] = ("name", "show_tier", "kind", "show_status", "is_listed", "joined_on", "external_id")
    list_filter: ClassVar[Any] = ("status", TierFilter, "is_listed", "kind")
    change_form_before_template = "admin/partners/standing.html"
    change_form_after_template = "admin/partners/everything.html"
    actions_detail = (
        "grant", "end_grant", "evaluate", "use_benefit", "propose_adjustment",
        {"title": _("More"), "icon": "more_horiz", "items": ["enroll", "excuse", "set_sponsor", "set_status"]},
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        today = program_today()
        held = Placement.objects.in_force_on(today).filter(enrollment__in=Enrollment.objects.in_force_on(today))
        enrollments = Enrollment.objects.in_force_on(today).prefetch_related(
            Prefetch("placements", queryset=held.select_related("tier"), to_attr="held")
        )
        return super().get_queryset(request).prefetch_related(
            Prefetch("enrollments", queryset=enrollments, to_attr="enrolled")
        )  # fmt: skip

    def view_on_site(self, obj: Partner) -> str:
        return reverse("locator:partner", args=[obj.slug])

    @display(description=_("tier"))
    def show_tier(self, obj: Any) -> str:
        return ", ".join(str(placement.tier) for enrollment in obj.enrolled for placement in enrollment.held) or "–"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        partner = self.get_object(request, object_id) if object_id else None
        page = {"page": partner_page.page(partner, program_today())} if partner is not None else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **page})

    def has_place_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_placement")

    def has_enroll_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_enrollment")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Ending a grant is offered where a granted tier is held."""
        actions = super().get_actions_detail(request, object_id)
        granted = _granted(object_id).exists()
        return [one for one in actions if granted or one.method.original_function_name != "end_grant"]

    @action(description=_("Grant a tier"), icon="stairs", permissions=["place"])
    def grant(self, request: HttpRequest, object_id: str) -> HttpResponse:
        partner = get_object_or_404(Partner, pk=object_id)
        form = GrantForm(request.POST or None, partner=partner)

        def do(values: Mapping[str, Any]) -> str:
            tiers.grant(enrollment=form.enrollment(), actor=request.user, **values)  # type: ignore[arg-type]  # staff are signed in
            return gettext("%(partner)s holds %(tier)s now.") % {"partner": partner, "tier": values["tier"]}

        return ask(
            self, request, title=gettext("Grant %(partner)s a tier") % {"partner": partner}, form=form, do=do,
            submit=gettext("Grant it"), back=change_url(partner),
            says=gettext(
                "Sales from that day on are paid at the tier’s rate, and its benefits open at once. No night takes a"
                " granted tier away before its end; a higher one that is earned is given all the same."
            ),
        )  # fmt: skip

    @action(description=_("End the grant"), icon="undo", permissions=["place"])
    def end_grant(self, request: HttpRequest, object_id: str) -> HttpResponse:
        partner = get_object_or_404(Partner, pk=object_id)

        def do(_values: Mapping[str, Any]) -> str:
            for enrollment in _granted(object_id):
                tiers.end_grant(enrollment=enrollment, on=program_today(), actor=request.user)  # type: ignore[arg-type]
            return gettext("The nights decide about the tier of %(partner)s again.") % {"partner": partner}

        return ask(
            self, request, title=gettext("End the grant of %(partner)s") % {"partner": partner}, do=do,
            submit=gettext("End it"), back=change_url(partner),
            says=gettext("The tier stays until a night decides by results: it may be kept, lifted or lost."),
        )  # fmt: skip

    def has_propose_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("commissions.add_adjustment")

    @action(description=_("Propose an adjustment"), icon="edit_note", permissions=["propose"])
    def propose_adjustment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:commissions_adjustment_propose')}?partner={object_id}")

    def has_use_benefit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_benefituse")

    @action(description=_("Record a use"), icon="redeem", permissions=["use_benefit"])
    def use_benefit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        partner = get_object_or_404(Partner, pk=object_id)
        form = UseForm(request.POST or None, partner=partner)

        def do(_values: Mapping[str, Any]) -> str:
            used = tiers.use_benefit(actor=request.user, **form.use())  # type: ignore[arg-type]
            return gettext("%(partner)s used “%(benefit)s”.") % {"partner": partner, "benefit": used.benefit}

        return ask(
            self, request, title=gettext("Record what %(partner)s used of a benefit") % {"partner": partner}, form=form,
            do=do, submit=gettext("Record it"), back=change_url(partner),
            says=gettext("It counts in the period of its day. More than is left is refused."),
        )  # fmt: skip

    def has_excuse_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_relief")

    @action(description=_("Excuse"), icon="event_upcoming", permissions=["excuse"])
    def excuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        partner = get_object_or_404(Partner, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            tiers.excuse(actor=request.user, **values)  # type: ignore[arg-type]
            words = {"partner": partner, "day": day_shown(values["ends_on"])}
            return gettext("%(partner)s loses no tier before %(day)s.") % words

        return ask(
            self, request, title=gettext("Excuse %(partner)s for a time") % {"partner": partner}, do=do,
            form=ExcuseForm(request.POST or None, partner=partner), submit=gettext("Excuse"), back=change_url(partner),
            says=gettext(
                "It loses no tier in that time; what it earns is given all the same. A review that falls into it is held by"
                " the first night after it."
            ),
        )  # fmt: skip

    @action(description=_("Evaluate now"), icon="calculate", permissions=["place"])
    def evaluate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        partner = get_object_or_404(Partner, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            found = tiers.evaluate_now(on=program_today(), actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("Its results earn %(tier)s today.") % {"tier": found.earned}

        return ask(
            self, request, title=gettext("Evaluate %(partner)s now") % {"partner": partner}, do=do,
            form=EnrollmentForm(request.POST or None, partner=partner), submit=gettext("Evaluate"), back=change_url(partner),
            says=gettext(
                "It is measured as tonight’s run would. A tier that it earns is given at once, without waiting for a review;"
                " nothing is taken."
            ),
        )  # fmt: skip

    @action(description=_("Enroll"), icon="flag", permissions=["enroll"])
    def enroll(self, request: HttpRequest, object_id: str) -> HttpResponse:
        partner = get_object_or_404(Partner, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            tiers.enroll(partner=partner, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("%(partner)s is in “%(program)s”.") % {"partner": partner, "program": values["program"]}

        return ask(
            self, request, title=gettext("Enroll %(partner)s in a program") % {"partner": partner}, do=do,
            form=EnrollForm(request.POST or None, partner=partner), submit=gettext("Enroll"), back=change_url(partner),
            says=gettext("It starts in the program’s entry tier."),
        )  # fmt: skip

    @action(description=_("Change status"), icon="block", permissions=["change"])
    def set_status(self, request: HttpRequest, object_id: str) -> HttpResponse:
        partner = get_object_or_404(Partner, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            changed = services.set_status(partner=partner, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("%(partner)s: %(status)s.") % {"partner": partner, "status": changed.get_status_display()}

        return ask(
            self, request, title=gettext("Change the status of %(partner)s") % {"partner": partner}, do=do,
            form=StatusForm(request.POST or None, initial={"status": partner.status}), submit=gettext("Change it"),
            back=change_url(partner),
            says=gettext(
                "The people of a partner that is suspended or has left cannot enter the portal, and the directory does not"
                " list it. What it earned stays."
            ),
        )  # fmt: skip


def _granted(partner_id: Any) -> QuerySet[Enrollment]:
    """The partner's enrollments with a granted tier in force: held, or held again if a higher one is lost."""
    today = program_today()
    standing = Placement.objects.filter(
        Q(holds_until__isnull=True) | Q(holds_until__gt=today), reason__in=GRANTS, starts_on__lte=today
    )
    return Enrollment.objects.filter(partner=partner_id, pk__in=standing.values("enrollment")).in_force_on(today)


admin.site.register(Partner, PartnerPageAdmin)
