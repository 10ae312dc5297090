"""Staff's pages of exchange rates: the rates as they came, a pair over time, and files brought in."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from common.admin import ReadOnlyAdmin, StaffAdmin, StaffForm, ask, by_month, change_url, list_url
from common.periods import program_today
from imports import services as imports
from rates import services
from rates.history import SPANS, history, shown
from rates.imports import KIND, plain_mapping, source_of
from rates.models import STALE_DAYS, Rate, RateSource
from rates.rules import DECIMALS, DIGITS
from rates.selectors import CURRENCIES, currencies, newest
from rates.sources import BUILT_IN, MANUAL


def by_code(field: str, title: Any) -> type[admin.SimpleListFilter]:
    """A filter by a currency, of those that were quoted lately."""

    class CodeFilter(admin.SimpleListFilter):
        parameter_name = f"{field}__exact"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            known: list[str] | None = getattr(request, "_currencies", None)
            if known is None:
                known = request._currencies = currencies()  # type: ignore[attr-defined]
            asked = self.value()
            return [(code, code) for code in sorted({*known, *([asked] if asked else [])})]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    CodeFilter.title = title
    return CodeFilter


def source_choices() -> list[tuple[str, str]]:
    known = {code: str(name) for code, (name, _base) in BUILT_IN.items()}
    return sorted({**known, **{one.code: str(one) for one in RateSource.objects.all()}}.items())


class UploadForm(StaffForm):
    file = forms.FileField(label=_("File"), help_text=_("The ECB’s XML, CSV or zip; or CSV or Excel with the columns day, base, quote and value."))  # fmt: skip
    source = forms.ChoiceField(
        label=_("Whose rates"), choices=list, required=False,
        help_text=_("Empty: the ECB’s files are known by their form, any other is entered by hand."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["source"]).choices = [("", gettext("As the file says")), *source_choices()]


class EnterForm(StaffForm):
    source = forms.ChoiceField(label=_("Whose rate"), choices=list, initial=MANUAL)
    on = forms.DateField(label=_("Day"), widget=forms.DateInput)
    base = forms.CharField(label=_("One unit of"), max_length=3, help_text=_("Three letters (ISO 4217): EUR."))
    value = forms.DecimalField(label=_("is so many"), max_digits=DIGITS, decimal_places=DECIMALS, localize=True)
    quote = forms.CharField(label=_("units of"), max_length=3)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["source"]).choices = source_choices()

    def clean_base(self) -> str:
        return _currency(self.cleaned_data["base"])

    def clean_quote(self) -> str:
        return _currency(self.cleaned_data["quote"])


def _currency(code: str) -> str:
    if code.upper() not in CURRENCIES:
        raise forms.ValidationError(gettext("“%(code)s” is not a currency of ISO 4217.") % {"code": code})
    return code.upper()


class PairForm(StaffForm):
    source = forms.ChoiceField(label=_("Source"), choices=list)
    base = forms.ChoiceField(label=_("One unit of"), choices=list)
    quote = forms.ChoiceField(label=_("quoted in"), choices=list)
    span = forms.ChoiceField(label=_("Time span"), choices=[(code, label) for code, (label, _days) in SPANS.items()])

    def __init__(self, *args: Any, codes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["source"]).choices = source_choices()
        for name in ("base", "quote"):
            cast(forms.ChoiceField, self.fields[name]).choices = [(code, code) for code in codes]


@admin.register(Rate)
class RateAdmin(ReadOnlyAdmin):
    list_display = ("on", "show_pair", "show_value", "version", "source", "imported_at", "imported_by")
    list_display_links = ("on", "show_pair")
    list_select_related = ("source", "imported_by")
    list_filter = ("source", by_code("base", _("one unit of")), by_code("quote", _("quoted in")), by_month("on"))
    ordering = ("-on", "base", "quote", "-version")
    fields = ("source", "on", "base", "quote", "show_value", "version", "imported_at", "imported_by")
    readonly_fields = ("show_value",)
    actions_list = ("see_pair", "upload", "enter", "see_sources")
    list_before_template = "admin/rates/notice.html"

    @display(description=_("pair"), ordering="base")
    def show_pair(self, obj: Rate) -> str:
        return f"{obj.base}/{obj.quote}"

    @display(description=_("exchange rate"), ordering="value")
    def show_value(self, obj: Rate) -> str:
        return shown(obj.value)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With a word about the source in use, where it fell silent."""
        code = settings.EXCHANGE_RATE_SOURCE
        last = newest(code)
        silent = last is not None and (program_today() - last).days > STALE_DAYS
        notice = {
            "last": last, "days": (program_today() - last).days if last else 0, "silent": silent,
            "source": dict(source_choices()).get(code, code), "is_fetched": bool(settings.ECB_RATES_URL),
            "upload_url": reverse("admin:rates_rate_upload"), "may_upload": self.has_upload_permission(request),
        }  # fmt: skip
        return super().changelist_view(request, {**(extra_context or {}), "rate_notice": notice})

    def get_urls(self) -> list[Any]:
        pair = self.admin_site.admin_view(self.pair_view)
        return [path("pair/", pair, name="rates_rate_pair"), *super().get_urls()]

    def pair_view(self, request: HttpRequest) -> HttpResponse:
        """A pair over time, direct, inverse or crossed, as a chart with its table. Six queries."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        source = request.GET.get("source") or settings.EXCHANGE_RATE_SOURCE
        codes = currencies(source)
        asked = {
            "source": source, "base": request.GET.get("base") or ("EUR" if "EUR" in codes else next(iter(codes), "")),
            "quote": request.GET.get("quote") or ("USD" if "USD" in codes else next(iter(codes[1:]), "")),
            "span": request.GET.get("span") or "year",
        }  # fmt: skip
        form = PairForm(asked, codes=codes)
        seen = history(**asked) if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request), "opts": self.model._meta, "title": gettext("A pair over time"),
            "form": form, "seen": seen, "codes": codes, "is_popup": False, "back": list_url(Rate),
        }  # fmt: skip
        return TemplateResponse(request, "admin/rates/pair.html", context)

    @action(description=_("A pair over time"), icon="show_chart")
    def see_pair(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:rates_rate_pair"))

    @action(description=_("Sources"), icon="account_balance")
    def see_sources(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(list_url(RateSource))

    def has_upload_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("rates.add_rate")

    @action(description=_("Upload a file of rates"), url_path="upload", icon="upload_file", permissions=["upload"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        made: list[Any] = []

        def do(values: Mapping[str, Any]) -> str:
            source = source_of(values["file"].file, values["source"])
            made.append(
                imports.upload(
                    kind=KIND, file=values["file"], mapping=plain_mapping(source),
                    actor=request.user,  # type: ignore[arg-type]  # staff are signed in
                )
            )  # fmt: skip
            return gettext("“%(file)s” is kept and waits for its turn.") % {"file": made[0].file_name}

        def go(values: Mapping[str, Any]) -> str:
            return change_url(made[0]) if request.user.has_perm("imports.view_import") else list_url(Rate)

        return ask(
            self, request, title=gettext("Upload a file of rates"), submit=gettext("Upload"), back=list_url(Rate), do=do,
            form=UploadForm(request.POST or None, request.FILES or None), go=go,
            says=gettext(
                "All rates are taken, or none: every bad one is listed with its line and reason. A rate that is there"
                " already adds nothing; one that was corrected becomes a new version, and what used the earlier one keeps it."
            ),
        )  # fmt: skip

    @action(description=_("Enter a rate"), url_path="enter", icon="edit", permissions=["upload"])
    def enter(self, request: HttpRequest) -> HttpResponse:
        def do(values: Mapping[str, Any]) -> str:
            rate = {name: values[name] for name in ("base", "quote", "on", "value")}
            taken = services.publish_rates(
                rates=[{**rate, "source_id": values["source"]}],
                actor=request.user,  # type: ignore[arg-type]  # staff are signed in
            )
            return gettext("The rate was there already.") if taken.unchanged else gettext("The rate is kept.")

        return ask(
            self, request, title=gettext("Enter a rate"), submit=gettext("Keep it"), back=list_url(Rate), do=do,
            form=EnterForm(request.POST or None, initial={"on": program_today()}),
            says=gettext("A rate is never changed: where the day has one already, this one becomes its next version."),
        )  # fmt: skip


class SilentFilter(admin.SimpleListFilter):
    title = _("newest rate")
    parameter_name = "silent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("older than five days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return cast(Any, queryset).silent_on(program_today()) if self.value() else queryset


@admin.register(RateSource)
class RateSourceAdmin(StaffAdmin):
    list_display = ("code", "name", "base", "show_newest")
    list_filter = ("code", SilentFilter)
    fields = ("code", "name", "base")

    @display(description=_("newest rate"))
    def show_newest(self, obj: Any) -> Any:
        return obj.newest_on

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return RateSource.objects.with_newest(program_today())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = super().get_readonly_fields(request, obj)
        return own if obj is None else [*own, "code"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        services.save_source(source=obj, actor=request.user)  # type: ignore[arg-type]  # staff are signed in
