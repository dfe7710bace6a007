"""`python -m benchmarks.export`: one table, each export beside a bare COPY of the same join in the same run."""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg
from rich.console import Console
from rich.table import Table

from app import migrating
from app.postgres import hold
from benchmarks.export.one import BARE, BUNDLE
from benchmarks.judging import big_studies
from benchmarks.scratch import scratch_cluster

EXPORTS = ("choices.csv", "choices.jsonl", "choices.parquet", BUNDLE)
RATINGS = {10_000: (200, 50), 100_000: (400, 250), 1_000_000: (2_000, 500)}
console = Console(width=130)


class Row(NamedTuple):
    what: str
    n_choices: int
    seconds: float
    cpu: float
    mib: float
    peak: float


def prepare(url: str, sizes: list[int]) -> None:
    """Make a study for each size, and leave nothing for autovacuum to do meanwhile."""
    migrating.upgrade(url)
    for size in sizes:
        n_pairs, k = RATINGS[size]
        with console.status(f"Making a study with {size:,} choices"):
            big_studies.make_set(url, f"of-{size}", n_pairs)
            asyncio.run(big_studies.open_study(url, f"of-{size}", k))
            big_studies.fill(url, f"of-{size}", k)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE participation SET consented_at = entered_at")
        connection.execute("VACUUM ANALYZE")


def measure(url: str, size: int, what: str) -> Row:
    """Export once, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.export.one", url, f"of-{size}", what]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took = json.loads(done.stdout)
    row = Row(what, size, took["seconds"], took["cpu"], took["bytes"] / 2**20, took["peak"])
    console.print(row)
    return row


def measured(url: str, size: int, rounds: int) -> list[Row]:
    """Export in turns, so that a busy minute falls on all; return the middle of each."""
    rows: dict[str, list[Row]] = {what: [] for what in (BARE, *EXPORTS)}
    for number in range(rounds):
        for what, taken in rows.items():
            if number == 0 or what != BUNDLE:
                taken.append(measure(url, size, what))
    return [
        Row(
            what, size, median(row.seconds for row in taken), median(row.cpu for row in taken), taken[0].mib,
            max(row.peak for row in taken),
        )
        for what, taken in rows.items()
    ]  # fmt: skip


def table(rows: list[Row]) -> Table:
    made = Table("export", "choices", "seconds", "rows/s", "CPU s here", "MiB", "peak MiB", "x bare COPY",
                 box=None, pad_edge=False)  # fmt: skip
    bare = {row.n_choices: row for row in rows if row.what == BARE}
    for row in rows:
        made.add_row(
            row.what, f"{row.n_choices:,}", f"{row.seconds:.2f}", f"{row.n_choices / row.seconds:,.0f}",
            f"{row.cpu:.2f}", f"{row.mib:.1f}", f"{row.peak:.0f}",
            f"{bare[row.n_choices].seconds / row.seconds:.2f}",
        )  # fmt: skip
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.export", description=__doc__)
    parser.add_argument("--choices", type=int, nargs="+", choices=sorted(RATINGS), default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the middle is shown")
    parser.add_argument("--record", action="store_true", help="write benchmarks/export/RESULTS.md")
    given = parser.parse_args()
    with scratch_cluster() as cluster, hold(cluster) as database:
        url = database.sqlalchemy_url
        prepare(url, given.choices)
        rows = [row for size in given.choices for row in measured(url, size, given.rounds)]
    console.print(table(rows))
    if given.record:
        _record(rows)


def _record(rows: list[Row]) -> None:
    file = Path(__file__).with_name("RESULTS.md")
    recorder = Console(record=True, width=130, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    recorder.print(table(rows))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    file.write_text(
        f"# Export\n\n`python -m benchmarks.export --record`, {machine}; Postgres shares the cores.\n\n"
        "Each export runs in a process of its own. The bare COPY gives the stored values of the same join, drained by\n"
        "the same loop; `CPU s here` leaves out Postgres. The bundle holds all tables but the payments: its rows a\n"
        "second are choices, while it carries the preferences, with every text, besides.\n\n"
        f"```\n{recorder.export_text()}```\n",
        encoding="utf-8",
    )


main()
