"""Programs and what their tiers may give; a program as a file, up and down."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import EditInline, StaffAdmin, StaffForm, ask, list_url
from tiers import program_file, services
from tiers.admin.deciding import Extending
from tiers.models import Benefit, Edition, Program

MAX_PROGRAM_FILE = 2 * 2**20


class BenefitInline(EditInline):
    model = Benefit
    fields = ("position", "code", "kind", "name", "description")

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
