"""What the bank sent, read back: the file goes in, the page says what it matched."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import ReadOnlyAdmin, StaffForm, ask, change_url, list_url
from common.templatetags.show import quantity
from payouts import selectors
from payouts.models import BankFile
from payouts.services import settling


class ReadForm(StaffForm):
    file = forms.FileField(label=_("File"), help_text=_("A pain.002 or a camt.054, as the bank gives it."))


@admin.register(BankFile)
class BankFileAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "taken_at", "taken_by", "show_matched", "show_known", "show_unmatched")
    list_select_related = ("taken_by",)
    list_filter = ("kind",)
    search_fields = ("name", "=message_id", "=sha256")
    change_form_before_template = "admin/payouts/bank_file.html"
    actions_list = ("read",)
    fields = ("kind", "name", "message_id", "sha256", "taken_by", "taken_at")
    readonly_fields = fields

    @display(description=_("matched"))
    def show_matched(self, obj: BankFile) -> str:
        return quantity(obj.report["counts"]["matched"])

    @display(description=_("already known"))
    def show_known(self, obj: BankFile) -> str:
        return quantity(obj.report["counts"]["known"])

    @display(description=_("not ours"))
    def show_unmatched(self, obj: BankFile) -> str:
        return quantity(obj.report["counts"]["unmatched"])

    def has_read_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payouts.add_bankfile")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        kept = self.get_object(request, object_id) if object_id else None
        told = {"parts": selectors.report(kept)} if kept is not None else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})

    @action(description=_("Read a file of the bank"), icon="upload_file", permissions=["read"])
    def read(self, request: HttpRequest) -> HttpResponse:
        taken: list[BankFile] = []

        def do(values: Mapping[str, Any]) -> str:
            file = values["file"]
            kept, is_new = settling.read_bank_file(
                content=file.read(settings.BANK_FILE_MAX_BYTES + 1), name=file.name,
                actor=request.user,  # type: ignore[arg-type]  # staff are signed in
            )  # fmt: skip
            taken.append(kept)
            if not is_new:
                messages.info(
                    request, gettext("This file was read before: nothing changed. This is what it said then.")
                )
                return ""
            return gettext("The file is read.")

        return ask(
            self, request, title=gettext("Read a file of the bank"), form=ReadForm(request.POST or None, request.FILES or None),
            do=do, submit=gettext("Read"), back=list_url(BankFile), go=lambda _values: change_url(taken[0]),
            says=gettext(
                "Payments are marked paid, failed or returned as it says: all of the file or nothing. The same file twice"
                " changes nothing."
            ),
        )  # fmt: skip
