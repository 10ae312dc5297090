"""One size, in the empty database of DATABASE_URL: prints what it found as the last line, JSON."""

import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django

HERE = Path(__file__).resolve().parent
WORKERS = 2
EVALUATING = ("measure", "rank", "place")


def run(partners: int, *, pays: bool) -> dict[str, Any]:
    """`pays` False leaves commissions out: the program has no plan."""
    from django.core.management import call_command
    from django.db import connection

    from bench import documents, facts, pages, plain
    from tiers import program_file

    def say(text: str) -> None:
        print(f"  {partners:,} partners: {text}", file=sys.stderr, flush=True)

    say("migrate")
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    document = json.loads((HERE / "program.json").read_bytes())
    if not pays:
        del document["plans"]
    program = program_file.import_program(json.dumps(document))
    say("facts")
    started = time.perf_counter()
    rows = facts.fill(partners=partners, program_id=program.pk)
    filled = time.perf_counter() - started
    say(f"the night in a copy, {WORKERS} workers")
    shared = shared_night(facts.DAY, program.slug)
    plain.make_tables()
    sql = {}
    for name in ("evaluate", "earn", "state") if pays else ("evaluate",):
        say(f"plain SQL: {name}")
        sql[name] = getattr(plain, name)(facts.DAY, program.pk)
    say("the night, from nothing")
    first = night("start", facts.DAY.isoformat())
    different = plain.differences()
    if any(different.values()):
        raise SystemExit(f"The night and the plain SQL differ, rows: {different}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what autovacuum does within a minute of a night
    say("plain SQL: read the facts once")
    sql["read_once"] = plain.read_once(facts.DAY, program.pk, pays=pays)
    say("the night again, nothing changed")
    second = night("start", facts.DAY.isoformat())
    for key in ("moved_up", "moved_down", "posted", "statements"):
        if second["totals"].get(key):
            raise SystemExit(f"The second night was not idle: {second['totals']}")
    say("a dry run of another edition")
    dry = dry_run(program, facts.DAY)
    say("pages and locator")
    timed, located = pages.time_pages(pays=pays), pages.time_locator()
    say("self-billed invoices")
    return {
        "partners": partners, "rows": rows, "filled": filled, "sql": sql, "first": first, "second": second, "shared": shared,
        "dry": dry, "different": different, "pages": timed, "locator": located,
        "invoices": documents.time_documents(),
    }  # fmt: skip


def night(*how: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "bench.night", *how], stdout=subprocess.PIPE, check=True, text=True, env=env
    )
    return json.loads(done.stdout.splitlines()[-1])


# --- Shared by workers ----------------------------------------------------------------------------


def shared_night(day: date, slug: str) -> dict[str, Any]:
    """The same night from nothing in a copy of the database, by several workers at once: seconds of the clock, from when all
    are ready to when the last is done, and those of evaluating alone; seconds of the processor that all took together."""
    from django.db import connection

    from bench.databases import scratch_database

    url = os.environ["DATABASE_URL"]
    name = urlsplit(url).path[1:]
    connection.close()
    with scratch_database(url, f"{name}_shared", like=name) as copy:
        done = subprocess.run(  # noqa: S603  # our own module
            [sys.executable, "-m", "bench.size", "--shared", slug, day.isoformat()],
            env={**os.environ, "DATABASE_URL": copy}, stdout=subprocess.PIPE, check=True, text=True,
        )  # fmt: skip
        return json.loads(done.stdout.splitlines()[-1])


def work_shared(slug: str, day: date) -> dict[str, Any]:
    from django.utils import timezone

    from tiers import night
    from tiers.models import Chunk, Program, Run

    run = night.start(program=Program.objects.get(slug=slug), day=day)
    workers = [
        subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", "bench.night", "join", str(run.pk)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(WORKERS)
    ]  # fmt: skip
    for worker in workers:
        worker.stdout.readline()
    started, clock = time.perf_counter(), timezone.now()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.communicate()[0] for worker in workers]
    if any(worker.returncode for worker in workers):
        sys.exit("A worker failed.")
    whole = time.perf_counter() - started
    run.refresh_from_db()
    if run.state != Run.State.DONE:
        sys.exit(f"The night ended {run.state}: {run.error}")
    placed = Chunk.objects.filter(run=run, step__in=EVALUATING).latest("finished_at").finished_at
    used = [json.loads(one.splitlines()[-1])["processor"] for one in said]
    parts = {key: [one[key] for one in used] for key in used[0]}
    processor = {key: None if None in values else sum(values) for key, values in parts.items()}
    return {"whole": whole, "evaluate": (placed - clock).total_seconds(), "processor": processor}


# --- Another edition ------------------------------------------------------------------------------


def dry_run(program: Any, day: date) -> dict[str, Any]:
    """A dry run of an edition that asks half as much again for its highest tiers. Nothing but its outcomes is written."""
    from tiers.models import Evaluation, Outcome, Placement
    from tiers.services import copy_edition

    draft = copy_edition(edition=program.editions.get(), name="Next", starts_on=date(day.year + 1, 1, 1))
    for tier in draft.tiers.filter(code__in=("gold", "platinum")):
        tier.earn["all"][0]["value"] = tier.earn["all"][0]["value"] * 3 // 2
        tier.save()
    before = (Placement.objects.count(), Evaluation.objects.count())
    done = night("dry", str(draft.pk), day.isoformat())
    if before != (Placement.objects.count(), Evaluation.objects.count()):
        raise SystemExit("The dry run wrote placements or evaluations.")
    if Outcome.objects.count() != done["totals"]["evaluated"]:
        raise SystemExit(f"The dry run left some out: {done['totals']}")
    return done


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_program.settings")
    django.setup()
    if sys.argv[1] == "--shared":
        print(json.dumps(work_shared(sys.argv[2], date.fromisoformat(sys.argv[3]))))
    else:
        print(json.dumps(run(int(sys.argv[1]), pays="--no-pay" not in sys.argv)))
