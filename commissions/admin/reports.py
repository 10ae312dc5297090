"""Reports of the ledger: what is owed, by currency and age; the month's journal for the bookkeeping."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from commissions import accounting
from commissions.export import DIALECTS, ENGLISH
from commissions.models import AccountCodes, Earning
from commissions.selectors.liability import AGES, Liability, liability
from common.admin import StaffAdmin, StaffForm, ask, list_url
from common.errors import ProgramError
from common.money import round_to_minor_unit
from common.periods import add_months, program_today
from common.sheets import BOM, Echo
from common.templatetags.show import month as month_shown


@admin.register(AccountCodes)
class AccountCodesAdmin(StaffAdmin):
    list_display = ("show_program", "expense", "liability")
    list_select_related = ("program",)

    @admin.display(description=_("program"))
    def show_program(self, obj: AccountCodes) -> str:
        return str(obj.program or gettext("every other program"))


class MonthForm(StaffForm):
    """One of the last 24 months that are over."""

    month = forms.ChoiceField(label=_("Month"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = program_today().replace(day=1)
        starts = [add_months(first, -back) for back in range(1, 25)]
        field = self.fields["month"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # declared above
        field.choices = [(start.isoformat(), month_shown(start)) for start in starts]


class ReportPages:
    """Buttons above the ledger, and the pages behind them: for who may see it."""

    def report_urls(self) -> list[URLPattern]:
        site: Any = self.admin_site  # type: ignore[attr-defined]
        return [
            path("liability/", site.admin_view(self.liability_view), name="commissions_earning_liability"),
            path("liability.csv", site.admin_view(self.liability_csv), name="commissions_earning_liability_csv"),
            path("journal.csv", site.admin_view(self.journal_csv), name="commissions_earning_journal"),
        ]

    def _may(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    @action(description=_("What is owed"), icon="account_balance", permissions=["view"])
    def owed(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:commissions_earning_liability"))

    @action(description=_("Journal for the bookkeeping"), icon="menu_book", permissions=["view"])
    def bookkeeping(self, request: HttpRequest) -> HttpResponse:
        """Asks for the month, and sends its file."""

        def do(values: Mapping[str, Any]) -> str:
            accounting.journal(date.fromisoformat(values["month"]))  # refuses here what it would refuse there
            return ""

        return ask(
            self, request, title=gettext("Journal for the bookkeeping"), form=MonthForm(request.POST or None), do=do,
            submit=gettext("Download"), back=list_url(Earning),
            go=lambda values: f"{reverse('admin:commissions_earning_journal')}?month={values['month']}",
            says=gettext(
                "Every line that was posted in the month, as two rows that balance: an expense, and what is owed to the partner."
                " Payments are not in it."
            ),
        )  # fmt: skip

    def liability_view(self, request: HttpRequest) -> HttpResponse:
        self._may(request)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": Earning._meta, "title": gettext("What is owed to partners"), "is_popup": False,
            "ages": [label for _key, label, _days in AGES], "owed": liability(program_today()), "today": program_today(),
            "download": reverse("admin:commissions_earning_liability_csv"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/commissions/liability.html", context)

    def liability_csv(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        self._may(request)
        return _csv(
            "".join(_liability_rows(liability(program_today()))), f"liability-{program_today().isoformat()}.csv"
        )

    def journal_csv(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        self._may(request)
        try:
            month = date.fromisoformat(request.GET.get("month", ""))
            rows = accounting.journal(month)
        except (ValueError, ProgramError) as refusal:
            return HttpResponse(str(refusal), status=400, content_type="text/plain; charset=utf-8")
        return _csv(rows, f"journal-{month:%Y-%m}.csv")


def _csv(rows: Any, name: str) -> StreamingHttpResponse | HttpResponse:
    respond = HttpResponse if isinstance(rows, str) else StreamingHttpResponse
    return respond(
        rows, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _liability_rows(found: list[Liability]) -> Iterator[str]:
    language = (get_language() or "en").split("-")[0]
    dialect = DIALECTS.get(language, ENGLISH)
    writer = csv.writer(Echo(), delimiter=dialect.delimiter, lineterminator="\r\n")
    yield BOM + writer.writerow(
        [
            gettext("Currency"),
            gettext("Where it stands"),
            *(str(label) for _key, label, _days in AGES),
            gettext("Total"),
        ]
    )
    for one in found:
        for row in one.rows:
            amounts = (round_to_minor_unit(amount, one.currency) for amount in (*row.by_age, row.total))
            yield writer.writerow(
                [
                    one.currency,
                    str(row.label),
                    *(f"{amount:f}".replace(".", dialect.decimal_mark) for amount in amounts),
                ]
            )
