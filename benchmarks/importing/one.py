"""One import in a process of its own: `python -m benchmarks.importing.one URL FILE WHAT` prints what it took."""

import asyncio
import json
import sys
import time
from pathlib import Path

from app.db import transaction
from app.study.importers.mapping import Mapped
from app.study.importers.reading import open_set
from app.study.importers.tally import Tally, entries_of
from app.study.set_checks import checked_file
from app.study.sets import import_set
from benchmarks.export.one import peak_mib

LINES = "bare lines"
READ = "read alone"
IMPORT = "import"
CHECK = "check"


def _lines(path: Path) -> int:
    """Every line as JSON, and nothing made of it."""
    with path.open(encoding="utf-8") as file:
        return sum(bool(json.loads(line)) for line in file)


def _read(path: Path) -> int:
    opened = open_set(path)
    return sum(1 for _ in entries_of(opened, Tally(opened.file, opened.format), skip_rejected=False))


async def _import(url: str, path: Path) -> int:
    opened = open_set(path)
    entries = entries_of(opened, Tally(opened.file, opened.format), skip_rejected=False)
    async with transaction(url) as session:
        done = await import_set(session, entries, slug=f"of-{time.time_ns()}", title="Measured", licence="none")
    return done.n_misconceptions


def main(url: str, file: str, what: str) -> None:
    """Do it once, and print the seconds, the CPU seconds, the rows and the peak memory of this process."""
    path = Path(file)
    began, cpu = time.perf_counter(), time.process_time()
    if what == LINES:
        rows = _lines(path)
    elif what == READ:
        rows = _read(path)
    elif what == CHECK:
        rows = checked_file(path, None, Mapped(), ()).outcome.accepted
    else:
        rows = asyncio.run(_import(url, path))
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    print(json.dumps(took | {"rows": rows, "peak": peak_mib("self")}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
