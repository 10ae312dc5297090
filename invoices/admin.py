"""Staff's pages of invoicing: documents to read and export, legal details and partners' invoices to decide, own details to keep."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Min
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from commissions.models import Statement
from common import documents
from common.admin import (
    STATES,
    ReadOnlyAdmin,
    StaffAdmin,
    StaffForm,
    ask,
    by_currency,
    by_month,
    change_url,
    list_url,
    with_totals,
)
from common.periods import add_months, program_today
from common.templatetags.show import money, percent
from common.templatetags.show import month as month_shown
from common.texts import TextsFormField, TextsWidget
from invoices import selectors, services, texts
from invoices.errors import IdentityError
from invoices.files import archive, download, of_month
from invoices.forms import country_choices
from invoices.models import (
    Invoice,
    InvoiceSettings,
    Mandate,
    MandateText,
    PartnerIdentity,
    Series,
    UploadedInvoice,
    VendorIdentity,
    Waiting,
)
from invoices.services.identities import WHO
from journal import services as journal
from tiers import selectors as tiers


class Amounts:
    """Columns of a document's amounts, with its currency."""

    @display(description=_("without tax"), ordering="net")
    def show_net(self, obj: Any) -> str:
        return money(obj.net, obj.currency)

    @display(description=_("tax"), ordering="tax")
    def show_tax(self, obj: Any) -> str:
        return money(obj.tax, obj.currency)

    @display(description=_("with tax"), ordering="gross")
    def show_gross(self, obj: Any) -> str:
        return money(obj.gross, obj.currency)

    @display(description=_("state"), ordering="state", label=STATES)
    def show_state(self, obj: Any) -> tuple[str, str]:
        return obj.state, obj.get_state_display()


class MonthForm(StaffForm):
    month = forms.ChoiceField(label=_("Month"))

    def __init__(self, *args: Any, months: list[date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = [(one.isoformat(), month_shown(one)) for one in months]  # type: ignore[attr-defined]


@admin.register(Invoice)
class InvoiceAdmin(Amounts, ReadOnlyAdmin):
    """What was written. Nobody adds, changes or deletes a document; a credit note takes one back."""

    list_display = ("number", "kind", "partner", "issued_on", "show_net", "show_tax", "show_gross", "tax_category")
    list_select_related = ("partner",)
    list_filter = ("kind", by_month("issued_on"), by_currency(tiers.currencies), "tax_category")
    search_fields = ("=number", "partner__name", "=sha256")
    search_help_text = _("A whole number, a part of the partner’s name, or a SHA-256.")
    list_before_template = "admin/list_totals.html"
    fields = ("number", "kind", "partner", "statement", "issued_on", "due_on", "show_net", "show_tax", "show_gross",
              "tax_category", "show_rate", "show_mention", "seller", "buyer", "mandate", "language", "show_checks", "sha256", "size",
              "made_at", "made_by")  # fmt: skip
    readonly_fields = fields
    actions_list = ("export_month",)
    actions_detail = ("download_file",)

    @display(description=_("VAT rate"))
    def show_rate(self, obj: Invoice) -> str:
        return percent(obj.tax_rate)

    @display(description=_("tax mention"))
    def show_mention(self, obj: Invoice) -> str:
        return texts.reasons([selectors.terms_of(obj)])[obj.tax_mention] or "–"

    @display(description=_("checked against"))
    def show_checks(self, obj: Invoice) -> str:
        return "\n".join(obj.validated_against)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return with_totals(super().changelist_view(request, extra_context), "gross")

    def get_urls(self) -> list[Any]:
        month = self.admin_site.admin_view(self.month_view)
        return [path("month/<int:year>-<int:month>.zip", month, name="invoices_invoice_month"), *super().get_urls()]

    def has_read_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request)

    @action(description=_("Download"), icon="download", permissions=["read"])
    def download_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return download(get_object_or_404(Invoice, pk=object_id))

    @action(description=_("Export a month"), icon="folder_zip", permissions=["read"])
    def export_month(self, request: HttpRequest) -> HttpResponse:
        bounds = Invoice.objects.aggregate(first=Min("issued_on"), last=Max("issued_on"))
        months, month = [], (bounds["last"] or program_today()).replace(day=1)
        while month >= (bounds["first"] or program_today()).replace(day=1):
            months.append(month)
            month = add_months(month, -1)
        form = MonthForm(request.POST or None, months=months)

        def go(values: Mapping[str, Any]) -> str:
            chosen = date.fromisoformat(values["month"])
            return reverse("admin:invoices_invoice_month", args=[chosen.year, chosen.month])

        return ask(
            self, request, title=gettext("Export a month"), form=form, do=lambda values: "", go=go, back=list_url(Invoice),
            says=gettext("Every document of the month as it is stored, and a table of them, in one ZIP."),
            submit=gettext("Export"),
        )  # fmt: skip

    def month_view(self, request: HttpRequest, year: int, month: int) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            first = date(year, month, 1)
        except ValueError:
            return HttpResponseRedirect(list_url(Invoice))
        if not of_month(first).exists():
            return HttpResponseRedirect(list_url(Invoice))
        return StreamingHttpResponse(
            archive(first), content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="invoices-{first:%Y-%m}.zip"'},
        )  # fmt: skip


@admin.register(Series)
class SeriesAdmin(ReadOnlyAdmin):
    list_display = ("partner", "kind", "year", "show_last", "last_on")
    list_select_related = ("partner",)
    list_filter = ("kind", "year")
    search_fields = ("partner__name",)
    ordering = ("-year", "-last_on")
    fields = ("partner", "kind", "year", "last", "last_on")
    readonly_fields = fields

    @display(description=_("last number"), ordering="last")
    def show_last(self, obj: Series) -> str:
        return str(obj)


@admin.register(Waiting)
class WaitingAdmin(ReadOnlyAdmin):
    """Statements whose document could not be written, and what to do about it. The night tries again."""

    list_display = ("show_partner", "statement", "show_reason", "since", "tried_at")
    list_select_related = ("statement__partner",)
    list_filter = ("reason",)
    search_fields = ("statement__partner__name",)
    fields = ("statement", "show_reason", "detail", "since", "tried_at")
    readonly_fields = fields
    actions_list = ("try_again",)

    @display(description=_("partner"), ordering="statement__partner__name")
    def show_partner(self, obj: Waiting) -> str:
        return str(obj.statement.partner)

    @display(description=_("reason"), ordering="reason")
    def show_reason(self, obj: Waiting) -> str:
        return obj.get_reason_display()

    def has_try_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("invoices.add_invoice")

    @action(description=_("Try again"), icon="refresh", permissions=["try"])
    def try_again(self, request: HttpRequest) -> HttpResponse:
        """The oldest of them now; the night takes the rest."""
        oldest = Statement.objects.filter(pk__in=Waiting.objects.order_by("since").values("pk")[:TRIED_AT_ONCE])

        def do(_values: Mapping[str, Any]) -> str:
            made = services.issue_for(oldest, on=program_today(), actor=request.user)  # type: ignore[arg-type]
            return ngettext("%(count)s is written.", "%(count)s are written.", len(made)) % {"count": len(made)}

        return ask(
            self, request, title=gettext("Try again"), do=do, submit=gettext("Try again"), back=list_url(Waiting),
            says=gettext("This tries to write the oldest %(count)s now. The night tries all of them.") % {"count": TRIED_AT_ONCE},
        )  # fmt: skip


TRIED_AT_ONCE = 20


class ReasonForm(StaffForm):
    reason = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class Decided(Amounts, ReadOnlyAdmin):
    """Rows that partners send and staff accept or refuse."""

    list_filter: Any = ("state",)
    actions_detail: Any = ("accept", "refuse")

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        name = f"{self.opts.app_label}.change_{self.opts.model_name}"
        if not request.user.has_perm(name):
            return False
        return object_id is None or self.model.objects.filter(pk=object_id, state="submitted").exists()

    def decide(self, row: Any, *, accept: bool, actor: Any, reason: str = "") -> Any:
        raise NotImplementedError

    @action(description=_("Accept"), icon="check", permissions=["decide"])
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = get_object_or_404(self.model, pk=object_id)

        def do(_values: Mapping[str, Any]) -> str:
            self.decide(row, accept=True, actor=request.user)
            return gettext("Accepted: %(row)s") % {"row": row}

        return ask(
            self, request, title=gettext("Accept: %(row)s") % {"row": row}, do=do, submit=gettext("Accept"), back=change_url(row),
            facts=self.facts(row),
        )  # fmt: skip

    @action(description=_("Refuse"), icon="close", permissions=["decide"])
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = get_object_or_404(self.model, pk=object_id)

        def do(values: Mapping[str, Any]) -> str:
            self.decide(row, accept=False, actor=request.user, reason=values["reason"])
            return gettext("Refused: %(row)s") % {"row": row}

        return ask(
            self, request, title=gettext("Refuse: %(row)s") % {"row": row}, form=ReasonForm(request.POST or None), do=do,
            says=gettext("The partner reads why."), submit=gettext("Refuse"), back=change_url(row), danger=True,
        )  # fmt: skip

    def facts(self, row: Any) -> dict[str, str]:
        return {}


@admin.register(PartnerIdentity)
class PartnerIdentityAdmin(Decided):
    list_display = ("name", "partner", "country", "tax_status", "vat_number", "starts_on", "show_state")
    list_select_related = ("partner",)
    list_filter = ("state", "tax_status")
    search_fields = ("name", "partner__name", "=vat_number", "=registration_number")
    fields = ("partner", "show_state", "name", "street", "street2", "postal_code", "city", "country", "tax_status", "vat_number",
              "registration_number", "establishment_number", "legal_line", "exemption", "exemption_code", "language", "starts_on",
              "recorded_at", "recorded_by", "decided_at", "decided_by", "reason")  # fmt: skip
    readonly_fields = fields

    def decide(self, row: Any, *, accept: bool, actor: Any, reason: str = "") -> Any:
        return services.decide_identity(identity=row, accept=accept, actor=actor, reason=reason)

    def facts(self, row: PartnerIdentity) -> dict[str, str]:
        """What differs from the details that stand."""
        standing = selectors.identities([row.partner_id], program_today()).get(row.partner_id)
        names = [
            name for name in (*WHO, "tax_status", "exemption") if getattr(row, name) != getattr(standing, name, "")
        ]
        return {
            str(row._meta.get_field(name).verbose_name).capitalize():  # type: ignore[union-attr]
            f"{getattr(standing, name, '') or '–'} → {getattr(row, name) or '–'}"
            for name in names
        }  # fmt: skip


@admin.register(UploadedInvoice)
class UploadedInvoiceAdmin(Decided):
    list_display = (
        "number",
        "partner",
        "statement",
        "issued_on",
        "show_net",
        "show_tax",
        "show_gross",
        "sent_at",
        "show_state",
    )
    list_select_related = ("partner", "statement__partner")
    list_filter = ("state", by_month("issued_on"), by_currency(tiers.currencies))
    search_fields = ("=number", "partner__name")
    fields = ("number", "partner", "statement", "show_state", "issued_on", "show_net", "show_tax", "show_gross", "show_document",
              "profile", "sha256", "sent_at", "sent_by", "decided_at", "decided_by", "reason")  # fmt: skip
    readonly_fields = fields

    def decide(self, row: Any, *, accept: bool, actor: Any, reason: str = "") -> Any:
        return services.decide_upload(upload=row, accept=accept, actor=actor, reason=reason)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.document_view)
        return [path("<int:pk>/document/", view, name="invoices_uploadedinvoice_document"), *super().get_urls()]

    @display(description=_("document"))
    def show_document(self, obj: UploadedInvoice) -> str:
        address = reverse("admin:invoices_uploadedinvoice_document", args=[obj.pk])
        return format_html('<a class="pp-link" href="{}">{}</a>', address, obj.document_name)

    def document_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        sent = get_object_or_404(UploadedInvoice, pk=pk)
        return documents.to_download(sent.document, sent.document_name)


@admin.register(Mandate)
class MandateAdmin(ReadOnlyAdmin):
    list_display = ("partner", "text", "accepted_at", "accepted_by", "starts_on", "ends_on")
    list_select_related = ("partner", "text", "accepted_by")
    list_filter = (("ends_on", admin.EmptyFieldListFilter), "text")
    search_fields = ("partner__name",)


@admin.register(MandateText)
class MandateTextAdmin(ReadOnlyAdmin):
    """What was accepted never changes: other words are another version, which partners accept anew."""

    list_display = ("version", "recorded_at", "recorded_by")
    list_select_related = ("recorded_by",)
    fields = ("version", "show_text", "recorded_at", "recorded_by")
    readonly_fields = fields
    actions_list = ("publish",)

    @display(description=_("text"))
    def show_text(self, obj: MandateText) -> str:
        return "\n\n".join(f"[{code}]\n{text}" for code, text in sorted(obj.text.items()))

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("invoices.add_mandatetext")

    @action(description=_("Publish other words"), icon="publish", permissions=["publish"])
    def publish(self, request: HttpRequest) -> HttpResponse:
        latest = selectors.mandate_text()
        form = WordsForm(request.POST or None, initial={"text": latest.text if latest else {}})

        def do(values: Mapping[str, Any]) -> str:
            made = services.publish_mandate_text(text=values["text"], actor=request.user)  # type: ignore[arg-type]
            return gettext("Version %(version)s is published.") % {"version": made.version}

        return ask(
            self, request, title=gettext("Publish other words of the mandate"), form=form, do=do, submit=gettext("Publish"),
            back=list_url(MandateText),
            says=gettext("Mandates that stand stay on their words; their partners are asked to accept the new ones."),
        )  # fmt: skip


class WordsForm(StaffForm):
    text = TextsFormField(label=_("Text"), widget=TextsWidget(UnfoldAdminTextareaWidget, attrs={"rows": 18}))


class VendorForm(StaffForm):
    starts_on = forms.DateField(label=_("From"), help_text=_("The first day whose documents name these details."))
    name = forms.CharField(label=_("Legal name"), max_length=200)
    country = forms.ChoiceField(label=_("Country"))
    street = forms.CharField(label=_("Street"), max_length=200)
    street2 = forms.CharField(label=_("Street, second line"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20)
    city = forms.CharField(label=_("City"), max_length=120)
    vat_number = forms.CharField(label=_("VAT number"), max_length=30, required=False)
    registration_number = forms.CharField(label=_("Registration number"), max_length=40, required=False,
                                          help_text=_("In France the SIREN, nine digits."))  # fmt: skip
    establishment_number = forms.CharField(label=_("SIRET"), max_length=20, required=False)
    legal_line = forms.CharField(label=_("Legal line"), max_length=300, required=False,
                                 help_text=_("Legal form, capital and register."))  # fmt: skip
    mentions = TextsFormField(label=_("Mentions"), required=False, widget=TextsWidget(UnfoldAdminTextareaWidget),
                              help_text=_("What else stands at the end of every document."))  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_choices()  # type: ignore[attr-defined]


@admin.register(VendorIdentity)
class VendorIdentityAdmin(ReadOnlyAdmin):
    """The customer on every document. A change is another row from a day on: documents that were written stay as they are."""

    list_display = ("name", "country", "vat_number", "starts_on", "recorded_by")
    list_select_related = ("recorded_by",)
    actions_list = ("record",)

    def has_record_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("invoices.add_vendoridentity")

    @action(description=_("Change"), icon="edit", permissions=["record"])
    def record(self, request: HttpRequest) -> HttpResponse:
        today = program_today()
        standing = selectors.vendor_identity(today)
        initial: dict[str, Any] = {name: getattr(standing, name) for name in (*WHO, "mentions")} if standing else {
            "name": settings.VENDOR_NAME
        }  # fmt: skip
        form = VendorForm(request.POST or None, initial={**initial, "starts_on": today})

        def do(values: Mapping[str, Any]) -> str:
            fields = {name: values[name] for name in WHO}
            try:
                made = services.record_vendor_identity(
                    fields=fields, starts_on=values["starts_on"], mentions=values["mentions"] or {}, actor=request.user  # type: ignore[arg-type]
                )  # fmt: skip
            except IdentityError as refusal:
                for name, text in refusal.problems.items():
                    form.add_error(name or None, text)
                raise IdentityError(gettext("Mend what stands beside the fields.")) from refusal
            return gettext("Kept: %(name)s") % {"name": made}

        return ask(
            self, request, title=gettext("Own legal details"), form=form, do=do, submit=gettext("Keep"),
            back=list_url(VendorIdentity),
            says=gettext("They stand on every document from that day on; those written before stay as they are."),
        )  # fmt: skip


@admin.register(InvoiceSettings)
class InvoiceSettingsAdmin(StaffAdmin):
    """One row."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not InvoiceSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        row = InvoiceSettings.objects.first()
        if row is not None and self.has_view_permission(request):
            return HttpResponseRedirect(change_url(row))
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: InvoiceSettings, form: Any, change: Any) -> None:
        journal.save(row=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in
