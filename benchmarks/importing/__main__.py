"""`python -m benchmarks.importing`: importing a set beside reading its lines alone, at growing sizes."""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from app import migrating, resources
from app.postgres import hold
from benchmarks.importing.one import CHECK, IMPORT, LINES, READ
from benchmarks.scratch import scratch_cluster

console = Console(width=130)


class Row(NamedTuple):
    what: str
    n_rows: int
    seconds: float
    cpu: float
    mib: float
    peak: float


def write(path: Path, n_rows: int) -> None:
    """Write the bundled set over and over, each time with keys, claims and responses of its own."""
    with resources.content("misconceptions.jsonl").open(encoding="utf-8") as file:
        bundled = [json.loads(line) for line in file]
    with path.open("w", encoding="utf-8") as made:
        for number in range(n_rows):
            one = dict(bundled[number % len(bundled)])
            one["key"] = f"m-{number}"
            for field in ("claim", "baseline_truthful", "helpful_truthful", "sycophantic"):
                one[field] = f"{one[field]} ({number})"
            made.write(json.dumps(one, ensure_ascii=False) + "\n")


def measure(url: str, file: Path, n_rows: int, what: str) -> Row:
    """Do it once, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.importing.one", url, str(file), what]
    took = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert took["rows"] == n_rows
    row = Row(what, n_rows, took["seconds"], took["cpu"], file.stat().st_size / 2**20, took["peak"])
    console.print(row)
    return row


def table(rows: list[Row]) -> Table:
    made = Table("what", "rows", "MiB", "seconds", "rows/s", "CPU s here", "peak MiB", "x bare lines",
                 box=None, pad_edge=False)  # fmt: skip
    bare = {row.n_rows: row.seconds for row in rows if row.what == LINES}
    for row in rows:
        made.add_row(
            row.what, f"{row.n_rows:,}", f"{row.mib:.1f}", f"{row.seconds:.2f}", f"{row.n_rows / row.seconds:,.0f}",
            f"{row.cpu:.2f}", f"{row.peak:.0f}", f"{row.seconds / bare[row.n_rows]:.1f}",
        )  # fmt: skip
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--checked", type=int, default=10_000, help="the most rows that are checked too")
    parser.add_argument("--record", action="store_true", help="write benchmarks/importing/RESULTS.md")
    given = parser.parse_args()
    with scratch_cluster() as cluster, hold(cluster) as database:
        url = database.sqlalchemy_url
        migrating.upgrade(url)
        rows = []
        for n_rows in given.rows:
            file = cluster.data_dir.parent / f"{n_rows}.jsonl"
            write(file, n_rows)
            wanted = [LINES, READ, IMPORT] + [CHECK] * (n_rows <= given.checked)
            rows += [measure(url, file, n_rows, what) for what in wanted]
    console.print(table(rows))
    if given.record:
        _record(rows)


def _record(rows: list[Row]) -> None:
    file = Path(__file__).with_name("RESULTS.md")
    recorder = Console(record=True, width=130, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    recorder.print(table(rows))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    file.write_text(
        f"# Importing\n\n`python -m benchmarks.importing --record`, {machine}; Postgres shares the cores.\n\n"
        "The file is the bundled set over and over, with keys, claims and responses of their own. Each row is\n"
        "measured once, in a process of its own; `peak MiB` and `CPU s here` leave out Postgres. `bare lines` parses\n"
        "each line as JSON and keeps nothing; `read alone` checks its form; `import` stores it too, and hashes it as\n"
        "it came to lie in the database. What grows with the file in an import is one digest for each key and claim.\n"
        "`check` holds the texts, because it compares them with each other; a page takes files of at most 20 MB.\n\n"
        f"```\n{recorder.export_text()}```\n",
        encoding="utf-8",
    )


main()
