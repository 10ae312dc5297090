"""`python -m bench`: each size in a scratch database on the server of DATABASE_URL, dropped when done; then the tables."""

import argparse
import json
import os
import platform
import subprocess
import sys
from typing import Any

import psycopg2

from bench import documents
from bench.databases import scratch_database
from bench.size import EVALUATING

SIZES = (10_000, 100_000)
# At most this many times the plain SQL.
TARGETS = {"evaluate": 2.0, "earn": 3.0, "again": 1.5}
# At most this part of one worker's time, by two of them; at most this many times the night's evaluating, for a dry run.
SHARED, DRY = 0.5, 1.0
PAGE_MS, PAGE_QUERIES, LOCATOR_RATIO, LOCATOR_P95_MS = 30, 20, 2.0, 50


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--partners", type=int, nargs="+", default=SIZES, help="the sizes (default: 10000 100000)")
    parser.add_argument("--json", help="also write what was found to this file")
    parser.add_argument("--keep", action="store_true", help="leave the scratch databases")
    parser.add_argument("--no-pay", action="store_true", help="leave commissions out: a program without a plan")
    options = parser.parse_args()
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith(("postgres://", "postgresql://")):
        sys.exit(
            "DATABASE_URL must name a PostgreSQL server: DATABASE_URL=postgres://user@localhost/postgres make bench"
        )
    found = []
    for partners in options.partners:
        with scratch_database(server, f"bench_{os.getpid()}_{partners}", keep=options.keep) as url:
            environment = {**os.environ, "DATABASE_URL": url, "DEBUG": "false", "ALLOWED_HOSTS": "localhost",
                           "REDIS_URL": "", "LOG_LEVEL": "ERROR"}  # fmt: skip
            done = subprocess.run(  # noqa: S603  # our own module
                [sys.executable, "-m", "bench.size", str(partners), *(["--no-pay"] if options.no_pay else [])],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            if done.returncode:
                sys.exit(done.returncode)
            found.append(json.loads(done.stdout.splitlines()[-1]))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=2)
    report(server, found)


def report(server: str, found: list[dict[str, Any]]) -> None:
    connection = psycopg2.connect(server)
    cursor = connection.cursor()
    cursor.execute(
        "SELECT current_setting('server_version'), current_setting('shared_buffers'), current_setting('work_mem')"
    )
    version, buffers, memory = cursor.fetchone()
    connection.close()
    print(f"\nPostgreSQL {version} (shared_buffers {buffers}, work_mem {memory}), Python {platform.python_version()}, "
          f"{os.cpu_count()} cores; one worker; plain SQL is the better of two passes")  # fmt: skip
    for one in found:
        rows, first, second = one["rows"], one["first"], one["second"]
        print(f"\n{one['partners']:,} partners, {rows['sales']:,} sales, {rows['members']:,} members, "
              f"{rows['certificates']:,} certificates, {rows['locations']:,} locations; "
              f"{first['totals'].get('posted', 0):,} earnings; figures, tiers, earnings and statements equal")  # fmt: skip
        print_times(one)
        print(f"  memory at its peak: first night {first['mb_peak']:.0f} MB, second {second['mb_peak']:.0f} MB, dry run "
              f"{one['dry']['mb_peak']:.0f} MB (started with {first['mb_before']:.0f} MB)")  # fmt: skip
        print(f"  {'page':<34}{'ms':>9}{'queries':>9}")
        for page in one["pages"]:
            met = page["ms"] <= PAGE_MS and page["queries"] <= PAGE_QUERIES
            print(f"  {page['page']:<34}{page['ms']:>9.1f}{page['queries']:>9}   {'' if met else 'over the target'}")
        near = one["locator"]
        met = near["p95"] <= LOCATOR_P95_MS and near["ms"] <= LOCATOR_RATIO * near["index_ms"]
        print(f"  nearest 20 of a tier within 100 km: median {near['ms']:.1f} ms, p95 {near['p95']:.1f} ms; by the earthdistance "
              f"index {near['index_ms']:.1f} ms, p95 {near['index_p95']:.1f} ms; {near['ms'] / near['index_ms']:.2f}x  "
              f"{'met' if met else 'NOT met'}")  # fmt: skip
        print(f"  {documents.said(one['invoices'])}")
    if len(found) > 1:
        print()
        small, large = found[0], found[-1]
        times = large["partners"] / small["partners"]
        for name in ("first", "second", "dry"):
            grew = sum(large[name]["seconds"].values()) / sum(small[name]["seconds"].values())
            print(f"{'dry run' if name == 'dry' else f'{name} night'}: {times:.0f} times the data, {grew:.1f} times the time, "
                  f"{large[name]['mb_peak'] / small[name]['mb_peak']:.2f} times the memory")  # fmt: skip
    print(f"Targets: pages {PAGE_MS} ms at the median and {PAGE_QUERIES} queries; locator {LOCATOR_RATIO}x the index and "
          f"p95 {LOCATOR_P95_MS} ms.")  # fmt: skip


def print_times(one: dict[str, Any]) -> None:
    sql, first, second, dry, shared = one["sql"], one["first"], one["second"], one["dry"], one["shared"]
    took, evaluating = first["seconds"], evaluated(first["seconds"])
    print(f"  {'step':<34}{'night':>9}{'SQL':>9}{'ratio':>8}   target")
    line("measure, evaluate, place", evaluating, sql["evaluate"], TARGETS["evaluate"])
    if "earn" in sql:
        line("post commissions, from empty", took["earn"], sql["earn"], TARGETS["earn"])
        line("draft statements", took.get("statements", 0.0), sql["state"], None)
    line("evaluating again, nothing changed", evaluated(second["seconds"]), sql["evaluate"], None)
    line("the night again, nothing changed", sum(second["seconds"].values()), sql["read_once"], TARGETS["again"])
    print(f"  {'':<34}{'this':>9}{'night':>9}{'ratio':>8}   target")
    line("evaluating, two workers", shared["evaluate"], evaluating, SHARED)
    line("the whole night, two workers", shared["whole"], sum(took.values()), None)
    line("a dry run of another edition", sum(dry["seconds"].values()) - dry["seconds"]["finish"], evaluating, DRY)
    for name, run in (("first night", first), ("second night", second), ("dry run", dry)):
        steps = ", ".join(f"{key} {value:.1f} s" for key, value in run["seconds"].items())
        print(f"    {name} by step: {steps}; processor: {used(run['processor'])}")
    print_busy(first, shared)


def print_busy(first: dict[str, Any], shared: dict[str, Any]) -> None:
    """How many cores one worker and two keep busy, and the least part of one worker's time that leaves to two."""
    alone, whole = in_all(first["processor"]), sum(first["seconds"].values())
    together = in_all(shared["processor"])
    if alone is None or together is None:
        return
    print(f"    two workers: processor: {used(shared['processor'])}")
    print(f"  cores busy on average: one worker {alone / whole:.2f}, two {together / shared['whole']:.2f}; for what one worker "
          f"takes, two with a core each need {alone / whole / 2:.2f}x of its time at the least, "
          f"for what they took themselves {together / 2 / whole:.2f}x")  # fmt: skip


def in_all(processor: dict[str, float | None]) -> float | None:
    """Seconds of Python and database; None where the database is out of sight."""
    python, database = processor["python"], processor["database"]
    return None if python is None or database is None else python + database


def used(processor: dict[str, float | None]) -> str:
    python, database = processor["python"], processor["database"]
    return f"Python {python:.1f} s, database {'out of sight' if database is None else f'{database:.1f} s'}"


def evaluated(seconds: dict[str, float]) -> float:
    return sum(seconds.get(step, 0.0) for step in EVALUATING)


def line(name: str, night: float, sql: float, target: float | None) -> None:
    ratio = night / sql
    said = "" if target is None else f"{target}x {'met' if ratio <= target else 'NOT met'}"
    print(f"  {name:<34}{night:>7.1f} s{sql:>7.1f} s{ratio:>7.2f}x   {said}")


if __name__ == "__main__":
    main()
