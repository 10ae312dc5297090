"""The documents of a statement, for its page in the portal."""

from django.urls import reverse

from commissions import papers
from commissions.models import Statement
from invoices.models import Invoice


def papers_of(statement: Statement) -> list[papers.Paper]:
    """Its self-billed invoice, and the credit note that took it back. One query."""
    return [
        papers.Paper(f"{one.get_kind_display()} {one.number}", reverse("portal:invoicing-document", args=[one.pk]))
        for one in Invoice.objects.filter(statement=statement).order_by("pk")
    ]


def register() -> None:
    papers.register(papers_of)
