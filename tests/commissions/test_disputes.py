"""Disputes: who may question what until when, what an answer does, the clock, and the notices."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from commissions import services
from commissions.errors import DisputeError
from commissions.models import Dispute, Earning, Statement, StatementSettings
from common.errors import DocumentError
from common.periods import program_today
from journal.models import Entry
from partners.models import Partner
from tests.commissions.disputes_facts import approve_all, issue_all, line_of, posting_adjustments, question
from tests.commissions.facts import holding, paying_program, run_night, sell
from tests.factories import make_portal_user, make_staff
from tiers.models import Program

pytestmark = pytest.mark.django_db
D = Decimal
TODAY = date(2026, 4, 2)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-04-02T10:00:00+00:00", tick=False) as traveller:
        yield traveller


@pytest.fixture
def program() -> Program:
    return paying_program({"level-1": D("0.1")})


@pytest.fixture
def partner(program: Program) -> Partner:
    made = holding(program)
    sell(made, "1000", date(2026, 3, 10))
    run_night(program, TODAY)
    return made


@pytest.fixture
def owner(partner: Partner) -> User:
    return make_portal_user(partner)


@pytest.fixture
def line(partner: Partner) -> Earning:
    return line_of(partner, "100")


def test_a_question_is_written_down_with_its_clock(line: Earning, owner: User) -> None:
    dispute = question(line, owner, expected=D("150.00"), document=SimpleUploadedFile("mail.pdf", b"%PDF-1"))
    assert (dispute.state, dispute.asked, dispute.due_on) == ("open", D("50.00"), date(2026, 4, 7))
    message = dispute.messages.get()
    assert (message.text, message.by_staff, message.document_name) == ("Gold, not Silver", False, "mail.pdf")
    entry = Entry.objects.get(verb="commissions.dispute.opened")
    assert (entry.actor, entry.partner_id) == (owner, line.partner_id)
    assert entry.after == {"category": "rate", "due_on": "2026-04-07", "line": line.pk, "expected": "150.00"}


REFUSED: dict[str, dict[str, Any]] = {
    "nothing said": {"text": "  "},
    "the amount it has": {"expected": D("100.00")},
    "half a cent": {"expected": D("100.005")},
}


@pytest.mark.parametrize("over", REFUSED.values(), ids=REFUSED.keys())
def test_a_question_that_asks_nothing_is_refused(over: dict[str, Any], line: Earning, owner: User) -> None:
    with pytest.raises(DisputeError), transaction.atomic():
        question(line, owner, **over)
    assert not Dispute.objects.exists()


def test_a_document_that_is_none_is_refused(line: Earning, owner: User) -> None:
    with pytest.raises(DocumentError), transaction.atomic():
        question(line, owner, document=SimpleUploadedFile("mail.pdf", b"MZ"))
    assert not Dispute.objects.exists()


def test_one_line_has_one_open_dispute(line: Earning, owner: User) -> None:
    first = question(line, owner)
    with pytest.raises(DisputeError, match="questioned already"):
        question(line, owner)
    with pytest.raises(IntegrityError, match="one_open_dispute|UNIQUE"), transaction.atomic():
        Dispute.objects.create(
            earning=line,
            partner=line.partner,
            category="other",
            opened_at=first.opened_at,
            opened_by=owner,
            due_on=TODAY,
        )
    services.withdraw_dispute(dispute=first, actor=owner)
    assert question(line, owner).state == "open"


def test_a_line_may_be_questioned_until_its_review_ends(
    line: Earning, owner: User, clock: time_machine.Traveller
) -> None:
    issue_all()
    assert services.why_closed(Statement.objects.get()) == ""
    clock.move_to("2026-04-11T10:00:00+00:00")
    assert services.why_closed(Statement.objects.get()) == ""
    clock.move_to("2026-04-12T10:00:00+00:00")
    with pytest.raises(DisputeError, match="until 11 April 2026"):
        question(line, owner)
    approve_all()
    with pytest.raises(DisputeError, match="not in review"):
        question(line, owner)


def test_answers_are_final(line: Earning, owner: User) -> None:
    staff = make_staff()
    dispute = question(line, owner, expected=D(150))
    services.refuse_dispute(dispute=dispute, answer="Silver until April", actor=staff)
    for again in (
        lambda: services.refuse_dispute(dispute=dispute, answer="No", actor=staff),
        lambda: services.withdraw_dispute(dispute=dispute, actor=owner),
        lambda: services.write_message(dispute=dispute, text="But", actor=owner, by_staff=False),
        lambda: services.accept_dispute(dispute=dispute, amount=D(50), answer="", actor=staff),
    ):
        with pytest.raises(DisputeError, match="closed: refused"):
            again()
    with pytest.raises(IntegrityError, match="answered is never changed"), transaction.atomic():
        Dispute.objects.update(answer="Yes")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        dispute.messages.update(text="x")
    entry = Entry.objects.get(verb="commissions.dispute.refused")
    assert (entry.actor, entry.after) == (staff, {"answer": "Silver until April"})


def test_whole_and_part(line: Earning, owner: User) -> None:
    staff = make_staff()
    with posting_adjustments() as asked:
        dispute = question(line, owner, expected=D(150))
        for amount, answer in ((D(51), ""), (D(-1), ""), (D(0), ""), (D("0.001"), ""), (D(20), " ")):
            with pytest.raises(DisputeError), transaction.atomic():
                services.accept_dispute(dispute=dispute, amount=amount, answer=answer, actor=staff)
        assert asked == []
        part = services.accept_dispute(dispute=dispute, amount=D(20), answer="Half the month", actor=staff)
        assert (part.state, part.amount, part.adjustment.amount) == ("partly", D(20), D(20))  # type: ignore[union-attr]
        whole = services.accept_dispute(
            dispute=question(line, owner, expected=D(150)), amount=D(50), answer="", actor=staff
        )
        assert whole.state == "accepted"
        open_ended = services.accept_dispute(dispute=question(line, owner), amount=D(-7), answer="", actor=staff)
        assert (open_ended.state, asked[-1]["amount"]) == ("accepted", D(-7))


def test_who_opened_it_does_not_answer_it_and_nobody_accepts_without_a_ledger(
    line: Earning, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, other = make_staff(), make_staff()
    dispute = question(line, staff)
    with pytest.raises(DisputeError, match="Somebody else"):
        services.refuse_dispute(dispute=dispute, answer="No", actor=staff)
    monkeypatch.setattr("commissions.services.disputes.adjuster", lambda: None)
    with pytest.raises(DisputeError, match="posts adjustments"):
        services.accept_dispute(dispute=dispute, amount=D(1), answer="", actor=other)
    dispute.refresh_from_db()
    assert dispute.state == "open"


def test_the_night_says_once_that_the_clock_ran_out(line: Earning, owner: User, program: Program) -> None:
    dispute = question(line, owner)
    run_night(program, date(2026, 4, 7))
    assert not Entry.objects.filter(verb="commissions.dispute.overdue").exists()
    run = run_night(program, date(2026, 4, 8))
    run_night(program, date(2026, 4, 9))
    assert run.totals["disputes_overdue"] == 1
    entry = Entry.objects.get(verb="commissions.dispute.overdue")
    assert (entry.partner_id, entry.after) == (line.partner_id, {"due_on": "2026-04-07"})
    dispute.refresh_from_db()
    assert dispute.escalated_on == date(2026, 4, 8)


# --- Pages ----------------------------------------------------------------------------------------


def test_a_partner_questions_writes_and_withdraws_in_the_portal(line: Earning, owner: User, client: Client) -> None:
    client.force_login(owner)
    new = reverse("portal:dispute-new", args=[line.pk])
    assert new in client.get(reverse("portal:earning", args=[line.pk])).content.decode()
    refused = client.post(new, {"category": "rate", "text": "Gold", "expected": "lots"})
    assert (refused.status_code, refused.context["form"]["text"].value()) == (422, "Gold")
    document = SimpleUploadedFile("mail.pdf", b"%PDF-1")
    sent = client.post(new, {"category": "rate", "text": "Gold", "expected": "150.00", "document": document})
    dispute = Dispute.objects.get()
    page = reverse("portal:dispute", args=[dispute.pk])
    assert (sent["Location"], dispute.expected, dispute.opened_by) == (page, D(150), owner)
    assert client.get(new)["Location"] == page
    assert client.post(page, {"text": "One more thing"})["Location"] == page
    assert "+$50.00" in client.get(page).content.decode()
    file = client.get(reverse("portal:dispute-document", args=[dispute.messages.first().pk]))  # type: ignore[union-attr]
    assert b"".join(file.streaming_content) == b"%PDF-1"  # type: ignore[attr-defined]
    assert client.post(page, {"withdraw": "1"})["Location"] == page
    dispute.refresh_from_db()
    assert (dispute.state, dispute.messages.count()) == ("withdrawn", 2)
    assert "Withdrawn" in client.get(reverse("portal:disputes")).content.decode()


def test_pages_cost_the_same_however_much_is_questioned(
    partner: Partner, owner: User, program: Program, client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        sell(partner, f"{2000 + number}", date(2026, 3, 11))
    run_night(program, TODAY)
    issue_all()
    for line in Earning.objects.filter(partner=partner)[:6]:
        question(line, owner)
    approve_all()
    client.force_login(owner)
    statement = Statement.objects.get()
    dispute = Dispute.objects.first()
    assert dispute is not None
    for address in (
        reverse("portal:statements"), reverse("portal:statement", args=[statement.pk]), reverse("portal:disputes"),
        reverse("portal:dispute", args=[dispute.pk]), reverse("portal:earning", args=[dispute.earning_id]),
    ):  # fmt: skip
        with django_assert_max_num_queries(20):
            assert client.get(address).status_code == 200


def test_staff_answer_from_the_queue(line: Earning, owner: User, client: Client) -> None:
    dispute = question(line, owner, expected=D(150))
    staff = make_staff()
    client.force_login(staff)
    Dispute.objects.update(due_on=TODAY - timedelta(days=1))
    queue = client.get(reverse("admin:commissions_dispute_changelist"), {"clock": "late"})
    assert "1 day late" in queue.content.decode()
    client.post(reverse("admin:commissions_dispute_write", args=[dispute.pk]), {"_ask": "1", "text": "We look"})
    assert dispute.messages.last().by_staff  # type: ignore[union-attr]
    with posting_adjustments():
        address = reverse("admin:commissions_dispute_accept", args=[dispute.pk])
        refused = client.post(address, {"_ask": "1", "amount": "60"})
        assert "asked for" in str(refused.context["form"].non_field_errors())
        client.post(address, {"_ask": "1", "amount": "50"})
    dispute.refresh_from_db()
    assert (dispute.state, dispute.answered_by) == ("accepted", staff)


def test_machines_question_and_withdraw(line: Earning, owner: User, client: Client) -> None:
    client.force_login(owner)
    asked = {"earning": line.pk, "category": "rate", "text": "Gold", "expected": "150.00"}
    made = client.post("/api/v1/disputes/", asked, content_type="application/json")
    body = made.json()
    assert made.status_code == 201
    assert {name: body[name] for name in ("earning", "state", "expected", "due_on", "amount")} == {
        "earning": line.pk, "state": "open", "expected": "150.0000", "due_on": "2026-04-07", "amount": None,
    }  # fmt: skip
    again = client.post("/api/v1/disputes/", asked, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "dispute_refused")
    assert client.post(f"/api/v1/disputes/{body['id']}/withdraw/").json()["state"] == "withdrawn"
    client.force_login(make_staff())
    assert client.post("/api/v1/disputes/", asked, content_type="application/json").status_code == 403
    assert [one["state"] for one in client.get("/api/v1/disputes/").json()["results"]] == ["withdrawn"]
    stranger = make_portal_user(holding(line.program))
    client.force_login(stranger)
    assert client.post("/api/v1/disputes/", asked, content_type="application/json").status_code == 404
    assert client.get("/api/v1/disputes/").json()["results"] == []


def test_the_clock_is_what_staff_set(line: Earning, owner: User) -> None:
    StatementSettings.objects.create(answer_days=12)
    assert question(line, owner).due_on == program_today() + timedelta(days=12)
