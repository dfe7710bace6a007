"""`python -m benchmarks.judging`: one table, each row of the application beside the baseline of the same minute."""

import argparse
import asyncio
import os
import platform
from itertools import count
from pathlib import Path
from typing import NamedTuple

import psycopg
from rich.console import Console
from rich.table import Table

from app import migrating
from app.postgres import Cluster, hold, status
from benchmarks.judging import big_studies, load
from benchmarks.judging.processes import cpu_seconds, family, memory_mib, server
from benchmarks.judging.statements import statements_a_judgement
from benchmarks.scratch import scratch_cluster

CANDOR = "app.main:from_environment"
BARE = "benchmarks.judging.bare:app"
console = Console(width=165)
people = count()


class Row(NamedTuple):
    what: str
    workers: int
    annotators: int
    judgements_a_second: float
    p50: float
    p95: float
    p99: float
    entry_p50: float
    app_cpu_ms: float
    postgres_cpu_ms: float
    memory_mib: float
    errors: int


class Meter:
    """CPU seconds of a server and of Postgres from the moment that everybody is ready."""

    def __init__(self, app: int, postgres: int | None) -> None:
        self._pids = [app, postgres]
        self._before = [0.0, 0.0]

    def start(self) -> None:
        self._before = self._now()

    def spent(self) -> tuple[float, float]:
        app, postgres = (now - before for now, before in zip(self._now(), self._before, strict=True))
        return app, postgres

    def _now(self) -> list[float]:
        return [cpu_seconds(family(pid)) if pid else 0.0 for pid in self._pids]


def measure(slug: str, workers: int, loads: list[int], seconds: float, url: str) -> list[Row]:
    """Measure one application under several loads."""
    key = _study_key(url, slug) if slug else b""
    postgres = status(_cluster).pid
    rows = []
    environment = {"CANDOR_DATABASE_URL": url, "CANDOR_POOL_SIZE": "8"}
    with server(CANDOR if slug else BARE, workers, environment) as (port, pid):
        for annotators in loads:
            meter = Meter(pid, postgres)
            timing = load.Timing(seconds, meter.start)
            if slug:
                measured = asyncio.run(load.candor(port, annotators, timing, slug, key, people))
            else:
                measured = asyncio.run(load.bare(port, annotators, timing))
            app_cpu, postgres_cpu = meter.spent()
            n = max(measured.judgements, 1)
            rows.append(
                Row(
                    slug or "bare baseline", workers, annotators, measured.judgements / seconds,
                    measured.percentile(0.50), measured.percentile(0.95), measured.percentile(0.99),
                    measured.entry_percentile(0.50),
                    1000 * app_cpu / n, 1000 * postgres_cpu / n,
                    memory_mib(family(pid)), measured.errors,
                )
            )  # fmt: skip
            console.print(rows[-1])
    return rows


def _study_key(url: str, slug: str) -> bytes:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT key FROM study WHERE slug = %s", (slug,)).fetchone()
    assert row is not None
    return bytes(row[0])


def prepare(url: str, *, big: bool) -> list[str]:
    """Make the studies and return their slugs."""
    migrating.upgrade(url)
    with console.status("Making a study of 200 pairs"):
        big_studies.make_set(url, "small", big_studies.SMALL_PAIRS)
        asyncio.run(big_studies.open_study(url, "small", 1000))
    _settle(url)
    if not big:
        return ["small"]
    with console.status("Making a study of 100,000 pairs with 1,000,000 filled slots (minutes)"):
        big_studies.make_set(url, "big", big_studies.BIG_PAIRS)
        asyncio.run(big_studies.open_study(url, "big", big_studies.BIG_FILLED + 4))
        big_studies.fill(url, "big", big_studies.BIG_FILLED)
    _settle(url)
    return ["small", "big"]


def _settle(url: str) -> None:
    """Do now what autovacuum would do during the measurement, so that it is not measured."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT") if _may_checkpoint(connection) else None


def _may_checkpoint(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_has_role('pg_checkpoint', 'member')").fetchone()
    return bool(row and row[0])


def table(rows: list[Row]) -> Table:
    titles = ("what", "processes", "annotators", "judgements/s", "p50 ms", "p95 ms", "p99 ms", "entry p50 ms",
              "app CPU ms",
              "Postgres CPU ms", "MiB", "errors", "x bare", "p99 x bare")  # fmt: skip
    made = Table(*titles, box=None, pad_edge=False)
    bare = {(row.workers, row.annotators): row for row in rows if row.what == "bare baseline"}
    for row in rows:
        beside = bare[row.workers, row.annotators]
        made.add_row(
            row.what, str(row.workers), str(row.annotators), f"{row.judgements_a_second:.0f}",
            f"{row.p50:.1f}", f"{row.p95:.1f}", f"{row.p99:.1f}", f"{row.entry_p50:.1f}",
            f"{row.app_cpu_ms:.2f}", f"{row.postgres_cpu_ms:.2f}",
            f"{row.memory_mib:.0f}", str(row.errors),
            f"{row.judgements_a_second / beside.judgements_a_second:.2f}", f"{row.p99 / beside.p99:.2f}",
        )  # fmt: skip
    return made


def main() -> None:
    """Measure and print."""
    global _cluster
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6, help="seconds a measurement")
    parser.add_argument("--annotators", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--small-only", action="store_true", help="leave out the study with a million filled slots")
    parser.add_argument("--record", action="store_true", help="write benchmarks/judging/RESULTS.md")
    given = parser.parse_args()
    with scratch_cluster() as _cluster, hold(_cluster) as database:
        slugs = prepare(database.sqlalchemy_url, big=not given.small_only)
        rows = [
            row
            for workers in given.workers
            for slug in ("", *slugs)
            for row in measure(slug, workers, given.annotators, given.seconds, database.sqlalchemy_url)
        ]
        statements = asyncio.run(statements_a_judgement(database.sqlalchemy_url))
    console.print(table(rows))
    console.print(f"SQL statements a judgement (POST and GET; BEGIN and COMMIT not counted): {statements}")
    if given.record:
        _record(rows, statements)


def _record(rows: list[Row], statements: float) -> None:
    file = Path(__file__).with_name("RESULTS.md")
    recorder = Console(record=True, width=165, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    recorder.print(table(rows))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    file.write_text(
        f"# Judging\n\n`python -m benchmarks.judging --record`, {machine}; the load runs on the same cores.\n\n"
        f"```\n{recorder.export_text()}```\n\nSQL statements a judgement: {statements}\n",
        encoding="utf-8",
    )


_cluster: Cluster
main()
