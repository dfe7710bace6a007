"""The study: made from a seed on the bundled set, and filled over HTTP by people who come one after the other."""

from collections.abc import Callable
from random import Random
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app import resources
from app.cli import simulate
from app.cli.annotating import annotator_number
from app.db import transaction
from app.results.observed import Observed
from app.results.sources.from_database import from_database
from app.study import studies
from app.study.designs import check_design
from app.study.set_files import read_jsonl
from app.study.sets import find_set, import_set
from benchmarks.recovery.planted import Planted

SLUG = "recovery"
_SET = "misconceptions"
DESIGN: dict[str, Any] = {
    "slug": SLUG,
    "title": "Recovery of planted effects",
    "contact": "nobody: this study is synthetic",
    "synthetic": True,
    "ratings_per_pair": 5,
    "pairs_per_annotator": 20,
    "options": {"attention_checks": 3, "swapped_repeats": 2, "exclusions": {"failed_checks": 1}},
}


async def make(url: str, planted: Planted) -> None:
    """Make and open the study. Its key is of the seed too, so that everybody gets the same pairs at every run."""
    async with transaction(url) as session:
        await _import_set(session)
        design = check_design(DESIGN | {"seed": planted.seed})
        study = await studies.create_study(session, design, await find_set(session, _SET))
        study.key = Random(f"{planted.seed}/key").randbytes(32)
        await studies.open_study(session, SLUG)


async def _import_set(session: AsyncSession) -> None:
    entries = read_jsonl(resources.content(f"{_SET}.jsonl"))
    await import_set(session, entries, slug=_SET, title=_SET, licence="CC BY 4.0")


async def fill(url: str, server: str, planted: Planted, on: Callable[[], None]) -> None:
    """Let everybody take part, one after the other; `on` is called after each."""
    async with transaction(url) as session:
        simulation = await simulate.prepare(session, SLUG, server, planted.seed)
    for number in range(planted.n_people):
        async with httpx.AsyncClient(timeout=60) as client:
            annotator = annotator_number(simulation, number, planted.behaviour(number), client)
            if not await annotator.take_part():
                raise SystemExit(f"annotator {number} did not reach the end")
        on()


async def read(url: str) -> Observed:
    """Read the study as the results page does."""
    async with transaction(url) as session:
        return await from_database(session, SLUG)
