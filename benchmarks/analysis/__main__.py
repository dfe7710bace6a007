"""`python -m benchmarks.analysis`: a study read and all its findings computed, beside one bare pass over choices."""

import argparse
import asyncio
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg
from rich.console import Console
from rich.table import Table

from app import migrating
from app.db import transaction
from app.postgres import hold
from app.results.finding.find import find
from app.results.observed import Observed
from app.results.sources.from_database import from_database
from app.study import data_versions
from benchmarks.analysis.filled import N_MODELS, SHAPES, make, score
from benchmarks.scratch import scratch_cluster

BARE = (
    "SELECT count(*), count(*) FILTER (WHERE side_chosen = 'left'), count(*) FILTER (WHERE late), "
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY decision_ms_server) FROM choice"
)
READ, FOUND, BOTH, CACHED, PASS = (
    "read from the database", "findings", "both: a page that nobody asked for yet",
    "asked for before: the version of the data",
    "one bare pass over the choices",
)  # fmt: skip
console = Console(width=110)


class Row(NamedTuple):
    what: str
    n_choices: int
    wall: list[float]
    cpu: list[float]


class Took(NamedTuple):
    wall: float
    cpu: float


def timed(work: Callable[[], object]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


async def _read(url: str, slug: str) -> Observed:
    async with transaction(url) as session:
        return await from_database(session, slug)


async def _version(url: str, study_id: int) -> str:
    async with transaction(url) as session:
        return await data_versions.of_study(session, study_id)


def measure(url: str, size: int, rounds: int) -> list[Row]:
    """Take turns, so that a busy moment falls on all. The first round warms up and is not told."""
    slug = f"of-{size}"
    taken: dict[str, list[Took]] = {what: [] for what in (READ, FOUND, BOTH, CACHED, PASS)}
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute("SELECT id FROM study WHERE slug = %s", (slug,)).fetchone()
        assert row is not None
        for number in range(rounds + 1):
            observed: list[Observed] = []
            read = timed(lambda: observed.append(asyncio.run(_read(url, slug))))  # noqa: B023 - called at once
            found = timed(lambda: find(observed[0]))  # noqa: B023 - called at once
            cached = timed(lambda: asyncio.run(_version(url, row[0])))
            bare = timed(lambda: connection.execute(BARE).fetchall())
            both = Took(read.wall + found.wall, read.cpu + found.cpu)
            for what, took in zip(taken, (read, found, both, cached, bare), strict=True):
                if number:
                    taken[what].append(took)
    return [Row(what, size, [t.wall for t in took], [t.cpu for t in took]) for what, took in taken.items()]


def with_models(rows: list[Row]) -> list[Row]:
    """Return what scores change, called so."""
    return [row._replace(what=f"{row.what}, {N_MODELS} PMs") for row in rows if row.what in {READ, FOUND, BOTH}]


def table(rows: list[Row]) -> Table:
    made = Table("what", "choices", "median ms", "fastest ms", "CPU ms here", "x bare pass", box=None, pad_edge=False)
    bare = {row.n_choices: median(row.wall) for row in rows if row.what == PASS}
    for row in rows:
        made.add_row(
            row.what, f"{row.n_choices:,}", f"{1000 * median(row.wall):.0f}", f"{1000 * min(row.wall):.0f}",
            f"{1000 * median(row.cpu):.0f}", f"{median(row.wall) / bare[row.n_choices]:.2f}",
        )  # fmt: skip
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.analysis", description=__doc__)
    parser.add_argument("--choices", type=int, nargs="+", choices=sorted(SHAPES), default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; the middle is shown")
    parser.add_argument("--record", action="store_true", help="write benchmarks/analysis/RESULTS.md")
    given = parser.parse_args()
    rows: list[Row] = []
    with scratch_cluster() as cluster, hold(cluster) as database:
        url = database.sqlalchemy_url
        migrating.upgrade(url)
        for size in sorted(given.choices):
            with console.status(f"Making a study with {size:,} choices"):
                make(url, size)
            rows += measure(url, size, given.rounds)
            score(url, f"of-{size}")
            rows += with_models(measure(url, size, given.rounds))
    console.print(table(rows))
    if given.record:
        _record(rows)


def _record(rows: list[Row]) -> None:
    file = Path(__file__).with_name("RESULTS.md")
    recorder = Console(record=True, width=110, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    recorder.print(table(rows))
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, {platform.machine()}"
    shapes = "; ".join(
        f"{size:,} choices: {SHAPES[size][0]:,} pairs × {SHAPES[size][1]}"
        for size in sorted({row.n_choices for row in rows})
    )
    file.write_text(
        f"# Analysis\n\n`python -m benchmarks.analysis --record`, {machine}, Python {platform.python_version()};\n"
        f"Postgres shares the cores.\n\n{shapes}; everybody judges twenty.\n"
        "All that the results page shows is computed, bootstraps of 2,000 resamples among it; with "
        f"{N_MODELS} made-up PMs,\nof two variants each, every comparison with people too. What is cached costs the "
        "version of the data alone. The\nbare pass reads the choices of all studies once: four aggregates, no join.\n\n"
        f"```\n{recorder.export_text()}```\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
