"""What staff decide about tiers: who qualified and waits, who is in grace, and times in which nothing is lost."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.periods import program_today
from common.templatetags import show
from tiers import services
from tiers.gaps import gap_in_words
from tiers.models import Edition, Enrollment, Grace, Program, Proposal, Relief, Tier
from tiers.models.standing import tier_of

STATE_LABELS = {
    **STATES, "open": "warning", "confirmed": "success", "refused": "danger", "withdrawn": "info", "kept": "success",
    "lost": "danger", "lifted": "info",
}  # fmt: skip


class NoteForm(StaffForm):
    note = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class ConfirmForm(StaffForm):
    on = forms.DateField(label=_("From"), initial=program_today)
    note = forms.CharField(
        label=_("Note"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stands in the partner’s history."),
    )  # fmt: skip


class TimeForm(StaffForm):
    """A time in which nothing is lost."""

    starts_on = forms.DateField(label=_("From"), initial=program_today)
    ends_on = forms.DateField(label=_("Until"), help_text=_("The first day on which tiers may be lost again."))
    reason = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def names_of_tiers(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With the name of the row's tier in the newest edition in force, as `tier_name` (texts by language)."""
    program = OuterRef("enrollment__program")
    tiers = Tier.objects.filter(
        edition__program=program, edition__state=Edition.State.PUBLISHED, edition__starts_on__lte=program_today(),
        code=OuterRef("tier_code"),
    )  # fmt: skip
    return rows.annotate(tier_name=Subquery(tiers.order_by("-edition__starts_on").values("name")[:1]))


class OfAnEnrollment(ReadOnlyAdmin):
    """Rows about one enrollment and one tier."""

    list_select_related: ClassVar[Any] = ("enrollment__partner", "enrollment__program")
    search_fields = ("enrollment__partner__name", "tier_code")
    linked_by = ("enrollment__partner__id__exact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return names_of_tiers(super().get_queryset(request))

    @display(description=_("partner"), ordering="enrollment__partner__name")
    def show_partner(self, obj: Any) -> str:
        return obj.enrollment.partner.name

    @display(description=_("partner"))
    def show_partner_link(self, obj: Any) -> str:
        partner = obj.enrollment.partner
        return format_html('<a class="pp-link" href="{}">{}</a>', change_url(partner), partner.name)

    @display(description=_("program"), ordering="enrollment__program")
    def show_program(self, obj: Any) -> str:
        return str(obj.enrollment.program)

    @display(description=_("tier"), ordering="tier_code")
    def show_tier(self, obj: Any) -> str:
        return tier_of(obj)


@admin.register(Proposal)
class ProposalAdmin(OfAnEnrollment):
    """Partners that qualified for a tier that staff confirm."""

    list_display = (
        "show_partner",
        "show_tier",
        "show_program",
        "proposed_on",
        "show_waiting",
        "show_state",
        "decided_by",
    )
    list_select_related = ("enrollment__partner", "enrollment__program", "decided_by")
    list_filter = ("state", "enrollment__program", "tier_code")
    fields = (
        "show_partner_link", "show_program", "show_tier", "proposed_on", "state", "decided_by", "decided_at", "note",
    )  # fmt: skip
    readonly_fields = ("show_partner_link", "show_program", "show_tier")
    actions_detail = ("confirm", "refuse")

    @display(description=_("waiting"))
    def show_waiting(self, obj: Proposal) -> str:
        return days((program_today() - obj.proposed_on).days) if obj.state == Proposal.State.OPEN else "–"

    @display(description=_("state"), ordering="state", label=STATE_LABELS)
    def show_state(self, obj: Proposal) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.change_proposal")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        """Only what is open is decided."""
        is_open = Proposal.objects.filter(pk=object_id, state=Proposal.State.OPEN).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    def _row(self, request: HttpRequest, object_id: str) -> Proposal:
        return get_object_or_404(self.get_queryset(request), pk=object_id)

    @action(description=_("Confirm"), icon="check", permissions=["decide"])
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        proposal = self._row(request, object_id)
        words = {"partner": proposal.enrollment.partner, "tier": self.show_tier(proposal)}

        def do(values: Mapping[str, Any]) -> str:
            services.confirm_proposal(proposal=proposal, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("%(partner)s holds %(tier)s now.") % words

        return ask(
            self, request, title=gettext("Confirm %(tier)s for %(partner)s") % words, do=do, submit=gettext("Confirm"),
            form=ConfirmForm(request.POST or None), back=change_url(proposal), go=lambda _values: waiting_url(),
            says=gettext("Sales from that day on are paid at the tier’s rate, and its benefits open at once."),
        )  # fmt: skip

    @action(description=_("Refuse"), icon="close", permissions=["decide"])
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        proposal = self._row(request, object_id)
        words = {"partner": proposal.enrollment.partner, "tier": self.show_tier(proposal)}

        def do(values: Mapping[str, Any]) -> str:
            services.refuse_proposal(proposal=proposal, actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("%(partner)s keeps the tier it holds.") % words

        return ask(
            self, request, title=gettext("Refuse %(tier)s to %(partner)s") % words, do=do, submit=gettext("Refuse"),
            form=NoteForm(request.POST or None), back=change_url(proposal), go=lambda _values: waiting_url(), danger=True,
            says=gettext("It is not proposed again before it has ceased to qualify, and qualified anew."),
        )  # fmt: skip


def waiting_url() -> str:
    return list_url(Proposal, state__exact=Proposal.State.OPEN.value)


@admin.register(Grace)
class GraceAdmin(OfAnEnrollment):
    """Partners below their tier that keep it for a time, with what is missing."""

    list_display = ("show_partner", "show_tier", "show_program", "show_gap", "ends_on", "show_left", "show_outcome")
    list_filter = (("closed_on", admin.EmptyFieldListFilter), "outcome", "enrollment__program", "tier_code")
    date_hierarchy = "ends_on"
    fields = (
        "show_partner_link", "show_program", "show_tier", "starts_on", "ends_on", "show_left", "show_gap", "warned_on",
        "closed_on", "outcome",
    )  # fmt: skip
    readonly_fields = ("show_partner_link", "show_program", "show_tier", "show_left", "show_gap")
    actions_detail = ("lift",)

    @display(description=_("missing on its first day"))
    def show_gap(self, obj: Grace) -> str:
        return " · ".join(gap_in_words(gap, obj.enrollment.program.currency) for gap in obj.gaps) or "–"

    @display(description=_("days left"), ordering="ends_on")
    def show_left(self, obj: Grace) -> str:
        left = (obj.ends_on - program_today()).days
        if obj.closed_on is not None:
            return "–"
        return days(left) if left > 0 else gettext("over: the next review decides")

    @display(description=_("outcome"), ordering="outcome", label=STATE_LABELS)
    def show_outcome(self, obj: Grace) -> tuple[str, str]:
        return (obj.outcome, obj.get_outcome_display()) if obj.outcome else ("open", gettext("in grace"))

    def has_lift_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.change_grace")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        is_open = Grace.objects.filter(pk=object_id, closed_on__isnull=True).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    @action(description=_("Lift"), icon="undo", permissions=["lift"])
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        grace = get_object_or_404(self.get_queryset(request), pk=object_id)
        partner = grace.enrollment.partner

        def do(values: Mapping[str, Any]) -> str:
            services.lift_grace(grace=grace, on=program_today(), actor=request.user, **values)  # type: ignore[arg-type]
            return gettext("%(partner)s is no longer in grace.") % {"partner": partner}

        return ask(
            self, request, title=gettext("Lift the grace of %(partner)s") % {"partner": partner}, do=do,
            form=NoteForm(request.POST or None), submit=gettext("Lift it"), back=change_url(grace),
            says=gettext(
                "It keeps the tier. Where its results still fall short at the next review, another grace begins; to keep"
                " reviews away for longer, excuse it on its page."
            ),
        )  # fmt: skip


@admin.register(Relief)
class ReliefAdmin(ReadOnlyAdmin):
    """Times in which tiers are not lost. They are given on the partner’s page, and for everyone on the program’s."""

    list_display = ("program", "show_whom", "starts_on", "ends_on", "reason", "author")
    list_select_related = ("program", "enrollment__partner", "author")
    list_filter = ("program", ("enrollment", admin.EmptyFieldListFilter))
    search_fields = ("enrollment__partner__name", "reason")
    raw_id_fields = ("enrollment",)

    @display(description=_("whom"), ordering="enrollment__partner__name")
    def show_whom(self, obj: Relief) -> str:
        return obj.enrollment.partner.name if obj.enrollment else gettext("everyone in the program")


class Extending:
    """Of the program's page: extend the tiers of everyone in it."""

    def has_extend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_relief")

    @action(description=_("Extend all tiers"), icon="event_upcoming", permissions=["extend"])
    def extend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        program = get_object_or_404(Program, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            services.extend_program(program=program, actor=request.user, **values)  # type: ignore[arg-type]
            words = {"program": program, "day": show.day(values["ends_on"])}
            return gettext("Nobody in “%(program)s” loses a tier before %(day)s.") % words

        today = program_today()
        enrolled = Enrollment.objects.filter(program=program).in_force_on(today).count()
        return ask(
            self, request, title=gettext("Extend all tiers of “%(program)s”") % {"program": program}, do=do,
            form=TimeForm(request.POST or None), submit=gettext("Extend"), back=change_url(program),
            facts={gettext("partners in the program"): show.quantity(enrolled)},
            says=gettext(
                "Nobody loses a tier in that time; tiers are given all the same. A review that falls into it is held by the"
                " first night after it."
            ),
        )  # fmt: skip


def days(number: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", number) % {"count": show.quantity(number)}
