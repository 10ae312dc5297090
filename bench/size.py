"""One size, in the empty database of DATABASE_URL: prints what it found as the last line, JSON."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import django

HERE = Path(__file__).resolve().parent


def run(partners: int) -> dict[str, Any]:
    from django.core.management import call_command
    from django.db import connection

    from bench import facts, pages, plain
    from tiers import program_file

    def say(text: str) -> None:
        print(f"  {partners:,} partners: {text}", file=sys.stderr, flush=True)

    say("migrate")
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    program = program_file.import_program(HERE / "program.json")
    say("facts")
    started = time.perf_counter()
    rows = facts.fill(partners=partners, program_id=program.pk)
    filled = time.perf_counter() - started
    plain.make_tables()
    sql = {}
    for name in ("evaluate", "earn", "state"):
        say(f"plain SQL: {name}")
        sql[name] = getattr(plain, name)(facts.DAY, program.pk)
    say("the night, from nothing")
    first = night(facts.DAY)
    different = plain.differences()
    if any(different.values()):
        raise SystemExit(f"The night and the plain SQL differ, rows: {different}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what autovacuum does within a minute of a night
    say("plain SQL: read the facts once")
    sql["read_once"] = plain.read_once(facts.DAY, program.pk)
    say("the night again, nothing changed")
    second = night(facts.DAY)
    for key in ("moved_up", "moved_down", "posted", "statements"):
        if second["totals"].get(key):
            raise SystemExit(f"The second night was not idle: {second['totals']}")
    say("pages and locator")
    return {
        "partners": partners, "rows": rows, "filled": filled, "sql": sql, "first": first, "second": second,
        "different": different, "pages": pages.time_pages(), "locator": pages.time_locator(),
    }  # fmt: skip


def night(day: Any) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "bench.night", day.isoformat()], stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_program.settings")
    django.setup()
    print(json.dumps(run(int(sys.argv[1]))))
