"""When `make demo` loads the sample, and the address that its processes are told."""

from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from time_machine import travel

from commissions.models import Earning, Statement, StatementLine
from journal.models import Entry
from partner_program import processes, sample
from partner_program.management.commands import demo
from payouts.models import PayoutBatch
from tests.factories import make_edition, make_program, make_user
from tiers.models import Evaluation, Placement, Run


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `demo` was asked to prepare; the sample itself has its own tests."""
    asked: list[str] = []
    monkeypatch.setattr(demo.Command, "load", lambda self: asked.append("load"))
    return asked


def make_nights(count: int) -> None:
    edition = make_edition(make_program())
    Run.objects.bulk_create(
        Run(
            program=edition.program,
            edition=edition,
            day=date(2026, 1, 1 + number),
            state=Run.State.DONE,
        )
        for number in range(count)
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("nights", "has_sample", "asked"),
    [
        (0, False, ["load"]),
        (0, True, ["load"]),
        (demo.HISTORY_MONTHS - 1, True, ["load"]),
        (demo.HISTORY_MONTHS, True, []),
        (1, False, []),
    ],
    ids=["empty", "no-night", "interrupted", "loaded", "own-data"],
)
def test_the_sample_is_loaded_where_it_is_not_whole(
    loads: list[str],
    nights: int,
    has_sample: bool,
    asked: list[str],
) -> None:
    if nights:
        make_nights(nights)
    if has_sample:
        make_user(email=sample.STAFF, is_staff=True)
    call_command("demo", prepare_only=True)
    assert loads == asked


@pytest.mark.parametrize(
    ("site_url", "told"), [("", "http://localhost:8123"), ("https://partners.example", "https://partners.example")]
)
def test_processes_are_told_the_address_that_they_serve(
    monkeypatch: pytest.MonkeyPatch, settings: Any, site_url: str, told: str
) -> None:
    settings.REDIS_URL = "redis://broker.example:6379/0"
    monkeypatch.setenv("SITE_URL", site_url)
    started: dict[str, dict[str, str]] = {}

    class Recorded(processes.Processes):
        def start(self, name: str, *command: str, env: dict[str, str] | None = None) -> None:
            started[name] = env or {}

    monkeypatch.setattr(processes, "listens", lambda port: port == 8123)
    processes.start_all(Recorded(), port=8123)
    assert started == {
        name: {"REDIS_URL": "redis://broker.example:6379/0", "SITE_URL": told} for name in ("web", "worker", "beat")
    }


@pytest.mark.slow
@pytest.mark.django_db
@travel("2026-11-24T10:00:00+01:00", tick=False)
def test_a_night_after_the_demo_is_ready_posts_nothing_and_moves_no_one() -> None:
    call_command("demo", prepare_only=True)
    drafts = Statement.objects.filter(state=Statement.State.DRAFT)
    assert set(drafts.values_list("ends_on", flat=True)) == {date(2026, 11, 1)}
    assert Statement.objects.filter(state=Statement.State.PAID).count() > 2000
    assert set(Statement.objects.filter(state=Statement.State.IN_REVIEW).values_list("ends_on", flat=True)) == {
        date(2026, 10, 1)
    }
    batch = PayoutBatch.objects.get()
    assert (batch.state, batch.items.filter(state="failed").count()) == ("partly_failed", 1)
    assert set(batch.items.filter(state="paid").values_list("statement__ends_on", "statement__state")) == {
        (date(2026, 9, 1), "paid")
    }

    before = [model.objects.count() for model in (Earning, StatementLine, Placement, Evaluation, Entry)]
    call_command("night")
    call_command("demo", prepare_only=True)
    assert [model.objects.count() for model in (Earning, StatementLine, Placement, Evaluation, Entry)] == before
