"""Staff's pages of imports: upload a file, watch it come in, read what was wrong."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import STATES, ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from imports import kinds, services
from imports.models import Import

MAX_MAPPING = 200_000
SAMPLES = settings.BASE_DIR / "samples"


class UploadForm(StaffForm):
    """A file and how its columns map: a mapping file, or one that is known: a sample's, or an earlier import's."""

    kind = forms.ChoiceField(label=_("What it holds"), choices=list)
    file = forms.FileField(label=_("File (CSV or Excel)"))
    mapping_file = forms.FileField(
        label=_("Mapping (JSON)"), required=False, help_text=_("Which column fills which field: docs/imports.md.")
    )
    known = forms.ChoiceField(label=_("or a mapping that is known"), choices=list, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, known = (cast(forms.ChoiceField, self.fields[name]) for name in ("kind", "known"))
        kind.choices = [(importer.kind, importer.label) for importer in kinds.everything()]
        done = Import.objects.filter(state=Import.State.DONE).order_by("-pk")[:20]
        known.choices = [
            ("", "–"),
            (gettext("Samples"), [(f"sample:{name}", name) for name in sample_mappings()]),
            (gettext("Earlier imports"), [(f"import:{one.pk}", str(one)) for one in done]),
        ]

    def clean_mapping_file(self) -> Any:
        """The mapping itself."""
        file = self.cleaned_data["mapping_file"]
        if file is None:
            return None
        if file.size > MAX_MAPPING:
            raise forms.ValidationError(gettext("A mapping has 200 KB at most."))
        try:
            return json.loads(file.read().decode("utf-8-sig"))
        except ValueError as error:
            raise forms.ValidationError(gettext("The mapping is not JSON: %(error)s") % {"error": error}) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        known, mapping = cleaned.get("known"), cleaned.get("mapping_file")
        if not self.errors and (mapping is None) == (not known):
            raise forms.ValidationError(gettext("Give a mapping file, or choose one that is known: one of them."))
        if not self.errors:
            cleaned["mapping"] = mapping if mapping is not None else _mapping(str(known))
        return cleaned


def sample_mappings() -> dict[str, Path]:
    """The mapping files of the bundled samples, by name."""
    return {path.name.removesuffix(".mapping.json"): path for path in sorted(SAMPLES.glob("*/*.mapping.json"))}


def _mapping(known: str) -> Any:
    """The mapping of a choice of the form: both parts of it were checked by the form."""
    source, _colon, name = known.partition(":")
    if source == "import":
        return Import.objects.get(pk=name).mapping
    return json.loads(sample_mappings()[name].read_text(encoding="utf-8"))


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "kind", "show_state", "rows_read", "added", "changed", "unchanged", "created_by", "created_at")  # fmt: skip
    list_select_related = ("created_by",)
    list_filter = ("state", "kind")
    search_fields = ("file_name",)
    fields = (
        "file_name",
        "kind",
        "state",
        "added",
        "changed",
        "unchanged",
        "created_by",
        "created_at",
        "finished_at",
        "mapping",
    )
    actions_list = ("upload",)
    change_form_before_template = "admin/imports/import_before.html"

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Import) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    def get_urls(self) -> list[Any]:
        progress = self.admin_site.admin_view(self.progress_view)
        return [path("<int:pk>/progress/", progress, name="imports_import_progress"), *super().get_urls()]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far an import is, for the page that shows it."""
        if not self.has_view_permission(request):
            return JsonResponse({}, status=403)
        one = get_object_or_404(Import, pk=pk)
        return JsonResponse(progress_of(one))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        one = self.get_object(request, object_id) if object_id else None
        if one is not None:
            extra_context = {
                **(extra_context or {}), "one": one, "progress": progress_of(one),
                "progress_url": reverse("admin:imports_import_progress", args=[one.pk]),
            }  # fmt: skip
        return super().changeform_view(request, object_id, form_url, extra_context)

    def has_upload_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("imports.add_import")

    @action(description=_("Upload a file"), icon="upload_file", permissions=["upload"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        made: list[Import] = []

        def do(values: Mapping[str, Any]) -> str:
            made.append(
                services.upload(
                    kind=values["kind"], file=values["file"], mapping=values["mapping"],
                    actor=request.user,  # type: ignore[arg-type]  # staff are signed in
                )
            )  # fmt: skip
            return gettext("“%(file)s” is kept and waits for its turn.") % {"file": made[0].file_name}

        return ask(
            self, request, title=gettext("Upload a file"), submit=gettext("Upload"), back=list_url(Import), do=do,
            form=UploadForm(request.POST or None, request.FILES or None), go=lambda _values: change_url(made[0]),
            says=gettext(
                "All rows are taken, or none: every bad row is listed with its line, column, value and reason. Rows that"
                " came before, by their external id, are updated where they differ."
            ),
        )  # fmt: skip


def progress_of(one: Import) -> dict[str, Any]:
    rows, total = services.progress(one)
    running = one.state in (Import.State.WAITING, Import.State.RUNNING)
    return {
        "running": running,
        "state": one.get_state_display(),
        "steps": [
            {
                "key": "rows",
                "label": gettext("Rows"),
                "done": rows,
                "total": total,
                "says": f"{rows:,} / {total:,}" if total else f"{rows:,}",
            }
        ],
    }
