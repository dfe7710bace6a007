"""`python -m benchmarks.progress`: the progress page over HTTP at 10^6 choices, beside one bare pass over them."""

import argparse
import asyncio
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx
import psycopg
from rich.console import Console
from rich.table import Table

from app import migrating
from app.db import transaction
from app.postgres import hold
from app.study import accounts, login_sessions
from app.terms import Role
from benchmarks.judging import big_studies
from benchmarks.judging.processes import server
from benchmarks.scratch import scratch_cluster

# What filling in one go leaves out: people who came over forty days, and how long they took.
_LIVED = (
    """
    UPDATE participation SET outcome = 'complete', consented_at = now(),
           entered_at = now() - interval '40 days' * (CAST(id AS float8) / (SELECT max(id) FROM participation))
    """,
    "UPDATE participation SET finished_at = entered_at + make_interval(mins => 5 + (hashint8(id) & 15))",
    """
    UPDATE choice SET decision_ms_server = 5000 + (hashint8(participation_id * 100 + position) & 65535),
           late = hashint8(participation_id * 100 + position) % 60 = 0
    """,
    """
    INSERT INTO event (kind, study_id, participation_id, detail) SELECT kind, study_id, p.id, '{}'
    FROM participation p, unnest(ARRAY['entered', 'reached_practice', 'reached_judging', 'reached_debrief',
                                       'reached_looked_up', 'reached_complete']) kind
    """,
    "INSERT INTO event (kind, study_id, detail) SELECT 'declined', id, '{}' FROM study, generate_series(1, 2000)",
)
BARE = (
    "SELECT count(*), count(*) FILTER (WHERE side_chosen = 'left'), count(*) FILTER (WHERE late), "
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY decision_ms_server) FROM choice"
)
console = Console(width=110)


class Row(NamedTuple):
    what: str
    seconds: list[float]

    def at(self, share: float) -> float:
        """Milliseconds under which a share stayed."""
        return 1000 * sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


def prepare(url: str, n_pairs: int) -> None:
    """Make the study, and leave nothing for autovacuum to do meanwhile."""
    migrating.upgrade(url)
    with console.status("Making a study with ten filled slots a pair (minutes)"):
        big_studies.make_set(url, "big", n_pairs)
        asyncio.run(big_studies.open_study(url, "big", big_studies.BIG_FILLED + 4))
        big_studies.fill(url, "big", big_studies.BIG_FILLED)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            for statement in _LIVED:
                connection.execute(statement.encode())
            connection.execute("VACUUM ANALYZE")


async def cookie(url: str) -> str:
    """Sign an admin in."""
    async with transaction(url) as session:
        account_id = await accounts.create(session, "root@lab.example", Role.ADMIN, None)
        return await login_sessions.start(session, account_id, 1)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(url: str, rounds: int) -> list[Row]:
    """Take turns, so that a busy moment falls on all."""
    signed_in = {"candor_session": asyncio.run(cookie(url))}
    rows = [Row("progress page", []), Row("a page without a study", []), Row("one bare pass over the choices", [])]
    environment = {"CANDOR_DATABASE_URL": url, "CANDOR_POOL_SIZE": "2"}
    with (
        server("app.main:from_environment", 1, environment) as (port, _),
        psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=signed_in, timeout=60) as client,
    ):
        for number in range(-2, rounds):
            taken = (
                timed(lambda: client.get("/studies/big/progress").raise_for_status()),
                timed(lambda: client.get("/account").raise_for_status()),
                timed(lambda: connection.execute(BARE).fetchall()),
            )
            if number >= 0:
                for row, seconds in zip(rows, taken, strict=True):
                    row.seconds.append(seconds)
    return rows


def table(rows: list[Row]) -> Table:
    made = Table("what", "p50 ms", "p95 ms", "fastest ms", "x bare pass", box=None, pad_edge=False)
    bare = median(rows[-1].seconds)
    for row in rows:
        made.add_row(
            row.what, f"{row.at(0.5):.0f}", f"{row.at(0.95):.0f}", f"{1000 * min(row.seconds):.0f}",
            f"{median(row.seconds) / bare:.2f}",
        )  # fmt: skip
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.progress", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="how often each is measured")
    parser.add_argument("--pairs", type=int, default=big_studies.BIG_PAIRS, help="ten choices each")
    parser.add_argument("--record", action="store_true", help="write benchmarks/progress/RESULTS.md")
    given = parser.parse_args()
    with scratch_cluster() as cluster, hold(cluster) as database:
        prepare(database.sqlalchemy_url, given.pairs)
        rows = measure(database.sqlalchemy_url, given.rounds)
    console.print(table(rows))
    if given.record:
        _record(rows, given.pairs)


def _record(rows: list[Row], n_pairs: int) -> None:
    file = Path(__file__).with_name("RESULTS.md")
    recorder = Console(record=True, width=110, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    recorder.print(table(rows))
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, {platform.machine()}"
    file.write_text(
        f"# Progress\n\n`python -m benchmarks.progress --record`, {machine}, Python {platform.python_version()};\n"
        "Postgres and the client share the cores.\n\n"
        f"The study has {n_pairs:,} pairs, {10 * n_pairs:,} choices and {n_pairs // 2:,} people. The bare pass reads\n"
        "the choices once: four aggregates, no join, no page. In each round all three take turns.\n\n"
        f"```\n{recorder.export_text()}```\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
