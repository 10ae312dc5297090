"""The journal, to read."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from common.admin import ReadOnlyAdmin
from journal.models import Entry


class VerbFilter(admin.SimpleListFilter):
    """By area, without reading the table for the verbs there are."""

    title = _("what")
    parameter_name = "about"
    AREAS = (
        ("partners.", _("Partners")), ("leads.", _("Leads and deals")), ("training.", _("Certificates")),
        ("tiers.placement", _("Tiers held")), ("tiers.edition", _("Editions")), ("tiers.enrollment", _("Enrollments")),
        ("tiers.attestation", _("Attestations")), ("commissions.", _("Money")), ("imports.", _("Imports")),
        ("rates.", _("Exchange rates")),
    )  # fmt: skip

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.AREAS)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(verb__startswith=self.value()) if self.value() else queryset


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "verb", "subject", "actor", "partner_id", "show_change")
    list_select_related = ("actor",)
    list_filter = (VerbFilter,)
    search_fields = ("=subject", "verb")
    search_help_text = _("A subject as it is written (leads.lead:12), or a part of what happened.")
    fields = ("at", "actor", "verb", "subject", "partner_id", "before", "after")

    @display(description=_("change"))
    def show_change(self, obj: Entry) -> str:
        said = json.dumps(obj.after, ensure_ascii=False)
        return said if len(said) <= 90 else f"{said[:89]}…"
