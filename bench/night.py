"""One night or dry run, or a part in one that others work too, in a process of its own, so that its memory can be read.

`start DAY` starts the bench program's night, `dry EDITION DAY` a dry run; `join RUN` takes part in one from the moment a line comes
in. Prints a line of JSON.
"""

import json
import os
import sys
import time
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import django


def peak_mb() -> float:
    """The most memory this process ever held (a child's ru_maxrss would start from its parent's)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def processor() -> dict[str, float | None]:
    """Seconds of the processor so far: Python's, and those of the database's process for this connection, which works alone on
    what it writes; None where it runs on another machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")
    except FileNotFoundError:
        name, rest = "", ""
    ticks = [int(one) for one in rest.split()[11:13]]  # in user code, in the kernel
    database = sum(ticks) / os.sysconf("SC_CLK_TCK") if name.endswith("(postgres") else None
    return {"python": time.process_time(), "database": database}


def opened(how: str, *what: str) -> Any:
    """The run to work."""
    from tiers import night
    from tiers.models import Edition, Program, Run

    if how == "start":
        return night.start(program=Program.objects.get(slug="bench"), day=date.fromisoformat(what[0]))
    if how == "dry":
        return night.start_dry_run(edition=Edition.objects.get(pk=what[0]), day=date.fromisoformat(what[1]))
    run = Run.objects.get(pk=what[0])
    print("ready", flush=True)
    sys.stdin.readline()
    return run


def main(how: str, *what: str) -> None:
    from tiers import night
    from tiers.models import Run

    before = peak_mb()
    seconds: dict[str, float] = defaultdict(float)

    def chunk_done(run: Run) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[run.step] += now - last
        last = now

    run = opened(how, *what)
    used, last = processor(), time.perf_counter()
    night.work(run.pk, chunk_done)
    run.refresh_from_db()
    while how == "join" and run.state == Run.State.RUNNING:  # others hold the last chunks of a step
        time.sleep(0.05)
        night.work(run.pk, chunk_done)
        run.refresh_from_db()
    if run.state != Run.State.DONE:
        sys.exit(f"The night ended {run.state}: {run.error}")
    seconds["finish"] = time.perf_counter() - last
    took = {
        key: None if value is None or used[key] is None else value - used[key] for key, value in processor().items()
    }
    totals = {key: value - run.carried.get(key, 0) for key, value in run.totals.items()}
    report = {
        "seconds": seconds, "processor": took, "mb_before": before, "mb_peak": peak_mb(), "totals": totals,
    }  # fmt: skip
    print(json.dumps(report))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_program.settings")
    django.setup()
    main(*sys.argv[1:])
