"""The program editor. A draft is edited, checked and published; what is published is read, and copied to a new draft."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminColorInputWidget

from common.admin import STATES, EditInline, EditStacked, StaffAdmin, StaffForm, ask, change_url, list_url
from common.errors import ProgramError
from tiers import program_file, services, wording
from tiers.admin.deciding import Extending
from tiers.models import Benefit, Edition, Measure, Program, Tier, TierBenefit

MAX_PROGRAM_FILE = 2 * 2**20


class DraftParts:
    """An admin whose rows, and rows beside them, are parts of an edition: written while it is a draft, read after."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        services.save_draft(part=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        rows = formset.save(commit=False)
        for row in formset.deleted_objects:
            services.remove_from_draft(part=row, actor=request.user)  # type: ignore[arg-type]
        for row in rows:
            services.save_draft(part=row, actor=request.user)  # type: ignore[arg-type]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.remove_from_draft(part=obj, actor=request.user)  # type: ignore[arg-type]


def is_draft(edition: Edition | None) -> bool:
    return edition is None or edition.state == Edition.State.DRAFT


class BenefitInline(EditInline):
    model = Benefit
    fields = ("position", "code", "name", "description")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Editions of the past name it."""
        return False


class ProgramUpload(StaffForm):
    file = forms.FileField(label=_("Program file (JSON)"))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_PROGRAM_FILE:
            raise forms.ValidationError(gettext("A program file has 2 MB at most."))
        return file


@admin.register(Program)
class ProgramAdmin(Extending, StaffAdmin):
    list_display = ("name", "slug", "currency", "is_public", "show_editions")
    fields = ("name", "slug", "promise", "description", "currency", "is_public")
    search_fields = ("slug",)
    inlines: ClassVar[Any] = (BenefitInline,)
    actions_list = ("upload",)
    actions_detail = ("download", "extend")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Program]:
        return super().get_queryset(request).annotate(editions_count=Count("editions"))

    @display(description=_("editions"))
    def show_editions(self, obj: Program) -> str:
        return format_html(
            '<a class="pp-link" href="{}">{}</a>', list_url(Edition, program__id__exact=obj.pk), obj.editions_count  # type: ignore[attr-defined]
        )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: Program, form: Any, change: Any) -> None:
        services.save_program(program=obj, actor=request.user)  # type: ignore[arg-type]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        for benefit in formset.save(commit=False):
            services.save_benefit(benefit=benefit, actor=request.user)  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @action(description=_("Upload a program file"), icon="upload", permissions=["add"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        def do(values: Mapping[str, Any]) -> str:
            program = program_file.import_program(values["file"].read(), actor=request.user)  # type: ignore[arg-type]
            return gettext("Program “%(program)s” is as the file says.") % {"program": program}

        return ask(
            self, request, title=gettext("Upload a program file"), submit=gettext("Upload"), back=list_url(Program),
            form=ProgramUpload(request.POST or None, request.FILES or None), do=do,
            says=gettext(
                "A new program is made, or an existing one gets the file’s texts and its new editions. Published editions"
                " never change: a file that says otherwise is refused, and nothing is written."
            ),
        )  # fmt: skip

    @action(description=_("Download as a file"), icon="download", permissions=["view"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        program = get_object_or_404(Program, pk=object_id)
        return HttpResponse(
            program_file.export_program(program),
            content_type="application/json; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{program.slug}.json"'},
        )


class DraftInline:
    """Rows of an edition or of a tier: changed while the edition is a draft."""

    def _may(self, obj: Any) -> bool:
        return is_draft(obj.edition if isinstance(obj, Tier) else obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(obj) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(obj) and super().has_add_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(obj) and super().has_delete_permission(request, obj)  # type: ignore[misc]


class Coloured:
    """A tier's colour is picked, not typed."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "color":
            kwargs["widget"] = UnfoldAdminColorInputWidget(attrs={"type": "color"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]


class TierInline(Coloured, DraftInline, EditInline):
    model = Tier
    fields = ("rank", "code", "name", "color")
    show_change_link = True


class MeasureInline(DraftInline, EditStacked):
    model = Measure
    tab = True
    fields = ("name", "key", "position", "definition")  # fmt: skip
    show_change_link = False


class CopyForm(StaffForm):
    name = forms.CharField(label=_("Name"), max_length=80)
    starts_on = forms.DateField(label=_("Starts on"))


@admin.register(Edition)
class EditionAdmin(DraftParts, StaffAdmin):
    list_display = ("name", "program", "starts_on", "show_state")
    list_select_related = ("program",)
    list_filter = ("program", "state")
    search_fields = ("name",)
    fields = ("program", "name", "starts_on", "life", "state")
    readonly_fields = ("state",)
    inlines: ClassVar[Any] = (TierInline, MeasureInline)
    change_form_before_template = "admin/tiers/edition_notice.html"
    change_form_after_template = "admin/tiers/edition_rules.html"
    actions_detail = ("check_rules", "publish", "copy")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        return super().get_queryset(request).select_related("program")

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Edition) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "program") if obj else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else (TierInline,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (not isinstance(obj, Edition) or is_draft(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and isinstance(obj, Edition) and is_draft(obj)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        edition = self.get_object(request, object_id) if object_id else None
        said = {"edition": edition, "tier_rules": wording.rules_in_words(edition)} if edition else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **said})

    def has_publish_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.change_edition")

    def has_copy_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_edition")

    @action(description=_("Check"), icon="rule", permissions=["view"])
    def check_rules(self, request: HttpRequest, object_id: str) -> HttpResponse:
        edition = get_object_or_404(Edition, pk=object_id)
        try:
            services.check_edition(edition)
        except ProgramError as problem:
            messages.error(request, str(problem))
        else:
            messages.success(request, gettext("Every rule and measure of this edition can be evaluated."))
        return HttpResponseRedirect(change_url(edition))

    @action(description=_("Publish"), icon="publish", permissions=["publish"])
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        edition = get_object_or_404(Edition.objects.select_related("program"), pk=object_id)
        if not is_draft(edition):
            messages.info(request, gettext("This edition is published already."))
            return HttpResponseRedirect(change_url(edition))

        def do(_values: Mapping[str, Any]) -> str:
            services.publish_edition(edition=edition, actor=request.user)  # type: ignore[arg-type]
            return gettext("“%(edition)s” is published.") % {"edition": edition}

        return ask(
            self, request, title=gettext("Publish “%(edition)s”") % {"edition": edition}, do=do, submit=gettext("Publish"),
            back=change_url(edition),
            says=gettext(
                "From %(day)s on, the nights place every partner of the program by these rules. A published edition never"
                " changes: to change a rule later, publish another edition."
            ) % {"day": edition.starts_on},
        )  # fmt: skip

    @action(description=_("Copy to a new draft"), icon="content_copy", permissions=["copy"])
    def copy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        edition = get_object_or_404(Edition.objects.select_related("program"), pk=object_id)
        made: list[Edition] = []

        def do(values: Mapping[str, Any]) -> str:
            made.append(services.copy_edition(edition=edition, actor=request.user, **values))  # type: ignore[arg-type]
            return gettext("“%(edition)s” is a draft: change it, check it, publish it.") % {"edition": made[0]}

        return ask(
            self, request, title=gettext("Copy “%(edition)s” to a new draft") % {"edition": edition}, do=do,
            form=CopyForm(request.POST or None), submit=gettext("Copy"), back=change_url(edition),
            go=lambda _values: change_url(made[0]),
            says=gettext("Tiers, benefits, measures and rules are copied."),
        )  # fmt: skip


class TierBenefitInline(DraftInline, EditInline):
    model = TierBenefit
    tab = True
    fields = ("benefit", "terms")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        tier_id = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        if db_field.name == "benefit":
            kwargs["queryset"] = Benefit.objects.filter(program__editions__tiers=tier_id)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Tier)
class TierAdmin(Coloured, DraftParts, StaffAdmin):
    """One tier with its rules and benefits. It is reached from its edition, which makes and removes tiers."""

    list_display = ("name", "code", "rank", "edition")
    list_select_related = ("edition__program",)
    list_filter = ("edition__program", "edition__state")
    search_fields = ("code",)
    fields = ("edition", "rank", "code", "name", "summary", "color", "earn", "keep")
    readonly_fields = ("edition",)
    inlines: ClassVar[Any] = (TierBenefitInline,)
    change_form_before_template = "admin/tiers/tier_notice.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        return super().get_queryset(request).select_related("edition__program")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (not isinstance(obj, Tier) or is_draft(obj.edition))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and isinstance(obj, Tier) and is_draft(obj.edition)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        tier = self.get_object(request, object_id) if object_id else None
        said: dict[str, Any] = {}
        if tier is not None:
            own = [one for one in wording.rules_in_words(tier.edition) if one.tier.pk == tier.pk]
            said = {"edition": tier.edition, "tier_rules": own}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **said})
