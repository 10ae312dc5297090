"""What commissions tell those who may see their partner's pay."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from commissions.models import Statement
from journal import notices
from journal.models import Entry
from journal.notices import Facts, Kind, Members, Notice
from partners.roles import Right, roles_that_may

PAY = Kind("pay", _("Statements and pay"))
STATEMENT = Statement._meta.label_lower
ISSUED = "commissions.statement.issued"


def _statements(entries: Sequence[Entry]) -> dict[int, Facts]:
    rows = Statement.objects.filter(pk__in=notices.ids_of(entries, STATEMENT)).select_related("partner")
    statements = {f"{STATEMENT}:{one.pk}": one for one in rows}
    return {entry.pk: _facts(statements[entry.subject], entry) for entry in entries if entry.subject in statements}


def _facts(statement: Statement, entry: Entry) -> Facts:
    return {
        "statement": statement.pk, "partner": statement.partner.name, "month_on": statement.starts_on.isoformat(),
        "amount": entry.after.get("total", entry.after["amount"]), "currency": entry.after["currency"],
        "review_ends_on": entry.after.get("review_ends_on"),
    }  # fmt: skip


def register() -> None:
    notices.register(
        Notice(
            "commissions.issued", (ISSUED,), _("A statement was issued"), PAY, Members(roles_that_may(Right.SEE_PAY)),
            "commissions/mail/statement_issued", facts=_statements,
            link=lambda facts: reverse("portal:statement", args=[facts["statement"]]), go=_("See every line"),
            sample={"statement": 1, "partner": "Cycles Dupont", "month_on": "2026-03-01", "amount": "1234.5000",
                    "currency": "EUR"},
        )
    )  # fmt: skip
    notices.publish(ISSUED, _("A statement was issued"), "amount", "currency", "month")
