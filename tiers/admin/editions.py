"""Editions: a draft is edited, checked and published; what is published is read, and copied to a new draft."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import STATES, StaffAdmin, StaffForm, ask, change_url
from common.errors import ProgramError
from tiers import services
from tiers.admin.dry_runs import compare_url, in_force_beside
from tiers.admin.editor import EditorPages
from tiers.edition_words import edition_in_words
from tiers.models import Edition


class CopyForm(StaffForm):
    name = forms.CharField(label=_("Name"), max_length=80)
    starts_on = forms.DateField(label=_("Starts on"))


@admin.register(Edition)
class EditionAdmin(EditorPages, StaffAdmin):
    """The edition's own fields and its rules in words; its parts are edited on the editor's page."""

    list_display = ("name", "program", "starts_on", "show_state")
    list_select_related = ("program",)
    list_filter = ("program", "state")
    search_fields = ("name",)
    fields = ("program", "name", "starts_on", "notes", "state")
    readonly_fields = ("state",)
    change_form_before_template = "admin/tiers/edition_notice.html"
    change_form_after_template = "admin/tiers/edition_rules.html"
    actions_detail = ("edit_rules", "check_rules", "try_out", "compare", "publish", "copy")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        return super().get_queryset(request).select_related("program")

    def get_urls(self) -> list[URLPattern]:
        return [*self.editor_urls(), *super().get_urls()]

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Edition) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = super().get_readonly_fields(request, obj)
        return (*own, "program") if obj else own

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (not isinstance(obj, Edition) or is_draft(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and isinstance(obj, Edition) and is_draft(obj)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        edition = self.get_object(request, object_id) if object_id else None
        said: dict[str, Any] = {}
        if edition is not None:
            said = {"edition": edition, "words": edition_in_words(edition), "editor_url": editor_url(edition)}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **said})

    def save_model(self, request: HttpRequest, obj: Edition, form: Any, change: Any) -> None:
        services.save_draft(part=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in

    def delete_model(self, request: HttpRequest, obj: Edition) -> None:
        services.remove_from_draft(part=obj, actor=request.user)  # type: ignore[arg-type]

    def response_add(self, request: HttpRequest, obj: Edition, post_url_continue: str | None = None) -> HttpResponse:
        """A new edition has nothing yet: on to its parts."""
        messages.success(request, gettext("“%(edition)s” is a draft: give it tiers and measures.") % {"edition": obj})
        return HttpResponseRedirect(editor_url(obj))

    # --- Buttons ----------------------------------------------------------------------------------

    def has_edit_rules_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        edition = Edition.objects.filter(pk=object_id).only("state").first()
        return edition is not None and self.has_change_permission(request, edition)

    def has_publish_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.change_edition")

    def has_copy_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_edition")

    @action(description=_("Edit the rules"), icon="edit", permissions=["edit_rules"])
    def edit_rules(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(editor_url(get_object_or_404(Edition, pk=object_id)))

    @action(description=_("Check"), icon="rule", permissions=["view"])
    def check_rules(self, request: HttpRequest, object_id: str) -> HttpResponse:
        edition = get_object_or_404(Edition.objects.select_related("program"), pk=object_id)
        try:
            services.check_edition(edition)
        except ProgramError as problem:
            messages.error(request, str(problem))
        else:
            messages.success(request, gettext("Every rule and measure of this edition can be evaluated."))
        return HttpResponseRedirect(change_url(edition))

    def has_try_out_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("tiers.add_dryrun")

    @action(description=_("Try it out"), icon="science", permissions=["try_out"])
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:tiers_dryrun_run_dry')}?edition={object_id}")

    @action(description=_("Compare"), icon="difference", permissions=["view"])
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        edition = get_object_or_404(Edition.objects.select_related("program"), pk=object_id)
        older = in_force_beside(edition)
        if older is None:
            messages.info(request, gettext("The program has no other published edition to compare it with."))
            return HttpResponseRedirect(change_url(edition))
        return HttpResponseRedirect(compare_url(older, edition))

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


def is_draft(edition: Edition) -> bool:
    return edition.state == Edition.State.DRAFT


def editor_url(edition: Edition) -> str:
    return reverse("admin:tiers_edition_editor", args=[edition.pk])
