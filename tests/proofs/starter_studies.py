"""Studies on a small set of real texts, served in process. Their keys are given, so a proof sees the same each time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.annotating import Simulation
from app.db import transaction
from app.main import create_app
from app.models import Study
from app.settings import Settings
from app.study import stimuli, studies
from app.study.designs import check_design
from app.study.options import Options
from app.study.set_files import read_jsonl
from app.study.sets import find_set, import_set
from tests.example_sets import STARTER

ADDRESS = "http://testserver"
N_PAIRS = 24
_ENTRIES = read_jsonl(STARTER)
PROMPTS = frozenset(entry.prompt for entry in _ENTRIES)


@asynccontextmanager
async def application(database_url: str) -> AsyncIterator[httpx.ASGITransport]:
    """Serve the real application on a database, without a network."""
    app = create_app(Settings(database_url=database_url, pool_size=8))
    async with app.router.lifespan_context(app):
        yield httpx.ASGITransport(app)


async def open_starter_study(database_url: str, slug: str, key: bytes, **design: Any) -> Simulation:
    """Open a study on a small set of real texts; return what synthetic annotators need to know of it."""
    async with transaction(database_url) as session:
        await _import_starter(session)
        values = {"slug": slug, "title": slug, "contact": "someone@example.org", "completion_code": "DONE-1234"}
        study = await studies.create_study(session, check_design(values | design), await find_set(session, "starter"))
        study.key = key
        await studies.open_study(session, slug)
        known = await stimuli.known_responses(session, study.id)
        return Simulation(ADDRESS, slug, key, known, _right_answers(study), seed=study.seed)


def _right_answers(study: Study) -> frozenset[str]:
    return frozenset(question.right for question in Options.model_validate(study.options).comprehension)


async def _import_starter(session: AsyncSession) -> None:
    await import_set(session, _ENTRIES, slug="starter", title="starter", licence="CC BY 4.0")
