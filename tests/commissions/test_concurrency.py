"""Two at once, in real threads with their own connections: locks and constraints hold, and the outcome is the serial one.

SQLite has one writer at a time, so there is nothing to see there; PostgreSQL runs them all.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from commissions import lifecycle, services, statements, streams
from commissions.errors import DisputeError, StatementIssuedError, StatementStateError
from commissions.models import Dispute, Earning, Hold, Plan, Statement, StatementLine
from commissions.plan_documents import by_tier
from commissions.services import issue_statement, issue_statements, publish_plan
from journal.models import Entry
from leads.models import Sale
from tests.commissions.disputes_facts import approve_all, issue_all, question
from tests.commissions.facts import holding, paying_program, publish, run_night, sell
from tests.factories import make_enrollment, make_placement, make_portal_user, make_staff
from tiers import night
from tiers.models import Program, Run

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
D = Decimal
MARCH = date(2026, 3, 1)
NIGHT = date(2026, 4, 2)
WAIT = 60  # seconds, where something hangs


def at_once(*works: Callable[[], object]) -> list[object]:
    """Start all on one signal; what each returned or raised, in order. A thread that hangs fails the test."""
    start = threading.Barrier(len(works), timeout=WAIT)
    outcomes: list[object] = [None] * len(works)

    def work(place: int, one: Callable[[], object]) -> None:
        try:
            with connection.cursor():
                start.wait()
            outcomes[place] = one()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(place, one), daemon=True) for place, one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return outcomes


def stood() -> dict[tuple[int, str], Decimal]:
    rows = Earning.objects.order_by().values_list("sale_id", "currency").annotate(Sum("amount"))
    return {(sale, currency): amount for sale, currency, amount in rows if amount != 0}


def drafted() -> list[tuple[int, str, Decimal, int]]:
    return [
        (one.partner_id, f"{one.starts_on:%Y-%m}", one.amount, one.lines.count())
        for one in Statement.objects.order_by("partner_id", "starts_on")
    ]


@pytest.fixture
def program() -> Program:
    return paying_program({"level-1": D("0.1")})


@pytest.fixture
def busy(program: Program) -> Iterator[dict[tuple[int, str], Decimal]]:
    """Thirty partners with four sales each; what should stand."""
    due = {}
    for _partner in range(30):
        partner = holding(program)
        for number in range(4):
            sale = sell(partner, f"{100 + number}.00", date(2026, 3, 1 + number))
            due[sale.pk, "USD"] = D(100 + number) / 10
    return due


def work_the_night(program: Program, day: date = NIGHT) -> Run:
    run = night.start(program=program, day=day, chunk_size=4)
    night.work(run.pk)
    return run


def test_two_nights_of_one_day_share_the_work(program: Program, busy: dict[tuple[int, str], Decimal]) -> None:
    first, second = at_once(lambda: work_the_night(program), lambda: work_the_night(program))
    assert first == second
    run = Run.objects.get()
    night.work(run.pk)  # where one left while the other held the last chunk
    run.refresh_from_db()
    assert (run.state, run.totals["posted"]) == (Run.State.DONE, 120)
    assert stood() == busy
    assert Earning.objects.count() == 120
    assert len(drafted()) == 30
    assert {(month, amount, lines) for _partner, month, amount, lines in drafted()} == {("2026-03", D("40.6"), 4)}


def test_nights_of_two_days_at_once_post_everything_once(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    days = (NIGHT, date(2026, 4, 3))
    at_once(*[lambda day=day: work_the_night(program, day) for day in days])  # type: ignore[misc]
    for day in days:
        run_night(program, day)
    assert (stood(), Earning.objects.count()) == (busy, 120)
    assert {(amount, lines) for _partner, _month, amount, lines in drafted()} == {(D("40.6"), 4)}


def test_two_runs_that_read_the_ledger_at_once_still_post_one_line(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for the other after reading what is posted: without the lock both would post."""
    sale = sell(holding(program), "100.00", MARCH)
    both_have_read = threading.Barrier(2)
    read = streams.stood

    def read_and_wait(*arguments: Any) -> Iterator[tuple[int, streams.Stood]]:
        found = list(read(*arguments))
        with contextlib.suppress(threading.BrokenBarrierError):
            both_have_read.wait(0.5)
        return iter(found)

    monkeypatch.setattr(streams, "stood", read_and_wait)
    days = (NIGHT, date(2026, 4, 3))
    outcomes = at_once(*[lambda day=day: work_the_night(program, day) for day in days])  # type: ignore[misc]
    assert [type(one) for one in outcomes] == [Run, Run]
    assert list(Run.objects.values_list("state", "error")) == [("done", "")] * 2
    assert [(line.sale, line.number) for line in Earning.objects.all()] == [(sale, 1)]


def test_an_issue_in_the_middle_of_drafting_waits_for_it(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    partner = holding(program)
    sell(partner, "100.00", MARCH)
    run_night(program, NIGHT)
    seen = Statement.objects.get()
    sell(partner, "100.00", MARCH)
    drafting, issued = threading.Event(), threading.Event()
    find = statements._open_month

    def find_slowly(*arguments: Any) -> date:
        month = find(*arguments)
        drafting.set()
        issued.wait(0.5)
        return month

    def issue() -> object:
        assert drafting.wait(WAIT)
        try:
            return issue_statement(statement=seen)
        finally:
            issued.set()

    monkeypatch.setattr(statements, "_open_month", find_slowly)
    _run, outcome = at_once(lambda: work_the_night(program, date(2026, 4, 3)), issue)
    assert list(Run.objects.values_list("state", "error")) == [("done", "")] * 2
    assert isinstance(outcome, StatementIssuedError)
    assert drafted() == [(partner.pk, "2026-03", D(20), 2)]


def test_nights_of_two_programs_at_once_fill_one_statement_each_partner(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    other = paying_program({"level-1": D("0.01")})
    tier = other.editions.get().tiers.get(rank=1)
    for partner_id in {sale.partner_id for sale in Sale.objects.all()}:
        enrollment = make_enrollment(Sale.objects.filter(partner=partner_id)[0].partner, other)
        make_placement(enrollment, tier, reason="granted")
    outcomes = at_once(lambda: work_the_night(program), lambda: work_the_night(other))
    assert [type(one) for one in outcomes] == [Run, Run]
    assert set(Run.objects.values_list("state", flat=True)) == {"done"}
    assert {(month, amount, lines) for _partner, month, amount, lines in drafted()} == {("2026-03", D("44.66"), 8)}
    assert StatementLine.objects.count() == Earning.objects.count() == 240


def test_a_night_while_sales_are_corrected_is_mended_by_the_next(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    run_night(program, NIGHT)
    partners = [sale.partner for sale in Sale.objects.order_by("pk").distinct("pk")[:120:4]]

    def correct() -> None:
        for place, sale in enumerate(Sale.objects.order_by("-pk")):
            with transaction.atomic():
                locked = Sale.objects.select_for_update().get(pk=sale.pk)
                locked.amount = D(200)
                locked.currency = "EUR" if place % 3 == 0 else "USD"
                locked.partner = partners[place % len(partners)]
                locked.save()

    outcomes = at_once(lambda: work_the_night(program, date(2026, 4, 3)), correct)
    assert isinstance(outcomes[0], Run), outcomes
    assert outcomes[1] is None
    run_night(program, date(2026, 4, 4))
    assert stood() == {(sale.pk, sale.currency): D(20) for sale in Sale.objects.all()}
    owners = dict(Sale.objects.values_list("pk", "partner_id"))
    lines = Earning.objects.order_by().values_list("sale_id", "partner_id").annotate(Sum("amount"))
    assert {(sale, partner) for sale, partner, amount in lines if amount} == set(owners.items())
    posted = Earning.objects.count()
    run_night(program, date(2026, 4, 5))
    assert Earning.objects.count() == posted


def test_two_staff_issue_one_statement_once(program: Program) -> None:
    sell(holding(program), "100.00", MARCH)
    run_night(program, NIGHT)
    seen, staff = Statement.objects.get(), [make_staff() for _number in range(6)]
    outcomes = at_once(*[lambda actor=actor: issue_statement(statement=seen, actor=actor) for actor in staff])  # type: ignore[misc]
    assert outcomes == [seen] * 6
    assert Entry.objects.filter(verb="commissions.statement.issued").count() == 1
    assert Statement.objects.get().state == Statement.State.IN_REVIEW


def test_two_staff_issue_all_drafts_while_a_night_drafts(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    run_night(program, NIGHT)
    seen = dict(Statement.objects.order_by("-pk").values_list("pk", "amount"))
    backwards = dict(reversed(seen.items()))
    staff = [make_staff(), make_staff()]
    first, second, run = at_once(
        lambda: issue_statements(seen=seen, actor=staff[0]),
        lambda: issue_statements(seen=backwards, actor=staff[1]),
        lambda: work_the_night(program, date(2026, 4, 3)),
    )
    assert sorted([first, second]) == [0, 30]  # type: ignore[type-var]
    assert isinstance(run, Run)
    assert list(Run.objects.values_list("state", "error")) == [("done", "")] * 2
    assert Entry.objects.filter(verb="commissions.statement.issued").count() == 30


def test_a_night_and_an_issue_at_once_leave_the_statement_whole(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    run_night(program, NIGHT)
    drafts = list(Statement.objects.order_by("-pk"))
    for statement in drafts:
        sell(statement.partner, "10.00", MARCH)

    def issue_all() -> int:
        refused = 0
        for statement in drafts:
            try:
                issue_statement(statement=statement)
            except StatementIssuedError:  # the night was first: the draft that was seen is no more
                refused += 1
        return refused

    run, refused = at_once(lambda: work_the_night(program, date(2026, 4, 3)), issue_all)
    assert isinstance(run, Run)
    run.refresh_from_db()
    assert (run.state, run.error) == (Run.State.DONE, "")
    issued = Statement.objects.filter(state="in_review")
    assert issued.count() == 30 - refused  # type: ignore[operator]
    for statement in Statement.objects.all():
        assert statement.amount == statement.lines.aggregate(total=Sum("earning__amount"))["total"]
        assert statement.amount == (D("40.6") if statement.state == "in_review" else D("41.6"))


def crowd(press: Callable[[int], object]) -> list[object]:
    """A hundred people press at once: twenty connections, five of them after each other on each without a pause."""

    def five(first: int) -> list[object]:
        return [press(first + number) for number in range(5)]

    found = at_once(*[lambda first=first: five(first) for first in range(0, 100, 5)])  # type: ignore[misc]
    return [one for pressed in found for one in pressed]  # type: ignore[attr-defined]


def test_a_hundred_people_approve_and_pay_each_statement_once(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    run_night(program, NIGHT)
    issue_all()
    seen = dict(Statement.objects.values_list("pk", "total"))
    ids, staff, once = list(seen), make_staff(), [0] * 99 + [30]
    orders = (seen, dict(reversed(seen.items())))
    approved = crowd(lambda number: services.approve_statements(seen=orders[number % 2], actor=staff))
    assert sorted(approved) == once  # type: ignore[type-var]
    assert Entry.objects.filter(verb="commissions.statement.approved").count() == 30
    scheduled = crowd(lambda number: len(lifecycle.schedule(ids[:: 1 - 2 * (number % 2)], actor=staff)))
    assert sorted(scheduled) == once  # type: ignore[type-var]
    paid = crowd(lambda number: len(lifecycle.mark_paid(ids, paid_on=date(2026, 4, 1 + number % 28), actor=staff)))
    assert sorted(paid) == once  # type: ignore[type-var]
    assert len(set(Statement.objects.values_list("state", "paid_on"))) == 1
    assert Entry.objects.filter(verb="commissions.statement.paid").count() == 30


def test_what_is_paid_and_cancelled_at_once_is_one_of_them(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    run_night(program, NIGHT)
    issue_all()
    approve_all()
    ids = list(Statement.objects.values_list("pk", flat=True))
    works: list[Callable[[], object]] = []
    for pk in ids:
        works += [
            lambda pk=pk: lifecycle.schedule([pk], actor=None),  # type: ignore[misc]
            lambda pk=pk: lifecycle.cancel([pk], reason="wrong", actor=None),  # type: ignore[misc]
        ]
    outcomes = at_once(*works)
    refused = [one for one in outcomes if isinstance(one, StatementStateError)]
    assert len(refused) == 30
    assert [one for one in outcomes if not isinstance(one, list | StatementStateError)] == []
    states = Statement.objects.values_list("state", flat=True)
    assert set(states) <= {"scheduled", "cancelled"}
    assert (
        Entry.objects.filter(verb__in=["commissions.statement.scheduled", "commissions.statement.cancelled"]).count()
        == 30
    )


def test_a_line_questioned_while_its_statement_is_approved_is_held_or_refused(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    run_night(program, date(2026, 4, 2))
    issue_all()
    lines = [one.lines.order_by("pk")[0].earning for one in Statement.objects.order_by("pk")]
    owners = {line.partner_id: make_portal_user(line.partner) for line in lines}
    works: list[Callable[[], object]] = [lambda line=line: question(line, owners[line.partner_id]) for line in lines]  # type: ignore[misc]
    outcomes = at_once(approve_all, *works)
    assert outcomes[0] is None
    opened = [one for one in outcomes[1:] if isinstance(one, Dispute)]
    assert len(opened) + sum(isinstance(one, DisputeError) for one in outcomes[1:]) == 30
    assert set(Hold.objects.values_list("dispute_id", flat=True)) == {one.pk for one in opened}
    for statement in Statement.objects.all():
        held = Hold.objects.filter(line__statement=statement).aggregate(sum=Sum("line__earning__amount"))["sum"] or D(0)
        assert (statement.held, statement.total) == (held, statement.amount - held)


def test_a_month_closed_by_many_while_a_night_drafts_is_closed_once(
    program: Program, busy: dict[tuple[int, str], Decimal]
) -> None:
    run_night(program, NIGHT)
    seen = services.open_month(MARCH)
    outcomes = at_once(
        *[lambda: services.close_month(seen=seen)] * 12, lambda: work_the_night(program, date(2026, 4, 3))
    )
    assert sorted(outcomes[:-1]) == [0] * 11 + [30]  # type: ignore[type-var]
    assert Entry.objects.filter(verb="commissions.month.closed").count() == 1
    assert Entry.objects.filter(verb="commissions.statement.issued").count() == 30


def test_a_plan_published_twice_at_once_is_one_plan(program: Program) -> None:
    rates = {"level-1": D("0.2"), "level-2": D("0.3")}

    def publish_it() -> Any:
        return publish_plan(program=program, name={"en": "P"}, starts_on=MARCH, definition=by_tier(rates))

    outcomes = at_once(*[publish_it] * 6)
    assert len({plan.pk for plan in outcomes}) == 1  # type: ignore[attr-defined]
    assert Plan.objects.filter(program=program, starts_on=MARCH).count() == 1
    assert Entry.objects.filter(verb="commissions.plan.published").count() == 2  # the fixture's, and this one


def test_different_plans_at_once_take_different_versions(program: Program) -> None:
    works = [lambda rate=rate: publish(program, {"level-1": D(rate) / 100}, MARCH) for rate in range(1, 7)]  # type: ignore[misc]
    outcomes = at_once(*works)
    assert sorted(plan.version for plan in outcomes) == [2, 3, 4, 5, 6, 7]  # type: ignore[attr-defined]


def test_the_constraint_alone_refuses_a_line_posted_twice(program: Program) -> None:
    """Were the lock forgotten, two runs that computed one difference could still not both post it."""
    sell(holding(program), "100.00", MARCH)
    run_night(program, NIGHT)
    line = Earning.objects.get()
    line.pk = None
    with pytest.raises(IntegrityError, match="commissions_each_line_of_a_fact_once"):
        line.save(force_insert=True)
