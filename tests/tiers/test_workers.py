"""Nights shared by real Celery workers on a real broker, one of them killed: always the same placements and ledger.

Each test works on a scratch database of its own: the published sample, copied.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings

from partner_program.processes import start_broker, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.worker]
ROOT = Path(__file__).resolve().parents[2]
DAY = "2020-06-01"
CHUNK_SIZE = 10
PATIENCE = 120  # seconds

PLACEMENTS = """
    SELECT e.partner_id, t.code, p.starts_on, p.ends_on, p.reason FROM tiers_placement p
    JOIN tiers_enrollment e ON e.id = p.enrollment_id JOIN tiers_tier t ON t.id = p.tier_id ORDER BY 1, 3
"""
LEDGER = """
    SELECT sale_id, number, partner_id, kind, earned_on, base, rate, before, amount, currency
    FROM commissions_earning ORDER BY 1, 2, 3
"""
STATEMENTS = """
    SELECT s.partner_id, s.starts_on, s.amount, count(l.id) FROM commissions_statement s
    JOIN commissions_statementline l ON l.statement_id = s.id GROUP BY 1, 2, 3 ORDER BY 1, 2
"""


@dataclass
class Database:
    """A scratch database, by its URL."""

    url: str
    connect: Callable[[], Any]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(sql)
            return [tuple(str(value) for value in row) for row in cursor.fetchall()]

    def manage(self, *command: str, **env: str) -> None:
        run = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=self.env(**env), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr

    def env(self, **more: str) -> dict[str, str]:
        own = {"DATABASE_URL": self.url, "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": "partner_program.settings"}
        return {**os.environ, **own, **more}

    def outcome(self) -> tuple[list[Any], list[Any], list[Any]]:
        return self.rows(PLACEMENTS), self.rows(LEDGER), self.rows(STATEMENTS)

    def state(self) -> str:
        return str(self.rows("SELECT state FROM tiers_run")[0][0])

    def chunks(self, step: str, state: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM tiers_chunk WHERE step = '{step}' AND state = '{state}'")[0][0])  # noqa: S608


class Scratch:
    """Makes databases, of a copy of another where asked, and drops them all."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, []  # type: Path, list[str]
        self.server = settings.DATABASES["default"]
        self.is_sqlite = self.server["ENGINE"].endswith("sqlite3")

    def make(self, name: str, template: str | None = None) -> Database:
        if self.is_sqlite:
            path = self.folder / f"{name}.sqlite3"
            if template is not None:
                shutil.copy(self.folder / f"{template}.sqlite3", path)
            return Database(f"sqlite:///{path}", lambda: sqlite3.connect(path, timeout=30))
        full, copied = (f"scratch_{os.getpid()}_{one}" for one in (name, template or ""))
        self._on_server(f"CREATE DATABASE {full}" + (f" TEMPLATE {copied}" if template else ""))
        self.made.append(full)
        server = self.server
        where = f"{server['USER']}:{server['PASSWORD']}@{server['HOST']}:{server['PORT'] or 5432}"
        return Database(f"postgres://{where}/{full}", lambda: self._connect(full))

    def _connect(self, name: str) -> Any:
        server = self.server
        return psycopg2.connect(
            dbname=name, user=server["USER"], password=server["PASSWORD"] or None, host=server["HOST"],
            port=server["PORT"] or 5432,
        )  # fmt: skip

    def _on_server(self, sql: str) -> None:
        with closing(self._connect("postgres")) as connection:
            connection.autocommit = True
            with closing(connection.cursor()) as cursor:
                cursor.execute(sql)

    def drop(self) -> None:
        for name in self.made:
            self._on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    made = Scratch(tmp_path_factory.mktemp("databases"))
    seeded = made.make("seeded")
    seeded.manage("migrate", "--no-input", "-v", "0")
    seeded.manage("createcachetable", "-v", "0")
    seeded.manage("load_sample", "--keep-dates")
    if made.is_sqlite:  # what a copy takes is one file
        with closing(seeded.connect()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    yield made
    made.drop()


@pytest.fixture(scope="module")
def undisturbed(scratch: Scratch) -> tuple[list[Any], list[Any], list[Any]]:
    """What one process without a broker makes of the night, in one chunk."""
    database = scratch.make("undisturbed", "seeded")
    database.manage("night", "--as-of", DAY, "--chunk-size", "100000")
    outcome = database.outcome()
    assert len(outcome[0]) == 701 + 147 + 48  # the entry tier of everyone, and who left it
    assert len(outcome[1]) == 57_851
    return outcome


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """REDIS_URL where the tests are given one, else the embedded Valkey; without either the test fails."""
    if settings.REDIS_URL:
        yield settings.REDIS_URL
        return
    server = start_broker(tmp_path / "broker")
    assert server is not None, "Set REDIS_URL: there is no embedded broker for this system."
    yield f"{server.connection_url}/0"
    server.stop()


class Worker:
    """A Celery worker in a process group of its own."""

    def __init__(self, database: Database, broker: str, *, processes: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "partner_program", "worker", "--concurrency", str(processes),
             "--without-gossip", "--without-mingle", "--loglevel", "WARNING"],
            cwd=ROOT, env=database.env(REDIS_URL=broker), start_new_session=True,
        )  # fmt: skip

    def stop(self, sent: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, sent)
        self.process.wait(30)


@pytest.fixture
def start_worker() -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(*args: Any, **kwargs: Any) -> Worker:
        started.append(Worker(*args, **kwargs))
        return started[-1]

    yield start
    for worker in started:
        worker.stop(signal.SIGKILL)


def start_night(database: Database, broker: str, *, workers: int) -> None:
    """What the schedule does at its hour, for a day that we choose."""
    code = (
        "from datetime import date; from tiers import jobs, night; from tiers.models import Program;"
        f"run = night.start(program=Program.objects.get(), day=date.fromisoformat('{DAY}'), chunk_size={CHUNK_SIZE});"
        "jobs.queue_work(run.pk)"
    )
    database.manage("shell", "-v", "0", "-c", code, REDIS_URL=broker, NIGHT_WORKERS=str(workers))


def test_three_worker_processes_end_where_one_does(
    scratch: Scratch, undisturbed: Any, broker: str, start_worker: Callable[..., Worker]
) -> None:
    database = scratch.make("three", "seeded")
    start_worker(database, broker, processes=3)
    start_night(database, broker, workers=3)
    assert wait_until(lambda: database.state() == "done", seconds=PATIENCE)
    assert database.chunks("place", "done") == 71
    assert database.outcome() == undisturbed


def test_a_killed_worker_loses_nothing(
    scratch: Scratch, undisturbed: Any, broker: str, start_worker: Callable[..., Worker]
) -> None:
    database = scratch.make("killed", "seeded")
    first = start_worker(database, broker, processes=2)
    start_night(database, broker, workers=2)
    assert wait_until(lambda: database.chunks("earn", "done") >= 3, seconds=PATIENCE)
    first.stop(signal.SIGKILL)
    assert database.state() == "running"
    assert database.chunks("earn", "waiting") > 0
    posted = len(database.rows(LEDGER))
    assert 0 < posted < 57_851

    start_worker(database, broker, processes=2)
    code = "from tiers import jobs; jobs.resume_nights()"  # what beat asks every minute
    database.manage("shell", "-v", "0", "-c", code, REDIS_URL=broker)
    assert wait_until(lambda: database.state() == "done", seconds=PATIENCE)
    assert database.outcome() == undisturbed
