"""Numbers without a gap and documents written once, with everybody at it at the same time, in real threads."""

from datetime import date
from typing import Any

import pytest
from django.db import connection

from commissions.models import Statement
from common.pdf import PdfError
from common.periods import program_today
from invoices import printing
from invoices.models import Invoice, InvoiceFile, Mandate, Series, Waiting
from invoices.services import accept_mandate, issue_for
from journal.models import Entry
from tests.commissions.facts import sell
from tests.commissions.test_concurrency import at_once
from tests.factories import make_partner, make_portal_user
from tests.invoices.facts import GERMAN, approve, drafted, identified, program_that_pays, ready_partner, vendor, words

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
TODAY = program_today()
MONTHS = 8


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[Statement]:
    """Eight approved statements of one partner; printing is not what this is about."""
    monkeypatch.setattr(printing, "pdf_of", lambda document, **_more: b"%PDF-" + document.number.encode())
    vendor()
    program = program_that_pays()
    partner = ready_partner(program, GERMAN)
    for month in range(1, MONTHS + 1):
        sell(partner, "1000.00", date(2026, month, 10), currency="EUR")
    drafted(program, date(2026, MONTHS, 10))
    return [approve(one) for one in Statement.objects.order_by("pk")]


def places() -> list[int]:
    return list(Invoice.objects.order_by("place").values_list("place", flat=True))


def test_six_at_once_write_each_document_once_without_a_gap(statements: list[Statement]) -> None:
    orders = [
        statements,
        statements[::-1],
        statements[3:] + statements[:3],
        statements[::2],
        statements[1::2],
        statements,
    ]
    outcomes = at_once(*[lambda asked=asked: issue_for(asked, on=TODAY) for asked in orders])  # type: ignore[misc]
    assert [type(one) for one in outcomes] == [dict] * 6
    assert places() == list(range(1, MONTHS + 1))
    assert Invoice.objects.values("statement").distinct().count() == InvoiceFile.objects.count() == MONTHS
    assert Series.objects.get().last == MONTHS
    assert Entry.objects.filter(verb="invoices.invoice.issued").count() == MONTHS
    assert {one[statements[0].pk] for one in (outcomes[0], outcomes[1])} == {
        Invoice.objects.get(statement=statements[0])
    }  # type: ignore[index]


def test_attempts_that_fail_in_the_middle_leave_no_gap(
    statements: list[Statement], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def every_other(document: Any, **_more: Any) -> bytes:
        asked.append(1)
        if len(asked) % 2:
            raise PdfError("out of paper")
        return b"%PDF-" + document.number.encode()

    monkeypatch.setattr(printing, "pdf_of", every_other)
    for _attempt in range(MONTHS):
        at_once(*[lambda: issue_for(statements, on=TODAY)] * 3)
        assert places() == list(range(1, len(places()) + 1))
        assert [one.number for one in Invoice.objects.order_by("place")] == [
            one.series.number(one.place) for one in Invoice.objects.order_by("place").select_related("series")
        ]
    assert places() == list(range(1, MONTHS + 1))
    assert not Waiting.objects.exists()


def test_a_mandate_accepted_by_two_people_at_once_is_one(statements: list[Statement]) -> None:
    partner = make_partner()
    identified(partner, GERMAN)
    people = [make_portal_user(partner) for _number in range(4)]
    text = words()
    outcomes = at_once(*[
        lambda person=person: accept_mandate(partner=partner, text=text, language="en", actor=person) for person in people  # type: ignore[misc]
    ])  # fmt: skip
    assert len({one.pk for one in outcomes}) == 1  # type: ignore[attr-defined]
    assert Mandate.objects.filter(partner=partner).count() == 1
