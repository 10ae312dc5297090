"""One night or dry run, or a part in one that others work too, in a process of its own, so that its memory can be read.

`start DAY` starts the bench program's night, `dry EDITION DAY` a dry run; `join RUN` takes part in one from the moment a line comes
in. Prints a line of JSON.
"""

import json
import os
import resource
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
    last = time.perf_counter()

    def chunk_done(run: Run) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[run.step] += now - last
        last = now

    run = opened(how, *what)
    night.work(run.pk, chunk_done)
    run.refresh_from_db()
    while how == "join" and run.state == Run.State.RUNNING:  # others hold the last chunks of a step
        time.sleep(0.05)
        night.work(run.pk, chunk_done)
        run.refresh_from_db()
    if run.state != Run.State.DONE:
        sys.exit(f"The night ended {run.state}: {run.error}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    totals = {key: value - run.carried.get(key, 0) for key, value in run.totals.items()}
    report = {
        "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "mb_before": before,
        "mb_peak": peak_mb(), "totals": totals,
    }  # fmt: skip
    print(json.dumps(report))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_program.settings")
    django.setup()
    main(*sys.argv[1:])
