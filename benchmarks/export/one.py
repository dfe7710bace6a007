"""One export in a process of its own: `python -m benchmarks.export.one URL STUDY WHAT` prints what it took."""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import transaction
from app.exports.bundle import bundle
from app.exports.choices import CHOICES
from app.exports.copying import copied, see_one_moment
from app.exports.files import Format, table_file
from app.exports.tables import RELEASED

BARE = "bare COPY"
BUNDLE = "bundle"


async def _bare(session: AsyncSession, slug: str) -> AsyncIterator[bytes]:
    """Every stored value of the choices' join, as it is and in Postgres's own form."""
    stored = [column.sql for column in CHOICES.columns if re.fullmatch(r"\w+\.\w+", column.sql)]
    query = f"COPY (SELECT {', '.join(stored)} {CHOICES.rows}) TO STDOUT"
    async for row in copied(session, query, slug):
        yield row  # type: ignore[misc]


def _chunks(session: AsyncSession, slug: str, what: str) -> AsyncIterator[bytes]:
    if what == BARE:
        return _bare(session, slug)
    if what == BUNDLE:
        return bundle(session, slug)
    table, known = what.split(".")
    return table_file(session, RELEASED[table], slug, Format(known))


async def _measure(url: str, slug: str, what: str) -> None:
    async with transaction(url) as session:
        await see_one_moment(session)
        began, cpu = time.perf_counter(), time.process_time()
        n_bytes = 0
        async for chunk in _chunks(session, slug, what):
            n_bytes += len(chunk)
        print(
            json.dumps({
                "seconds": time.perf_counter() - began,
                "cpu": time.process_time() - cpu,
                "bytes": n_bytes,
                "peak": peak_mib("self"),
            })
        )  # fmt: skip


def peak_mib(process: str | int) -> float:
    """The most memory that a process has had resident."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    asyncio.run(_measure(*sys.argv[1:4]))
